/**
 * The ketama continuum, exactly as twemproxy builds it. Only this file imports hashring.
 *
 * hashring's traps, and how they are kept out:
 * - `get(key)` caches keys in a plain object: `__proto__` pollutes Object.prototype, `constructor`
 *   returns a server of another ring. It is never called; no key ever reaches the package.
 * - Its point counts use doubles where twemproxy uses floats, which puts 2 to 3 % of the keys on
 *   another shard with 7, 14, 25 ... equal shards. It gets our counts instead, as `vnodes`.
 * - Server names become keys of plain objects too, and are split at `:`. It gets indexes for names,
 *   and our digest function puts the real name back.
 * - A `vnodes` of 0 counts as absent and falls back to `vnode count`: -1 there makes no points.
 * - `max cache size` 0 throws, so it is 1. The sorted result, `ring`, is missing from its types.
 */
import HashRing from 'hashring'
import { md5 } from './md5.ts'

/** What a distribution has to know about a server. */
export interface Server {
  /** What the ring hashes; unique in its pool. */
  readonly name: string
  /** Positive integer: its share against the others'. */
  readonly weight: number
}

/** Points in ascending order, and for each the index of the server that owns the arc ending there. */
export interface Continuum {
  readonly points: Uint32Array
  readonly owners: Uint32Array
}

/** Every digest of 16 bytes gives four points. */
const POINTS_PER_DIGEST = 4

/** twemproxy's buffer for the text of a digest (KETAMA_MAX_HOSTLEN, less its NUL): the rest is cut. */
const DIGEST_TEXT_BYTES_MAX = 272

/**
 * How many digests each server contributes: 40 for each when all weigh the same, save 39 where
 * rounding falls short (25 servers, 47, 50 ...). Servers that are ejected must not be in the list:
 * the counts follow from the number and the weights of those that live.
 *
 * Every step is rounded to a float as twemproxy's C does it (src/hashkit/nc_ketama.c); doubles give
 * other counts, hence other owners, for one weighted pool in 10,000.
 */
export function digestCounts(servers: readonly Server[]): number[] {
  const float = Math.fround
  const total = servers.reduce((sum, server) => sum + server.weight, 0)
  return servers.map(({ weight }) => {
    const portion = float(float(weight) / float(total))
    const perServer = float(float(portion * 160) / POINTS_PER_DIGEST)
    return Math.floor(float(float(perServer * float(servers.length)) + 1e-10))
  })
}

/**
 * Builds the continuum over servers in twemproxy's order, which decides who owns a point that two
 * servers share.
 */
export function buildContinuum(servers: readonly Server[]): Continuum {
  const counts = digestCounts(servers)
  const vnodes = Object.fromEntries(counts.map((count, index) => [index, { vnodes: count }]))
  const { ring } = new HashRing(vnodes, (text) => digestOf(servers, text), {
    'vnode count': -1,
    replicas: POINTS_PER_DIGEST,
    'max cache size': 1,
  }) as HashRing & { readonly ring: readonly { readonly value: number; readonly server: string }[] }
  return {
    points: Uint32Array.from(ring, (point) => point.value),
    owners: Uint32Array.from(ring, (point) => Number(point.server)),
  }
}

/** The MD5 of `<name>-<i>`, for the text `<index>-<i>` that the package hands out. */
function digestOf(servers: readonly Server[], text: string): Buffer {
  const dash = text.indexOf('-')
  const server = servers[Number(text.slice(0, dash))] as Server
  const named = Buffer.from(server.name + text.slice(dash))
  const words = new Int32Array(4)
  md5(named, 0, Math.min(named.length, DIGEST_TEXT_BYTES_MAX), words)
  const digest = Buffer.alloc(16)
  for (const [index, word] of words.entries()) digest.writeInt32LE(word, 4 * index)
  return digest
}
