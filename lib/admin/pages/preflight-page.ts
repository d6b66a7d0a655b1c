/** /preflight: what the configuration in `whatIf` would do with today's requests. */
import { reportText } from '../../stats/preflight/report-text.ts'
import { type Answer, json, text } from '../answer.ts'
import type { Snapshot } from './snapshot.ts'

/** `asText`: for people. */
export function preflightPage({ preflight }: Pick<Snapshot, 'preflight'>, asText: boolean): Answer {
  const report = preflight()
  if (asText) {
    return text(200, report === undefined ? 'nothing is rehearsed\n' : reportText(report))
  }
  return json(200, report === undefined ? { enabled: false } : { enabled: true, ...report })
}
