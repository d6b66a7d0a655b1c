/** XREAD BLOCK of streams in several slots of a cluster, and in one, while slots move and masters fail over. */
import { expect } from 'chai'
import { encodeRequest } from '../../support/frames.ts'
import { shareSlots } from '../../support/shared-slots.ts'
import { until } from '../../support/until.ts'

/** Names of streams, and ids of entries. */
const WORDS = /\r\n(streams:\S+)\r\n|\r\n(\d+-0)\r\n/g

const ENTRIES = 600
const GROUP_ENTRIES = 150

/** Three slots move while they are written to. */
const MOVE_EACH = 200

describe('XREAD BLOCK of streams in several slots', () => {
  const slots = shareSlots('streams')

  beforeEach(async () => {
    for (const key of slots.keys) await add(key, '1-1')
  })

  async function add(key: string, id: string): Promise<void> {
    const reply = String(await slots.other.request('XADD', key, id, 'f', 'v'))
    expect(reply).to.equal(`$${id.length}\r\n${id}\r\n`)
  }

  const entry = (key: string, id: string): string =>
    `*1\r\n*2\r\n$${key.length}\r\n${key}\r\n*1\r\n*2\r\n$${id.length}\r\n${id}\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n`

  /** Begins to wait for what comes behind the ends of these streams. */
  async function begin(...streams: readonly string[]): Promise<void> {
    const ends = streams.map(() => '$')
    slots.client.write(encodeRequest('XREAD', 'BLOCK', '0', 'STREAMS', ...streams, ...ends))
    await until(async () =>
      String(await slots.other.request('CLIENT', 'LIST')).includes(' flags=b '),
    )
  }

  async function replyIs(key: string, id: string): Promise<void> {
    expect(String(await slots.client.reply())).to.equal(entry(key, id))
  }

  it('reads what is there, and what comes to any of them', async () => {
    const [A = '', B = '', C = ''] = slots.keys
    const request = ['XREAD', 'BLOCK', '0', 'STREAMS', A, B, C, '1-1', '0', '1-1']
    expect(String(await slots.client.request(...request))).to.equal(entry(B, '1-1'))
    for (const key of slots.keys) {
      await begin(A, B, C)
      await add(key, '2-1')
      await replyIs(key, '2-1')
    }
    const late = ['XREAD', 'BLOCK', '10', 'STREAMS', A, B, '$', '$']
    expect(String(await slots.client.request(...late))).to.equal('*-1\r\n')
  })

  it('waits on at the new owner of a slot, and while the slot is open', async () => {
    const [A = ''] = slots.keys
    await begin(...slots.keys)
    await slots.cluster.moveSlot(await slots.cluster.slotOf(A), await slots.elsewhere(A))
    await add(A, '2-1')
    await replyIs(A, '2-1')
    await begin(...slots.keys)
    const open = await slots.cluster.openSlot(
      await slots.cluster.slotOf(A),
      await slots.elsewhere(A),
    )
    await open.moveKeys()
    await add(A, '3-1')
    await replyIs(A, '3-1')
    await open.finish()
  })

  it('waits on at the heir of a master that hands over', async () => {
    const [A = ''] = slots.keys
    await begin(...slots.keys)
    await slots.cluster.failOver(await slots.cluster.ownerOfKey(A))
    await add(A, '2-1')
    await replyIs(A, '2-1')
  })

  it('waits on in one slot at the heir of a master that dies, from where the stream ended', async () => {
    const [A = ''] = slots.keys
    const owner = await slots.cluster.ownerOfKey(A)
    const replicas = await slots.cluster.replicasOf(owner)
    await begin(A)
    await until(async () => (await owner.text('INFO', 'clients')).includes('blocked_clients:1\r\n'))
    await owner.kill()
    await slots.cluster.untilReplaced(owner, replicas)
    await add(A, '2-1')
    await replyIs(A, '2-1')
    await owner.start()
  })

  it('tells every reader all entries, each stream in its order, while slots move', async () => {
    const seen = [2, 3].map(() => new Map(slots.keys.map((key): [string, string[]] => [key, []])))
    const reading = seen.map(async (streams) => {
      const own = await slots.ambassador.connect()
      const total = (): number => [...streams.values()].reduce((sum, ids) => sum + ids.length, 0)
      while (total() < ENTRIES) {
        const ids = [...streams.values()].map((ids) => ids.at(-1) ?? '1-1')
        const request = ['XREAD', 'COUNT', '7', 'BLOCK', '0', 'STREAMS', ...slots.keys, ...ids]
        let key = ''
        for (const [, name, id] of String(await own.request(...request)).matchAll(WORDS)) {
          key = name ?? key
          if (id !== undefined) streams.get(key)?.push(id)
        }
      }
    })
    let moves = Promise.resolve()
    const written = new Map(slots.keys.map((key): [string, string[]] => [key, []]))
    for (let at = 0; at < ENTRIES; at++) {
      const key = slots.keys[(at * 7) % slots.keys.length] as string
      const moving = slots.keys[at / MOVE_EACH]
      if (moving !== undefined) {
        moves = moves.then(async () => {
          await slots.cluster.moveSlot(
            await slots.cluster.slotOf(moving),
            await slots.elsewhere(moving),
          )
        })
      }
      await add(key, `${at + 2}-0`)
      written.get(key)?.push(`${at + 2}-0`)
    }
    await Promise.all([moves, ...reading])
    for (const streams of seen) {
      expect(Object.fromEntries(streams)).to.deep.equal(Object.fromEntries(written))
    }
  })

  it('gives each entry to one consumer of a group, while slots move', async () => {
    for (const key of slots.keys) await slots.other.request('XGROUP', 'CREATE', key, 'g', '$')
    const got: string[] = []
    const consumers = [1, 2].map(async (consumer) => {
      const own = await slots.ambassador.connect()
      const ends = slots.keys.map(() => '>')
      const start = ['XREADGROUP', 'GROUP', 'g', `c${consumer}`, 'COUNT', '3', 'BLOCK', '200']
      while (got.length < GROUP_ENTRIES) {
        const reply = String(await own.request(...start, 'STREAMS', ...slots.keys, ...ends))
        got.push(...[...reply.matchAll(/\r\n(\d+-0)\r\n/g)].map(([, id = '']) => id))
      }
    })
    const ids = Array.from({ length: GROUP_ENTRIES }, (_, at) => `${at + 2}-0`)
    let moves = Promise.resolve()
    for (const [at, id] of ids.entries()) {
      const moving = slots.keys[at / (GROUP_ENTRIES / slots.keys.length)]
      if (moving !== undefined) {
        moves = moves.then(async () => {
          await slots.cluster.moveSlot(
            await slots.cluster.slotOf(moving),
            await slots.elsewhere(moving),
          )
        })
      }
      await add(slots.keys[at % slots.keys.length] as string, id)
    }
    await Promise.all([moves, ...consumers])
    expect(got.sort()).to.deep.equal(ids.sort())
  })
})
