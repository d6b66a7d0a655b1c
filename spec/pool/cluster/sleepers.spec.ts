import { expect } from 'chai'
import { MASTER_SILENT_MS } from '../../../lib/limits.ts'
import { Sleepers } from '../../../lib/pool/cluster/sleepers.ts'
import type { Shard } from '../../../lib/upstream/shard.ts'
import { until } from '../../support/until.ts'

const ADDRESS = { host: '127.0.0.1', port: 1 }

describe('Sleepers', () => {
  let nowMs: number
  let silentSinceMs: number
  let heard: boolean[]
  let silent: number[]
  let sleepers: Sleepers

  beforeEach(() => {
    nowMs = 5000
    silentSinceMs = 0
    heard = []
    silent = []
    const shard = {
      get silentSinceMs() {
        return silentSinceMs
      },
      stopListening: () => heard.push(false),
      listen: () => heard.push(true),
    } as unknown as Shard
    sleepers = new Sleepers({
      masters: () => [{ address: ADDRESS, shard }],
      now: () => nowMs++,
      onSilent: ({ port }) => silent.push(port),
    })
  })

  afterEach(() => sleepers.close())

  it('stops listening once to a master that keeps silent, until it is awake', async () => {
    await until(() => silent.length > 0)
    await nextLook()
    expect(silent).to.deep.equal([1])
    sleepers.awake(ADDRESS)
    expect(heard).to.deep.equal([false, true])
  })

  it('notices one again that falls silent again', async () => {
    await until(() => silent.length > 0)
    sleepers.awake(ADDRESS)
    nowMs += MASTER_SILENT_MS
    await until(() => silent.length > 1)
    expect(heard).to.deep.equal([false, true, false])
  })

  it('takes one that is awake and silent for paused, as in a planned failover, for as long again', async () => {
    await until(() => silent.length > 0)
    expect(sleepers.isAsleep(ADDRESS)).to.equal(true)
    sleepers.awake(ADDRESS)
    await nextLook()
    expect(sleepers.isAsleep(ADDRESS)).to.equal(false)
    expect(heard).to.deep.equal([false, true])
    nowMs += MASTER_SILENT_MS
    await until(() => sleepers.isAsleep(ADDRESS))
    expect(heard).to.deep.equal([false, true, false])
    sleepers.forget(ADDRESS)
    expect(sleepers.isAsleep(ADDRESS)).to.equal(false)
    expect(heard).to.deep.equal([false, true, false, true])
  })

  it('leaves one alone that has just spoken, or owes nothing', async () => {
    silentSinceMs = 4500
    await nextLook()
    silentSinceMs = Number.POSITIVE_INFINITY
    await nextLook()
    expect(heard).to.deep.equal([])
  })

  it('listens to all when nobody asks about them any more', async () => {
    await until(() => silent.length > 0)
    sleepers.close()
    expect(heard).to.deep.equal([false, true])
  })

  async function nextLook(): Promise<void> {
    const beforeMs = nowMs
    await until(() => nowMs > beforeMs)
  }
})
