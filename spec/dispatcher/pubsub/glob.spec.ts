/** Glob patterns, held against the running Redis's KEYS. */
import { expect } from 'chai'
import { globMatches } from '../../../lib/dispatcher/pubsub/glob.ts'
import { createRandom, specSeed } from '../../support/random.ts'
import { connectRaw } from '../../support/raw-client.ts'
import { startRedis } from '../../support/redis-server.ts'

describe('globMatches', () => {
  for (const [pattern, text, matches] of [
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['a*c', 'abbc', true],
    ['a*c', 'abcd', false],
    ['a?c', 'abc', true],
    ['a?', 'a', false],
    ['[a-c]x', 'bx', true],
    ['[c-a]x', 'bx', true],
    ['[^a]x', 'ax', false],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['[\\]]', ']', true],
    ['config|*', 'config|get', true],
  ] as const) {
    it(`${pattern} ${matches ? 'matches' : 'does not match'} ${JSON.stringify(text)}`, () => {
      expect(globMatches(pattern, text)).to.equal(matches)
    })
  }

  it('is done soon with a pattern that is all stars', () => {
    expect(globMatches(`${'*a'.repeat(2000)}b`, 'a'.repeat(4000))).to.equal(false)
  })

  it('matches what Redis matches', async () => {
    const redis = await startRedis()
    const client = await connectRaw(redis.port)
    const seed = specSeed()
    const random = createRandom(seed)
    const word = (alphabet: string[]) => {
      return Array.from({ length: random.integer(1, 5) }, () => random.pick(alphabet)).join('')
    }
    const keys = new Set(
      Array.from({ length: 60 }, () => word(['a', 'b', 'c', '-', ']', '*', '\\'])),
    )
    for (const key of keys) await client.request('SET', key, '')
    for (let i = 0; i < 2000; i++) {
      const pattern = word([
        'a',
        'b',
        '*',
        '?',
        '[a-b]',
        '[^a]',
        '\\a',
        '\\*',
        '[',
        ']',
        '[]',
        '[b\\]',
      ])
      const reply = String(await client.request('KEYS', pattern)).split('\r\n')
      const found = reply.filter((line) => keys.has(line)).sort()
      const ours = [...keys].filter((key) => globMatches(pattern, key)).sort()
      expect(ours, `seed ${seed}: ${pattern}`).to.deep.equal(found)
    }
    await client.close()
    await redis.stop()
  })
})
