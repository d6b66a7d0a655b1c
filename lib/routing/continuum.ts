/**
 * The ketama continuum, exactly as twemproxy builds it. This file is the door of hashring.
 *
 * hashring's traps, and how they are kept out:
 * - `get(key)` caches keys in a plain object: `__proto__` pollutes Object.prototype and
 *   `constructor` returns a server of another ring. Never called; keys never reach the package.
 * - Its own point counts use doubles where twemproxy uses floats, which puts 2 to 3 % of the keys
 *   elsewhere with 7, 14, 25 ... equal shards. It gets our counts, as `vnodes`.
 * - Server names become keys of plain objects too, and are split at `:`. It gets indexes for names;
 *   the digest function puts the real name back.
 * - A `vnodes` of 0 means "not given" and falls back to `vnode count`; -1 there makes that no points.
 * - `ring`, the sorted result, is missing from its types; `max cache size` 0 throws, so it is 1.
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
