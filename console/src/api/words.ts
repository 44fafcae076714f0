// Made by `npm run generate` from schemas/openapi.json.

import type { Job } from './nouns'

export const JOB_KINDS: Job['kind'][] = [
  'run',
  'inspect',
  'reset_breakers',
  'self_update',
  'reboot',
]

export const JOB_STATES: Job['state'][] = [
  'queued',
  'offered',
  'accepted',
  'running',
  'presumed_lost',
  'succeeded',
  'failed',
  'cancelled',
  'interrupted',
  'rejected',
  'superseded',
  'expired',
]
