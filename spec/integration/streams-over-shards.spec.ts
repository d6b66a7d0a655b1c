/**
 * XREAD BLOCK of streams on several shards: what clients hear is what one Redis says to the same requests,
 * and every entry is read, by every client, in the order of its stream.
 */
import { expect } from 'chai'
import { keysOn, startAmbassadorFor } from '../support/ambassador.ts'
import { type Script, startFakeShard } from '../support/fake-shard.ts'
import { sayWhatOneRedisSays } from '../support/one-redis.ts'
import { pipeline, send, texts } from '../support/pipeline.ts'
import type { RawClient } from '../support/raw-client.ts'
import { shareShards } from '../support/shared-shards.ts'
import { until } from '../support/until.ts'

/** On the shards a, b, c, a. */
const [A = '', A2 = ''] = keysOn(0, 3, 2)
const [B = ''] = keysOn(1, 3)
const [C = ''] = keysOn(2, 3)
const KEYS = [A, B, C, A2].join(' ')

/** What one client sends. */
const CONVERSATIONS: Readonly<Record<string, readonly string[]>> = {
  'what is there, of all streams': [
    `XADD ${A} 1-1 f a`,
    `XADD ${B} 1-1 f b`,
    `XADD ${B} 2-1 f b`,
    `XADD ${A2} 3-1 f c`,
    `XREAD BLOCK 0 STREAMS ${KEYS} 0 0 0 0`,
    `XREAD COUNT 1 BLOCK 0 STREAMS ${KEYS} 0 1 0 4`,
    `XREAD BLOCK 5 COUNT 1 STREAMS ${C} ${A2} 0 0`,
  ],
  'nothing in time': [
    `XADD ${A} 1-1 f a`,
    `XREAD BLOCK 10 STREAMS ${KEYS} $ $ $ $`,
    `XREAD BLOCK 10 STREAMS ${KEYS} 1-1 $ 0 5`,
    'PING',
  ],
  'mistakes and other types': [
    `SET ${B} text`,
    `XREAD BLOCK 0 STREAMS ${KEYS} 0 0 0 0`,
    `XREAD BLOCK x STREAMS ${A} ${C} 0 0`,
    `XREAD BLOCK -1 STREAMS ${A} ${C} 0 0`,
    `XREAD BLOCK 0 STREAMS ${A} ${C} 0 zero`,
    `XREAD BLOCK 0 STREAMS ${A} ${C} 0`,
    'PING',
  ],
}

/** The group is there in all of the streams. */
const GROUP = [A, B, C, A2].map((key) => `XGROUP CREATE ${key} g 0 MKSTREAM`)

const OF_GROUPS: Readonly<Record<string, readonly string[]>> = {
  'what is new to a group, of all streams, and what is pending then': [
    ...GROUP,
    `XADD ${A} 1-1 f a`,
    `XADD ${C} 1-1 f c`,
    `XADD ${C} 2-1 f c`,
    `XREADGROUP GROUP g me COUNT 1 STREAMS ${KEYS} > > > >`,
    `XREADGROUP GROUP g me BLOCK 0 STREAMS ${KEYS} > > > >`,
    `XREADGROUP GROUP g me STREAMS ${KEYS} > > > >`,
    `XREADGROUP GROUP g me BLOCK 5 COUNT 7 STREAMS ${KEYS} > > > >`,
    `XREADGROUP GROUP g me STREAMS ${KEYS} 0 0 0 0`,
    `XREADGROUP GROUP g me BLOCK 0 STREAMS ${KEYS} 0 > 1-1 >`,
    `XREADGROUP GROUP g you NOACK STREAMS ${KEYS} 0 0 0 0`,
    `XPENDING ${C} g`,
    `XADD ${B} 9-9 f b`,
    `XREADGROUP GROUP g you NOACK BLOCK 0 STREAMS ${KEYS} > > > >`,
    `XPENDING ${B} g`,
  ],
  'what Redis refuses, and nothing is taken': [
    `XGROUP CREATE ${A} g 0 MKSTREAM`,
    `XADD ${A} 1-1 f a`,
    `XREADGROUP GROUP g me STREAMS ${A} ${B} > >`,
    `XREADGROUP GROUP g me BLOCK 0 STREAMS ${A} ${B} > >`,
    `XREADGROUP GROUP other me BLOCK 0 STREAMS ${A} ${B} > >`,
    `SET ${B} text`,
    `XREADGROUP GROUP g me STREAMS ${A} ${B} > >`,
    `XREADGROUP GROUP g me BLOCK 0 STREAMS ${A} ${B} > >`,
    `XREADGROUP GROUP g me BLOCK x STREAMS ${A} ${B} > >`,
    `XREADGROUP GROUP g me COUNT x STREAMS ${A} ${B} > >`,
    `XREADGROUP GROUP g me STREAMS ${A} ${B} >`,
    `XPENDING ${A} g`,
  ],
}

