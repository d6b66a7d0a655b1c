/**
 * `npm run applications -- [NAME...] [--record]`: runs each application with one Redis directly, and then
 * through an ambassador over three shards that has the application's line in its configuration. It passes if
 * it finds the right results both times and nothing was refused. `--record` keeps its requests of the first
 * time as its conversation.
 */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startAmbassador } from '../../lib/ambassador.ts'
import { packageDirectory } from '../../lib/config/package-directory.ts'
import { AmbassadorUnderTest, configFor, SILENT } from '../support/ambassador.ts'
import { runChild } from '../support/child.ts'
import { connectRaw } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { APPLICATIONS, type Application, type Language } from './applications.ts'
import { writeConversation } from './conversation.ts'
import { howToGet, NODE_PACKAGES, versionOf } from './packages.ts'
import { isRefusal } from './replay.ts'
import { Tap } from './tap.ts'
import { threeShards } from './three-shards.ts'

/** The system's programs: those of a version manager lack the system's packages. */
const PROGRAMS: Readonly<Record<Language, string>> = {
  node: process.execPath,
  python: '/usr/bin/python3',
  ruby: '/usr/bin/ruby',
  php: '/usr/bin/php',
}
/** Longest run of an application, milliseconds: one that hangs is killed. */
const RUN_MS_MAX = 180_000
/** Lines of a failed program's output that are shown. */
const LINES_SHOWN = 12
const ALIVE_MS = 1000

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { record: { type: 'boolean', default: false } },
})

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** What went wrong; undefined: nothing. */
async function run(
  application: Application,
  port: number,
  database: number,
): Promise<string | undefined> {
  const { language, script, env } = application
  const folder =
    language === 'node' ? NODE_PACKAGES : join(packageDirectory(), 'spec/applications', language)
  const { code, stdout, stderr } = await runChild(PROGRAMS[language], [join(folder, script)], {
    cwd: folder,
    timeoutMs: RUN_MS_MAX,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      PYTHONDONTWRITEBYTECODE: '1',
      PYTHONWARNINGS: 'ignore',
      REDIS_PORT: String(port),
      REDIS_DATABASE: String(database),
      ...env,
    },
  })
  if (code === 0) return undefined
  const lines = `${stdout}${stderr}`.trimEnd().split('\n').slice(-LINES_SHOWN)
  const status = code === -1 ? 'it was killed, since it did not end' : `exit status ${code}`
  return [status, ...lines].join('\n    ')
}

async function directly(application: Application, redis: RedisServer): Promise<string | undefined> {
  await emptied(redis)
  const tap = await Tap.open(redis.port)
  const wrong = await run(application, tap.port, 0)
  await tap.close()
  if (wrong === undefined && values.record) writeConversation(application.name, tap.requests)
  return wrong
}

async function overShards(
  application: Application,
  shards: readonly RedisServer[],
): Promise<string | undefined> {
  for (const shard of shards) await emptied(shard)
  const config = configFor([], threeShards(shards, application.line))
  const ambassador = new AmbassadorUnderTest(await startAmbassador(config, SILENT))
  const tap = await Tap.open(ambassador.port)
  const wrong = await run(application, tap.port, application.database ?? 0)
  await tap.close()
  await ambassador.stop()
  const refusal = tap.errors.find(isRefusal)
  return wrong ?? (refusal === undefined ? undefined : `it was refused something: ${refusal}`)
}

async function emptied({ port }: RedisServer): Promise<void> {
  const client = await connectRaw(port)
  await client.request('FLUSHALL')
  await client.request('SCRIPT', 'FLUSH')
  await client.close()
}

// Connections and children of specs let a process end that waits for nothing else.
const alive = setInterval(() => {}, ALIVE_MS)
const chosen = APPLICATIONS.filter(
  ({ name }) => positionals.length === 0 || positionals.includes(name),
)
cpSync(join(packageDirectory(), 'spec/applications/node'), NODE_PACKAGES, { recursive: true })
const redis = await startRedis()
const shards = [await startRedis(), await startRedis(), await startRedis()]
const missing: Application[] = []
let failed = 0
for (const application of chosen) {
  const { name, line } = application
  const version = versionOf(application)
  if (version === undefined) {
    missing.push(application)
    print(`missing  ${name}: there is no ${application.package}`)
    continue
  }
  const direct = await directly(application, redis)
  const wrong = direct ?? (await overShards(application, shards))
  if (wrong === undefined) print(`ok       ${name} ${version}: ${line}`)
  else {
    failed++
    const where =
      direct === undefined ? `over three shards with ${line}` : 'with one Redis, directly'
    print(`failed   ${name} ${version}, ${where}: ${wrong}`)
  }
}
for (const server of [redis, ...shards]) await server.stop()
clearInterval(alive)
for (const line of howToGet(missing)) print(`to get ${line}`)
print(
  `${chosen.length - missing.length - failed} passed, ${failed} failed, ${missing.length} missing`,
)
if (failed > 0 || (missing.length > 0 && process.env['CI'] !== undefined)) process.exitCode = 1
