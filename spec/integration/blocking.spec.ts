/** Blocking commands through the ambassador: nobody waits for another, and no element gets lost. */
import { expect } from 'chai'
import { keysOn } from '../support/ambassador.ts'
import { CROSSSLOT_LINE } from '../support/crossslot.ts'
import { pipeline, send, texts } from '../support/pipeline.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { shareShards } from '../support/shared-shards.ts'

/** For requests that do not block. */
const DEADLINE_MS = 1000

function write(client: RawClient, ...requests: readonly string[]): void {
  client.write(pipeline(requests))
}

describe('blocking commands', () => {
  const shards = shareShards(3, { requestTimeoutMs: `${DEADLINE_MS}` })
  let client: RawClient
  let other: RawClient
  /** Talks to shard a itself. */
  let shard: RawClient
  const [here = '', hereToo = ''] = keysOn(0, 3, 2)
  const [elsewhere = ''] = keysOn(1, 3)

  before(async () => {
    shard = await connectRaw(shards.redises[0]?.port ?? 0)
  })

  beforeEach(async () => {
    client = await shards.ambassador.connect()
    other = await shards.ambassador.connect()
  })

  after(() => shard.close())

  /** Waits until the shard has so many clients that are blocked. */
  async function blocked(count: number): Promise<void> {
    for (;;) {
      const [info = ''] = await send(shard, 'INFO clients')
      if (info.includes(`blocked_clients:${count}\r\n`)) return
    }
  }

  /** What a client waits with, what ends the wait, and the answer. */
  const WAITS: readonly (readonly [wait: string, end: string, answer: string])[] = [
    [`BLPOP ${here} 0`, `RPUSH ${here} v`, `*2\r\n$2\r\nKEY\r\n$1\r\nv\r\n`],
    [`BRPOP ${hereToo} ${here} 0`, `RPUSH ${here} v`, `*2\r\n$2\r\nKEY\r\n$1\r\nv\r\n`],
    [`BLMOVE ${here} ${hereToo} LEFT RIGHT 0`, `RPUSH ${here} v`, '$1\r\nv\r\n'],
    [`BRPOPLPUSH ${here} ${hereToo} 0`, `RPUSH ${here} v`, '$1\r\nv\r\n'],
    [
      `BLMPOP 0 2 ${hereToo} ${here} LEFT COUNT 3`,
      `RPUSH ${here} v w`,
      '*2\r\n$2\r\nKEY\r\n*2\r\n$1\r\nv\r\n$1\r\nw\r\n',
    ],
    [`BZPOPMIN ${here} 0`, `ZADD ${here} 1.5 v`, '*3\r\n$2\r\nKEY\r\n$1\r\nv\r\n$3\r\n1.5\r\n'],
    [`BZPOPMAX ${here} 0`, `ZADD ${here} 1 v`, '*3\r\n$2\r\nKEY\r\n$1\r\nv\r\n$1\r\n1\r\n'],
    [
      `BZMPOP 0 1 ${here} MIN`,
      `ZADD ${here} 1 v`,
      '*2\r\n$2\r\nKEY\r\n*1\r\n*2\r\n$1\r\nv\r\n$1\r\n1\r\n',
    ],
    [
      `XREAD BLOCK 0 STREAMS ${here} $`,
      `XADD ${here} 1-1 f v`,
      '*1\r\n*2\r\n$2\r\nKEY\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n',
    ],
  ]

  for (const [wait, end, answer] of WAITS) {
    it(`${wait} waits until ${end}`, async () => {
      write(client, wait)
      await blocked(1)
      expect(client.unreadBytes).to.equal(0)
      await send(other, end)
      const expected = answer.replace('$2\r\nKEY', `$${here.length}\r\n${here}`)
      expect(await texts(client, 1)).to.deep.equal([expected])
    })
  }

  it('outlast the deadline of other requests', async () => {
    write(client, `BLPOP ${here} 0`, `BLPOP ${here} 0`)
    // The shard says when the deadline has passed.
    await send(other, `BLPOP none:${here} ${(DEADLINE_MS + 100) / 1000}`)
    await send(other, `RPUSH ${here} v w`)
    expect((await texts(client, 2)).join('')).to.match(/v.*w/s)
  })

  /** Timeouts beyond 2^31 ms, which no timer of Node's can hold, in the units of each command. */
  const LONG_WAITS: readonly (readonly [wait: string, end: string])[] = [
    [`BLPOP ${here} 2147483647`, `RPUSH ${here} v`],
    [`BRPOP ${here} 2147484`, `RPUSH ${here} v`],
    [`BLMPOP 1e12 1 ${here} LEFT`, `RPUSH ${here} v`],
    [`BZPOPMIN ${here} 9007199254740`, `ZADD ${here} 1 v`],
    [`XREAD BLOCK 2147483648 STREAMS ${here} $`, `XADD ${here} 1-1 f v`],
    [`XREAD BLOCK 9007199254740991 STREAMS ${here} $`, `XADD ${here} 1-1 f v`],
  ]

  for (const [wait, end] of LONG_WAITS) {
    it(`row 79: ${wait} waits, and no timer complains`, async () => {
      const warnings: Error[] = []
      const note = (warning: Error): unknown => warnings.push(warning)
      process.on('warning', note)
      write(client, wait)
      await blocked(1)
      // A timer that fires at once would have done so: several turns later, after a round trip.
      await send(other, `EXISTS ${here}`)
      process.off('warning', note)
      expect(warnings.map(({ name }) => name)).to.deep.equal([])
      expect(client.unreadBytes).to.equal(0)
      await send(other, end)
      expect((await texts(client, 1))[0]).to.include('\r\nv\r\n')
    })
  }

  it('row 79: WAIT waits beyond 2^31 ms for replicas that there are not, and no timer complains', async () => {
    const warnings: Error[] = []
    const note = (warning: Error): unknown => warnings.push(warning)
    process.on('warning', note)
    await send(client, `SET ${here} v`)
    write(client, 'WAIT 1 2147483648')
    await blocked(1)
    await send(other, `EXISTS ${here}`)
    process.off('warning', note)
    expect(warnings.map(({ name }) => name)).to.deep.equal([])
    expect(client.unreadBytes).to.equal(0)
    await client.close()
  })

  it('XREADGROUP waits for what is new to its group', async () => {
    await send(client, `XGROUP CREATE ${here} g $ MKSTREAM`)
    write(client, `XREADGROUP GROUP g c BLOCK 0 STREAMS ${here} >`)
    await blocked(1)
    await send(other, `XADD ${here} 1-1 f v`)
    expect((await texts(client, 1))[0]).to.include('1-1')
  })

  it('are answered as in Redis when the time is up', async () => {
    const answers = await send(
      client,
      `BLPOP ${here} 0.01`,
      `BLMOVE ${here} ${hereToo} LEFT LEFT 0.01`,
      `BZPOPMIN ${here} 0.01`,
      `XREAD BLOCK 10 STREAMS ${here} $`,
      'HELLO 3',
      `BLPOP ${here} 0.01`,
    )
    expect(answers.slice(0, 4)).to.deep.equal(['*-1\r\n', '*-1\r\n', '*-1\r\n', '*-1\r\n'])
    expect(answers[5]).to.equal('_\r\n')
  })

  it('do not wait when there is something', async () => {
    expect(
      await send(client, `RPUSH ${here} a b`, `BLPOP ${here} 0`, `BRPOP ${here} 0`),
    ).to.deep.equal([
      ':2\r\n',
      `*2\r\n$${here.length}\r\n${here}\r\n$1\r\na\r\n`,
      `*2\r\n$${here.length}\r\n${here}\r\n$1\r\nb\r\n`,
    ])
  })

  it('refuse keys of two shards, unless they only pop or read', async () => {
    expect(
      await send(
        client,
        `BLMOVE ${here} ${elsewhere} LEFT LEFT 0`,
        `BRPOPLPUSH ${here} ${elsewhere} 0`,
        'PING',
      ),
    ).to.deep.equal([CROSSSLOT_LINE, CROSSSLOT_LINE, '+PONG\r\n'])
  })

  it('make the later commands of their client wait, and only those', async () => {
    write(client, `BLPOP ${here} 0`, `SET ${elsewhere} after`, 'PING')
    await blocked(1)
    expect(
      await send(other, `EXISTS ${elsewhere}`, `SET ${hereToo} v`, `GET ${hereToo}`),
    ).to.deep.equal([':0\r\n', '+OK\r\n', '$1\r\nv\r\n'])
    expect(client.unreadBytes).to.equal(0)
    await send(other, `RPUSH ${here} v`)
    expect((await texts(client, 3)).slice(1)).to.deep.equal(['+OK\r\n', '+PONG\r\n'])
  })

  const leaving = { 'by reset': 'reset', 'by FIN': 'halfClose' } as const
  for (const [how, leave] of Object.entries(leaving)) {
    it(`pop nothing for a client that has left ${how} (row 53)`, async () => {
      write(client, `BLPOP ${here} 0`, `BLPOP ${hereToo} 0`)
      await blocked(1)
      client[leave]()
      await blocked(0)
      expect(await send(other, `RPUSH ${here} v`, `LLEN ${here}`)).to.deep.equal([
        ':1\r\n',
        ':1\r\n',
      ])
    })
  }

  it('pop nothing for a client that has been killed', async () => {
    const [, id = ''] = /:(\d+)/.exec((await send(client, 'CLIENT ID'))[0] ?? '') ?? []
    write(client, `BLPOP ${here} 0`)
    await blocked(1)
    expect(await send(other, `CLIENT KILL ID ${id}`)).to.deep.equal([':1\r\n'])
    await client.closed()
    await blocked(0)
    expect(await send(other, `RPUSH ${here} v`, `LLEN ${here}`)).to.deep.equal([':1\r\n', ':1\r\n'])
  })

  it('end when another client says so', async () => {
    const [, id = ''] = /:(\d+)/.exec((await send(client, 'CLIENT ID'))[0] ?? '') ?? []
    for (const [how, answer] of [
      ['TIMEOUT', '*-1\r\n'],
      ['ERROR', '-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n'],
    ]) {
      write(client, `BLPOP ${here} 0`)
      await blocked(1)
      expect(await send(other, `CLIENT UNBLOCK ${id} ${how}`)).to.deep.equal([':1\r\n'])
      expect(await texts(client, 1)).to.deep.equal([answer])
    }
    expect(await send(other, `CLIENT UNBLOCK ${id}`)).to.deep.equal([':0\r\n'])
  })

  it('lose and double nothing when 200 clients wait and 50 of them leave', async () => {
    const waiting = await Promise.all(
      Array.from({ length: 200 }, () => shards.ambassador.connect()),
    )
    for (const each of waiting) write(each, `BLPOP ${here} 0`)
    await blocked(200)
    for (const each of waiting.splice(0, 50)) each.reset()
    await blocked(150)
    for (let i = 0; i < 150; i++) write(other, `RPUSH ${here} v${i}`, `SET ${elsewhere} ${i}`)
    await other.replies(300)
    const popped = await Promise.all(waiting.map(async (each) => (await texts(each, 1))[0]))
    expect(new Set(popped).size).to.equal(150)
    expect(await send(other, `LLEN ${here}`)).to.deep.equal([':0\r\n'])
  })

  it('say so when the shard dies, and not when another does (row 53)', async () => {
    write(client, `BLPOP ${here} 0`)
    const patient = await shards.ambassador.connect()
    write(patient, `BLPOP ${elsewhere} 0`)
    await blocked(1)
    await shards.redises[0]?.kill()
    expect(await texts(client, 1)).to.deep.equal([
      '-ERR ambassador: shard a connection lost (may have executed)\r\n',
    ])
    await shards.redises[0]?.restart()
    shard = await connectRaw(shards.redises[0]?.port ?? 0)
    await send(other, `RPUSH ${elsewhere} v`)
    expect((await texts(patient, 1))[0]).to.include('v')
    while (!(await send(other, `EXISTS ${here}`))[0]?.startsWith(':'));
  })

  it('WAIT answers the least of all shards, at once for 0 replicas and in time otherwise', async () => {
    expect(await send(client, `SET ${here} v`, 'WAIT 0 0', 'WAIT 1 20', 'PING')).to.deep.equal([
      '+OK\r\n',
      ':0\r\n',
      ':0\r\n',
      '+PONG\r\n',
    ])
  })
})