describe('XREAD BLOCK over several shards', () => {
  const shards = shareShards(3)
  let client: RawClient
  let other: RawClient

  beforeEach(async () => {
    client = await shards.ambassador.connect()
    other = await shards.ambassador.connect()
  })

  sayWhatOneRedisSays(shards, { ...CONVERSATIONS, ...OF_GROUPS })

  /** Waits until so many clients are blocked. */
  async function blocked(count: number): Promise<void> {
    await until(async () => {
      const [list = ''] = await send(other, 'CLIENT LIST')
      return (list.match(/ flags=b /g) ?? []).length === count
    })
  }

  const read = (id: string): string => `XREAD BLOCK 0 STREAMS ${KEYS} ${id} ${id} ${id} ${id}`

  it('waits until one of them has something, and again', async () => {
    for (const [id, key] of [B, A2, C].entries()) {
      client.write(pipeline([read('$')]))
      await blocked(1)
      expect(client.unreadBytes).to.equal(0)
      await send(other, `XADD ${key} ${id + 1}-1 f v`)
      const [reply = ''] = await texts(client, 1)
      expect(reply)
        .to.include(key)
        .and.include(`${id + 1}-1`)
      expect(reply.startsWith('*1\r\n')).to.equal(true)
    }
  })

  it('ends when another client says so, and nobody waits at any shard then', async () => {
    const [, id = ''] = /:(\d+)/.exec((await send(client, 'CLIENT ID'))[0] ?? '') ?? []
    for (const [how, answer] of [
      ['TIMEOUT', '*-1\r\n'],
      ['ERROR', '-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n'],
    ]) {
      client.write(pipeline([read('$'), 'PING']))
      await blocked(1)
      expect(await send(other, `CLIENT UNBLOCK ${id} ${how}`)).to.deep.equal([':1\r\n'])
      expect(await texts(client, 2)).to.deep.equal([answer, '+PONG\r\n'])
      expect(await send(other, `CLIENT UNBLOCK ${id} ${how}`)).to.deep.equal([':0\r\n'])
      await blocked(0)
    }
  })

  const leaving = { 'by reset': 'reset', 'by FIN': 'halfClose' } as const
  for (const [how, leave] of Object.entries(leaving)) {
    it(`waits at no shard any more for a client that has left ${how}`, async () => {
      client.write(pipeline([read('$')]))
      await blocked(1)
      client[leave]()
      await blocked(0)
    })
  }

  it('tells every reader all entries, each stream in its order', async () => {
    const ENTRIES = 300
    const READERS = 5
    const seen = Array.from({ length: READERS }, () => new Map<string, number[]>())
    const reading = seen.map(async (streams, reader) => {
      const own = await shards.ambassador.connect(reader % 2 === 0 ? 2 : 3)
      const last = new Map([A, B, C, A2].map((key) => [key, 0]))
      const total = (): number => [...streams.values()].reduce((sum, ids) => sum + ids.length, 0)
      while (total() < ENTRIES) {
        const ids = [...last.values()].join(' ')
        const [reply = ''] = await send(own, `XREAD COUNT 7 BLOCK 5000 STREAMS ${KEYS} ${ids}`)
        let key = ''
        for (const [, name, id] of reply.matchAll(/\r\n(k\d+)\r\n|\r\n(\d+)-0\r\n/g)) {
          key = name ?? key
          if (id === undefined) continue
          streams.set(key, [...(streams.get(key) ?? []), Number(id)])
          last.set(key, Number(id))
        }
      }
    })
    const written = new Map<string, number[]>()
    for (let id = 1; id <= ENTRIES; id++) {
      const key = [A, B, C, A2][(id * 7) % 4] as string
      written.set(key, [...(written.get(key) ?? []), id])
      await send(other, `XADD ${key} ${id}-0 f v`)
    }
    await Promise.all(reading)
    for (const streams of seen) {
      expect(Object.fromEntries(streams)).to.deep.equal(Object.fromEntries(written))
    }
  })

  it('gives each entry to one consumer of a group', async () => {
    const ENTRIES = 200
    await send(other, ...GROUP)
    const got: string[] = []
    const consumers = [0, 1, 2].map(async (consumer) => {
      const own = await shards.ambassador.connect(consumer === 0 ? 3 : 2)
      while (got.length < ENTRIES) {
        const line = `XREADGROUP GROUP g c${consumer} COUNT 3 BLOCK 200 STREAMS ${KEYS} > > > >`
        const [reply = ''] = await send(own, line)
        got.push(...[...reply.matchAll(/\r\n(\d+-0)\r\n/g)].map(([, id = '']) => id))
      }
    })
    const ids = Array.from({ length: ENTRIES }, (_, at) => `${at + 1}-0`)
    for (const [at, id] of ids.entries()) {
      await send(other, `XADD ${[A, B, C, A2][(at * 7) % 4]} ${id} f v`)
    }
    await Promise.all(consumers)
    expect(got.sort()).to.deep.equal(ids.sort())
  })

  it('ends a wait for a group that goes with its stream', async () => {
    await send(other, ...GROUP)
    client.write(pipeline([`XREADGROUP GROUP g me BLOCK 0 STREAMS ${KEYS} > > > >`]))
    await blocked(1)
    await send(other, `DEL ${B}`)
    expect((await texts(client, 1))[0]).to.match(/^-NOGROUP /)
  })

  it('is refused where reads over several shards are', async () => {
    const strict = await startAmbassadorFor(shards.redises, { crossShardReads: 'no' })
    const [refusal] = await send(await strict.connect(), read('$'))
    expect(refusal).to.match(/^-CROSSSLOT /)
    const group = `XREADGROUP GROUP g me STREAMS ${KEYS} > > > >`
    expect((await send(await strict.connect(), group))[0]).to.match(/^-CROSSSLOT /)
    await strict.stop()
  })
})

