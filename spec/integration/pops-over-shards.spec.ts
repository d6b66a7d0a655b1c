/**
 * Blocking pops of keys on several shards: what clients hear is what one Redis says to the same requests,
 * and an element goes to the client that one Redis would give it to.
 */
import { expect } from 'chai'
import { keysOn } from '../support/ambassador.ts'
import { sayWhatOneRedisSays } from '../support/one-redis.ts'
import { pipeline, send, texts } from '../support/pipeline.ts'
import type { RawClient } from '../support/raw-client.ts'
import { shareShards } from '../support/shared-shards.ts'

/** On the shards a, b, c, a. */
const [A = '', A2 = ''] = keysOn(0, 3, 2)
const [B = ''] = keysOn(1, 3)
const [C = ''] = keysOn(2, 3)
const KEYS = [A, B, C, A2].join(' ')

/** What one client sends. */
const CONVERSATIONS: Readonly<Record<string, readonly string[]>> = {
  'the first key that has something': [
    `RPUSH ${C} 1 2 3`,
    `RPUSH ${B} 4`,
    `BLPOP ${KEYS} 0`,
    `BLPOP ${KEYS} 0`,
    `BRPOP ${KEYS} 1.5`,
    `BLPOP ${C} ${B} ${C} 0`,
    `EXISTS ${KEYS}`,
  ],
  'the same of sorted sets': [
    `ZADD ${C} 1 one 2.5 two 3e100 three`,
    `ZADD ${A2} -inf low inf high`,
    `BZPOPMIN ${KEYS} 0`,
    `BZPOPMAX ${KEYS} 0`,
    `BZPOPMAX ${KEYS} 0`,
    `BZPOPMIN ${A2} ${B} ${A} 0`,
    `BZPOPMIN ${A2} ${B} ${A} 0`,
  ],
  'several elements at a time': [
    `RPUSH ${B} 1 2 3 4 5`,
    `ZADD ${A2} 1 a 2 b 3 c 4 d`,
    `BLMPOP 0 4 ${KEYS} LEFT`,
    `BLMPOP 0 2 ${C} ${B} RIGHT COUNT 2`,
    `BLMPOP 0 2 ${C} ${B} left count 20`,
    `BZMPOP 0 4 ${C} ${A2} ${A} ${B} MIN`,
    `BZMPOP 0 2 ${C} ${A2} MAX COUNT 2`,
    `BZMPOP 1 2 ${C} ${A2} MIN COUNT 2`,
    `EXISTS ${KEYS}`,
  ],
  'nothing in time': [
    `BLPOP ${KEYS} 0.01`,
    `BRPOP ${KEYS} 1e-2`,
    `BZPOPMIN ${KEYS} .01`,
    `BZPOPMAX ${KEYS} 0.0101`,
    `BLMPOP 0.01 4 ${KEYS} LEFT`,
    `BZMPOP 0.01 4 ${KEYS} MAX COUNT 3`,
    'PING',
  ],
  'keys of another type': [
    `SET ${B} text`,
    `RPUSH ${C} 1`,
    `BLPOP ${A} ${B} ${C} 0`,
    `BLPOP ${C} ${B} ${A} 0`,
    `BZPOPMIN ${A} ${C} ${B} 1`,
    `ZADD ${A2} 1 one`,
    `BLMPOP 1 2 ${A2} ${C} LEFT`,
    `BZMPOP 1 2 ${A2} ${C} MIN`,
  ],
  'mistakes, which are told before a key is looked at': [
    `RPUSH ${A} 1 2 3 4 5 6 7 8 9`,
    `BLPOP ${KEYS} x`,
    `BLPOP ${KEYS} -1`,
    `BLPOP ${KEYS} -0.0001`,
    `BLPOP ${KEYS} nan`,
    `BLPOP ${KEYS} 1,5`,
    `BZPOPMAX ${KEYS} x`,
    `BLMPOP x 4 ${KEYS} LEFT`,
    `BLMPOP x 4 ${KEYS} MIDDLE`,
    `BLMPOP 0 4 ${KEYS} MIDDLE`,
    `BLMPOP x 4 ${KEYS} LEFT COUNT 0`,
    `BLMPOP 0 4 ${KEYS} MIN`,
    `BLMPOP 0 4 ${KEYS}`,
    `BLMPOP 0 4 ${KEYS} LEFT COUNT`,
    `BLMPOP 0 4 ${KEYS} LEFT COUNT 0`,
    `BLMPOP 0 4 ${KEYS} LEFT COUNT x`,
    `BLMPOP 0 4 ${KEYS} LEFT COUNT 1 COUNT 1`,
    `BLMPOP 0 4 ${KEYS} LEFT LIMIT 1`,
    `BLMPOP 0 9 ${KEYS} LEFT`,
    `BZMPOP -1 4 ${KEYS} MIN`,
    `BZMPOP 0 4 ${KEYS} LEFT`,
    `LRANGE ${A} 0 -1`,
  ],
  'what was sent before in the same write': [
    `BLPOP ${KEYS} 0.01`,
    `RPUSH ${A2} last`,
    `RPUSH ${B} first`,
    `BLPOP ${KEYS} 0`,
    `BLPOP ${KEYS} 0`,
    `DEL ${B}`,
    `BLPOP ${KEYS} 0.01`,
    'PING',
  ],
}

