/** The metrics of /metrics as a table of docs/metrics.md. */
import { METRICS } from '../lib/admin/metrics/metrics.ts'

/** A Markdown table, one row for each metric. */
export function metricsTable(): string {
  const rows = METRICS.map(({ name, type, labels, help }) => {
    const shown = type === 'histogram' ? [...labels, 'le'] : labels
    return [`\`${name}\``, type, shown.map((label) => `\`${label}\``).join(', ') || '-', help]
  })
  const lines = [['Metric', 'Type', 'Labels', 'Meaning'], ['---', '---', '---', '---'], ...rows]
  return lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}
