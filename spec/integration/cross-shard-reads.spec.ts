/**
 * Reads over keys of three shards against one Redis that holds all the keys: thousands of random
 * commands, right and wrong ones, in both protocols. Replies are equal byte for byte; where Redis's
 * own order follows from a hash seed they have the same elements.
 */
import { expect } from 'chai'
import { startAmbassadorFor } from '../support/ambassador.ts'
import { CROSSSLOT_LINE } from '../support/crossslot.ts'
import { encodeRequest, endOfFrame } from '../support/frames.ts'
import { createRandom, type Random, specSeed } from '../support/random.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { shareRedises, shareShards } from '../support/shared-shards.ts'

type Call = readonly string[]

const PROTOCOLS = [2, 3] as const
const COMMANDS_PER_PROTOCOL = 2500
const BATCH = 250

/** Enough keys of each kind to be on all shards: `3ints` is a set of integers. */
const KEYS_PER_KIND = 8
const keysOf = (kind: string): string[] => {
  return Array.from({ length: KEYS_PER_KIND }, (_, i) => `${i}${kind}`)
}
const KEYS = {
  integers: keysOf('ints'),
  sets: keysOf('sets'),
  sorted: keysOf('sorted'),
  counters: keysOf('counter'),
  streams: keysOf('stream'),
  missing: keysOf('none'),
  others: keysOf('string'),
}

const SCORES = ['0', '-0', '1', '-1', '0.1', '0.2', '0.3', '1e300', '-1e300', '3.141592653589793']
const WEIRD_SCORES = ['inf', '-inf', '1e-7', '1e17', '123456789012345678', '1000000000000000.25']
const WEIGHTS = ['1', '0', '-1', '0.1', '2.5', '+3', '1e-3', '.5', '3.', 'inf', '-Infinity']
const BAD_WEIGHTS = ['nan', 'x', '', '1e999', '1e-999', ' 1', '1 ', '1e', '--1']

function fixtures(random: Random): Call[] {
  const calls: Call[] = []
  const members = (count: number): string[] => {
    return Array.from({ length: count }, () =>
      random.bytes(random.integer(0, 3)).toString('latin1'),
    )
  }
  for (const key of KEYS.integers) {
    const span = random.pick([10, 100, 1e15])
    const count = random.integer(1, 200)
    const integers = Array.from({ length: count }, () => `${random.integer(-span, span)}`)
    calls.push(['SADD', key, '9223372036854775807', '-9223372036854775808', ...integers])
  }
  for (const key of KEYS.sets) {
    calls.push(['SADD', key, '007', '9223372036854775808', ...members(random.integer(1, 300))])
  }
  for (const key of KEYS.sorted) {
    const scores = [...SCORES, ...WEIRD_SCORES]
    const pairs = members(random.integer(1, 300)).flatMap((member) => [random.pick(scores), member])
    calls.push(['ZADD', key, ...pairs])
  }
  for (const [i, key] of KEYS.counters.entries()) {
    const elements = Array.from({ length: 7 * 4 ** i }, () => `${random.integer(0, 30_000)}`)
    for (let at = 0; at < elements.length; at += 10_000) {
      calls.push(['PFADD', key, ...elements.slice(at, at + 10_000)])
    }
  }
  for (const key of KEYS.streams) {
    for (let id = 1; id <= random.integer(1, 12); id++) {
      calls.push(['XADD', key, `${id}-1`, 'field', `value of ${key}`])
    }
  }
  for (const [i, key] of KEYS.others.entries()) calls.push(['SET', key, 'x'.repeat(8 * i)])
  return calls
}

