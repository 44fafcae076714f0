/** A table of a list that comes in pages. Long ones of hosts are virtualised: see pages/hosts.tsx. */

import type { ReactNode } from 'react'

import { Button } from './button'
import { Skeletons } from './loaded'
import { ProblemNotice } from './notice'

export interface Column<T> {
  name: string
  /** Takes what room there is, and is cut. */
  wide?: boolean
  /** Left out where the screen is narrow. */
  spare?: boolean
  /** For buttons, at the end. */
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

interface Listed<T> {
  data: T[] | undefined
  error: Error | null
  hasNextPage: boolean
  isFetchingNextPage: boolean
  fetchNextPage: () => Promise<unknown>
}

interface ListProps<T> extends Omit<TableProps<T>, 'rows'> {
  list: Listed<T>
  /** What stands there when there is nothing. */
  empty: ReactNode
}

/** A list as far as it is loaded, and the way to more of it. */
export function ListTable<T>({ list, empty, ...table }: ListProps<T>) {
  if (list.data === undefined) return list.error ? <ProblemNotice error={list.error} /> : <Skeletons rows={8} />
  if (list.data.length === 0 && !list.hasNextPage) return empty
  return (
    <>
      <Table {...table} rows={list.data} />
      {list.hasNextPage && (
        <div className="table-foot">
          <Button look="quiet" busy={list.isFetchingNextPage} onPress={() => void list.fetchNextPage()}>
            {list.isFetchingNextPage ? 'Loading…' : 'Show older ones'}
          </Button>
        </div>
      )}
    </>
  )
}
