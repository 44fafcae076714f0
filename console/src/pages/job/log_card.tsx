/** The log of a job: live, searchable, and rendered as plain text only. */

import { useMemo, useState } from 'react'

import { isOpen, logHref } from '../../api/jobs'
import { useLog } from '../../api/log'
import type { Job } from '../../api/nouns'
import { lineCount, search, step, type Log } from '../../logic/log'
import { bytes, count, counted } from '../../logic/sizes'
import { Button } from '../../ui/button'
import { Empty } from '../../ui/command'
import { Check } from '../../ui/field'
import { Icon } from '../../ui/icons'
import { Loaded } from '../../ui/loaded'
import { Card } from '../../ui/page'
import { LogLines } from './log_lines'

import '../../styles/log.css'

export function LogCard({ job }: { job: Job }) {
  const log = useLog(job.id)
  const download = (
    <a className="button small" href={logHref(job.id)} download={`${job.id}.log`}>
      <Icon name="download" /> Download
    </a>
  )
  return (
    <Card title="Log" actions={download} plain>
      <Loaded query={log} rows={8}>
        {(data) =>
          data.gone ? (
            <Empty title={goneText(job, data.gone)} />
          ) : lineCount(data) === 0 ? (
            <Empty
              title={isOpen(job) ? 'No output yet' : 'The job had no output'}
              command={`muster jobs log ${job.id} --follow`}
            />
          ) : (
            <LogView log={data} missing={job.output_cut_bytes ?? 0} />
          )
        }
      </Loaded>
    </Card>
  )
}

/** Why there is no log to show, although there was one. */
function goneText(job: Job, gone: string): string {
  const erased = job.log_erased
  return erased
    ? `The log was erased by ${erased.by_name ?? erased.by}: ${erased.reason}`
    : `The log is not kept any more: ${gone}`
}

function LogView({ log, missing }: { log: Log; missing: number }) {
  const [follow, setFollow] = useState(!log.complete)
  const [wanted, setWanted] = useState('')
  const [current, setCurrent] = useState(0)
  const matches = useMemo(() => search(log.lines, wanted), [log.lines, wanted])
  const at = Math.min(current, Math.max(0, matches.length - 1))
  const go = (by: 1 | -1) => {
    setFollow(false)
    setCurrent(step(at, by, matches.length))
  }
  return (
    <>
      <div className="log-bar">
        <LogSearch
          wanted={wanted}
          at={at}
          total={matches.length}
          onStep={go}
          onChange={(text) => {
            setWanted(text)
            setCurrent(0)
            if (text) setFollow(false)
          }}
        />
        <span className="log-state">
          <span role="status" className="faint">
            {counted(lineCount(log), 'line')}
            {log.complete ? ', complete' : ', live'}
            {missing > 0 && `, cut: ${bytes(missing)} are missing`}
          </span>
          <Check label="Follow" checked={follow} onChange={setFollow} />
        </span>
      </div>
      <LogLines
        lines={log.lines.slice(0, lineCount(log))}
        matches={matches}
        current={at}
        follow={follow}
        onFollow={setFollow}
      />
    </>
  )
}

interface LogSearchProps {
  wanted: string
  at: number
  total: number
  onChange: (text: string) => void
  onStep: (by: 1 | -1) => void
}

function LogSearch({ wanted, at, total, onChange, onStep }: LogSearchProps) {
  const none = total === 0 ? 'There are no matches.' : null
  return (
    <search className="log-search" aria-label="Search the log">
      <input
        type="search"
        className="input"
        aria-label="Search the log"
        placeholder="Search the log"
        value={wanted}
        onChange={(event) => {
          onChange(event.target.value)
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onStep(event.shiftKey ? -1 : 1)
        }}
      />
      {wanted && (
        <>
          <span role="status" className="faint">
            {total === 0 ? 'no matches' : `${count(at + 1)} of ${count(total)}`}
          </span>
          <Button
            look="quiet icon small"
            aria-label="Previous match"
            reason={none}
            onPress={() => {
              onStep(-1)
            }}
          >
            <Icon name="up" />
          </Button>
          <Button
            look="quiet icon small"
            aria-label="Next match"
            reason={none}
            onPress={() => {
              onStep(1)
            }}
          >
            <Icon name="down" />
          </Button>
        </>
      )}
    </search>
  )
}
