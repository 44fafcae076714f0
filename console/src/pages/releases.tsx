/** The page of the agent's releases, newest first. */

import { Link } from '@tanstack/react-router'

import { useList } from '../api/lists'
import type { Release } from '../api/nouns'
import { releaseList } from '../api/releases'
import { Badge } from '../ui/badge'
import { Empty } from '../ui/command'
import { Page } from '../ui/page'
import { ListTable, type Column } from '../ui/table'
import { Time } from '../ui/time'
import { ReleaseButtons } from './releases/release_buttons'

const COLUMNS: Column<Release>[] = [
  { name: 'Version', cell: ({ version }) => <VersionLink version={version} /> },
  { name: 'State', cell: ({ state }) => <Badge state={state} /> },
  { name: 'About', wide: true, spare: true, cell: (release) => <About release={release} /> },
  { name: 'Files', spare: true, cell: ({ uploaded, manifest }) => `${uploaded.length} of ${manifest.targets.length}` },
  { name: 'Uploaded', cell: ({ created_at }) => <Time at={created_at} /> },
  { name: 'Actions', end: true, cell: (release) => <ReleaseButtons release={release} look="small" /> },
]

export function ReleasesPage() {
  const releases = useList(releaseList)
  return (
    <Page title="Releases">
      <div className="card">
        <ListTable
          label="Releases"
          columns={COLUMNS}
          list={releases}
          id={({ version }) => version}
          empty={
            <Empty title="There are no releases" command="muster release sign --help">
              <p>Sign a release offline, then upload it with “muster release publish”.</p>
            </Empty>
          }
        />
      </div>
    </Page>
  )
}

function VersionLink({ version }: { version: string }) {
  return (
    <Link to="/releases/$version" params={{ version }} className="link">
      {version}
    </Link>
  )
}

function About({ release: { yanked_reason, waiting_on } }: { release: Release }) {
  const about = yanked_reason ?? (waiting_on && `waiting for ${waiting_on}`)
  return <div className="cut soft">{about}</div>
}
