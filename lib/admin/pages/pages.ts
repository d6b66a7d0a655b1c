/**
 * What each path answers. No page has a value or a secret. Keys, even the one in the query, are
 * shown only if `showKeys` is `clear`.
 */

import type { Config, PoolConfig } from '../../config/config.ts'
import { packageVersion } from '../../config/package-directory.ts'
import { passwordText, poolTexts, settingTexts } from '../../config/setting-texts.ts'
import { clusterText, shardAddressText } from '../../config/values/address.ts'
import { type Answer, json, text } from '../answer.ts'
import { EXPOSITION_TYPE, exposition } from '../metrics/exposition.ts'
import { metricFamilies } from '../metrics/metrics.ts'
import type { ProcessWatch } from '../metrics/process-figures.ts'
import type { Visit } from '../site.ts'
import { bigRepliesPage, hotKeysPage, slowLogPage } from './lookout-pages.ts'
import { preflightPage } from './preflight-page.ts'
import { hasParameter, parameterBytes } from './query.ts'
import { stateText, unreadyBecause } from './readiness.ts'
import type { ShardState, Snapshot } from './snapshot.ts'
import { statsOf } from './stats-page.ts'

export interface Asked extends Visit {
  readonly snapshot: Snapshot
  readonly processWatch: ProcessWatch
}

/** Places at which the ring's picture is taken: every quarter of a degree. */
const RING_PLACES = 1440

export type Page = (asked: Asked) => Answer

/** By path. A Map rather than an object, because paths come from outside: `/__proto__`. */
export const PAGES: ReadonlyMap<string, Page> = new Map([
  ['/', index],
  ['/livez', () => text(200, 'ok\n')],
  ['/readyz', readyz],
  ['/stats', stats],
  ['/metrics', metrics],
  ['/config', ({ snapshot }) => configPage(snapshot.config)],
  ['/route', routePage],
  ['/ring', ringPage],
  ['/events', ({ streams }) => streams.answer()],
  ['/slowlog', ({ snapshot }) => json(200, slowLogPage(snapshot.lookout, snapshot.lookout.part))],
  ['/hotkeys', ({ snapshot }) => json(200, hotKeysPage(snapshot.lookout, snapshot.lookout.part))],
  [
    '/bigreplies',
    ({ snapshot }) => json(200, bigRepliesPage(snapshot.lookout, snapshot.lookout.part)),
  ],
  ['/preflight', preflight],
])

function index({ snapshot, ...visit }: Asked): Answer {
  return indexPage(visit, snapshot.config, unreadyBecause(snapshot))
}

/** `unready`: why no traffic should come. */
export function indexPage(
  { wantsHtml, dashboard }: Pick<Visit, 'wantsHtml' | 'dashboard'>,
  { process }: Config,
  unready: string | undefined,
): Answer {
  const page = dashboard.get('/dashboard/index.html')
  if (wantsHtml && page !== undefined) return page
  const lines = [
    `redis-ambassador ${packageVersion()}, ${process.environment.name}: ${unready ?? 'ok'}`,
    '',
    '/livez            the process answers',
    '/readyz           it is ready for clients; ?verbose lists the shards',
    '/stats            what is under way, what has been, and the last minutes, as JSON',
    '/metrics          figures for Prometheus',
    '/config           options in use and what set them, secrets masked',
    '/route?key=...    the shard that owns a key, and why; &pool=... at addresses of one pool',
    '/ring             who owns which part of the hash space',
    '/events           the figures each second, and what happens, as server-sent events',
    '/slowlog          the newest requests that kept a shard busy',
    '/hotkeys          the keys asked for most, with option hotKeys',
    '/bigreplies       the largest replies of the last hour',
    '/preflight        what the configuration of option whatIf would refuse; ?text for people',
    '',
    'With a browser, this page is the dashboard.',
    'From this machine: POST /reload reads the configuration again, POST /drain stops as SIGTERM does.',
    '',
  ]
  return text(200, lines.join('\n'))
}

function preflight({ snapshot, query, wantsText }: Asked): Answer {
  return preflightPage(snapshot, wantsText || hasParameter(query, 'text'))
}

function readyz({ snapshot, query }: Asked): Answer {
  return readinessPage(query, unreadyBecause(snapshot), snapshot.shards)
}

