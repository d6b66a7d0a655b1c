/** `doctor`: what the doctor found, for people and for scripts. */
import type { Config, ListenAddress, PoolConfig } from '../config/config.ts'
import { packageVersion } from '../config/package-directory.ts'
import { DEFAULT_POOL } from '../config/pool-name.ts'
import { addressText } from '../config/values/address.ts'
import { listed } from '../doctor/comparison.ts'
import { examine, inOrder } from '../doctor/doctor.ts'
import { CHECKS, type Check, type Finding, note, well } from '../doctor/finding.ts'
import { EXIT } from '../errors.ts'
import { askAdmin } from './ask-admin.ts'
import { columns } from './columns.ts'
import { clumpNote, notesOf, placementOf } from './ring.ts'
import { openFilesMax, withinDescriptors } from './start/descriptors.ts'

/** What a command prints, and its exit code. */
export interface Report {
  readonly text: string
  readonly code: number
}

/** The exit code is 1 when there are problems. Throws ConfigError as `start` does. */
export async function runDoctor(
  asWritten: Config,
  { json }: { readonly json: boolean },
): Promise<Report> {
  const config = withinDescriptors(asWritten, openFilesMax())
  const [running, ...shards] = await Promise.all([
    runningAt(config.watch.adminListen),
    ...[...config.pools, ...config.mirrors].map(findingsOfPool),
  ])
  const findings = inOrder([...configFindings(config), ...running, ...shards.flat()])
  const sick = findings.some(({ level }) => level === 'problem')
  return {
    text: json ? jsonText(findings) : reportText(findings),
    code: sick ? EXIT.runtime : EXIT.ok,
  }
}

/** Findings about a further pool name it. */
async function findingsOfPool(pool: PoolConfig): Promise<Finding[]> {
  const clump = clumpNote(pool)
  const found = await examine(pool, placementOf(pool).shares())
  const shards = found.map((finding) => named(finding, pool))
  if (clump === undefined) return shards
  return [...shards, note('ring', undefined, clump.saw, `${clump.advice}.`)]
}

function named(finding: Finding, { name }: PoolConfig): Finding {
  if (name === DEFAULT_POOL) return finding
  const { shard, saw } = finding
  if (shard === undefined) return { ...finding, saw: `pool ${name}: ${saw}` }
  return { ...finding, shard: `${name}/${shard}` }
}

function configFindings(config: Config): Finding[] {
  const { environment, sources } = config.process
  const counts = [...config.pools, ...config.mirrors].map((pool, index) => {
    const source = sources[index === 0 ? 'shards' : `pools.${pool.name}.shards`]
    return `${countText(pool)} from ${source}`
  })
  const saw = `environment ${environment.name}; ${counts.join('; ')}`
  const notes = notesOf(config).map((text) => {
    return note('config', undefined, text, '`check` shows every value and where it comes from.')
  })
  return [well('config', undefined, saw), ...notes]
}

function countText({ name, shards, cluster }: PoolConfig): string {
  const count = `${shards.length} ${shards.length === 1 ? 'shard' : 'shards'}`
  const text = cluster === undefined ? count : 'a Redis Cluster'
  return name === DEFAULT_POOL ? text : `pool ${name} with ${text}`
}

/** Whether an ambassador with this configuration runs already, and how it is. */
async function runningAt(address: ListenAddress | 'off'): Promise<Finding[]> {
  if (address === 'off') return []
  const where = addressText(address)
  const answer = await askAdmin(address, '/readyz')
  if (answer === undefined) {
    return [well('running', undefined, `no ambassador is at ${where} yet`)]
  }
  if (answer.status === 200) {
    return [well('running', undefined, `an ambassador is at ${where}, and ready`)]
  }
  const saw = `what is at ${where} is not ready (${answer.status}: ${answer.text})`
  return [note('running', undefined, saw, `See http://${where}/readyz?verbose.`)]
}

/** The shape is documented in docs/operations.md; additions are no breaking change. */
function jsonText(findings: readonly Finding[]): string {
  const report = {
    version: packageVersion(),
    healthy: count(findings, 'problem') === 0,
    problems: count(findings, 'problem'),
    notes: count(findings, 'note'),
    // Absent would be undefined, and JSON leaves that out.
    checks: findings.map(({ check, shard, level, saw, advice }) => {
      return { check, shard: shard ?? null, level, saw, advice: advice ?? null }
    }),
  }
  return `${JSON.stringify(report, null, 2)}\n`
}

function reportText(findings: readonly Finding[]): string {
  const rows = CHECKS.flatMap((check) => rowsOf(check, findings))
  const [problems, notes] = [count(findings, 'problem'), count(findings, 'note')]
  const sum = `${counted(problems, 'problem')}, ${counted(notes, 'note')}`
  return `${columns(rows)}\n${problems === 0 ? 'healthy' : 'not healthy'}: ${sum}\n`
}

function counted(number: number, noun: string): string {
  return number === 0 ? `no ${noun}s` : `${number} ${noun}${number === 1 ? '' : 's'}`
}

function count(findings: readonly Finding[], level: Finding['level']): number {
  return findings.filter((finding) => finding.level === level).length
}

/** One line for all that is well, then one for each of the others. */
function rowsOf(check: Check, all: readonly Finding[]): string[][] {
  const findings = all.filter((finding) => finding.check === check)
  const rest = findings.filter(({ level }) => level !== 'ok')
  const healthy = findings.filter(({ level }) => level === 'ok')
  return [
    ...(healthy.length === 0 ? [] : [['ok', check, healthyText(healthy)]]),
    ...rest.map(({ level, shard, saw, advice }) => {
      return [level, check, `${shard === undefined ? '' : `${shard}: `}${saw}. ${advice}`]
    }),
  ]
}

/** Shards with the same text share a line. */
function healthyText(findings: readonly Finding[]): string {
  const texts = new Map<string, string[]>()
  for (const { shard, saw } of findings) {
    texts.set(saw, [...(texts.get(saw) ?? []), ...(shard === undefined ? [] : [shard])])
  }
  if (texts.size > SHOWN_TEXTS_MAX) return listed(findings.flatMap(({ shard }) => shard ?? []))
  const parts = [...texts].map(([saw, shards]) => {
    return shards.length === 0 ? saw : `${listed(shards)}: ${saw}`
  })
  return parts.join('; ')
}

/** With more different texts than this only the shards are named, to keep the line readable. */
const SHOWN_TEXTS_MAX = 4
