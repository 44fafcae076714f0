/** A dialog that changes the name and the labels of a host. */

import { useState } from 'react'

import { useChangeHost } from '../../api/hosts'
import type { Host } from '../../api/nouns'
import { labelDifference, parseLabels } from '../../logic/labels'
import { FormDialog } from '../../ui/dialog'
import { TextField } from '../../ui/field'

export function ChangeDialog({ host, onClose }: { host: Host; onClose: () => void }) {
  const change = useChangeHost()
  const [name, setName] = useState(host.name)
  const [typed, setTyped] = useState(() => Object.entries(host.labels).map((pair) => pair.join('=')).join(' ')) // prettier-ignore
  const parsed = parseLabels(typed)
  const fault = 'error' in parsed ? parsed.error : null
  return (
    <FormDialog
      title={`Change ${host.name}`}
      narrow
      submit="Save"
      reason={fault ?? (name.trim() === '' ? 'Enter a name.' : null)}
      busy={change.isPending}
      error={change.error}
      onClose={onClose}
      onSubmit={() => {
        if (!('labels' in parsed)) return
        const labels = labelDifference(host.labels, parsed.labels)
        change.mutate({ id: host.id, name: name.trim(), labels }, { onSuccess: onClose })
      }}
    >
      <TextField label="Name" value={name} onChange={setName} maxLength={128} />
      <TextField
        label="Labels"
        className="mono"
        help="KEY=VALUE, separated by spaces"
        fault={fault}
        value={typed}
        onChange={setTyped}
      />
    </FormDialog>
  )
}
