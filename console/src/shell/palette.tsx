/** Finds hosts and pages by a few letters. */

import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import {
  Autocomplete,
  Input,
  ListBox,
  ListBoxItem,
  Modal,
  ModalOverlay,
  Dialog,
  SearchField,
} from 'react-aria-components'

import { knownHostsQuery } from '../api/hosts'
import type { Host } from '../api/nouns'
import { filterHosts } from '../logic/host_filter'
import { Icon, type IconName } from '../ui/icons'
import { PAGES } from './navigation'

const MOST_HOSTS = 12

interface Find {
  id: string
  icon: IconName
  title: string
  about: string
}

export function Palette({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate()
  const [wanted, setWanted] = useState('')
  const { data } = useQuery(knownHostsQuery)
  const found = find(wanted, data?.items ?? [])
  const open = (id: string) => {
    onClose()
    void (id.startsWith('/') ? navigate({ to: id }) : navigate({ to: '/hosts/$id', params: { id } }))
  }
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
          <Autocomplete inputValue={wanted} onInputChange={setWanted}>
            {/* A dialog is opened to type into its one field. */}
            {/* eslint-disable-next-line jsx-a11y/no-autofocus */}
            <SearchField aria-label="Find" autoFocus>
              <Input className="palette-input" placeholder="A host, its label or address, or a page" />
            </SearchField>
            <ListBox
              aria-label="Found"
              className="palette-list"
              items={found}
              onAction={(id) => {
                open(String(id))
              }}
              renderEmptyState={() => <p className="palette-none">Nothing is called that.</p>}
            >
              {({ icon, title, about }) => (
                <ListBoxItem className="palette-item" textValue={title}>
                  <Icon name={icon} />
                  <span className="cut">{title}</span>
                  <span className="faint cut">{about}</span>
                </ListBoxItem>
              )}
            </ListBox>
          </Autocomplete>
        </Dialog>
      </Modal>
    </ModalOverlay>
  )
}

function find(wanted: string, hosts: Host[]): Find[] {
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
