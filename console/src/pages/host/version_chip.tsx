/** The version of an agent and, if it is behind, the newest release: `1.8.4 → 1.9.2`. */

import type { Host } from '../../api/nouns'

export function VersionChip({ host, newest }: { host: Host; newest: string | null }) {
  const version = host.agent?.version
  if (!version) return <span className="faint">none</span>
  const behind = host.update_available && newest !== version
  return (
    <span className={behind ? 'chip behind' : 'chip'}>{behind && newest ? `${version} → ${newest}` : version}</span>
  )
}