describe('blocking pops over several shards', () => {
  const shards = shareShards(3)
  let other: RawClient

  beforeEach(async () => {
    other = await shards.ambassador.connect()
  })

  sayWhatOneRedisSays(shards, CONVERSATIONS)

  async function idOf(client: RawClient): Promise<string> {
    return (await send(client, 'CLIENT ID'))[0]?.slice(1).trim() ?? ''
  }

  /** Waits until so many clients are blocked. */
  async function blocked(count: number): Promise<void> {
    for (;;) {
      const [list = ''] = await send(other, 'CLIENT LIST')
      if (list.match(/ flags=b /g)?.length === count || (count === 0 && !/ flags=b /.test(list)))
        return
    }
  }

  async function waiting(line: string): Promise<RawClient> {
    const client = await shards.ambassador.connect()
    client.write(pipeline([line]))
    return client
  }

  /** What a client waits with, what ends the wait, and the answer. */
  const WAITS: readonly (readonly [wait: string, end: string, answer: string])[] = [
    [`BLPOP ${KEYS} 0`, `RPUSH ${C} v w`, '*2 $ KEY $1 v'],
    [`BRPOP ${KEYS} 0`, `RPUSH ${C} v w`, '*2 $ KEY $1 w'],
    [`BLMPOP 0 4 ${KEYS} LEFT COUNT 3`, `RPUSH ${C} v w`, '*2 $ KEY *2 $1 v $1 w'],
    [`BZPOPMIN ${KEYS} 0`, `ZADD ${C} 1.5 v 2 w`, '*3 $ KEY $1 v $3 1.5'],
    [`BZPOPMAX ${KEYS} 0`, `ZADD ${C} 1.5 v 2 w`, '*3 $ KEY $1 w $1 2'],
    [`BZMPOP 0 4 ${KEYS} MIN`, `ZADD ${C} 1 v`, '*2 $ KEY *1 *2 $1 v $1 1'],
    [`BLPOP ${KEYS} 0`, `EVAL return(redis.call('RPUSH',KEYS[1],'v')) 1 ${C}`, '*2 $ KEY $1 v'],
    [`BLPOP ${KEYS} 2147484`, `LPUSH ${C} v`, '*2 $ KEY $1 v'],
  ]

  for (const [wait, end, answer] of WAITS) {
    it(`${wait} waits until ${end}`, async () => {
      const client = await waiting(wait)
      await blocked(1)
      expect(client.unreadBytes).to.equal(0)
      await send(other, end)
      const expected = answer.replace('$ KEY', `$${C.length} ${C}`).split(' ').join('\r\n')
      expect(await texts(client, 1)).to.deep.equal([`${expected}\r\n`])
    })
  }

  it('look on when what has come is of another type, and for what has been renamed or restored', async () => {
    const client = await waiting(`BLPOP ${KEYS} 0`)
    await blocked(1)
    await send(other, `SET ${B} text`, `SADD ${C} member`, `DEL ${B}`, `DEL ${C}`, `GET ${B}`)
    expect(client.unreadBytes).to.equal(0)
    await send(other, `RPUSH ${A2} renamed`, `RENAME ${A2} ${A}`)
    expect((await texts(client, 1))[0]).to.include('renamed')
  })

  it('serve those who wait for one key in the order in which they came', async () => {
    const clients: RawClient[] = []
    for (let i = 0; i < 5; i++) {
      clients.push(await waiting(`BLPOP ${KEYS} 0`))
      await blocked(i + 1)
    }
    const heard = (some: readonly RawClient[]): Promise<(string | undefined)[]> =>
      Promise.all(some.map(async (client) => (await texts(client, 1))[0]?.at(-3)))
    await send(other, `RPUSH ${C} 0 1`)
    expect(await heard(clients.slice(0, 2))).to.deep.equal(['0', '1'])
    await send(other, `RPUSH ${B} 2 3 4`)
    expect(await heard(clients.slice(2))).to.deep.equal(['2', '3', '4'])
  })

  it('serve clients of another protocol and database by themselves', async () => {
    const third = await shards.ambassador.connect(3)
    const elsewhere = await shards.ambassador.connect()
    await send(elsewhere, 'SELECT 1')
    third.write(pipeline([`BZPOPMIN ${KEYS} 0`]))
    elsewhere.write(pipeline([`BLPOP ${KEYS} 0`]))
    await blocked(2)
    await send(other, `RPUSH ${B} here`, `ZADD ${C} 1.5 v`)
    expect((await texts(third, 1))[0]).to.match(/,1\.5\r\n$/)
    expect(await send(other, `LLEN ${B}`)).to.deep.equal([':1\r\n'])
    await send(other, 'SELECT 1', `RPUSH ${B} there`)
    expect((await texts(elsewhere, 1))[0]).to.include('there')
  })

  it('make the later commands of their client wait, and only those', async () => {
    const client = await shards.ambassador.connect()
    client.write(pipeline([`BLPOP ${KEYS} 0`, `SET ${C} after`, 'PING']))
    await blocked(1)
    expect(await send(other, `EXISTS ${C}`, 'SET x v', 'GET x')).to.deep.equal([
      ':0\r\n',
      '+OK\r\n',
      '$1\r\nv\r\n',
    ])
    await send(other, `RPUSH ${A} v`)
    expect((await texts(client, 3)).slice(1)).to.deep.equal(['+OK\r\n', '+PONG\r\n'])
  })

  it('end when another client says so, and once', async () => {
    for (const [how, answer] of [
      ['TIMEOUT', '*-1\r\n'],
      ['ERROR', '-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n'],
    ]) {
      const client = await shards.ambassador.connect()
      const id = await idOf(client)
      client.write(pipeline([`BLPOP ${KEYS} 0`, 'PING']))
      await blocked(1)
      expect(await send(other, `CLIENT UNBLOCK ${id} ${how}`)).to.deep.equal([':1\r\n'])
      expect(await texts(client, 2)).to.deep.equal([answer, '+PONG\r\n'])
      expect(await send(other, `CLIENT UNBLOCK ${id} ${how}`)).to.deep.equal([':0\r\n'])
    }
  })

  const leaving = { 'by reset': 'reset', 'by FIN': 'halfClose' } as const
  for (const [how, leave] of Object.entries(leaving)) {
    it(`pop nothing for a client that has left ${how}`, async () => {
      const client = await waiting(`BLPOP ${KEYS} 0`)
      await blocked(1)
      client[leave]()
      await blocked(0)
      expect(await send(other, `RPUSH ${B} v`, `LLEN ${B}`)).to.deep.equal([':1\r\n', ':1\r\n'])
    })
  }

  it('pop nothing for a client that was killed, or whose time is up', async () => {
    const client = await shards.ambassador.connect()
    const id = await idOf(client)
    const late = await waiting(`BLPOP ${KEYS} 0.02`)
    client.write(pipeline([`BLPOP ${KEYS} 0`]))
    expect(await texts(late, 1)).to.deep.equal(['*-1\r\n'])
    await blocked(1)
    await send(other, `CLIENT KILL ID ${id}`)
    await client.closed()
    expect(await send(other, `RPUSH ${B} v`, `LLEN ${B}`)).to.deep.equal([':1\r\n', ':1\r\n'])
  })

  it('end no sooner than their time', async () => {
    const client = await shards.ambassador.connect()
    const startMs = performance.now()
    client.write(pipeline([`BLPOP ${KEYS} 0.2`]))
    await client.reply()
    expect(performance.now() - startMs).to.be.at.least(200)
  })

  it('pass large elements on as they come', async () => {
    const client = await waiting(`BRPOP ${KEYS} 0`)
    const value = Buffer.alloc(5_000_000, 'v')
    await other.request('RPUSH', B, value)
    const reply = await client.reply()
    expect(reply.length).to.equal(
      `*2\r\n$${B.length}\r\n${B}\r\n$5000000\r\n\r\n`.length + 5_000_000,
    )
    expect(reply.subarray(-5_000_002, -2).equals(value)).to.equal(true)
  })

  it('have databases that are swapped looked at as well', async () => {
    const client = await waiting(`BLPOP ${KEYS} 0`)
    await blocked(1)
    await send(other, 'SELECT 2', `RPUSH ${C} v`, 'SWAPDB 0 2')
    expect((await texts(client, 1))[0]).to.include('v')
  }).timeout(20_000)
})
