/**
 * `npm run bench:growth`: CPU time per request as the work grows: with shards, clients, keys in an MGET, routes.
 * Draws docs/images/growth.svg and writes the figures into docs/benchmarks.md.
 *
 *   --node PATH    another Node for the ambassador
 *   --repeat N     runs of each point, in turns (3)
 *   --dry          prints the figures, and writes nothing
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packageDirectory } from '../../lib/config/package-directory.ts'
import { connectRaw } from '../../spec/support/raw-client.ts'
import { type RedisServer, startRedis } from '../../spec/support/redis-server.ts'
import { CLIENTS, type Load } from '../cells.ts'
import { leaveCoreToMeasured } from '../cores.ts'
import { describeMachine, markdown, writePart } from '../document.ts'
import { fill } from '../keys.ts'
import { runLoad } from '../load.ts'
import { median } from '../median.ts'
import { type Build, startBuild } from '../targets.ts'
import { type Curve, chart } from './chart.ts'

const VALUE_BYTES = 32
const KEYS = 10_000
const SHARDS_MAX = 64
const SHARDS_USUAL = 3
const LABEL = 'CPU time of the ambassador, microseconds for a request, or for a key of an MGET'
const IMAGE = join(packageDirectory(), 'docs', 'images', 'growth.svg')

/** One point of a curve. */
interface Point {
  readonly x: number
  readonly load: Load
  readonly clients?: number
  readonly shards?: number
  readonly routes?: number
  /** By which CPU time is divided besides requests. */
  readonly keys?: number
}

const GET: Load = { command: 'get', depth: 1, valueBytes: VALUE_BYTES }
const PIPELINED: Load = { ...GET, depth: 16 }

const CURVES: readonly (Omit<Curve, 'points'> & { readonly points: readonly Point[] })[] = [
  {
    title: 'Shards (GET, depth 16)',
    unit: 'shards',
    points: [1, 2, 4, 8, 16, 32, SHARDS_MAX].map((x) => ({ x, shards: x, load: PIPELINED })),
  },
  {
    title: 'Clients (GET, depth 1)',
    unit: 'clients',
    points: [1, 10, 100, 1000, 10_000].map((x) => ({ x, clients: x, load: GET })),
  },
  {
    title: 'Keys in an MGET (depth 1), for a key',
    unit: 'keys',
    points: [1, 3, 10, 30, 100, 300, 1000].map((x) => {
      return { x, keys: x, load: { ...GET, command: `mget${x}` } }
    }),
  },
  {
    title: 'Routes (GET, depth 16)',
    unit: 'routes',
    points: [0, 1, 3, 10, 30, 100].map((x) => ({ x, routes: x, load: PIPELINED })),
  },
]

const { values: options } = parseArgs({
  options: {
    node: { type: 'string', default: process.execPath },
    repeat: { type: 'string', default: '3' },
    dry: { type: 'boolean', default: false },
  },
})

/** Names in the order of the alphabet, as many as shards. */
function nameOf(shard: number): string {
  return `s${String(shard).padStart(2, '0')}`
}

async function startFor(
  { shards = SHARDS_USUAL, routes = 0 }: Point,
  servers: readonly RedisServer[],
  prefix: readonly string[],
): Promise<Build> {
  const list = servers.slice(0, shards).map(({ port }, i) => `${nameOf(i)}=127.0.0.1:${port}`)
  const routed = Array.from(
    { length: routes },
    (_, i) => `route${i}:=default/${nameOf(i % shards)}`,
  )
  const variables = {
    AMBASSADOR_SHARDS: list.join(),
    AMBASSADOR_MAX_CLIENTS: '12000',
    ...(routes > 0 && { AMBASSADOR_ROUTES: routed.join() }),
  }
  const build = await startBuild(packageDirectory(), options.node, [], variables, prefix)
  const client = await connectRaw(
    'port' in build.target.at ? build.target.at.port : build.target.at,
  )
  client.socket.ref()
  await fill(client, KEYS, 'x'.repeat(VALUE_BYTES))
  await client.close()
  return build
}

/** Microseconds, in as many runs as are asked for. */
async function costsOf(point: Point, build: Build): Promise<number[]> {
  const { load, clients = CLIENTS, keys = 1 } = point
  const requests = Math.ceil((load.depth === 1 ? 40_000 : 400_000) / Math.sqrt(keys))
  // Each client asks often enough that its connection costs little beside that.
  const asked = Math.max(requests, clients * 50)
  await runLoad(build.target, load, asked, KEYS, clients)
  const costs: number[] = []
  for (let run = 0; run < Number(options.repeat); run++) {
    const { cpuMicrosPerRequest } = await runLoad(build.target, load, asked, KEYS, clients)
    costs.push(cpuMicrosPerRequest / keys)
  }
  return costs
}

async function main(): Promise<void> {
  const prefix = leaveCoreToMeasured()
  const servers = await Promise.all(Array.from({ length: SHARDS_MAX }, () => startRedis()))
  const curves: Curve[] = []
  for (const { title, unit, points } of CURVES) {
    const drawn: { x: number; y: number }[] = []
    for (const point of points) {
      const build = await startFor(point, servers, prefix)
      drawn.push({ x: point.x, y: median(await costsOf(point, build)) })
      await build.child.kill()
    }
    curves.push({ title, unit, points: drawn })
    print(`${title}: ${figures(drawn)}\n`)
  }
  for (const server of servers) await server.stop()
  if (options.dry) return
  writeFileSync(IMAGE, chart(curves, LABEL))
  writePart('growth', await section(curves))
}

async function section(curves: readonly Curve[]): Promise<string> {
  const rows = curves.map(({ title, points }) => [title, figures(points)])
  return (
    `## As the work grows\n\n${await describeMachine(options.node)}\n\n` +
    `![${LABEL}, in four curves: shards, clients, keys in an MGET, routes](images/growth.svg)\n\n` +
    markdown([['CPU µs for a request', 'by number'], ...rows], [])
  )
}

function figures(points: Curve['points']): string {
  return points.map(({ x, y }) => `${x}: ${y.toFixed(2)}`).join(', ')
}

function print(text: string): void {
  process.stdout.write(text)
}

await main()
