/** What is asked of shards, and when: seldom, in the background, and only while somebody looks. */
import { expect } from 'chai'
import { readUsedMemory } from '../../lib/control/control.ts'
import { ShardMemory, type Weighed } from '../../lib/control/shard-memory.ts'
import { SHARD_MEMORY_ASKED_MAX, SHARD_MEMORY_MS } from '../../lib/limits.ts'
import { startRedis } from '../support/redis-server.ts'

/** So that what waits on settled promises has run. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('ShardMemory', () => {
  it('asks when somebody looks, and not again before its time', async () => {
    let nowMs = 0
    const asked: number[] = []
    const memory = new ShardMemory(() => nowMs)
    const shards = [0, 1].map((shard) => ({
      readUsedMemory: async () => {
        asked.push(shard)
        return 1000 * asked.length
      },
    }))
    memory.follow(shards)
    await settled()
    expect(asked).to.deep.equal([])
    expect(memory.look()).to.deep.equal([undefined, undefined])
    await settled()
    expect(memory.look()).to.deep.equal([1000, 2000])
    nowMs = SHARD_MEMORY_MS - 1
    memory.look()
    await settled()
    expect(asked).to.deep.equal([0, 1])
    nowMs = SHARD_MEMORY_MS
    memory.look()
    await settled()
    expect(memory.look()).to.deep.equal([3000, 4000])
  })

  it('knows what those said that stay, and asks those that are new', async () => {
    const asked: string[] = []
    const memory = new ShardMemory()
    const shardOf = (name: string): Weighed => ({
      readUsedMemory: async () => {
        asked.push(name)
        return asked.length
      },
    })
    const [a, b, c] = [shardOf('a'), shardOf('b'), shardOf('c')]
    memory.follow([a, b])
    memory.look()
    await settled()
    memory.follow([b, a])
    expect(memory.look()).to.deep.equal([2, 1])
    memory.follow([b, c])
    expect(memory.look()).to.deep.equal([2, undefined])
    await settled()
    expect(memory.look()).to.deep.equal([3, 4])
    expect(asked).to.deep.equal(['a', 'b', 'b', 'c'])
  })

  it('forgets what a shard said that does not answer any more', async () => {
    let nowMs = 0
    let answers = true
    const memory = new ShardMemory(() => nowMs)
    const shard = {
      readUsedMemory: async () => {
        if (answers) return 7
        throw new Error('gone')
      },
    }
    memory.follow([shard])
    memory.look()
    await settled()
    expect(memory.look()).to.deep.equal([7])
    answers = false
    nowMs = SHARD_MEMORY_MS
    memory.look()
    await settled()
    expect(memory.look()).to.deep.equal([undefined])
  })

  it('asks some at a time, waits for a slow one without asking anew, and stops when told', async () => {
    let nowMs = 0
    const signals: AbortSignal[] = []
    const waiting: (() => void)[] = []
    const shardCount = SHARD_MEMORY_ASKED_MAX + 3
    const memory = new ShardMemory(() => nowMs)
    const shard = () => ({
      readUsedMemory: (signal: AbortSignal) => {
        signals.push(signal)
        return new Promise<number>((resolve) => waiting.push(() => resolve(1)))
      },
    })
    memory.follow(Array.from({ length: shardCount }, shard))
    memory.look()
    await settled()
    expect(waiting).to.have.length(SHARD_MEMORY_ASKED_MAX)
    nowMs = 2 * SHARD_MEMORY_MS
    memory.look()
    waiting[0]?.()
    await settled()
    expect(waiting).to.have.length(SHARD_MEMORY_ASKED_MAX + 1)
    memory.follow([])
    expect(signals.every(({ aborted }) => aborted)).to.equal(true)
    for (const answer of waiting) answer()
    await settled()
    expect(waiting).to.have.length(SHARD_MEMORY_ASKED_MAX + 1)
  })
})

describe('readUsedMemory', () => {
  it('tells what the Redis tells of itself', async () => {
    const redis = await startRedis({ args: ['--requirepass', 'secret'] })
    const { signal } = new AbortController()
    const address = { host: '127.0.0.1', port: redis.port }
    const options = { username: undefined, password: 'secret', timeoutMs: 5000 }
    const bytes = await readUsedMemory(address, options, signal)
    expect(bytes).to.be.within(100_000, 100_000_000)
    const refused = await readUsedMemory(address, { ...options, password: 'wrong' }, signal).catch(
      String,
    )
    expect(refused).to.match(/WRONGPASS|NOAUTH/)
    await redis.stop()
  })
})
