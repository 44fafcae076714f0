/** The filters of the list of hosts. The URL holds their values. */

import { useMemo, useState } from 'react'

import type { Host } from '../../api/nouns'
import { choicesOf, STATES, type HostFilter } from '../../logic/host_filter'
import { Button } from '../../ui/button'

interface HostFiltersProps {
  hosts: Host[]
  filter: HostFilter
  onChange: (change: Partial<HostFilter>) => void
}

export function HostFilters({ hosts, filter, onChange }: HostFiltersProps) {
  const choices = useMemo(() => choicesOf(hosts), [hosts])
  return (
    <search className="filters" aria-label="Filter hosts">
      <TextFilter
        value={filter.q}
        onChange={(q) => {
          onChange({ q })
        }}
      />
      <Choice
        name="Online"
        all="Online or not"
        value={filter.online}
        options={[
          ['true', 'Online'],
          ['false', 'Offline'],
        ]}
        onChange={(online) => {
          onChange({ online: online as HostFilter['online'] })
        }}
      />
      <Choice
        name="Agent"
        all="Any agent"
        value={filter.updates}
        options={[['behind', 'Behind the newest']]}
        onChange={(updates) => {
          onChange({ updates: updates as HostFilter['updates'] })
        }}
      />
      <Choice
        name="Version"
        all="Any version"
        value={filter.version}
        options={pairs(choices.versions)}
        onChange={(version) => {
          onChange({ version })
        }}
      />
      <Choice
        name="System"
        all="Any system"
        value={filter.os}
        options={pairs(choices.os)}
        onChange={(os) => {
          onChange({ os })
        }}
      />
      <Choice
        name="State"
        all="Not retired"
        value={filter.state}
        options={pairs(STATES)}
        onChange={(state) => {
          onChange({ state: state as HostFilter['state'] })
        }}
      />
      <Choice
        name="Label"
        all="Any label"
        value={undefined}
        options={pairs(choices.labels.filter((label) => !filter.label?.includes(label)))}
        onChange={(label) => {
          if (label) onChange({ label: [...(filter.label ?? []), label] })
        }}
      />
      {filter.label?.map((label) => (
        <Button
          key={label}
          look="small"
          aria-label={`Remove label ${label}`}
          onPress={() => {
            onChange({ label: without(filter.label, label) })
          }}
        >
          <span className="mono">{label}</span> ×
        </Button>
      ))}
    </search>
  )
}

function pairs(words: readonly string[]): [string, string][] {
  return words.map((word) => [word, word])
}

function without(labels: string[] | undefined, label: string): string[] | undefined {
  const left = labels?.filter((each) => each !== label) ?? []
  return left.length > 0 ? left : undefined
}

/** The search field. It shows what is typed at once; the URL follows a little later. */
function TextFilter({ value, onChange }: { value: string | undefined; onChange: (value: string | undefined) => void }) {
  const [typed, setTyped] = useState(value ?? '')
  const [known, setKnown] = useState(value)
  if (known !== value) {
    setKnown(value)
    // `undefined` means that the filter was cleared elsewhere. Any other value is what was typed, some letters late.
    if (value === undefined) setTyped('')
  }
  return (
    <input
      type="search"
      className="input"
      aria-label="Search hosts"
      placeholder="Name, address, label, id"
      value={typed}
      onChange={(event) => {
        setTyped(event.target.value)
        onChange(event.target.value || undefined)
      }}
    />
  )
}

interface ChoiceProps {
  name: string
  /** The text of the option that filters nothing. */
  all: string
  value: string | undefined
  options: readonly (readonly [string, string])[]
  onChange: (value: string | undefined) => void
}

function Choice({ name, all, value, options, onChange }: ChoiceProps) {
  return (
    <select
      className={value ? 'input chosen' : 'input'}
      aria-label={name}
      value={value ?? ''}
      onChange={(event) => {
        onChange(event.target.value || undefined)
      }}
    >
      <option value="">{all}</option>
      {options.map(([option, title]) => (
        <option key={option} value={option}>
          {title}
        </option>
      ))}
    </select>
  )
}
