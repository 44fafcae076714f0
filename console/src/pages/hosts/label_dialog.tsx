/** A dialog that sets or removes labels of many hosts. */

import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { changeHost, hostsKey } from '../../api/hosts'
import type { Host } from '../../api/nouns'
import { parseLabelChanges } from '../../logic/labels'
import { counted } from '../../logic/sizes'
import { FormDialog } from '../../ui/dialog'
import { TextField } from '../../ui/field'

/** How many requests to send at once, so that other clients are served as well. */
const AT_ONCE = 4

export function LabelDialog({ hosts, onClose }: { hosts: Host[]; onClose: () => void }) {
  const client = useQueryClient()
  const [typed, setTyped] = useState('')
  const [done, setDone] = useState(0)
  const change = parseLabelChanges(typed)
  const label = useMutation({
    mutationFn: async (labels: Record<string, string | null>) => {
      for (let start = 0; start < hosts.length; start += AT_ONCE) {
        await Promise.all(hosts.slice(start, start + AT_ONCE).map(({ id }) => changeHost({ id, labels })))
        setDone(Math.min(hosts.length, start + AT_ONCE))
      }
    },
    onSuccess: onClose,
    onSettled: () => client.invalidateQueries({ queryKey: hostsKey }),
  })
  const fault = typed !== '' && 'error' in change ? change.error : null
  return (
    <FormDialog
      title={`Label ${counted(hosts.length, 'host')}`}
      narrow
      submit={label.isPending ? `${done} of ${hosts.length} done` : 'Label'}
      reason={'error' in change ? change.error : null}
      busy={label.isPending}
      error={label.error}
      onClose={onClose}
      onSubmit={() => {
        if ('labels' in change) label.mutate(change.labels)
      }}
    >
      <TextField
        label="Labels"
        className="mono"
        placeholder="site=north role=web old-"
        help="KEY=VALUE sets a label, KEY- removes it. Other labels stay as they are."
        fault={fault}
        value={typed}
        onChange={setTyped}
      />
    </FormDialog>
  )
}
