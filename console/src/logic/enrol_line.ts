/** The line that makes a machine with the agent installed a host, and keeps it running. */

export const STATE_FOLDER = '/var/lib/muster'

export function enrolLine(server: string, token: string): string {
  const enrol = `muster-agent enroll --server ${server} --token ${token} --state ${STATE_FOLDER}`
  return `${enrol} && muster-agent run --state ${STATE_FOLDER}`
}
