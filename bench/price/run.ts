/**
 * What the sidecar costs before it has done anything: `npm run bench:price`. Memory at rest, time from
 * start to the first PONG, size of the package, beside bare Node of the same version and nutcracker.
 *
 *   npm run bench:price -- --node /tmp/node24/node_modules/node/bin/node --node ...
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { columns } from '../../lib/cli/columns.ts'
import { packageDirectory } from '../../lib/config/package-directory.ts'
import { runChild } from '../../spec/support/child.ts'
import { freePort } from '../../spec/support/ports.ts'
import { type RedisServer, startRedis } from '../../spec/support/redis-server.ts'
import { withGenerated } from '../generated-docs.ts'
import { SHARD_NAMES, startNutcrackerBefore } from '../targets.ts'
import { type Price, priceOf, priceOfBare, residentMbOf } from './processes.ts'

const DOCUMENT = join(packageDirectory(), 'docs', 'benchmarks.md')
const HEADER = [
  ['Node', 'RSS at rest, MB', 'bare Node', 'ratio'],
  ['first PONG, ms', 'bare Node', 'ratio'],
  ['CPU until then, ms', 'bare Node', 'ratio'],
].flat()
const NUMBERS = HEADER.map((_, column) => column)

const { values: options } = parseArgs({
  options: {
    node: { type: 'string', multiple: true, default: [process.execPath] },
    repeat: { type: 'string', default: '5' },
    settle: { type: 'string', default: '15' },
    dry: { type: 'boolean', default: false },
  },
})

async function main(): Promise<void> {
  const shards = await Promise.all(SHARD_NAMES.map(() => startRedis()))
  try {
    const rows: string[][] = []
    for (const node of options.node) {
      rows.push(await rowOf(node, shards))
      print(columns([HEADER, ...rows], NUMBERS))
    }
    const text = `${table(rows)}\n${await rest(shards)}`
    print(text)
    if (!options.dry) writeDocument(text)
  } finally {
    for (const shard of shards) await shard.stop()
  }
}

/** Bare Node and the ambassador take turns, so that a busy minute hits both. */
async function rowOf(node: string, shards: readonly RedisServer[]): Promise<string[]> {
  const settleMs = Number(options.settle) * 1000
  const [bare, ours]: [Price[], Price[]] = [[], []]
  // It leaves its compiled code, as an image brings it along.
  await priceOfOurs(node, shards, 0)
  for (let run = 0; run < Number(options.repeat); run++) {
    bare.push(await priceOfBare(node, settleMs / 5))
    ours.push(await priceOfOurs(node, shards, settleMs))
  }
  const { stdout } = await runChild(node, ['--version'])
  const cells = (['residentMb', 'readyMs', 'readyCpuMs'] as const).flatMap((field) => {
    const [mine, theirs] = [median(ours, field), median(bare, field)]
    return [mine.toFixed(0), theirs.toFixed(0), `${(mine / theirs).toFixed(2)}x`]
  })
  return [stdout.trim().slice(1), ...cells]
}

async function priceOfOurs(
  node: string,
  shards: readonly RedisServer[],
  settleMs: number,
): Promise<Price> {
  const [port, admin] = [await freePort(), await freePort()]
  const list = shards.map((shard, i) => `${SHARD_NAMES[i]}=127.0.0.1:${shard.port}`)
  const listens = ['--listen', `127.0.0.1:${port}`, '--admin-listen', `127.0.0.1:${admin}`]
  const args = [join(packageDirectory(), 'dist', 'bin.js'), ...listens, '--shards', list.join()]
  const env = { PATH: process.env['PATH'], AMBASSADOR_ENV: 'production' }
  return await priceOf({ command: node, args, env, port }, settleMs)
}

/** Size and rival, which no version of Node changes. */
async function rest(shards: readonly RedisServer[]): Promise<string> {
  const nutcracker = await startNutcrackerBefore(await freePort(), shards)
  const rival = residentMbOf(nutcracker.pid).toFixed(0)
  await nutcracker.stop()
  const packed = await runChild('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: packageDirectory(),
  })
  const [{ size, unpackedSize, entryCount } = { size: 0, unpackedSize: 0, entryCount: 0 }] =
    JSON.parse(packed.stdout) as { size: number; unpackedSize: number; entryCount: number }[]
  return (
    `nutcracker takes ${rival} MB before the same shards. The package is ${megabytes(size)} MB to fetch, ` +
    `${megabytes(unpackedSize)} MB in ${entryCount} files unpacked, without its dependencies.\n`
  )
}

function table(rows: readonly string[][]): string {
  const rule = HEADER.map(() => '--:')
  return [HEADER, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

function writeDocument(text: string): void {
  const part = { file: DOCUMENT, marker: 'price', generate: () => text }
  writeFileSync(DOCUMENT, withGenerated(readFileSync(DOCUMENT, 'utf8'), part))
  print(`Written to ${DOCUMENT}\n`)
}

function median(prices: readonly Price[], field: keyof Price): number {
  const sorted = prices.map((price) => price[field]).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function megabytes(bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(1)
}

function print(text: string): void {
  process.stdout.write(text)
}

await main()
