/** The fleet in one answer. */

import { api, tagged } from './client'
import type { Live } from './live'
import type { Overview } from './nouns'

export const liveOverview: Live<Overview> = {
  queryKey: ['overview'],
  ask: ({ query, headers, signal }) => tagged(api.GET('/api/v1/overview', { params: { query }, headers, signal })),
}
