/** A virtualized grid of thousands of hosts: only visible rows are drawn, and the keyboard reaches all of them. */

import { useNavigate } from '@tanstack/react-router'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useRef, useState, type KeyboardEvent, type MouseEvent } from 'react'

import type { Host } from '../../api/nouns'
import { rangeBetween, toggled } from '../../logic/selection'
import { Badge, Labels, Online } from '../../ui/badge'
import { Time } from '../../ui/time'
import { VersionChip } from '../host/version_chip'

const ROW = 36
const HEAD = 34
const PAGE = 15
const COLUMNS = ['Select', 'Name', 'State', 'Agent', 'System', 'Labels', 'Last seen']

interface HostGridProps {
  hosts: Host[]
  newest: string | null
  selected: ReadonlySet<string>
  onSelect: (selected: ReadonlySet<string>) => void
  /** Whether no filter is set. */
  all: boolean
}

export function HostGrid({ hosts, newest, selected, onSelect, all }: HostGridProps) {
  const frame = useRef<HTMLDivElement>(null)
  const [active, setActive] = useState(0)
  const [anchor, setAnchor] = useState(0)
  // Each scroll renders the rows again, so the compiler must not memoize this component.
  // eslint-disable-next-line react-hooks/incompatible-library
  const rows = useVirtualizer({
    count: hosts.length,
    getScrollElement: () => frame.current,
    estimateSize: () => ROW,
    overscan: 6,
    scrollMargin: HEAD,
    scrollPaddingStart: HEAD,
  })
  const current = Math.min(active, hosts.length - 1)
  const moving = useFocusOnMove(frame, current)
  const choose = (at: number, extend: boolean) => {
    onSelect(extend ? rangeBetween(hosts, selected, anchor, at) : toggled(selected, hosts[at]?.id))
    if (!extend) setAnchor(at)
    setActive(at)
  }
  const moveTo = (at: number, extend: boolean) => {
    const next = Math.max(0, Math.min(hosts.length - 1, at))
    if (extend) onSelect(rangeBetween(hosts, selected, anchor, next))
    moving.current = true
    setActive(next)
    rows.scrollToIndex(next)
  }
  const chooseAll = () => {
    onSelect(new Set(hosts.map(({ id }) => id)))
  }
  const onKey = useGridKeys({ hosts, current, moveTo, choose, chooseAll })
  const every = hosts.every(({ id }) => selected.has(id))
  return (
    <div
      className="card host-grid"
      role="grid"
      tabIndex={-1}
      aria-label="Hosts"
      aria-rowcount={hosts.length + 1}
      aria-multiselectable="true"
      onKeyDown={onKey}
    >
      <div className="grid-body" ref={frame}>
        <div role="rowgroup" className="grid-head">
          <div role="row" aria-rowindex={1} className="grid-row">
            {COLUMNS.map((name, at) => (
              <div role="columnheader" key={name} className={`cell-${at}`}>
                {at > 0 ? (
                  name
                ) : (
                  <input
                    type="checkbox"
                    aria-label={all ? 'Select all hosts' : 'Select all matching hosts'}
                    checked={every}
                    onChange={() => {
                      onSelect(every ? new Set() : new Set(hosts.map(({ id }) => id)))
                    }}
                  />
                )}
              </div>
            ))}
          </div>
        </div>
        <div role="rowgroup" style={{ height: rows.getTotalSize(), position: 'relative' }}>
          {rows.getVirtualItems().map(({ index, start }) => {
            const host = hosts[index]
            if (!host) return null
            return (
              <HostRow
                // With another filter, the rows show other hosts. Reusing rows is cheaper than creating them.
                key={index}
                host={host}
                index={index}
                start={start - HEAD}
                newest={newest}
                isSelected={selected.has(host.id)}
                isActive={index === current}
                onFocus={() => {
                  setActive(index)
                }}
                onChoose={(extend) => {
                  choose(index, extend)
                }}
              />
            )
          })}
        </div>
      </div>
    </div>
  )
}

/** Focuses the row after a move with the keyboard, as soon as it is drawn. */
function useFocusOnMove(frame: React.RefObject<HTMLDivElement | null>, current: number) {
  const moving = useRef(false)
  useEffect(() => {
    const row = frame.current?.querySelector<HTMLElement>(`[data-index='${current}']`)
    if (!moving.current || !row) return
    moving.current = false
    row.focus({ preventScroll: true })
  })
  return moving
}

interface GridKeys {
  hosts: Host[]
  current: number
  moveTo: (at: number, extend: boolean) => void
  choose: (at: number, extend: boolean) => void
  chooseAll: () => void
}

function useGridKeys({ hosts, current, moveTo, choose, chooseAll }: GridKeys) {
  const navigate = useNavigate()
  return (event: KeyboardEvent) => {
    const id = hosts[current]?.id
    const steps: Record<string, number> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: PAGE,
      PageUp: -PAGE,
      Home: -hosts.length,
      End: hosts.length,
    }
    const by = steps[event.key]
    if (by !== undefined) moveTo(current + by, event.shiftKey)
    else if (event.target instanceof HTMLInputElement) return
    else if (event.key === ' ') choose(current, event.shiftKey)
    else if (event.key === 'Enter' && id) void navigate({ to: '/hosts/$id', params: { id } })
    else if (event.key === 'a' && (event.ctrlKey || event.metaKey)) chooseAll()
    else return
    event.preventDefault()
  }
}

interface HostRowProps {
  host: Host
  index: number
  start: number
  newest: string | null
  isSelected: boolean
  isActive: boolean
  onFocus: () => void
  onChoose: (extend: boolean) => void
}

function HostRow({ host, index, start, newest, isSelected, isActive, onFocus, onChoose }: HostRowProps) {
  return (
    <div
      role="row"
      className="grid-row"
      tabIndex={isActive ? 0 : -1}
      data-index={index}
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      style={{ transform: `translateY(${start}px)` }}
      onFocus={onFocus}
    >
      <div role="gridcell" className="cell-0">
        <input
          type="checkbox"
          tabIndex={-1}
          aria-label={`Select ${host.name}`}
          checked={isSelected}
          onChange={() => undefined}
          onClick={(event: MouseEvent) => {
            onChoose(event.shiftKey)
          }}
        />
      </div>
      <div role="gridcell" className="cell-1 cut">
        <RowLink host={host} />
      </div>
      <div role="gridcell" className="cell-2">
        {host.state === 'active' ? <Online online={host.online} /> : <Badge state={host.state} />}
      </div>
      <div role="gridcell" className="cell-3">
        <VersionChip host={host} newest={newest} />
      </div>
      <div role="gridcell" className="cell-4 cut soft">
        {host.facts.os_version ?? host.facts.os}
      </div>
      <div role="gridcell" className="cell-5 cut">
        <Labels labels={host.labels} />
      </div>
      <div role="gridcell" className="cell-6 soft">
        {host.connected ? 'connected' : <Time at={host.last_seen_at} quiet none="never" />}
      </div>
    </div>
  )
}

/** A plain link. The router's links re-render with every new URL, and each typed letter is one; there are too many rows. */
function RowLink({ host: { id, name } }: { host: Host }) {
  const navigate = useNavigate()
  const open = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    void navigate({ to: '/hosts/$id', params: { id } })
  }
  return (
    <a href={`/hosts/${id}`} tabIndex={-1} className="grid-name" onClick={open}>
      {name}
    </a>
  )
}
