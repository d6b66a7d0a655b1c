/** SCAN, KEYS and FLUSHALL over a real cluster whose slots move meanwhile. */
import { expect } from 'chai'
import type { AmbassadorUnderTest } from '../../support/ambassador.ts'
import { type Cluster, startCluster } from '../../support/cluster.ts'
import { startAmbassadorForCluster } from '../../support/cluster-ambassador.ts'
import type { ClusterServer } from '../../support/cluster-server.ts'
import type { RawClient } from '../../support/raw-client.ts'
import { decodeFrames } from '../../support/redis-parser.ts'
import { until } from '../../support/until.ts'

const FILLERS = 300
const KEYS = 60

describe('SCAN while slots move', () => {
  let cluster: Cluster
  let ambassador: AmbassadorUnderTest
  let client: RawClient
  /** In the order in which they are scanned. */
  let first: ClusterServer
  let last: ClusterServer
  /** All in one slot of the last one. */
  let tag: string

  beforeEach(async () => {
    cluster = await startCluster({ masters: 3 })
    const masters = [...(await cluster.masters())].sort((a, b) => (a.id < b.id ? -1 : 1))
    first = masters[0] as ClusterServer
    last = masters[2] as ClusterServer
    ambassador = await startAmbassadorForCluster(cluster.addresses)
    client = await ambassador.connect()
    tag = await cluster.keyOn(last)
    for (let at = 0; at < KEYS; at++) await client.request('SET', key(at), '')
    const filler = await cluster.keyOn(first)
    for (let at = 0; at < FILLERS; at++) await client.request('SET', `{${filler}}${at}`, '')
  })

  afterEach(async () => {
    await ambassador.stop()
    await cluster.stop()
  })

  function key(at: number): string {
    return `{${tag}}${at}`
  }

  /** Scans to the end; `meanwhile` is done once, when the first master is behind the scan. */
  async function scan(meanwhile: () => Promise<void>): Promise<Map<string, number>> {
    const found = new Map<string, number>()
    let cursor = '0'
    let isDone = false
    do {
      const [frame] = decodeFrames(await client.request('SCAN', cursor, 'COUNT', '10'))
      const [next, keys] = frame as [Buffer, Buffer[]]
      cursor = String(next)
      for (const each of keys) found.set(String(each), (found.get(String(each)) ?? 0) + 1)
      if (isDone || [...found.keys()].filter((each) => !each.includes(tag)).length < FILLERS)
        continue
      isDone = true
      await meanwhile()
    } while (cursor !== '0')
    return found
  }

  function missed(found: ReadonlyMap<string, number>): string[] {
    return Array.from({ length: KEYS }, (_, at) => key(at)).filter((each) => !found.has(each))
  }

  it('misses no key of a slot that goes to a master that was done (row 97)', async () => {
    const slot = await cluster.slotOf(tag)
    const found = await scan(() => cluster.moveSlot(slot, first))
    expect(missed(found)).to.deep.equal([])
  })

  it('misses no key of a slot that is half way when it ends', async () => {
    const open = await cluster.openSlot(await cluster.slotOf(tag), first)
    const found = await scan(() => open.moveKeys(KEYS / 2))
    expect(missed(found)).to.deep.equal([])
    await open.finish()
  })

  it('misses no key that goes to a master that has just joined', async () => {
    const found = await scan(async () => {
      const heir = await cluster.addMaster()
      await cluster.moveSlot(await cluster.slotOf(tag), heir)
    })
    expect(missed(found)).to.deep.equal([])
  })

  it('returns each key once, and ends, when nothing moves', async () => {
    const found = await scan(() => Promise.resolve())
    expect(missed(found)).to.deep.equal([])
    expect([...found.values()].every((times) => times === 1)).to.equal(true)
  })
})

const MOVES = 20
/** Long enough that it takes a master a while to hand a hundred of them over. */
const VALUE = 'x'.repeat(10_000)

describe('commands for all keys while a slot goes to and fro', () => {
  let cluster: Cluster
  let ambassador: AmbassadorUnderTest
  let client: RawClient
  let slot: number
  let keys: string[]

  beforeEach(async () => {
    cluster = await startCluster({ masters: 3 })
    ambassador = await startAmbassadorForCluster(cluster.addresses)
    client = await ambassador.connect()
    const [first] = await cluster.masters()
    const tag = await cluster.keyOn(first as ClusterServer)
    slot = await cluster.slotOf(tag)
    keys = Array.from({ length: FILLERS }, (_, at) => `{${tag}}${at}`).sort()
    await fill()
  })

  afterEach(async () => {
    await ambassador.stop()
    await cluster.stop()
  })

  async function fill(): Promise<void> {
    await client.request('MSET', ...keys.flatMap((key) => [key, VALUE]))
  }

  /** Asks again and again until the slot has moved so many times. */
  async function whileItMoves(ask: () => Promise<void>): Promise<void> {
    let isOver = false
    const moves = async (): Promise<void> => {
      for (let move = 0; move < MOVES; move++) {
        const owner = await cluster.ownerOf(slot)
        const [to] = (await cluster.masters()).filter((each) => each !== owner)
        await cluster.moveSlot(slot, to as ClusterServer)
        await cluster.settled()
      }
      isOver = true
    }
    const moving = moves()
    while (!isOver) await ask()
    await moving
  }

  it('KEYS names each key once (row 117)', async () => {
    await whileItMoves(async () => {
      const [found] = decodeFrames(await client.request('KEYS', '*'))
      expect((found as Buffer[]).map(String).sort()).to.deep.equal(keys)
    })
  })

  it('FLUSHALL leaves none (row 117)', async () => {
    for (let move = 0; move < MOVES; move++) {
      await fill()
      const owner = await cluster.ownerOf(slot)
      const [to] = (await cluster.masters()).filter((each) => each !== owner)
      const open = await cluster.openSlot(slot, to as ClusterServer)
      const moving = open.moveKeys()
      await until(async () => Number(await to?.ask('DBSIZE')) > 0, 0)
      expect(String(await client.request('FLUSHALL'))).to.equal('+OK\r\n')
      await moving
      expect(decodeFrames(await client.request('KEYS', '*'))).to.deep.equal([[]])
      await open.finish()
      await cluster.settled()
    }
  })

  it('RANDOMKEY finds one (row 117)', async () => {
    await whileItMoves(async () => {
      const [found] = decodeFrames(await client.request('RANDOMKEY'))
      expect(keys).to.include(String(found))
    })
  })
})
