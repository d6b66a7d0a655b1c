/**
 * Databases that are a pool or one shard: `3=queues,4=default/b`, or in a file a map
 * `{ 3: { pool: queues }, 4: { shard: b } }`. A shard without a pool is one of the pool `default`.
 */
import { DATABASES_MAX } from '../../../limits.ts'
import { DEFAULT_POOL } from '../../pool-name.ts'
import {
  type Format,
  isRawMap,
  type Parsed,
  type Problem,
  parseInteger,
  type Raw,
  refused,
  shown,
} from '../formats.ts'
import type { DatabaseConfig } from '../types.ts'

export const databaseList: Format<readonly DatabaseConfig[]> = {
  accepts:
    'number=pool or number=pool/shard, several separated by commas; in a file { number: { pool, shard } }',
  parse: parseDatabases,
  text: (databases) => databases.map(databaseText).join(','),
}

function databaseText({ database, pool, shard }: DatabaseConfig): string {
  return `${database}=${pool}${shard === undefined ? '' : `/${shard}`}`
}

function parseDatabases(raw: Raw): Parsed<readonly DatabaseConfig[]> {
  const items = typeof raw === 'string' ? raw.split(',').map(pairOf) : entriesOf(raw)
  if (items === undefined) return refused(`${shown(raw)} is not a map of databases`)
  if (items.length > DATABASES_MAX) return refused(`has more than ${DATABASES_MAX} databases`)
  const value: DatabaseConfig[] = []
  const problems: Problem[] = []
  for (const [name, target] of items) {
    const at = typeof raw === 'string' ? [] : [name]
    const database = parseInteger(name.trim())
    const to = isRawMap(target) ? targetOfMap(target) : targetOfText(target)
    if (database === undefined)
      problems.push({ at, text: `${shown(name)} is no number of a database` })
    else if (database === 0) {
      problems.push({ at, text: 'database 0 is that of all pools: clients begin in it' })
    } else if (typeof to === 'string') problems.push({ at, text: `database ${database} ${to}` })
    else if (value.some((each) => each.database === database)) {
      problems.push({ at, text: `database ${database} is there twice` })
    } else value.push({ database, ...to })
  }
  return problems.length > 0 ? { problems } : { value }
}

function pairOf(text: string): [string, Raw] {
  const equals = text.indexOf('=')
  return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)]
}

function entriesOf(raw: Raw): [string, Raw][] | undefined {
  return isRawMap(raw) ? Object.entries(raw) : undefined
}

type Target = Pick<DatabaseConfig, 'pool' | 'shard'>

/** Otherwise what is wrong, as the rest of a sentence. */
function targetOfText(text: Raw): Target | string {
  const [, pool, shard] =
    /^([^/]+)(?:\/(.+))?$/s.exec(typeof text === 'string' ? text.trim() : '') ?? []
  return pool === undefined ? 'names neither a pool nor a shard' : { pool, shard }
}

function targetOfMap(map: Readonly<Record<string, Raw>>): Target | string {
  const { pool = DEFAULT_POOL, shard, ...others } = map
  const [other] = Object.keys(others)
  if (other !== undefined) return `has ${shown(other)}, which is neither pool nor shard`
  if (typeof pool !== 'string') return 'names no pool'
  if (shard !== undefined && typeof shard !== 'string') return 'names no shard'
  if (map['pool'] === undefined && shard === undefined) return 'names neither a pool nor a shard'
  return { pool, shard }
}
