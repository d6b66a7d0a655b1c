import { expect } from 'chai'
import { homesOn, topicsInCluster } from '../../../lib/dispatcher/pubsub/home.ts'
import type { TopicKind } from '../../../lib/resp/pubsub.ts'
import type { Topology } from '../../../lib/topology/topology.ts'
import type { Shard } from '../../../lib/upstream/shard.ts'

/** A name's place is its last digit, and the shard there is that digit as well. */
const TOPOLOGY = {
  hashOf: (bytes: Uint8Array, _start: number, end: number) => (bytes[end - 1] ?? 0) - 0x30,
  placeOf: (_bytes: Uint8Array, _start: number, _end: number, hash: number) => hash,
  shardAt: (place: number) => place,
} as unknown as Topology<Shard>

describe('the home of a topic', () => {
  const found = (namesHaveShards: boolean, kind: TopicKind, name: string) =>
    homesOn(TOPOLOGY, namesHaveShards)(kind, Buffer.from(name))

  it('is the shard of its name, and none for what comes from all alike', () => {
    expect(found(true, 'channel', 'c3')).to.equal(3)
    expect(found(true, 'shardChannel', 'c4')).to.equal(4)
    expect(found(true, 'pattern', 'c5')).to.equal(undefined)
    expect(found(true, 'channel', '__keyspace@0__:k6')).to.equal(undefined)
    expect(found(true, 'channel', '__keyevent@0__:k6')).to.equal(undefined)
    expect(found(true, 'channel', '__keyspace0')).to.equal(0)
    expect(found(true, 'shardChannel', '__keyspace@0__:k6')).to.equal(6)
  })

  it('is none where each request draws a shard', () => {
    expect(found(false, 'channel', 'c3')).to.equal(undefined)
  })
})

describe('topics in a cluster', () => {
  const moving = { refusalIn: () => undefined, follow: () => undefined }
  const main = 0 as unknown as Shard
  const other = 3 as unknown as Shard
  const places = topicsInCluster(TOPOLOGY, moving, main)
  const on = (kind: TopicKind, name: string) =>
    [main, other].map((server) => places.isOn(kind, Buffer.from(name), server))

  it('are on one node, but for what each notifies of', () => {
    expect(on('channel', 'c3')).to.deep.equal([true, false])
    expect(on('pattern', 'new*')).to.deep.equal([true, false])
    expect(on('channel', '__keyspace@0__:k')).to.deep.equal([true, true])
    for (const pattern of ['*', '__key*', '__keyevent@*:expired', '[_]x', '?_keyspace@0__:k']) {
      expect(on('pattern', pattern), pattern).to.deep.equal([true, true])
    }
  })

  it('belong to the owner of their slot if they are shard channels', () => {
    expect(on('shardChannel', 'c3')).to.deep.equal([false, true])
    expect(places.homeOf('shardChannel', Buffer.from('c3'))).to.equal(3)
  })

  it('are heard once: of another node only what it notifies of', () => {
    expect(places.passes('pattern', 'news', other)).to.equal(false)
    expect(places.passes('pattern', '__keyevent@0__:del', other)).to.equal(true)
    expect(places.passes('pattern', 'news', main)).to.equal(true)
  })
})
