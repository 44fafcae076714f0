/** The API call for the overview of the fleet. */

import { api, withEtag } from './client'
import type { Live } from './live'
import type { Overview } from './nouns'

export const liveOverview: Live<Overview> = {
  queryKey: ['overview'],
  ask: ({ query, headers, signal }) => withEtag(api.GET('/api/v1/overview', { params: { query }, headers, signal })),
}
