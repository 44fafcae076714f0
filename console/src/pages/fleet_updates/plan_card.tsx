/** The plan of a fleet update. To start it, the operator types the number of hosts. */

import { useNavigate } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'

import { useStartFleetUpdate } from '../../api/fleet_updates'
import type { FleetUpdatePlan, FleetUpdateRequest } from '../../api/nouns'
import { newKey } from '../../logic/keys'
import { count, counted } from '../../logic/sizes'
import { exactSpan } from '../../logic/times'
import { Button } from '../../ui/button'
import { Empty } from '../../ui/command'
import { TextField } from '../../ui/field'
import { Notice, ProblemNotice } from '../../ui/notice'
import { Card } from '../../ui/page'

import '../../styles/fleet_updates.css'

/** How many host names to show for each wave. */
const SOME = 40

export function PlanCard({ plan, request }: { plan: FleetUpdatePlan; request: FleetUpdateRequest }) {
  const total = plan.waves.reduce((sum, wave) => sum + wave.length, 0)
  const heading = useRef<HTMLDivElement>(null)
  useEffect(() => {
    heading.current?.scrollIntoView({ block: 'start' })
    heading.current?.focus({ preventScroll: true })
  }, [])
  return (
    <div ref={heading} tabIndex={-1}>
      <Card title={`Plan: ${plan.version} to ${counted(total, 'host')}`}>
        <div className="stack">
          <PlanTotals plan={plan} total={total} />
          {plan.incomplete && (
            <Notice tone="warn" title="The plan is incomplete: there are more hosts than it shows." />
          )}
          {total === 0 ? (
            <Empty title="No host needs this update">Every host already runs {plan.version} or is offline.</Empty>
          ) : (
            <Waves plan={plan} />
          )}
          {total > 0 && <Confirmation total={total} request={request} />}
        </div>
      </Card>
    </div>
  )
}

function PlanTotals({ plan, total }: { plan: FleetUpdatePlan; total: number }) {
  const totals: [string, string][] = [
    ['Hosts to update', count(total)],
    ['Waves', count(plan.waves.length)],
    ['Max in flight', count(plan.max_in_flight)],
    ['Offline', count(plan.offline.length)],
    ['Already up to date', count(plan.current.length)],
    ['Shortest duration', exactSpan(plan.best_case_seconds)],
  ]
  return (
    <dl className="plan-total">
      {totals.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function Waves({ plan }: { plan: FleetUpdatePlan }) {
  return (
    <ol className="waves" aria-label="Waves">
      {plan.waves.map((wave, at) => (
        <li className="wave" key={at}>
          <strong>{at === 0 ? 'Canary' : `Wave ${at + 1}`}</strong>
          <span>{counted(wave.length, 'host')}</span>
          {/* A region that scrolls must be reachable by keyboard. */}
          {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
          <p className="names faint" tabIndex={0} role="group" aria-label={`Hosts of wave ${at + 1}`}>
            {wave.slice(0, SOME).map(({ name }) => name).join(', ') /* prettier-ignore */}
            {wave.length > SOME && ` and ${count(wave.length - SOME)} more`}
          </p>
        </li>
      ))}
    </ol>
  )
}

function Confirmation({ total, request }: { total: number; request: FleetUpdateRequest }) {
  const navigate = useNavigate()
  const start = useStartFleetUpdate()
  const [typed, setTyped] = useState('')
  const [once] = useState(newKey)
  const isRight = typed.trim() === String(total)
  const submit = () => {
    if (!isRight) return
    start.mutate(
      { request, once },
      { onSuccess: ({ id }) => void navigate({ to: '/fleet-updates/$id', params: { id } }) },
    )
  }
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      <TextField
        label={`Type ${total} to update ${counted(total, 'host')} to ${request.version}`}
        narrow
        inputMode="numeric"
        autoComplete="off"
        value={typed}
        onChange={setTyped}
      />
      <ProblemNotice error={start.error} />
      <div>
        <Button
          type="submit"
          look="primary"
          reason={isRight ? null : `Type the number of hosts (${total}) first.`}
          busy={start.isPending}
        >
          Start the fleet update
        </Button>
      </div>
    </form>
  )
}
