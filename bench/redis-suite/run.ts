/**
 * `npm run redis-suite -- --source DIR`: Redis's own test suite, from a source tree that you have,
 * directly against a Redis and through the ambassador. Exits with 1 when something passes directly
 * and not through, and bench/redis-suite/differences.ts does not say why.
 *
 *   --source DIR    Redis's source, version 7; needs tclsh
 *   --topology T    ring or cluster: the worlds that are about it (all)
 *   --worlds LIST   of direct, through, no-admin, direct-cluster, three, cluster (all)
 *   --files LIST    such as unit/type/list,unit/multi (all for servers that the suite did not start)
 *   --tags TAGS     the suite's own (-slow -needs:repl)
 *   --server PATH   the redis-server to start (from PATH)
 *   --jobs N        files at a time (1)
 *
 * A run of everything writes docs/redis-test-suite.md.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packageDirectory } from '../../lib/config/package-directory.ts'
import { runChild } from '../../spec/support/child.ts'
import { DIFFERENCES, DIFFERENCES_OF_CLUSTER, DIFFERENCES_OF_SEVERAL } from './differences.ts'
import { document } from './document.ts'
import { FILES } from './files.ts'
import { ADMIN_REFUSED, cell, type Results, type Surprise, surprises } from './report.ts'
import { type FileResult, type Outcome, SuiteTree } from './suite.ts'
import { startWorld, WORLDS, WORLDS_OF_TOPOLOGY, type WorldName } from './worlds.ts'

const { values: options } = parseArgs({
  options: {
    source: { type: 'string' },
    topology: { type: 'string' },
    worlds: { type: 'string' },
    files: { type: 'string' },
    tags: { type: 'string', default: '-slow -needs:repl' },
    server: { type: 'string', default: 'redis-server' },
    jobs: { type: 'string', default: '1' },
  },
})

async function main(source: string): Promise<void> {
  const wanted = options.worlds?.split(',') ?? WORLDS_OF_TOPOLOGY[options.topology ?? '']
  const names = Object.keys(WORLDS) as WorldName[]
  const worlds = names.filter((name) => wanted === undefined || wanted.includes(name))
  const files = options.files?.split(',') ?? FILES
  const rows: Results[] = []
  const waiting = [...files.entries()]
  const job = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      rows[next[0]] = await runEverywhere(source, next[1], worlds)
    }
  }
  await Promise.all(Array.from({ length: Number(options.jobs) }, job))
  const unexplained: Surprise[] = rows.flatMap((results) =>
    worlds.flatMap((world) => surprises(world, results)),
  )
  for (const { file, world, test, complaint } of unexplained) {
    print(`\n${file}, ${world}: ${test}\n${complaint}`)
  }
  print(`\n${unexplained.length} differences without a reason`)
  if (unexplained.length > 0) process.exitCode = 1
  if (wanted !== undefined || options.files !== undefined) return
  const { stdout: version } = await runChild(options.server, ['--version'])
  const text = document({ rows, worlds, version: version.trim(), tags: options.tags, unexplained })
  writeFileSync(join(packageDirectory(), 'docs', 'redis-test-suite.md'), text)
}

async function runEverywhere(
  source: string,
  file: string,
  worlds: readonly WorldName[],
): Promise<Results> {
  const results = new Map<WorldName, FileResult>()
  for (const name of worlds) {
    results.set(name, await runFile(source, file, name))
    // Many tests count on a machine that has little else to do.
    if (isOdd(name, results)) results.set(name, await runFile(source, file, name))
    print(`${file.padEnd(26)} ${name.padEnd(15)} ${cell(results.get(name))}`)
  }
  return results
}

/** Whether something failed that should not have. */
function isOdd(name: WorldName, results: Results): boolean {
  if (WORLDS[name].against !== undefined) return surprises(name, results).length > 0
  return [...(results.get(name)?.outcomes.values() ?? [])].some((outcome) => outcome !== 'ok')
}

const ALIVE_MS = 1000

/** Times that a file is run again, each without the tests that spoilt it for others. */
const ROUNDS_MAX = 5

/**
 * Runs a file again without the test that hung, and without those that were refused for want of
 * `allowAdmin`: such a test ends in the middle, and those behind it find what it has left.
 */
async function runFile(source: string, file: string, name: WorldName): Promise<FileResult> {
  const apart = new Map<string, Outcome>()
  for (let round = 1; ; round++) {
    const result = await runOnce(source, file, name, [...apart.keys()])
    const before = apart.size
    if (result.hanging !== undefined) apart.set(result.hanging, 'hangs')
    for (const [test, complaint] of result.complaints) {
      if (complaint.includes(ADMIN_REFUSED)) apart.set(test, 'refused')
    }
    if (apart.size > before && round < ROUNDS_MAX) continue
    const outcomes = new Map([...result.outcomes, ...apart])
    return { ...result, outcomes, skipped: result.skipped.filter((test) => !apart.has(test)) }
  }
}

/** With servers of its own: what one run leaves behind troubles no other. */
async function runOnce(
  source: string,
  file: string,
  name: WorldName,
  apart: readonly string[],
): Promise<FileResult> {
  const tree = new SuiteTree(source)
  const world = await startWorld(name, options.server)
  try {
    const { clusterMode } = WORLDS[name]
    return await tree.run(file, {
      port: world.port,
      clusterMode,
      tags: options.tags,
      skip: [...skipIn(name, file), ...apart],
    })
  } finally {
    await world.stop()
    tree.remove()
  }
}

function skipIn(name: WorldName, file: string): string[] {
  const { shards } = WORLDS[name]
  const one = shards > 0 ? DIFFERENCES : []
  const several = shards > 1 ? DIFFERENCES_OF_SEVERAL : []
  const cluster = name === 'cluster' ? DIFFERENCES_OF_CLUSTER : []
  return [...one, ...several, ...cluster]
    .filter((each) => each.file === file)
    .flatMap(({ tests }) => tests)
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

if (options.source === undefined) {
  process.stderr.write('npm run redis-suite -- --source DIR, the source of Redis 7\n')
  process.exitCode = 2
} else {
  // Connections and children of specs let a process end that waits for nothing else.
  const alive = setInterval(() => {}, ALIVE_MS)
  await main(options.source)
  clearInterval(alive)
}
