/** From measurements to tables: medians and ratios. */
import { columns } from '../lib/cli/columns.ts'
import { ALL_CELLS, type Cell, CLIENTS } from './cells.ts'
import { markdown } from './document.ts'
import type { Measurement } from './load.ts'
import { median } from './median.ts'
import { TARGET_NAMES, type Target } from './targets.ts'

/** All runs of one cell against one target. */
export interface Result {
  readonly cell: Cell
  readonly target: Target['name']
  readonly runs: readonly Measurement[]
}

const HEADER = [
  ['Value', 'Command', 'Depth', 'Target'],
  ['Requests/s', 'p50 ms', 'p99 ms', 'CPU µs/request'],
  ['Throughput', 'CPU'],
].flat()

/** Columns with numbers. */
const RIGHT = [2, 4, 5, 6, 7, 8, 9]

export function textTable(results: readonly Result[]): string {
  return columns([HEADER, ...rows(results)], RIGHT)
}

export function markdownTable(results: readonly Result[]): string {
  return markdown([HEADER, ...rows(results)], RIGHT)
}

export function legend(): string {
  return (
    `${CLIENTS} connections; medians. The last two columns are ratios to nutcracker in the same ` +
    'cell: throughput (higher is better) and CPU per request (lower is better). Latency is that ' +
    'of a whole pipeline, at the highest load the target takes.'
  )
}

/** One finished cell in a line, for whoever waits. */
export function progressLine(results: readonly Result[]): string {
  const [value, command, depth] = rows(results)[0] ?? []
  const [, , , , perSecond, , p99, cpu, throughputRatio, cpuRatio] = rows(results).at(-1) ?? []
  return (
    `${command} ${value}, depth ${depth}: ${perSecond} requests/s (${throughputRatio}), ` +
    `p99 ${p99} ms, CPU ${cpu} µs (${cpuRatio})\n`
  )
}

function rows(results: readonly Result[]): string[][] {
  const ordered = results.toSorted(
    (a, b) => cellOrder(a.cell) - cellOrder(b.cell) || targetOrder(a) - targetOrder(b),
  )
  return ordered.map((result, i) => {
    const { cell, target, runs } = result
    const rival = results.find((other) => other.cell === cell && other.target === 'nutcracker')
    const [median, base] = [medians(runs), medians(rival?.runs ?? [])]
    const isFirst = ordered[i - 1]?.cell !== cell
    const name = cell.command.replace(/\d+/, ' $&').toUpperCase()
    return [
      ...(isFirst ? [`${cell.valueBytes} B`, name, String(cell.depth)] : ['', '', '']),
      target,
      String(Math.round(median.requestsPerSecond)).replace(/\B(?=(\d{3})+$)/g, ','),
      median.p50Ms.toFixed(2),
      median.p99Ms.toFixed(2),
      median.cpuMicrosPerRequest.toFixed(2),
      `${(median.requestsPerSecond / base.requestsPerSecond).toFixed(2)}x`,
      `${(median.cpuMicrosPerRequest / base.cpuMicrosPerRequest).toFixed(2)}x`,
    ]
  })
}

function cellOrder(cell: Cell): number {
  return ALL_CELLS.indexOf(cell)
}

function targetOrder({ target }: Result): number {
  return TARGET_NAMES.indexOf(target)
}

function medians(runs: readonly Measurement[]): Measurement {
  const of = (field: keyof Measurement): number => median(runs.map((run) => run[field]))
  return {
    requestsPerSecond: of('requestsPerSecond'),
    p50Ms: of('p50Ms'),
    p99Ms: of('p99Ms'),
    cpuMicrosPerRequest: of('cpuMicrosPerRequest'),
  }
}
