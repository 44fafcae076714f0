/** What programs put out, as terminals show it. */

const E = '\x1b['

export const LOGS = {
  start: `${E}1mmigrate${E}0m 4.2.0: 1 204 steps on ${E}36medge-gate${E}0m\n`,
  done: ` 12:00:01 up 41 days,  3:12,  0 users,  load average: 0.31, 0.28, 0.22\n`,
  failed: [
    'Reading package lists... Done',
    'Building dependency tree... Done',
    'Calculating upgrade... Done',
    ...Array.from(
      { length: 60 },
      (_, at) => `Get:${at + 1} http://deb.example.net trixie/main amd64 library-${at} 1.${at}.0 [${40 + at} kB]`,
    ),
    `${E}1;31mE: ${E}0mWrite error - write (28: No space left on device)`,
    `${E}33mW: ${E}0mSome index files failed to download. They have been ignored.`,
    `${E}1;31mE: ${E}0mIO Error saving source cache`,
    '<script>alert("a host must not speak here")</script>',
    '',
  ].join('\n'),
  rolledBack: [
    'download linux-x86_64: 9 120 331 bytes, sha256 as signed',
    `${E}32mverified${E}0m: manifest 894 signed by 2 keys, not revoked, above the floor`,
    'trial of 1.9.2 started, it has 180 seconds to check in',
    `${E}33mtrial ended${E}0m: connection refused by 10.0.0.1:443`,
    `${E}1;31mrolled back${E}0m to 1.8.4: it never reached the server`,
    '',
  ].join('\n'),
}

export const LIVE_LOG: readonly string[] = Array.from({ length: 1_200 }, (_, at) => {
  const step = `[${String(at + 1).padStart(4)}/1204]`
  if (at % 97 === 96) return `${E}33m${step} warning${E}0m: table ${at} has no primary key\n`
  if (at % 211 === 210) return `${E}31m${step} error${E}0m: row ${at} was locked, tried again\n`
  return `${E}2m${step}${E}0m ${E}32mok${E}0m moved chunk ${at * 512}..${at * 512 + 511}\n`
})
