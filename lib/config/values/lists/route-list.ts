/**
 * The routes: `prefix=pool[/shard]`, separated by commas, or in a file a list of
 * `{ prefix: ..., pool: ..., shard: ... }`. A route without a pool is one to a shard of the pool `default`.
 */
import { ROUTES_MAX } from '../../../limits.ts'
import { DEFAULT_POOL } from '../../pool-name.ts'
import {
  type Format,
  isRawMap,
  type Parsed,
  type Problem,
  type Raw,
  refused,
  shown,
} from '../formats.ts'
import type { RouteConfig } from '../types.ts'

export const routeList: Format<readonly RouteConfig[]> = {
  accepts:
    'prefix=pool or prefix=pool/shard, several separated by commas; in a file { prefix, pool, shard }',
  parse: parseRouteList,
  text: (routes) => routes.map(routeText).join(','),
}

export function routeText({ prefix, pool, shard }: RouteConfig): string {
  return `${prefix}=${pool}${shard === undefined ? '' : `/${shard}`}`
}

function parseRouteList(raw: Raw): Parsed<readonly RouteConfig[]> {
  const items = typeof raw === 'string' ? raw.split(',') : raw
  if (!Array.isArray(items)) return refused(`${shown(raw)} is not a list of routes`)
  if (items.length > ROUTES_MAX) return refused(`has more than ${ROUTES_MAX} routes`)
  const value: RouteConfig[] = []
  const problems: Problem[] = []
  for (const [index, item] of items.entries()) {
    const at = typeof raw === 'string' ? [] : [index]
    const route = isRawMap(item) ? routeOfMap(item) : routeOfText(item)
    if (typeof route === 'string') problems.push({ at, text: `${shown(item)} ${route}` })
    else if (value.some(({ prefix }) => prefix === route.prefix)) {
      problems.push({ at, text: `prefix ${shown(route.prefix)} has two routes` })
    } else value.push(route)
  }
  return problems.length > 0 ? { problems } : { value }
}

/** The route; otherwise what is wrong, as the rest of a sentence that begins with the text. */
function routeOfText(text: Raw): RouteConfig | string {
  // A prefix may have an equals sign, and the name of a pool has none.
  const [, prefix, pool, shard] =
    /^(.*)=([^=/]+)(?:\/([^=]+))?$/s.exec(typeof text === 'string' ? text.trim() : '') ?? []
  if (prefix === undefined || pool === undefined) return 'is not prefix=pool or prefix=pool/shard'
  return { prefix, pool, shard }
}

function routeOfMap(map: Readonly<Record<string, Raw>>): RouteConfig | string {
  const { prefix, pool = DEFAULT_POOL, shard, ...others } = map
  const [other] = Object.keys(others)
  if (other !== undefined) return `has ${shown(other)}, which is none of prefix, pool and shard`
  if (typeof prefix !== 'string') return 'has no prefix'
  if (typeof pool !== 'string') return 'names no pool'
  if (shard !== undefined && typeof shard !== 'string') return 'names no shard'
  if (map['pool'] === undefined && shard === undefined) return 'names neither a pool nor a shard'
  return { prefix, pool, shard }
}
