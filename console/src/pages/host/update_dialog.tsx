/** A dialog that updates the agent of one host. */

import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'

import { useUpdateHost } from '../../api/hosts'
import { useList } from '../../api/lists'
import type { Host } from '../../api/nouns'
import { releaseList } from '../../api/releases'
import { FormDialog } from '../../ui/dialog'
import { SelectField } from '../../ui/field'

export function UpdateDialog({ host, newest, onClose }: { host: Host; newest: string | null; onClose: () => void }) {
  const navigate = useNavigate()
  const releases = useList(releaseList)
  const update = useUpdateHost(host.id)
  const [chosen, setChosen] = useState<string | null>(newest)
  const versions = releases.data?.filter(({ state }) => state === 'published').map(({ version }) => version) ?? []
  const version = chosen ?? versions[0]
  return (
    <FormDialog
      title={`Update the agent of ${host.name}`}
      narrow
      submit={version ? `Update to ${version}` : 'Update'}
      reason={version ? null : 'There is no published release.'}
      busy={update.isPending}
      error={update.error ?? releases.error}
      onClose={onClose}
      onSubmit={() => {
        if (!version) return
        update.mutate(version, { onSuccess: (job) => void navigate({ to: '/jobs/$id', params: { id: job.id } }) })
      }}
    >
      <p className="soft">
        The agent runs {host.agent?.version ?? 'an unknown version'}. If the new version does not check in, the host
        rolls back to the old one.
      </p>
      {version && (
        <SelectField
          label="Release"
          value={version}
          onChange={setChosen}
          options={(versions.includes(version) ? versions : [version, ...versions]).map((each) => [each, each])}
        />
      )}
    </FormDialog>
  )
}
