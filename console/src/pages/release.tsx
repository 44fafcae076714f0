/** The page of one release: its signed manifest and its files. */

import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'

import type { Release } from '../api/nouns'
import { releaseQuery } from '../api/releases'
import { bytes } from '../logic/sizes'
import { Badge } from '../ui/badge'
import { Loaded } from '../ui/loaded'
import { Notice } from '../ui/notice'
import { Card, Facts, Page } from '../ui/page'
import { Table, type Column } from '../ui/table'
import { Time } from '../ui/time'
import { ReleaseButtons } from './releases/release_buttons'

type Target = Release['manifest']['targets'][number] & { isUploaded: boolean }

const COLUMNS: Column<Target>[] = [
  { name: 'Platform', cell: ({ os, arch }) => `${os}-${arch}` },
  {
    name: 'File',
    cell: ({ isUploaded }) => <Badge state={isUploaded ? 'uploaded' : 'missing'} tone={isUploaded ? 'good' : 'warn'} />,
  },
  { name: 'Size', cell: ({ size }) => bytes(size) },
  { name: 'SHA-256', wide: true, spare: true, cell: ({ sha256 }) => <div className="cut mono soft" title={sha256}>{sha256}</div> }, // prettier-ignore
]

export function ReleasePage() {
  const { version } = useParams({ from: '/shell/releases/$version' })
  const release = useQuery(releaseQuery(version))
  return (
    <Page
      title={`Release ${version}`}
      crumb={<Link to="/releases">Releases</Link>}
      beside={release.data && <Badge state={release.data.state} />}
      actions={release.data && <ReleaseButtons release={release.data} />}
    >
      <Loaded query={release} rows={10}>
        {(data) => <ReleaseCards release={data} />}
      </Loaded>
    </Page>
  )
}

function ReleaseCards({ release }: { release: Release }) {
  const { manifest, uploaded } = release
  const targets = manifest.targets.map((target) => ({
    ...target,
    isUploaded: uploaded.includes(`${target.os}-${target.arch}`),
  }))
  return (
    <>
      {
        release.yanked_reason && <Notice tone="bad" title="This release was yanked">{release.yanked_reason}</Notice> /* prettier-ignore */
      }
      {release.waiting_on && release.state === 'draft' && (
        <Notice tone="warn" title={`Waiting for ${release.waiting_on}`} />
      )}
      <Card title="Manifest">
        <Facts
          rows={[
            ['Product', manifest.product],
            ['Manifest version', manifest.manifest_version],
            ['Issued', <Time key="issued" at={manifest.issued_at} />],
            ['Uploaded', <Time key="uploaded" at={release.created_at} />],
            ['Security floor', manifest.security_floor],
            ['Revokes', manifest.revoked?.join(', ')],
            ['Digest', <code key="digest">{release.manifest_sha256}</code>],
            ['Signed by', <code key="signed">{release.signed_by.join(', ')}</code>],
          ]}
        />
      </Card>
      <Card title="Targets" plain>
        <Table label="Targets" columns={COLUMNS} rows={targets} id={({ os, arch }) => `${os}-${arch}`} />
      </Card>
    </>
  )
}
