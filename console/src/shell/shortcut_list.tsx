/** The list of keyboard shortcuts, which `?` opens. */

import { Dialog } from '../ui/dialog'
import { SHORTCUTS } from './shortcuts'

export function ShortcutList({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <dl className="facts">
        {SHORTCUTS.map(([keys, what]) => (
          <div className="shortcut" key={what}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
