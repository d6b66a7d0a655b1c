/** What parts of the documents are generated, and how: a spec keeps them from going stale. */
import { commandsTable } from '../lib/commands/document.ts'
import { CommandTable } from '../lib/commands/lookup.ts'
import { optionsTable } from '../lib/config/options-text.ts'
import { apiReference } from './api-reference.ts'
import { hashTable } from './hash-table.ts'
import { limitsTable } from './limits-table.ts'
import { metricsTable } from './metrics-table.ts'
import { signalsTable } from './signals-table.ts'

export interface GeneratedPart {
  /** From the package's root. */
  readonly file: string
  /** The part stands between the lines `<!-- marker:begin -->` and `<!-- marker:end -->`. */
  readonly marker: string
  readonly generate: () => string
}

export const GENERATED: readonly GeneratedPart[] = [
  {
    file: 'docs/commands.md',
    marker: 'commands',
    generate: () => commandsTable(new CommandTable().rows()),
  },
  { file: 'docs/api.md', marker: 'api', generate: apiReference },
  { file: 'docs/metrics.md', marker: 'metrics', generate: metricsTable },
  { file: 'docs/operations.md', marker: 'limits', generate: limitsTable },
  { file: 'docs/operations.md', marker: 'signals', generate: signalsTable },
  { file: 'docs/configuration.md', marker: 'hashes', generate: hashTable },
  { file: 'docs/configuration.md', marker: 'options', generate: optionsTable },
]

/** The document with its part made anew. Throws when the markers are not there. */
export function withGenerated(document: string, part: GeneratedPart): string {
  const begin = `<!-- ${part.marker}:begin -->\n`
  const end = `<!-- ${part.marker}:end -->`
  const from = document.indexOf(begin)
  const to = document.indexOf(end)
  if (from === -1 || to < from) throw new Error(`${part.file} lacks its markers for ${part.marker}`)
  return document.slice(0, from + begin.length) + part.generate() + document.slice(to)
}