function randomCall(random: Random): Call {
  const some = <Item>(items: readonly Item[], atMost: number): Item[] => {
    return Array.from({ length: random.integer(1, atMost + 1) }, () => random.pick(items))
  }
  const chance = (share: number): boolean => random.next() < share
  const mistaken = (keys: string[]): string[] => {
    if (chance(0.04)) keys[random.integer(0, keys.length)] = random.pick(KEYS.others)
    return keys
  }
  const setKeys = (): string[] => {
    const { integers, sets, missing } = KEYS
    return mistaken(
      some(chance(0.4) ? integers : [...integers, ...sets, ...sets, missing[0] as string], 5),
    )
  }
  const sortedKeys = (): string[] => {
    return mistaken(some([...KEYS.sorted, ...KEYS.sorted, ...KEYS.sets, ...KEYS.missing], 5))
  }
  const withLimit = (): Call => {
    if (chance(0.4)) return []
    const limit = random.pick(['0', '1', '2', '100', '-1', '01', 'x', '99999999999999999999'])
    return [
      'LIMIT',
      limit,
      ...(chance(0.1) ? ['limit', '3'] : []),
      ...(chance(0.05) ? ['LIMIT'] : []),
    ]
  }
  const scoreOptions = (keyCount: number): Call => {
    const weights = Array.from({ length: keyCount }, () => random.pick(WEIGHTS))
    if (chance(0.05)) weights[0] = random.pick(BAD_WEIGHTS)
    if (chance(0.05)) weights.pop()
    return [
      ...(chance(0.6) ? ['WEIGHTS', ...weights] : []),
      ...(chance(0.6) ? ['aggregate', random.pick(['sum', 'MIN', 'Max'])] : []),
      ...(chance(0.03) ? ['AGGREGATE', 'toString'] : []),
      ...(chance(0.8) ? ['WITHSCORES'] : []),
      ...(chance(0.03) ? ['WITHSCORE'] : []),
    ]
  }
  const counted = (name: string, keys: Call, options: Call): Call => {
    return [name, `${keys.length}`, ...keys, ...options]
  }
  const streams = (): Call => {
    const keys = mistaken(some([...KEYS.streams, ...KEYS.missing.slice(0, 2)], 5))
    const ids = keys.map(() => random.pick(['0', '0', '0-0', '3', '5-1', '$', '99']))
    if (chance(0.04)) ids[random.integer(0, ids.length)] = random.pick(['>', '+', 'x', '-1'])
    if (chance(0.02)) ids.pop()
    const count = random.pick(['1', '2', '100', '-1', 'x', '0'])
    return ['XREAD', ...(chance(0.5) ? ['COUNT', count] : []), 'STREAMS', ...keys, ...ids]
  }
  const makers: readonly (() => Call)[] = [
    () => ['SUNION', ...setKeys()],
    () => ['SINTER', ...setKeys()],
    () => ['SDIFF', ...setKeys()],
    () => counted('SINTERCARD', setKeys(), withLimit()),
    () => counted('ZINTERCARD', sortedKeys(), withLimit()),
    () => counted('ZDIFF', sortedKeys(), chance(0.7) ? ['withscores'] : chance(0.1) ? ['x'] : []),
    () => {
      const keys = sortedKeys()
      return counted(random.pick(['ZUNION', 'ZINTER']), keys, scoreOptions(keys.length))
    },
    () => ['PFCOUNT', ...mistaken(some([...KEYS.counters, ...KEYS.missing], 5))],
    streams,
  ]
  return random.pick(makers)()
}

/** Redis keeps the order of a set only when it is small and of integers. */
function isUnordered([name, ...keys]: Call, frame: Buffer): boolean {
  const isOrdered = keys.every((key) => /^\d(ints|none)$/.test(key))
  const count = Number(frame.toString('latin1', 1, frame.indexOf('\r')))
  return ['SUNION', 'SINTER', 'SDIFF'].includes(name ?? '') && (!isOrdered || count > 512)
}

/** Readable, and without the order if that means nothing. */
function normal(call: Call, frame: Buffer): string {
  if (!isUnordered(call, frame) || frame[0] === '-'.charCodeAt(0)) return frame.toString('latin1')
  let at = frame.indexOf('\n') + 1
  const elements = [frame.toString('latin1', 0, at)]
  const members: string[] = []
  while (at < frame.length) {
    const end = endOfFrame(frame, at) as number
    members.push(frame.toString('latin1', at, end))
    at = end
  }
  return [...elements, ...members.sort()].join('')
}

/** Without regard to which of several texts for the same number a newer Redis finds. */
function withNumbers(text: string): string {
  const number = /(?:\$\d+\r\n|,)(-?\d+(?:\.\d+)?(?:e[+-]\d+)?)\r\n/g
  return text.replace(number, (_, digits: string) => `${Number(digits)}\r\n`)
}

async function replies(client: RawClient, calls: readonly Call[]): Promise<Buffer[]> {
  client.write(Buffer.concat(calls.map((call) => encodeRequest(...call))))
  return client.replies(calls.length)
}

