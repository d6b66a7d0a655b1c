/** Known streams of keys: those that are hot are found, and no others, in memory that stays. */
import { expect } from 'chai'
import { HOT_KEY_FADE_MS, HOT_KEYS_TRACKED } from '../../../lib/limits.ts'
import { HotKeys } from '../../../lib/stats/lookout/hot-keys.ts'
import { createRandom, type Random } from '../../support/random.ts'

/** Draws 0 to `keys` - 1, the k-th of them in proportion to 1 / (k + 1). */
function zipf(random: Random, keys: number): () => number {
  const sums: number[] = []
  let sum = 0
  for (let key = 0; key < keys; key++) {
    sum += 1 / (key + 1)
    sums.push(sum)
  }
  return () => {
    const drawn = random.next() * sum
    let [low, high] = [0, keys - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((sums[middle] as number) < drawn) low = middle + 1
      else high = middle
    }
    return low
  }
}

function names(hotKeys: HotKeys, nowMs: number): (number | string)[] {
  return hotKeys.hottest(nowMs).map(({ name }) => name)
}

describe('HotKeys', () => {
  it('finds the ten hottest of 100,000 keys in a Zipf stream, in their order', () => {
    const hotKeys = new HotKeys()
    const draw = zipf(createRandom(1), 100_000)
    for (let i = 0; i < 300_000; i++) hotKeys.count(draw(), 0, 'a', i / 100)
    const hottest = hotKeys.hottest(3000)
    expect(hottest.slice(0, 10).map(({ name }) => name)).to.deep.equal([...Array(10).keys()])
    // The first has 1 / (1 + 1/2 + ... + 1/100,000) of all.
    expect(hottest[0]?.share).to.be.closeTo(0.0827, 0.003)
    expect(hottest[9]?.share).to.be.closeTo(0.00827, 0.002)
  })

  it('calls none hot when 100,000 keys are asked for alike, or each only once', () => {
    const random = createRandom(2)
    const alike = new HotKeys()
    const once = new HotKeys()
    for (let i = 0; i < 200_000; i++) {
      alike.count(random.integer(0, 100_000), 0, 'a', i / 100)
      once.count(`key:${i}`, 0, 'a', i / 100)
    }
    expect(names(alike, 2000)).to.deep.equal([])
    expect(names(once, 2000)).to.deep.equal([])
  })

  it('finds a key among a flood of keys that come only once', () => {
    const hotKeys = new HotKeys()
    for (let i = 0; i < 200_000; i++) hotKeys.count(i % 50 === 0 ? 'hot' : i, 0, 'a', i / 100)
    expect(names(hotKeys, 2000)).to.deep.equal(['hot'])
    expect(hotKeys.hottest(2000)[0]?.share).to.be.closeTo(0.02, 0.002)
  })

  it('holds no more counters than it may, whatever comes', () => {
    const hotKeys = new HotKeys()
    for (let i = 0; i < 10 * HOT_KEYS_TRACKED; i++) hotKeys.count(i, 0, 'a', 0)
    expect(hotKeys.size).to.equal(HOT_KEYS_TRACKED)
  })

  it('forgets what was hot a while ago', () => {
    const hotKeys = new HotKeys()
    for (let i = 0; i < 1000; i++) hotKeys.count('before', 0, 'a', i)
    expect(names(hotKeys, 1000)).to.deep.equal(['before'])
    const laterMs = 8 * HOT_KEY_FADE_MS
    for (let i = 0; i < 1000; i++) hotKeys.count('now', 0, 'a', laterMs + i)
    expect(names(hotKeys, laterMs + 1000)).to.deep.equal(['now'])
    expect(names(hotKeys, 3 * laterMs)).to.deep.equal([])
  })

  it('says how many a second come, from the first second on', () => {
    const hotKeys = new HotKeys()
    for (let i = 0; i < 2000; i++) hotKeys.count(i, 0, 'a', i)
    expect(hotKeys.perSecond(2000)).to.be.closeTo(1000, 40)
    for (let i = 2000; i < 120_000; i++) hotKeys.count(i, 0, 'a', i)
    expect(hotKeys.perSecond(120_000)).to.be.closeTo(1000, 40)
  })

  it('tells the shard to which a key was sent last', () => {
    const hotKeys = new HotKeys()
    for (let i = 0; i < 10; i++) hotKeys.count('key', 7, i < 5 ? 'a' : 'b', i)
    expect(hotKeys.hottest(10)).to.deep.equal([{ name: 'key', hash: 7, shard: 'b', share: 1 }])
  })
})