/** `unready`: why no traffic should come. */
export function readinessPage(
  query: string,
  unready: string | undefined,
  shards: readonly Pick<ShardState, 'name' | 'up'>[],
): Answer {
  const lines = hasParameter(query, 'verbose')
    ? shards.map(({ name, up }) => `shard ${name} ${stateText(up)}\n`)
    : []
  return text(unready === undefined ? 200 : 503, `${unready ?? 'ok'}\n${lines.join('')}`)
}

function stats({ snapshot, processWatch }: Asked): Answer {
  return json(200, { ...statsOf(snapshot), process: processWatch.read() })
}

function metrics({ snapshot, processWatch }: Asked): Answer {
  const body = exposition(metricFamilies(snapshot, processWatch.read()))
  processWatch.clear()
  return { status: 200, type: EXPOSITION_TYPE, body }
}

export function configPage(current: Config): Answer {
  const { environment, sources } = current.process
  const [first, ...others] = current.pools
  return json(200, {
    environment,
    options: withSources(settingTexts(current), sources, ''),
    ...poolPage(first, sources['shards']),
    pools: others.map((pool) => ({
      name: pool.name,
      options: withSources(poolTexts(pool), sources, `pools.${pool.name}.`),
      ...poolPage(pool, sources[`pools.${pool.name}.shards`]),
    })),
  })
}

/** For each option name its value and what set it. */
function withSources(
  texts: Readonly<Record<string, string>>,
  sources: Readonly<Record<string, string>>,
  prefix: string,
): object {
  const options = Object.entries(texts).map(([name, value]) => {
    return [name, { value, source: sources[`${prefix}${name}`] ?? null }]
  })
  return Object.fromEntries(options)
}

function poolPage(pool: PoolConfig, source: string | undefined): object {
  const { shards, cluster } = pool
  return {
    shards: {
      source: source ?? null,
      list: shards.map((shard) => ({
        name: shard.name,
        address: shardAddressText(shard),
        database: shard.database,
        user: shard.username ?? null,
        password: passwordText(shard.password, pool),
        weight: shard.weight,
      })),
    },
    // null: shards are no Redis Cluster.
    cluster:
      cluster === undefined
        ? null
        : {
            address: clusterText(cluster),
            user: cluster.username ?? null,
            password: passwordText(cluster.password, pool),
          },
  }
}

export function routePage({ snapshot, query }: Pick<Asked, 'snapshot' | 'query'>): Answer {
  const key = parameterBytes(query, 'key')
  if (key === undefined) return text(400, 'which key? /route?key=...\n')
  const name = parameterBytes(query, 'pool')?.toString()
  const places = name === undefined ? snapshot : snapshot.placesBehind(name)
  if (places === undefined) return text(404, 'no address leads to that pool alone\n')
  const { topology, shards } = places
  const pool = places.poolOf(key)
  const { shard, hashedStart, hashedEnd, hash, point } = topology.explain(key)
  const owner = shard === undefined ? undefined : shards[shard]
  return json(200, {
    // null: with distribution `random` each request draws another.
    shard: owner?.name ?? null,
    address: owner?.address ?? null,
    state: owner === undefined ? null : stateText(owner.up),
    pool: pool.name,
    ...rulesOf(pool),
    keyBytes: key.length,
    // Which bytes of the key decide, rather than the bytes themselves.
    hashedFrom: hashedStart,
    hashedTo: hashedEnd,
    hashValue: hash,
    // null: with one shard, as with `random`, the key decides nothing.
    place: point ?? null,
  })
}

/** How keys find their shards; in a cluster by slots, whatever the options of a ring say. */
function rulesOf({ cluster, hash, distribution }: PoolConfig): object {
  return cluster === undefined ? { hash, distribution } : { hash: 'crc16', distribution: 'slots' }
}

export function ringPage({
  snapshot: { topology, shards, config: current },
}: Pick<Asked, 'snapshot'>): Answer {
  const shares = topology.shares()
  const [pool] = current.pools
  const picture = {
    ...rulesOf(pool),
    hashTag: pool.hashTag,
    shards: shards.map(({ name }, at) => ({ name, share: shares[at] ?? 0 })),
    // Indices of shards at evenly spaced places from hash 0 on; none where keys decide nothing.
    owners: topology.ownersAlong(RING_PLACES),
  }
  return { status: 200, type: 'application/json', body: `${JSON.stringify(picture)}\n` }
}