describe('XREAD BLOCK over two shards, and what comes between', () => {
  const [[X = ''], [Y = '']] = [keysOn(0, 2), keysOn(1, 2)]
  const entry = (id: string): string =>
    `*1\r\n*2\r\n$${id.length}\r\n${id}\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n`
  const read = (key: string, id: string): string =>
    `*1\r\n*2\r\n$${key.length}\r\n${key}\r\n${entry(id)}`

  /** A shard with one stream that ends with 9-9, which answers what comes behind that with `reply`. */
  function withStream(reply: Script): Script {
    return (request) => {
      const [name] = request.text.split(' ')
      if (name === 'XREVRANGE') return entry('9-9')
      if (name === 'XLEN') return ':1\r\n'
      return reply(request)
    }
  }

  async function readsFrom(
    atX: Script,
    atY: Script,
    line = `XREAD BLOCK 0 STREAMS ${X} ${Y} $ $`,
  ): Promise<string> {
    const shards = [await startFakeShard(withStream(atX)), await startFakeShard(withStream(atY))]
    const ambassador = await startAmbassadorFor(shards)
    const client = await ambassador.connect()
    client.write(pipeline([line]))
    const [reply = ''] = await texts(client, 1)
    await ambassador.stop()
    for (const shard of shards) await shard.stop()
    return reply
  }

  it('reads from where the streams ended when the client asked', async () => {
    const asked: string[] = []
    const reply = await readsFrom(
      ({ text }) => {
        asked.push(text)
        return '*-1\r\n'
      },
      () => read(Y, '9-10'),
    )
    expect(asked).to.deep.equal([`XREAD STREAMS ${X} 9-9`])
    expect(reply).to.equal(read(Y, '9-10'))
  })

  it('reads once more where a read was lost with its connection', async () => {
    let reads = 0
    const reply = await readsFrom(
      () => '*-1\r\n',
      ({ connection }) => {
        if (reads++ > 0) return read(Y, '9-10')
        connection.reset()
        return undefined
      },
    )
    expect(reply).to.equal(read(Y, '9-10'))
  })

  it('row 109: tells of a shard that loses every read', async () => {
    const reply = await readsFrom(
      () => '*-1\r\n',
      ({ connection }) => {
        connection.reset()
        return undefined
      },
    )
    expect(reply).to.match(/^-ERR ambassador: shard b (connection lost|unavailable) /)
  })

  for (const block of ['', 'BLOCK 0 ']) {
    it(`reads for a group once: ${block}a part that is lost may have been executed`, async () => {
      const asked: string[] = []
      const isCheck = (text: string): boolean =>
        text.endsWith(' 18446744073709551615-18446744073709551614')
      const reply = await readsFrom(
        ({ text }) => (isCheck(text) ? '*-1\r\n' : read(X, '9-10')),
        ({ text, connection }) => {
          if (isCheck(text)) return '*-1\r\n'
          asked.push(text)
          connection.reset()
          return undefined
        },
        `XREADGROUP GROUP g me ${block}STREAMS ${X} ${Y} > >`,
      )
      expect(reply).to.match(/^-ERR ambassador: shard b connection lost \(may have executed\)/)
      expect(asked).to.deep.equal([`XREADGROUP GROUP g me STREAMS ${Y} >`])
    })
  }

  it('tells when a stream cannot be looked at', async () => {
    const denied = "-NOPERM this user has no permissions to run the 'xlen' command\r\n"
    const shards = await Promise.all(
      [0, 1].map(() =>
        startFakeShard(({ text }) => (text.startsWith('XLEN ') ? denied : '*-1\r\n')),
      ),
    )
    const ambassador = await startAmbassadorFor(shards)
    const client = await ambassador.connect()
    expect(await send(client, `XREAD BLOCK 0 STREAMS ${X} ${Y} 0 0`)).to.deep.equal([denied])
    await ambassador.stop()
    for (const shard of shards) await shard.stop()
  })
})
