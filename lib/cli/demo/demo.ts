/** `redis-ambassador demo`: three shards, an ambassador, sample keys, and a look at where they went. */
import { type Ambassador, startAmbassador } from '../../ambassador.ts'
import { packageDirectory } from '../../config/package-directory.ts'
import { loadConfig } from '../../config/sources/load.ts'
import { EXIT } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import { columns } from '../columns.ts'
import { placementOf } from '../ring.ts'
import { checkDemo, type DemoFindings, SAMPLES } from './demo-check.ts'
import {
  type DemoShard,
  type DemoShards,
  findOnPath,
  NoServerError,
  startDemoShards,
} from './demo-shards.ts'
import { firstFreePort } from './free-port.ts'

const USUAL_PORT = 6379

/** What the ambassador complains about, such as a shard that was killed to see what happens. */
const warnings: Logger = {
  debug: () => {},
  info: () => {},
  warn: (facts, message) => print(`${message}: ${JSON.stringify(facts)}`),
  error: (facts, message) => print(`${message}: ${JSON.stringify(facts)}`),
}

export interface DemoOptions {
  /** Check, then end; otherwise stay up until a signal asks for the end. */
  readonly once: boolean
  /** Where to listen, or the next free port above; default 6379. */
  readonly port: number | undefined
}

/** Resolves with the exit code: 0 when every sample key was where the placement says. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const interrupted = untilInterrupted()
  let shards: DemoShards | undefined
  let ambassador: Ambassador | undefined
  try {
    shards = await startDemoShards()
    const wanted = options.port ?? USUAL_PORT
    const port = await firstFreePort(wanted)
    const config = demoConfig(port, shards.shards)
    ambassador = await startAmbassador(config, warnings)
    printStart(shards, wanted, port)
    const findings = await checkDemo(port, shards.shards, placementOf(config.pools[0]))
    printFindings(shards.shards, findings)
    if (findings.problems.length > 0) return EXIT.runtime
    if (!options.once) {
      printNextSteps(port, shards.shards)
      await interrupted
    }
    return EXIT.ok
  } catch (error) {
    if (!(error instanceof NoServerError)) throw error
    print(error.message)
    return EXIT.runtime
  } finally {
    await ambassador?.stop()
    await shards?.stop()
  }
}

/** Listens from the start, so that Ctrl-C during the check still cleans up. */
function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) {
      process.once(signal, () => resolve())
    }
  })
}

/** The defaults: variables and files of the person who runs the demo do not count. */
function demoConfig(port: number, shards: readonly DemoShard[]) {
  const list = shards.map((shard) => `${shard.name}=127.0.0.1:${shard.port}`).join(',')
  const flags = { listen: `localhost:${port}`, adminListen: 'off', shards: list }
  return loadConfig({ flags: { ...flags, env: 'development' }, env: {}, cwd: packageDirectory() })
}

function printStart({ server, shards }: DemoShards, wanted: number, port: number): void {
  const addresses = shards.map((shard) => `${shard.name} 127.0.0.1:${shard.port}`).join(', ')
  if (port !== wanted) print(`*** Port ${wanted} is taken: the ambassador is on ${port} ***\n`)
  print(`Shards      ${addresses}\n            (${server})`)
  print(`Ambassador  127.0.0.1:${port}\n`)
}

function printFindings(shards: readonly DemoShard[], { placed, problems }: DemoFindings): void {
  const header = ['KEY', 'VALUE', ...shards.map((shard) => shard.name)]
  const rows = SAMPLES.map(([key, value], i) => [
    key,
    value,
    ...shards.map((shard) => (placed[i] === shard.name ? '*' : '')),
  ])
  if (placed.length > 0) process.stdout.write(columns([header, ...rows]))
  if (problems.length > 0) {
    print(`\nWRONG:\n${problems.join('\n')}`)
    return
  }
  print(
    `\n${SAMPLES.length} keys written and read by one ordinary client; each is on the shard its`,
  )
  print('name hashes to and on no other. MSET, MGET and DBSIZE saw all shards as one Redis.')
}

function printNextSteps(port: number, [first]: readonly DemoShard[]): void {
  const cli = findOnPath(['redis-cli', 'valkey-cli'])?.split('/').pop()
  if (cli === undefined) {
    const code = `require('net').connect(${port}).end('GET user:ada\\r\\n').pipe(process.stdout)`
    print(`\nTry   node -e "${code}"`)
  } else {
    print(`\nTry   ${cli} -p ${port} get user:ada`)
    print(`      ${cli} -p ${first?.port} keys '*'     one shard alone`)
  }
  print('Ctrl-C stops everything.')
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
