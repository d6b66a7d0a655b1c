/** The report of a rehearsal as a RESP value: the same as the admin endpoint's JSON. */
import { Double, type Value } from '../../resp/encode.ts'
import type { PreflightReport } from '../../stats/preflight/rehearsal.ts'

/** Null: nothing is rehearsed. */
export function preflightValue(report: PreflightReport | undefined): Value {
  return report === undefined ? null : toValue(report)
}

function toValue(written: unknown): Value {
  if (written === null || typeof written === 'string') return written
  if (typeof written === 'number') {
    return Number.isInteger(written) ? written : new Double(written.toFixed(6))
  }
  if (Array.isArray(written)) return written.map(toValue)
  const fields = Object.entries(written as object)
  return new Map(fields.map(([name, value]): [string, Value] => [name, toValue(value)]))
}
