/** Paginated lists, newest first. */

import { useInfiniteQuery, type QueryKey } from '@tanstack/react-query'

import type { Page } from './nouns'

const REFRESH = 10_000
export const PAGE_SIZE = 100

export interface ListOf<T> {
  queryKey: QueryKey
  ask: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<T>>
}

/** The pages of a list that have been loaded. They refresh regularly while the page is visible. */
export function useList<T>(list: ListOf<T>) {
  return useInfiniteQuery({
    queryKey: list.queryKey,
    queryFn: ({ pageParam, signal }) => list.ask(pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    refetchInterval: REFRESH,
    select: (data) => data.pages.flatMap((page) => page.items),
  })
}
