import { expect } from 'chai'
import { mergeLayers } from '../../lib/config/schema.ts'
import { NearCache } from '../../lib/nearcache/near-cache.ts'
import { InHand } from '../../lib/stats/in-hand.ts'
import { NearCacheStats } from '../../lib/stats/near-cache-stats.ts'
import { SILENT } from '../support/ambassador.ts'
import { ManualTurn } from '../support/manual-turn.ts'

const MB = 1024 * 1024

/**
 * What a cache of this size takes. Garbage that is collected meanwhile would make it less: caches of earlier calls are
 * kept in `all`, so that they are none.
 */
function takenMb(nearCacheMb: number, all: NearCache[]): number {
  const settings = { ...mergeLayers([{}]), nearCacheKeys: ['*'], nearCacheMb }
  const before = process.memoryUsage().arrayBuffers
  const cache = new NearCache({
    ...{ settings, turn: new ManualTurn().turn, inHand: new InHand() },
    ...{ stats: new NearCacheStats(), logger: SILENT, slots: () => undefined },
  })
  const taken = process.memoryUsage().arrayBuffers - before
  expect(cache.state.memoryBytes).to.equal(nearCacheMb * MB)
  cache.close()
  all.push(cache)
  return taken / MB
}

describe('NearCache', () => {
  it('takes as much memory as it may, to a twentieth', () => {
    const all: NearCache[] = []
    for (const nearCacheMb of [1, 10, 64, 100]) {
      const taken = Math.max(...[1, 2, 3].map(() => takenMb(nearCacheMb, all)))
      expect(taken, `${nearCacheMb} MB`).to.be.within(0.95 * nearCacheMb, 1.05 * nearCacheMb)
    }
  })
})