describe('reads over keys of several shards', () => {
  const seed = specSeed()
  const plain = shareRedises(1)
  const shards = shareShards(3)

  beforeEach(async () => {
    const calls = fixtures(createRandom(seed))
    const direct = await toPlain()
    await direct.request('FLUSHALL')
    const through = await shards.ambassador.connect()
    const answers = await replies(through, calls)
    expect(answers.map(String)).to.deep.equal((await replies(direct, calls)).map(String))
    await direct.close()
  })

  function toPlain(): Promise<RawClient> {
    return connectRaw((plain[0] as RedisServer).port)
  }

  for (const protocol of PROTOCOLS) {
    it(`answer what one Redis answers in RESP${protocol} (seed ${seed})`, async () => {
      const random = createRandom(seed + protocol)
      const direct = await toPlain()
      if (protocol === 3) await direct.request('HELLO', '3')
      const info = String(await direct.request('INFO', 'server'))
      const asWritten = /^redis_version:7\.0\./m.test(info)
      const text = (call: Call, frame: Buffer): string => {
        return asWritten ? normal(call, frame) : withNumbers(normal(call, frame))
      }
      const through = await shards.ambassador.connect(protocol)
      for (let done = 0; done < COMMANDS_PER_PROTOCOL; done += BATCH) {
        const calls = Array.from({ length: BATCH }, () => randomCall(random))
        const expected = await replies(direct, calls)
        const answers = await replies(through, calls)
        for (const [i, call] of calls.entries()) {
          const answer = text(call, answers[i] as Buffer)
          expect(answer, call.join(' ')).to.equal(text(call, expected[i] as Buffer))
        }
      }
      await direct.close()
    })
  }

  /** Which of the shards has each key. */
  async function shardsOf(keys: readonly string[]): Promise<number[]> {
    const calls = keys.map((key) => ['EXISTS', key])
    const answers = await Promise.all(
      shards.redises.map(async ({ port }) => {
        const client = await connectRaw(port)
        const found = await replies(client, calls)
        await client.close()
        return found.map(String)
      }),
    )
    return keys.map((_, i) => answers.findIndex((found) => found[i] === ':1\r\n'))
  }

  /** Of these keys two that are on different shards. */
  async function onTwoShards(keys: readonly string[]): Promise<[string, string]> {
    const owners = await shardsOf(keys)
    const other = owners.findIndex((shard) => shard !== owners[0])
    expect(other, `a shard other than ${owners[0]}`).to.be.above(0)
    return [keys[0] as string, keys[other] as string]
  }

  it('stay refused when a shard can read an option that we cannot', async () => {
    const keys = await onTwoShards(KEYS.sorted)
    const client = await shards.ambassador.connect()
    const call = ['ZUNION', '2', ...keys, 'WEIGHTS', '0x10', '1']
    const direct = await toPlain()
    // Valkey 9 cannot read it either, and then says so.
    const own = String(await direct.request(...call))
    expect(String(await client.request(...call))).to.equal(
      own.startsWith('-') ? own : CROSSSLOT_LINE,
    )
    await direct.close()
  })

  it('stay refused when crossShardReads is off', async () => {
    const keys = await onTwoShards(KEYS.sets)
    const refusing = await startAmbassadorFor(shards.redises, { crossShardReads: 'no' })
    try {
      const client = await refusing.connect()
      expect(String(await client.request('SUNION', ...keys))).to.equal(CROSSSLOT_LINE)
    } finally {
      await refusing.stop()
    }
  })

  it('are refused when they are too large, and leave room for others', async () => {
    const [small, large] = await onTwoShards(KEYS.sets)
    const client = await shards.ambassador.connect()
    // As many as two such sets on two shards, and the first of them is already too large.
    const members = Array.from({ length: 5 }, (_, i) => `${i}`.repeat(1024 * 1024))
    await client.request('SADD', large, ...members)
    for (let i = 0; i < 20; i++) {
      expect(String(await client.request('SUNION', small, large))).to.equal(
        '-ERR ambassador: keys on several shards are too large to be combined (over 4 MB) (not executed)\r\n',
      )
    }
    await client.request('SREM', large, ...members)
    expect(String(await client.request('SUNION', small, large))).to.match(/^\*/)
  })

  it('are refused beyond what all together may hold', async () => {
    const [here, away] = await onTwoShards(KEYS.sets)
    const probe = await shards.ambassador.connect()
    const members = Array.from({ length: 3 }, (_, i) => `${i}`.repeat(1024 * 1024))
    await probe.request('SADD', here, ...members)
    const [shard] = await shardsOf([away])
    const stopped = shards.redises[shard as number] as RedisServer
    const client = await shards.ambassador.connect()
    // So many may only be in flight for a client that has had answers from shards.
    for (let i = 0; i < 20; i++) await client.request('EXISTS', here)
    await stopped.kill('SIGSTOP')
    const call = encodeRequest('SINTERCARD', '2', here, away)
    client.write(Buffer.concat(new Array(22).fill(call)))
    while (shards.ambassador.gauges.inFlight < 22) await probe.request('PING')
    // A shard answers in order: with this answer all from the same shard are here.
    await probe.request('EXISTS', here)
    await stopped.kill('SIGCONT')
    const answers = (await client.replies(22)).map(String)
    const refusals = answers.filter((answer) => answer.startsWith('-'))
    const text =
      '-ERR ambassador: overloaded by commands over keys on several shards (not executed)\r\n'
    expect(refusals).to.deep.equal([text])
    await probe.request('SREM', here, ...members)
    expect(String(await probe.request('SINTERCARD', '2', here, away))).to.match(/^:/)
  })

  it('fail as one when a shard is away', async () => {
    const lone = await startRedis()
    const halved = await startAmbassadorFor([shards.redises[0] as RedisServer, lone])
    try {
      const client = await halved.connect()
      const keys = Array.from({ length: 20 }, (_, i) => `${i} missing`)
      expect(String(await client.request('SUNION', ...keys))).to.equal('*0\r\n')
      await lone.stop()
      const answer = String(await client.request('SUNION', ...keys))
      expect(answer).to.match(/^-ERR ambassador: shard b (unavailable|connection lost) /)
    } finally {
      await lone.stop()
      await halved.stop()
    }
  })
})
