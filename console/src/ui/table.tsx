/** Tables, and paginated lists as tables. The long list of hosts is virtualized instead: see pages/hosts.tsx. */

import type { ReactNode } from 'react'

import { Button } from './button'
import { Skeletons } from './loaded'
import { ProblemNotice } from './notice'

export interface Column<T> {
  name: string
  /** Takes the remaining width and truncates its text. */
  wide?: boolean
  /** Hidden on a narrow screen. */
  spare?: boolean
  /** Holds buttons and is aligned to the end. */
  end?: boolean
  cell: (row: T) => ReactNode
}

interface TableProps<T> {
  label: string
  columns: readonly Column<T>[]
  rows: readonly T[]
  id: (row: T) => string
}

export function Table<T>({ label, columns, rows, id }: TableProps<T>) {
  return (
    <div className="table-frame">
      <table className="table" aria-label={label}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.name} scope="col" className={classes(column)}>
                {column.end ? <span className="unseen">{column.name}</span> : column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={id(row)}>
              {columns.map((column) => (
                <td key={column.name} className={classes(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function classes<T>({ wide, spare, end }: Column<T>): string {
  return [wide && 'wide', spare && 'spare', end && 'end'].filter(Boolean).join(' ')
}

interface ListQuery<T> {
  data: T[] | undefined
  error: Error | null
  hasNextPage: boolean
  isFetchingNextPage: boolean
  fetchNextPage: () => Promise<unknown>
}

interface ListProps<T> extends Omit<TableProps<T>, 'rows'> {
  list: ListQuery<T>
  /** Shown if the list is empty. */
  empty: ReactNode
}

/** The loaded part of a list, and a button that loads more. */
export function ListTable<T>({ list, empty, ...table }: ListProps<T>) {
  if (list.data === undefined) return list.error ? <ProblemNotice error={list.error} /> : <Skeletons rows={8} />
  if (list.data.length === 0 && !list.hasNextPage) return empty
  return (
    <>
      <Table {...table} rows={list.data} />
      {list.hasNextPage && (
        <div className="table-foot">
          <Button look="quiet" busy={list.isFetchingNextPage} onPress={() => void list.fetchNextPage()}>
            {list.isFetchingNextPage ? 'Loading…' : 'Show more'}
          </Button>
        </div>
      )}
    </>
  )
}
