/** @keyv/valkey: values with and without an end, several at once, a namespace that is cleared. */
import { deepEqual, equal } from 'node:assert/strict'
import KeyvValkey from '@keyv/valkey'
import Keyv from 'keyv'
import { done, url } from './server.mjs'

const cache = new Keyv({ store: new KeyvValkey(url), namespace: 'pages' })
cache.on('error', (error) => {
  throw error
})
for (const name of ['a', 'b', 'c']) equal(await cache.set(name, { name }, 60_000), true)
deepEqual(await cache.get('a'), { name: 'a' })
deepEqual(await cache.getMany(['b', 'c', 'd']), [{ name: 'b' }, { name: 'c' }, undefined])
equal(await cache.has('c'), true)
equal(await cache.delete('c'), true)
equal(await cache.get('c'), undefined)
await cache.clear()
equal(await cache.get('a'), undefined)
done()
