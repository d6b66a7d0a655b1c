/** The signals as a table of docs/operations.md. */
import { SIGNALS } from '../lib/cli/signals.ts'

/** A Markdown table, one row for each effect. */
export function signalsTable(): string {
  const rows = SIGNALS.map(({ signals, meaning }) => [signals.join(', '), meaning])
  const lines = [['Signal', 'What happens'], ['---', '---'], ...rows]
  return lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}
