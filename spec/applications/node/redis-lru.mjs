/** redis-lru: the item that was not used longest goes, ages, counts. */
import { deepEqual, equal } from 'node:assert/strict'
import Redis from 'ioredis'
import lru from 'redis-lru'
import { done, url } from './server.mjs'

const cache = lru(new Redis(url), 3)
/** Items are ordered by the millisecond of their last use. */
async function nextMillisecond() {
  for (const now = Date.now(); Date.now() === now; ) await new Promise(setImmediate)
}
for (const name of ['a', 'b', 'c']) {
  await cache.set(name, { name })
  await nextMillisecond()
}
deepEqual(await cache.get('a'), { name: 'a' })
await cache.set('d', { name: 'd' })
equal(await cache.get('b'), null)
deepEqual(await cache.get('c'), { name: 'c' })
equal(await cache.count(), 3)
deepEqual(await cache.getOrSet('e', () => 'made'), 'made')
deepEqual((await cache.keys()).sort(), ['c', 'd', 'e'])
await cache.del('c')
equal(await cache.has('c'), false)
await cache.reset()
equal(await cache.count(), 0)
done()
