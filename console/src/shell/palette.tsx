/** The command palette: finds hosts and pages by a few letters. */

import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useRef, useState, type KeyboardEvent } from 'react'
import { Dialog, Modal, ModalOverlay } from 'react-aria-components'

import { knownHostsQuery } from '../api/hosts'
import type { Host } from '../api/nouns'
import { filterHosts } from '../logic/host_filter'
import { Icon, type IconName } from '../ui/icons'
import { PAGES } from './navigation'

const MOST_HOSTS = 12

interface PaletteItem {
  id: string
  icon: IconName
  title: string
  about: string
}

interface Props {
  wanted: string
  onWant: (wanted: string) => void
  onClose: () => void
}

export function Palette({ wanted, onWant, onClose }: Props) {
  return (
    <ModalOverlay
      className="veil"
      isOpen
      isDismissable
      onOpenChange={(opened) => {
        if (!opened) onClose()
      }}
    >
      <Modal className="dialog">
        <Dialog className="palette" aria-label="Find hosts and pages">
          <Finder wanted={wanted} onWant={onWant} onClose={onClose} />
        </Dialog>
      </Modal>
    </ModalOverlay>
  )
}

/**
 * A combobox after the ARIA practices. Its state is one number, so that Enter opens the marked item however fast someone
 * types; the library's Autocomplete marks an item a moment too late for that.
 */
function Finder({ wanted, onWant, onClose }: Props) {
  const navigate = useNavigate()
  const { data } = useQuery(knownHostsQuery)
  const found = find(wanted, data?.items ?? [])
  const [chosen, setAt] = useState(0)
  // The number of items can change while the palette is open.
  const at = Math.max(0, Math.min(chosen, found.length - 1))
  const shown = useRef<HTMLDivElement>(null)
  useEffect(() => {
    shown.current?.scrollIntoView({ block: 'nearest' })
  }, [at])
  const open = (id: string) => {
    onClose()
    void (id.startsWith('/') ? navigate({ to: id }) : navigate({ to: '/hosts/$id', params: { id } }))
  }
  const onKeyDown = (event: KeyboardEvent) => {
    // Enter may end the composition of a word; then it must not open an item.
    if (event.nativeEvent.isComposing) return
    const marked = found[at]
    if (event.key === 'Enter') {
      if (marked) open(marked.id)
    } else if (event.key === 'ArrowDown') setAt(at + 1)
    else if (event.key === 'ArrowUp') setAt(at - 1)
    else return
    event.preventDefault()
  }
  return (
    <>
      <input
        className="palette-input"
        role="combobox"
        aria-label="Find"
        aria-expanded
        aria-controls="found"
        aria-autocomplete="list"
        aria-activedescendant={found[at] && optionId(at)}
        placeholder="A host, its label or address, or a page"
        // The dialog has one field, and it opens for typing into it.
        // eslint-disable-next-line jsx-a11y/no-autofocus
        autoFocus
        value={wanted}
        onChange={(event) => {
          setAt(0)
          onWant(event.target.value)
        }}
        onKeyDown={onKeyDown}
      />
      {found.length === 0 && <p className="palette-none">No results.</p>}
      <div className="palette-list" role="listbox" id="found" aria-label="Found">
        {found.map(({ id, icon, title, about }, index) => (
          // The input field handles the keys.
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events
          <div
            key={id}
            id={optionId(index)}
            ref={index === at ? shown : undefined}
            className="palette-item"
            role="option"
            tabIndex={-1}
            aria-selected={index === at}
            onClick={() => {
              open(id)
            }}
          >
            <Icon name={icon} />
            <span className="cut">{title}</span>
            <span className="faint cut">{about}</span>
          </div>
        ))}
      </div>
    </>
  )
}

const optionId = (index: number) => `found-${String(index)}`

function find(wanted: string, hosts: Host[]): PaletteItem[] {
  const word = wanted.trim().toLowerCase()
  const pages = PAGES.filter(({ title }) => title.toLowerCase().includes(word))
  const some = word ? filterHosts(hosts, { q: word }).slice(0, MOST_HOSTS) : []
  return [
    ...pages.map(({ to, icon, title }) => ({ id: to, icon, title, about: 'Page' })),
    ...some.map((host) => ({
      id: host.id,
      icon: 'hosts' as const,
      title: host.name,
      about: host.online ? 'online' : 'offline',
    })),
  ]
}
