/** From measurements to tables: medians, ratios, and their place in docs/benchmarks.md. */
import { columns } from '../lib/cli/columns.ts'
import { type Cell, CLIENTS } from './cells.ts'
import type { Measurement } from './load.ts'
import { TARGET_NAMES, type Target } from './targets.ts'

/** All runs of one cell against one target. */
export interface Result {
  readonly cell: Cell
  readonly target: Target['name']
  readonly runs: readonly Measurement[]
}

const HEADER = [
  ['Value', 'Command', 'Depth', 'Target', 'Requests/s', 'p50 ms', 'p99 ms', 'CPU µs/request'],
  ['Throughput', 'CPU'],
].flat()

/** Columns with numbers. */
const RIGHT = [2, 4, 5, 6, 7, 8, 9]

export function textTable(results: readonly Result[]): string {
  return columns([HEADER, ...rows(results)], RIGHT)
}

export function markdownTable(results: readonly Result[]): string {
  const rule = HEADER.map((_, column) => (RIGHT.includes(column) ? '--:' : '---'))
  return [HEADER, rule, ...rows(results)].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

export function legend(): string {
  return (
    `${CLIENTS} connections; medians. The last two columns are ratios to nutcracker in the same ` +
    'cell: throughput (higher is better) and CPU per request (lower is better). Latency is that ' +
    'of a whole pipeline, at the highest load the target takes.'
  )
}

function rows(results: readonly Result[]): string[][] {
  const ordered = results.toSorted(
    (a, b) => cellOrder(a.cell, b.cell) || targetOrder(a) - targetOrder(b),
  )
  return ordered.map((result, i) => {
    const median = medians(result.runs)
    const rival = results.find(
      (other) => isSame(other.cell, result.cell) && other.target === 'nutcracker',
    )
    const base = rival === undefined ? undefined : medians(rival.runs)
    const { command, valueBytes, depth } = result.cell
    const isFirst = i === 0 || !isSame(ordered[i - 1]?.cell, result.cell)
    const name = command.replace(/\d+/, ' $&').toUpperCase()
    return [
      ...(isFirst ? [`${valueBytes} B`, name, String(depth)] : ['', '', '']),
      result.target,
      String(Math.round(median.requestsPerSecond)).replace(/\B(?=(\d{3})+$)/g, ','),
      median.p50Ms.toFixed(2),
      median.p99Ms.toFixed(2),
      median.cpuMicrosPerRequest.toFixed(2),
      ratio(median.requestsPerSecond, base?.requestsPerSecond),
      ratio(median.cpuMicrosPerRequest, base?.cpuMicrosPerRequest),
    ]
  })
}

function isSame(a: Cell | undefined, b: Cell): boolean {
  return a !== undefined && cellOrder(a, b) === 0 && a.command === b.command
}

function cellOrder(a: Cell, b: Cell): number {
  return a.valueBytes - b.valueBytes || a.command.localeCompare(b.command) || a.depth - b.depth
}

function targetOrder({ target }: Result): number {
  return TARGET_NAMES.indexOf(target)
}

function ratio(value: number, base: number | undefined): string {
  return base === undefined ? '' : `${(value / base).toFixed(2)}x`
}

export function medians(runs: readonly Measurement[]): Measurement {
  const of = (field: keyof Measurement): number => {
    const sorted = runs.map((run) => run[field]).sort((a, b) => a - b)
    const middle = Math.floor(sorted.length / 2)
    const [low = Number.NaN, high = Number.NaN] = [sorted.at(-middle - 1), sorted[middle]]
    return (low + high) / 2
  }
  return {
    requestsPerSecond: of('requestsPerSecond'),
    p50Ms: of('p50Ms'),
    p99Ms: of('p99Ms'),
    cpuMicrosPerRequest: of('cpuMicrosPerRequest'),
  }
}

/** Replaces the text between the marker's two lines, or appends it with them. */
export function replaceSection(document: string, marker: string, section: string): string {
  const [begin, end] = [`<!-- ${marker} begin -->`, `<!-- ${marker} end -->`]
  const [start, stop] = [document.indexOf(begin), document.indexOf(end)]
  const text = `${begin}\n${section}${end}`
  if (start === -1 || stop < start) return `${document.trimEnd()}\n\n${text}\n`
  return document.slice(0, start) + text + document.slice(stop + end.length)
}
