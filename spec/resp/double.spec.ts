/** Doubles against the redis-server of this machine: up to 7.0 it writes them with C's own `%.17g`. */
import { expect } from 'chai'
import { formatDouble, formatShortest, parseDouble } from '../../lib/resp/double.ts'
import { bulk, encodeRequest } from '../support/frames.ts'
import { createRandom, type Random, specSeed } from '../support/random.ts'
import { connectRaw } from '../support/raw-client.ts'
import { startRedis } from '../support/redis-server.ts'

const EDGES = [
  0,
  -0,
  1,
  -1,
  0.1,
  -0.1,
  1.5,
  1e-4,
  9.9999e-5,
  1e-5,
  1e-7,
  5e-324,
  2.2250738585072014e-308,
  1e15,
  1e16,
  99999999999999984,
  1e17,
  -1e17,
  123456789012345680,
  1e20,
  1.7976931348623157e308,
  Number.MAX_SAFE_INTEGER,
  2 ** 53,
  2 ** 63,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
]

function anyDouble(random: Random): number {
  const value = random.bytes(8).readDoubleLE()
  return Number.isNaN(value) ? 0 : value
}

/** Exactly between two numbers of 17 digits, and the neighbours of such a one. */
function tie(random: Random): number {
  const places = random.integer(2, 26)
  const numerator = (10 ** 17 / 5 ** places) * (1 + 7 * random.next())
  return (2 * Math.floor(numerator / 2) + random.integer(0, 2)) / 2 ** places
}

describe('formatDouble', () => {
  const seed = specSeed()

  it(`writes what Redis writes (seed ${seed})`, async () => {
    const random = createRandom(seed)
    const makers = [anyDouble, tie, (): number => random.integer(-1e6, 1e6) / 100]
    const values = [...EDGES, ...Array.from({ length: 6000 }, () => random.pick(makers)(random))]
    // A sorted set that is a listpack stores whole numbers as integers, and -0 as 0.
    const redis = await startRedis({ args: ['--zset-max-listpack-entries', '0'] })
    const client = await connectRaw(redis.port)
    const texts = values.map((value) => (Object.is(value, -0) ? '-0' : String(value)))
    const sets = texts.map((text, i) =>
      encodeRequest('ZADD', 'key', text.replace('Infinity', 'inf'), `${i}`),
    )
    const gets = texts.map((_, i) => encodeRequest('ZSCORE', 'key', `${i}`))
    client.write(Buffer.concat([...sets, ...gets]))
    await client.replies(sets.length)
    const replies = (await client.replies(gets.length)).map(String)
    const isOld = /^redis_version:7\.0\./m.test(String(await client.request('INFO', 'server')))
    await client.close()
    await redis.stop()
    const format = isOld ? formatDouble : formatShortest
    const unequal = [...values.keys()].filter(
      (i) => String(bulk(format(values[i] as number))) !== replies[i],
    )
    // A newer Redis does not always find the best of several texts for one number.
    for (const i of unequal) {
      const text = replies[i]?.split('\r\n')[1] as string
      expect(isOld ? Number.NaN : parseDouble(text), `${values[i]} is ${text}`).to.equal(values[i])
    }
    expect(unequal.length).to.be.at.most(values.length / 20)
  })

  it('writes as few digits as will do, with an exponent where Redis 7.2 has one', () => {
    const texts = `0.1 -0.1 0.0001 0.00001 0.000001 1e-7 1.5e-7 1.23e-7 1.25e-10 5e-324 1234567.125
      1000000000000000 100000000000000000 -100000000000000000 1000000000000000000 9e+18 1e+19 1e+20
      1.5e+21 1e+300 123456789012345680 123456789012345680000 4611686018427387904
      9223372036854776000 18446744073709552000 inf -inf`.split(/\s+/)
    expect(texts.map((text) => formatShortest(parseDouble(text)))).to.deep.equal(texts)
    expect(formatShortest(-0)).to.equal('0')
  })

  it('rounds a tie to the even digit', () => {
    expect(formatDouble(10 ** 15 + 0.25)).to.equal('1000000000000000.2')
    expect(formatDouble(10 ** 15 + 0.75)).to.equal('1000000000000000.8')
  })
})

describe('parseDouble', () => {
  it('reads back what is written', () => {
    const random = createRandom(1)
    for (const value of [...EDGES, ...Array.from({ length: 1000 }, () => anyDouble(random))]) {
      expect(parseDouble(formatDouble(value))).to.equal(value)
      expect(parseDouble(formatShortest(value))).to.equal(value === 0 ? 0 : value)
    }
  })

  it('tells what is no number', () => {
    for (const text of ['', 'nan', 'x', '1x']) expect(parseDouble(text)).to.be.NaN
  })
})
