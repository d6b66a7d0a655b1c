/**
 * `npm run reliability`: what one client's misuse, a lost shard, a stop or a reload cost the others,
 * with nutcracker beside it, and what a master costs that fails over. Takes about five minutes; writes
 * its parts of docs/reliability.md.
 *
 *   --only LIST    misuse, memory, idle, kill, stop, crowd, drain, reload: these alone, the document stays as it is;
 *                  failovers: that table alone is written
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packageDirectory } from '../../lib/config/package-directory.ts'
import { withGenerated } from '../generated-docs.ts'
import type { Figures } from './experiments.ts'
import * as experiments from './experiments.ts'
import { failoverTable } from './failovers.ts'
import { drain, reload } from './lifecycle.ts'
import { KINDS, startProxy, type TestedProxy } from './proxies.ts'

const DOCUMENT = join(packageDirectory(), 'docs', 'reliability.md')
const COMPARED: Readonly<Record<string, (proxy: TestedProxy) => Promise<Figures>>> = {
  misuse: experiments.misuse,
  memory: experiments.memory,
  idle: experiments.idle,
  kill: experiments.kill,
  stop: experiments.stop,
}
const OWN: Readonly<Record<string, () => Promise<Figures>>> = {
  crowd: experiments.crowd,
  drain,
  reload,
}

const { values: options } = parseArgs({ options: { only: { type: 'string', default: '' } } })
const only = options.only.split(',').filter((name) => name !== '')

async function main(): Promise<void> {
  const rows: string[][] = []
  const add = (figures: readonly Figures[]): void => {
    for (const name of Object.keys(figures.at(-1) ?? {})) {
      const row = [name, ...['-', ...figures.map((each) => each[name] ?? '-')].slice(-2)]
      rows.push(row)
      process.stdout.write(`${row.join(' | ')}\n`)
    }
  }
  for (const [name, experiment] of Object.entries(COMPARED)) {
    if (only.length > 0 && !only.includes(name)) continue
    const figures: Figures[] = []
    for (const kind of KINDS) {
      const proxy = await startProxy(kind)
      try {
        figures.push(await experiment(proxy))
      } finally {
        await proxy.stop()
      }
    }
    add(figures)
  }
  for (const [name, experiment] of Object.entries(OWN)) {
    if (only.length === 0 || only.includes(name)) add([await experiment()])
  }
  if (only.length === 0) write('figures', tableOf(rows))
  if (only.length === 0 || only.includes('failovers')) {
    write('failovers', await failoverTable((row) => process.stdout.write(`${row}\n`)))
  }
}

function tableOf(rows: readonly string[][]): string {
  const head = [
    ['Figure', 'nutcracker 0.5.0', 'ambassador'],
    ['---', '---', '---'],
  ]
  return [...head, ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

function write(marker: string, table: string): void {
  const [cpu] = cpus()
  const machine = `${cpus().length} x ${cpu?.model.trim()}, Linux ${release()}, Node ${process.version}.`
  const generate = () => `${machine}\n\n${table}`
  const text = readFileSync(DOCUMENT, 'utf8')
  writeFileSync(DOCUMENT, withGenerated(text, { file: DOCUMENT, marker, generate }))
}

// Clients of specs do not keep a process alive, and here there may be nothing else.
const alive = setInterval(() => {}, 60_000)
await main().finally(() => clearInterval(alive))
