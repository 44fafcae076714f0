/** The page to start a fleet update: a form, then the plan, then the confirmation. */

import { useQuery } from '@tanstack/react-query'
import { Link, useSearch } from '@tanstack/react-router'
import { useState } from 'react'

import { selectionKey, usePlan } from '../api/fleet_updates'
import { useList } from '../api/lists'
import type { FleetUpdateRequest } from '../api/nouns'
import { releaseList } from '../api/releases'
import { useSession } from '../api/session'
import { bound } from '../logic/bound'
import { fleetUpdateRequest, type FleetUpdateForm } from '../logic/fleet_update_request'
import { counted } from '../logic/sizes'
import { Button, whyNot } from '../ui/button'
import { Empty } from '../ui/command'
import { SelectField, TextField } from '../ui/field'
import { Loaded } from '../ui/loaded'
import { Notice, ProblemNotice } from '../ui/notice'
import { Card, Page } from '../ui/page'
import { PlanCard } from './fleet_updates/plan_card'

const OFFLINE = [
  ['skip', 'Skip them'],
  ['wait', 'Wait for them'],
  ['fail', 'Count them as failures'],
  ['catch_up', 'Skip them, and update them when they are back'],
] as const

const DEFAULTS = {
  waves: '1, 10%',
  maxInFlight: '10%',
  maxFailures: '1',
  soak: '5m',
  hostTimeLimit: '20m',
  offline: 'skip',
  window: '',
  note: '',
} as const

export function FleetUpdateNewPage() {
  const reason = whyNot(useSession(), 'create_fleet_updates')
  const releases = useList(releaseList)
  return (
    <Page title="New fleet update" crumb={<Link to="/fleet-updates">Fleet updates</Link>}>
      {reason && <Notice tone="warn" title={reason} />}
      <Loaded query={releases} rows={10}>
        {(data) => {
          const versions = data.filter(({ state }) => state === 'published').map(({ version }) => version)
          if (versions.length > 0) return <Form versions={versions} reason={reason} />
          return <Empty title="There is no published release" command="muster release publish --help" />
        }}
      </Loaded>
    </Page>
  )
}

function Form({ versions, reason }: { versions: string[]; reason: string | null }) {
  const search = useSearch({ from: '/shell/fleet-updates/new' })
  const selected = useSelection()
  const plan = usePlan()
  const [planned, setPlanned] = useState<FleetUpdateRequest | null>(null)
  const [typed, setTyped] = useState<FleetUpdateForm>({
    ...DEFAULTS,
    version: search.version ?? versions[0] ?? '',
    which: search.hosts ?? (search.label || search.os ? 'matching' : 'all'),
    labels: search.label?.join(' ') ?? '',
    os: search.os ?? '',
  })
  const made = fleetUpdateRequest(typed, selected)
  const fault = 'error' in made ? made.error : null
  const set = (change: Partial<FleetUpdateForm>) => {
    setTyped((known) => ({ ...known, ...change }))
    // The plan no longer matches the form, so it must not be confirmed.
    setPlanned(null)
  }
  const submit = () => {
    if (!('request' in made)) return
    plan.mutate(made.request, {
      onSuccess: () => {
        setPlanned(made.request)
      },
    })
  }
  return (
    <>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          submit()
        }}
      >
        <WhatCard typed={typed} set={set} versions={versions} selected={selected.length} />
        <HowCard typed={typed} set={set} />
        <ProblemNotice error={plan.error} />
        <div className="row">
          <Button type="submit" look={planned ? '' : 'primary'} reason={reason ?? fault} busy={plan.isPending}>
            {planned ? 'Plan again' : 'Show the plan'}
          </Button>
          <span className="faint">This does not start anything.</span>
        </div>
      </form>
      {planned && plan.data && <PlanCard key={plan.submittedAt} plan={plan.data} request={planned} />}
    </>
  )
}

/** The hosts that were selected in the list of hosts. */
function useSelection(): string[] {
  const { data } = useQuery<string[]>({
    queryKey: selectionKey,
    queryFn: () => [],
    staleTime: Infinity,
    gcTime: Infinity,
  })
  return data ?? []
}

interface CardProps {
  typed: FleetUpdateForm
  set: (change: Partial<FleetUpdateForm>) => void
}

function WhatCard({ typed, set, versions, selected }: CardProps & { versions: string[]; selected: number }) {
  const field = bound(typed, set)
  const which = [
    ['all', 'All active hosts'],
    ['matching', 'Hosts with these labels'],
    ['selected', `The ${counted(selected, 'host')} selected in the list`],
  ] as const
  const known = versions.includes(typed.version) ? versions : [typed.version, ...versions]
  return (
    <Card title="Release and hosts">
      <div className="fields">
        <SelectField label="Release" {...field('version')} options={known.map((each) => [each, each])} />
        <SelectField
          label="Hosts"
          {...field('which')}
          options={which.filter(([each]) => each !== 'selected' || selected > 0 || typed.which === each)}
        />
        {typed.which === 'matching' && (
          <>
            <TextField
              label="Labels"
              className="mono"
              placeholder="site=north role=web"
              help="Hosts that have all of these labels"
              {...field('labels')}
            />
            <SelectField
              label="System"
              {...field('os')}
              options={[
                ['', 'Any'],
                ['linux', 'Linux'],
                ['windows', 'Windows'],
              ]}
            />
          </>
        )}
      </div>
    </Card>
  )
}

function HowCard({ typed, set }: CardProps) {
  const field = bound(typed, set)
  return (
    <Card title="Waves and limits">
      <div className="fields">
        <TextField label="Waves" {...field('waves')} help="The first wave is the canary; a last wave takes the rest" />
        <TextField label="Max in flight" {...field('maxInFlight')} help="Hosts that may be updating at once" />
        <TextField
          label="Max failures"
          inputMode="numeric"
          {...field('maxFailures')}
          help="This many failed hosts halt the fleet update"
        />
        <TextField label="Soak between waves" {...field('soak')} />
        <TextField label="Time limit per host" {...field('hostTimeLimit')} />
        <SelectField label="Offline hosts" {...field('offline')} options={OFFLINE} />
        <TextField label="Maintenance window (UTC)" placeholder="22:00-04:00" {...field('window')} />
        <TextField label="Note" placeholder="What the fleet update is for" {...field('note')} />
      </div>
    </Card>
  )
}
