/** From runs at a fixed rate to rows of a table. */
import { median } from '../median.ts'
import { TARGET_NAMES, type Target } from '../targets.ts'
import type { Latencies } from './latencies.ts'

/** One run of one load against one target. */
export interface Run extends Latencies {
  readonly rate: number
  readonly connections: number
  readonly target: Target['name']
  readonly cpuMicrosPerRequest: number
}

export const HEADER = [
  ...['Requests/s', 'Connections', 'Target'],
  ...['p50 ms', 'p99 ms', 'p99.9 ms', 'added p50', 'added p99', 'added p99.9'],
  ...['CPU µs/request', 'sent late by ms'],
]

/** Columns with numbers. */
export const NUMBERS = [0, 1, 3, 4, 5, 6, 7, 8, 9, 10]

const QUANTILES = ['p50Ms', 'p99Ms', 'p999Ms'] as const

/** A row for each load and target, in the order of TARGET_NAMES. */
export function rowsOf(runs: readonly Run[]): string[][] {
  const loads = [...new Set(runs.map(({ rate, connections }) => `${rate} ${connections}`))]
  return loads.flatMap((load) => {
    const ofLoad = runs.filter(({ rate, connections }) => `${rate} ${connections}` === load)
    const direct = ofLoad.filter(({ target }) => target === 'redis')
    const targets = TARGET_NAMES.filter((name) => ofLoad.some(({ target }) => target === name))
    return targets.map((name, i) => {
      const mine = ofLoad.filter(({ target }) => target === name)
      const added = QUANTILES.map((each) => of(mine, each) - of(direct, each))
      return [
        ...(i === 0 ? load.split(' ') : ['', '']),
        name,
        ...QUANTILES.map((each) => of(mine, each).toFixed(2)),
        ...(name === 'redis' ? ['', '', ''] : added.map((ms) => ms.toFixed(2))),
        of(mine, 'cpuMicrosPerRequest').toFixed(1),
        of(mine, 'lateMs').toFixed(2),
      ]
    })
  })
}

function of(runs: readonly Run[], field: keyof Latencies | 'cpuMicrosPerRequest'): number {
  return median(runs.map((run) => run[field]))
}
