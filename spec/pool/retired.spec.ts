import { expect } from 'chai'
import { Turn } from '../../lib/io/turn.ts'
import { Retired } from '../../lib/pool/retired.ts'
import type { Shard } from '../../lib/upstream/shard.ts'
import { until } from '../support/until.ts'

class LeftShard {
  inFlight = 0
  leased = 0
  isClosed = false

  get shard(): Shard {
    return this as unknown as Shard
  }

  close(): void {
    this.isClosed = true
  }
}

describe('Retired', () => {
  let retired: Retired
  let left: LeftShard

  beforeEach(() => {
    retired = new Retired(new Turn())
    left = new LeftShard()
  })

  afterEach(() => retired.close())

  it('closes at once what has no time', () => {
    left.inFlight = 1
    retired.add(left.shard, 0)
    expect(left.isClosed).to.equal(true)
    expect([...retired.all]).to.deep.equal([])
  })

  it('closes what owes nothing, though not at once', async () => {
    retired.add(left.shard, 60_000)
    expect(left.isClosed).to.equal(false)
    expect([...retired.all]).to.deep.equal([left])
    await until(() => left.isClosed)
    expect([...retired.all]).to.deep.equal([])
  })

  it('waits for replies and for dedicated connections', async () => {
    const other = new LeftShard()
    left.inFlight = 1
    other.leased = 1
    retired.add(left.shard, 60_000)
    retired.add(other.shard, 60_000)
    const third = new LeftShard()
    retired.add(third.shard, 60_000)
    await until(() => third.isClosed)
    expect([left.isClosed, other.isClosed]).to.deep.equal([false, false])
    left.inFlight = 0
    other.leased = 0
    await until(() => left.isClosed && other.isClosed)
  })

  it('waits no longer than it may', async () => {
    left.inFlight = 1
    retired.add(left.shard, 1)
    await until(() => left.isClosed)
  })

  it('closes all when it is closed', () => {
    left.inFlight = 1
    retired.add(left.shard, 60_000)
    retired.close()
    expect(left.isClosed).to.equal(true)
  })
})
