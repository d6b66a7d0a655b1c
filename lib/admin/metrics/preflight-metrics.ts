/** The metrics of a rehearsal. They have no samples where nothing is rehearsed. */
import { KINDS } from '../../stats/preflight/kinds.ts'
import type { Metric } from './metric.ts'

export const PREFLIGHT_METRICS: readonly Metric[] = [
  {
    name: 'ambassador_preflight_requests_total',
    type: 'counter',
    help: 'Requests by what the configuration in whatIf would do with them: passed, split, combined, refused.',
    labels: ['outcome'],
    read: ({ preflight }) => {
      if (preflight === undefined) return []
      const { passed, split, combined, refused } = preflight
      return Object.entries({ passed, split, combined, refused }).map(([outcome, value]) => {
        return { labels: { outcome }, value }
      })
    },
  },
  {
    name: 'ambassador_preflight_refused_total',
    type: 'counter',
    help: 'Requests that the configuration in whatIf would refuse, by command and reason.',
    labels: ['command', 'why'],
    read: ({ preflight }) => {
      const findings = preflight?.findings ?? []
      return findings
        .filter(({ kind }) => KINDS[kind].outcome === 'refused')
        .map(({ command, kind, requests }) => ({ labels: { command, why: kind }, value: requests }))
    },
  },
  {
    name: 'ambassador_preflight_undeclared_total',
    type: 'counter',
    help: 'Scripts and functions that name no key. They would run on one shard and find no key of another.',
    labels: [],
    read: ({ preflight }) => (preflight === undefined ? [] : [{ value: preflight.undeclared }]),
  },
]
