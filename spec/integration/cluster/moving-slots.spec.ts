/** Slots of a real cluster that move while clients use them, each test aimed at the slot that is open. */
import { createHash } from 'node:crypto'
import { expect } from 'chai'
import type { AmbassadorUnderTest } from '../../support/ambassador.ts'
import { type Cluster, startCluster } from '../../support/cluster.ts'
import { startAmbassadorForCluster } from '../../support/cluster-ambassador.ts'
import type { ClusterServer } from '../../support/cluster-server.ts'
import { encodeRequest } from '../../support/frames.ts'
import type { RawClient } from '../../support/raw-client.ts'
import { until } from '../../support/until.ts'

/** Of `{move}`. */
const KEYS = 200

describe('slots that move', () => {
  let cluster: Cluster
  let ambassador: AmbassadorUnderTest
  let client: RawClient
  let slot: number

  before(async () => {
    cluster = await startCluster({ masters: 3, serverArgs: ['--enable-debug-command', 'yes'] })
    ambassador = await startAmbassadorForCluster(cluster.addresses)
    client = await ambassador.connect()
    slot = await cluster.slotOf('{move}')
  })

  after(async () => {
    await ambassador.stop()
    await cluster.stop()
  })

  async function ask(...words: string[]): Promise<string> {
    return (await client.request(...words)).toString()
  }

  /** Where the slot is, and where it is not. */
  async function sides(): Promise<{ from: ClusterServer; to: ClusterServer }> {
    // A server that was no part of the last move hears of it a moment later.
    await cluster.settled()
    const from = await cluster.ownerOf(slot)
    const to = (await cluster.masters()).find((each) => each !== from)
    return { from, to: to as ClusterServer }
  }

  it('are followed to their new owner', async () => {
    await ask('SET', '{move}k', '1')
    await cluster.moveSlot(slot, (await sides()).to)
    expect(await ask('INCR', '{move}k')).to.equal(':2\r\n')
    expect(await ask('INCR', '{move}k')).to.equal(':3\r\n')
  })

  it('serve keys on both sides while they are open', async () => {
    for (let i = 0; i < 10; i++) await ask('SET', `{move}${i}`, `${i}`)
    const open = await cluster.openSlot(slot, (await sides()).to)
    await open.moveKeys(5)
    for (let i = 0; i < 10; i++) expect(await ask('GET', `{move}${i}`)).to.contain(`\r\n${i}\r\n`)
    expect(await ask('SET', '{move}new', 'n')).to.equal('+OK\r\n')
    expect(await open.to.ask('CLUSTER', 'COUNTKEYSINSLOT', `${slot}`)).to.not.equal('0')
    await open.finish()
    expect(await ask('GET', '{move}new')).to.contain('n')
  })

  it('let a command of two keys wait until both are on one side', async () => {
    await ask('MSET', '{move}a', '1', '{move}b', '2')
    const open = await cluster.openSlot(slot, (await sides()).to)
    await open.moveKeys(1)
    const reply = client.request('MGET', '{move}a', '{move}b')
    const otherClient = await ambassador.connect()
    // Nobody waits behind it.
    expect((await otherClient.request('SET', 'elsewhere', '1')).toString()).to.equal('+OK\r\n')
    await open.finish()
    expect((await reply).toString()).to.equal('*2\r\n$1\r\n1\r\n$1\r\n2\r\n')
  })

  it('are read by MGET of many slots, each value in its place, however many of them move meanwhile', async () => {
    const keys = Array.from({ length: 120 }, (_, i) =>
      i % 8 === 0 ? `{move}many:${i}` : `many:${i}`,
    )
    const values = keys.map((_, i) => `${i}:`.repeat(i % 10 === 0 ? 2000 : i))
    for (const [i, key] of keys.entries()) if (i % 7 > 0) await ask('SET', key, values[i] as string)
    const elements = values.map((value, i) => {
      return i % 7 > 0 ? `$${value.length}\r\n${value}\r\n` : '$-1\r\n'
    })
    const expected = `*${keys.length}\r\n${elements.join('')}`
    const others = await Promise.all(keys.slice(1, 4).map((key) => cluster.slotOf(key)))
    let isOver = false
    const reading = (async () => {
      const reader = await ambassador.connect()
      let count = 0
      for (; !isOver; count++) {
        const replies = [reader.request('MGET', ...keys), reader.request('MGET', ...keys)]
        for (const reply of await Promise.all(replies)) {
          if (reply.toString('latin1') !== expected) throw new Error(`MGET ${count}: ${reply}`)
        }
      }
      return count
    })()
    const open = await cluster.openSlot(slot, (await sides()).to)
    for (const other of others) {
      const owner = await cluster.ownerOf(other)
      const to = (await cluster.masters()).find((each) => each !== owner) as ClusterServer
      await cluster.moveSlot(other, to)
    }
    await open.finish()
    isOver = true
    expect(await reading).to.be.greaterThan(0)
  })

  it('are followed by the scripts of a pipeline', async () => {
    const script = "return redis.call('APPEND', KEYS[1], ARGV[1])"
    const sha = createHash('sha1').update(script).digest('hex')
    const pipeline = (key: string): Promise<Buffer[]> => {
      const requests = ['1', '2', '3'].map((text) => encodeRequest('EVALSHA', sha, '1', key, text))
      client.write(Buffer.concat(requests))
      return Promise.all(requests.map(() => client.reply()))
    }
    const lengths = (replies: readonly Buffer[]): string => replies.join('')
    const { from, to } = await sides()
    expect(await ask('EVAL', script, '1', '{move}script', '0')).to.equal(':1\r\n')
    const open = await cluster.openSlot(slot, to)
    // Its key is absent: the node that gets the slot is asked behind ASKING, and does not know the script.
    expect(lengths(await pipeline('{move}asked'))).to.equal(':1\r\n:2\r\n:3\r\n')
    await open.finish()
    // Nor does the third, to which MOVED leads.
    const third = (await cluster.masters()).find((each) => each !== from && each !== to)
    await cluster.settled()
    await cluster.moveSlot(slot, third as ClusterServer)
    expect(lengths(await pipeline('{move}script'))).to.equal(':2\r\n:3\r\n:4\r\n')
    expect(await ask('GET', '{move}script')).to.equal('$4\r\n0123\r\n')
  })

  it('cost no error, lose no write and double none while keys move one by one', async () => {
    const clients = await Promise.all(Array.from({ length: 8 }, () => ambassador.connect()))
    const counts = new Map<string, number>()
    let isOver = false
    const errors: string[] = []
    const load = clients.map(async (each, at) => {
      for (let i = 0; !isOver; i++) {
        const key = `{move}c:${(i * 7 + at) % KEYS}`
        const reply = await each.request('INCR', key)
        if (reply[0] === 0x2d) errors.push(reply.toString())
        else counts.set(key, (counts.get(key) ?? 0) + 1)
      }
    })
    for (let round = 0; round < 3; round++) {
      const open = await cluster.openSlot(slot, (await sides()).to)
      for (let moved = 0; moved < KEYS; moved += 10) await open.moveKeys(10)
      await open.finish()
    }
    isOver = true
    await Promise.all(load)
    expect(errors).to.deep.equal([])
    for (const [key, count] of counts)
      expect(await ask('GET', key), key).to.contain(`\r\n${count}\r\n`)
  })

  it('keep the order of one client, however late the old owner says that they are gone', async () => {
    const scout = await ambassador.connect()
    for (let round = 0; round < 8; round++) {
      const key = `{move}order:${round}`
      const { from, to } = await sides()
      await ask('SET', key, '')
      await cluster.moveSlot(slot, to)
      // The old owner is slow from here on: what it was sent is answered when all is over.
      const asleep = from.ask('DEBUG', 'SLEEP', '0.3')
      client.write(encodeRequest('APPEND', key, '0'))
      const replies = [client.reply()]
      // The map is learnt from another node meanwhile.
      const third = (await cluster.masters()).find((each) => each !== from && each !== to)
      const stranger = await cluster.keyOn(third as ClusterServer, `stranger:${round}`)
      await cluster.moveSlot(await cluster.slotOf(stranger), to)
      await scout.request('GET', stranger)
      await until(async () => {
        const route = await scout.request('AMBASSADOR', 'ROUTE', key)
        return route.toString().includes(to.address)
      })
      for (const text of ['1', '2']) {
        client.write(encodeRequest('APPEND', key, text))
        replies.push(client.reply())
      }
      await Promise.all([asleep, ...replies])
      expect(await ask('GET', key)).to.equal('$3\r\n012\r\n')
    }
  })
})
