/**
 * An operator's program on the generated client: signs in, runs jobs to their end, reads a log, and pages through a list.
 *
 *     node runs_a_job.js http://127.0.0.1:7070 HOST_ID    # the password of `admin` in MUSTER_PASSWORD
 */

import { client } from './muster-client/client.gen.js'
import {
  apiKeysCreate,
  hostsGet,
  jobsCreate,
  jobsGet,
  jobsList,
  jobsLog,
  sessionCreate,
  type JobRequest,
  type JobState,
  type JobView,
  type Problem,
} from './muster-client/index.js'

const FINAL = new Set<JobState>(['succeeded', 'failed', 'cancelled', 'interrupted', 'rejected', 'superseded', 'expired'])

interface Answer<T> {
  data?: T
  error?: Problem
}

/** What was asked for, or an exception with the problem. */
function granted<T>({ data, error }: Answer<T>): NonNullable<T> {
  if (data === undefined || data === null) throw new Error(`${error?.code}: ${error?.detail ?? error?.title}`)
  return data
}

/** An API key of its own, by a session. */
async function keyOf(password: string): Promise<string> {
  const session = granted(await sessionCreate({ body: { username: 'admin', password, kind: 'bearer' } }))
  const key = { name: 'typescript', role: 'operator' } as const
  return granted(await apiKeysCreate({ body: key, auth: () => session.token })).key
}

/** The job once it is over. */
async function ended(job: JobView): Promise<JobView> {
  let seen = job
  while (!FINAL.has(seen.state)) {
    const next = { path: { id: job.id }, query: { wait: 60, revision: seen.revision } }
    seen = granted(await jobsGet(next))
  }
  return seen
}

/** The whole log. */
async function logOf(job: JobView): Promise<string> {
  let [text, after, complete] = ['', 0, false]
  while (!complete) {
    const answer = await jobsLog({ path: { id: job.id }, query: { after, wait: 60 } })
    text += granted(answer)
    after = Number(answer.response?.headers.get('muster-log-next'))
    complete = answer.response?.headers.get('muster-log-complete') === 'true'
  }
  return text
}

async function main(url: string, hostId: string, password: string): Promise<void> {
  client.setConfig({ baseUrl: url })
  const key = await keyOf(password)
  client.setConfig({ baseUrl: url, auth: () => key })
  const host = granted(await hostsGet({ path: { id: hostId } }))
  console.log(`host: ${host.facts.os}, may ${host.allowed[0]}`)

  const argv = ['/bin/sh', '-c', 'echo from a client; exit 3']
  const run: JobRequest = { kind: 'run', spec: { argv }, host_ids: [hostId] }
  const job = await ended(granted(await jobsCreate({ body: run })).items[0]!)
  const program = 'argv' in job.spec ? job.spec.argv[0] : 'none'
  console.log(`run: ${job.state}, exit code ${job.result?.exit_code}, ${program}`)
  console.log(`log: ${(await logOf(job)).trim()}`)

  const inspect: JobRequest = { kind: 'inspect', spec: {}, host_ids: [hostId] }
  const once = { body: inspect, headers: { 'Idempotency-Key': 'once' } }
  const facts = await ended(granted(await jobsCreate(once)).items[0]!)
  const again = granted(await jobsCreate(once)).items[0]!
  console.log(`inspect: ${facts.state}, asked for twice: ${facts.id === again.id ? 'one job' : 'two jobs'}`)

  const kinds: string[] = []
  let cursor: string | undefined
  do {
    const page = granted(await jobsList({ query: { limit: 1, ...(cursor === undefined ? {} : { cursor }) } }))
    kinds.push(...page.items.map((job) => job.kind))
    cursor = page.next_cursor
  } while (cursor !== undefined)
  console.log(`jobs: ${kinds.join(', ')}`)

  const missing = await jobsGet({ path: { id: 'job_00000000000000000000000000' } })
  console.log(`missing: ${missing.error?.code ?? 'found'}`)
}

await main(process.argv[2]!, process.argv[3]!, process.env.MUSTER_PASSWORD!)
