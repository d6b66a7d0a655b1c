import { expect } from 'chai'
import { SLOW_LOG_LENGTH } from '../../../lib/limits.ts'
import type { BigReply } from '../../../lib/stats/lookout/big-replies.ts'
import { joinParts, type LookoutPart } from '../../../lib/stats/lookout/lookout-part.ts'
import type { SlowRequest } from '../../../lib/stats/lookout/slow-log.ts'

const NOTHING: LookoutPart = { slow: [], big: [], hot: [], sampledKeys: 0 }

function slow(id: number, atMs: number): SlowRequest {
  const rest = { command: 'get', keyHash: 1, key: undefined, shard: 'a', totalMs: 1, shardMs: 1 }
  return { id, atMs, ...rest, ending: 'answered' }
}

function big(keyHash: number, bytes: number, times: number, atMs = 0): BigReply {
  return { id: bytes, atMs, command: 'get', keyHash, key: undefined, shard: 'a', bytes, times }
}

describe('joinParts', () => {
  it('is the part itself if there is no other', () => {
    expect(joinParts(NOTHING, [])).to.equal(NOTHING)
  })

  it('keeps the newest slow requests, as many as one log has', () => {
    const odd = Array.from({ length: SLOW_LOG_LENGTH }, (_, i) => slow(i, 1000 - 2 * i))
    const even = Array.from({ length: SLOW_LOG_LENGTH }, (_, i) => slow(i + 1000, 999 - 2 * i))
    const joined = joinParts({ ...NOTHING, slow: odd }, [{ ...NOTHING, slow: even }]).slow
    expect(joined).to.have.length(SLOW_LOG_LENGTH)
    expect(joined.slice(0, 3).map(({ id }) => id)).to.deep.equal([0, 1000, 1])
  })

  it('makes one entry of large replies about one key', () => {
    const parts = [{ ...NOTHING, big: [big(1, 500, 2, 10), big(2, 50, 1)] }]
    const joined = joinParts({ ...NOTHING, big: [big(1, 300, 3, 20)] }, parts).big
    expect(joined.map(({ keyHash, bytes, times }) => [keyHash, bytes, times])).to.deep.equal([
      [1, 500, 5],
      [2, 50, 1],
    ])
    expect(joined[0]?.atMs).to.equal(20)
  })

  it('weighs the shares of hot keys by what each has counted', () => {
    const hot = (key: string | null, share: number) => {
      return { key, shard: 'a', share, requestsPerSecond: 100 * share }
    }
    const one = { ...NOTHING, sampledKeys: 300, hot: [hot('k', 0.5), hot(null, 0.1)] }
    const other = { ...NOTHING, sampledKeys: 100, hot: [hot('k', 0.1), hot(null, 0.1)] }
    const joined = joinParts(one, [other])
    expect(joined.sampledKeys).to.equal(400)
    expect(joined.hot[0]).to.deep.include({ key: 'k' })
    expect(joined.hot[0]?.share).to.be.closeTo(0.4, 1e-9)
    expect(joined.hot[0]?.requestsPerSecond).to.be.closeTo(60, 1e-9)
    // Which keys these are is not shown, so that they may be two.
    expect(joined.hot).to.have.length(3)
  })
})
