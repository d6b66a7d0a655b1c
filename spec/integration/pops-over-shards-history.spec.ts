/**
 * Elements that many clients push and pop over three shards, while some of those who wait leave, run out of time
 * or are unblocked: every element is popped once at most, and none is lost but those that were popped for a
 * client in the moment of its end. SPEC_POPS has more of them; SPEC_SEED repeats a run.
 */
import { expect } from 'chai'
import { http } from '../support/http.ts'
import { pipeline, send } from '../support/pipeline.ts'
import { createRandom, type Random, specSeed } from '../support/random.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { shareShards } from '../support/shared-shards.ts'
import { until } from '../support/until.ts'

const ELEMENTS = Number(process.env['SPEC_POPS'] ?? 3000)
const WRITERS = 3
const WORKERS = 12
const RIVALS = 3
/** Between two moments at which a shard closes all its connections, milliseconds. */
const CUT_MS = 100
/** On all shards. */
const LISTS = ['l1', 'l2', 'l3', 'l4', 'l5', 'l6']
const SETS = ['z1', 'z2', 'z3', 'z4', 'z5', 'z6']

/** How a wait may end before its time. */
type Cut = 'unblock' | 'halfClose' | 'reset'

describe('elements pushed and popped over three shards', function () {
  this.timeout(60_000 + 2 * ELEMENTS)
  const shards = shareShards(3, { adminListen: '127.0.0.1:0' })
  let random: Random
  let isOver: boolean
  let popped: string[]
  /** Pushed perhaps. */
  let doubtful: Set<string>
  let counts: Record<'replies' | 'late' | 'unblocked' | 'unanswered' | 'refused' | 'maybe', number>

  beforeEach(() => {
    random = createRandom(specSeed())
    isOver = false
    popped = []
    doubtful = new Set()
    counts = { replies: 0, late: 0, unblocked: 0, unanswered: 0, refused: 0, maybe: 0 }
  })

  it('row 106: are popped once each, while clients run out of time and are unblocked', async () => {
    await play(['unblock'])
    expect(ELEMENTS - popped.length, told()).to.equal(0)
  })

  it('row 106: are popped once each, while clients leave by FIN: what is lost is counted', async () => {
    const before = await counted()
    await play(['halfClose'])
    expect(ELEMENTS - popped.length, told()).to.equal((await counted()) - before)
  })

  it('row 106: are popped once each, while clients leave by reset, each with one at most', async () => {
    await play(['unblock', 'halfClose', 'reset'])
    expect(ELEMENTS - popped.length, told()).to.be.at.most(counts.unanswered)
  })

  it('row 110: are popped once each, while connections to shards are cut: what is lost was told', async () => {
    const cutters = await Promise.all(shards.redises.map(({ port }) => connectRaw(port)))
    const cutting = setInterval(() => {
      const cutter = random.pick(cutters)
      cutter.write(pipeline(['CLIENT KILL TYPE normal']))
    }, CUT_MS)
    await play(['unblock'], 0, () => clearInterval(cutting))
    for (const cutter of cutters) await cutter.close()
    const missing = ELEMENTS - new Set([...popped, ...doubtful]).size
    expect(missing, told()).to.be.at.most(counts.maybe)
    expect(counts.refused + counts.maybe).to.be.at.least(1)
  })

  /** Until nothing is left; no element was popped twice. */
  async function play(
    cuts: readonly Cut[],
    rivalCount = RIVALS,
    isWritten = (): void => {},
  ): Promise<void> {
    const workers = Array.from({ length: WORKERS }, () => work(cuts))
    const rivals = Array.from({ length: rivalCount }, (_, at) => rival(at))
    await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)))
    isWritten()
    const looking = await shards.ambassador.connect()
    await until(async () => (await left(looking)) === 0)
    isOver = true
    await Promise.all([...workers, ...rivals])
    if (process.env['SPEC_POPS'] !== undefined) process.stdout.write(`      ${told()}\n`)
    expect(popped.length, told()).to.equal(new Set(popped).size)
  }

  const told = (): string =>
    `seed ${random.seed}: ${popped.length} popped, ${JSON.stringify(counts)}`

  async function write(writer: number): Promise<void> {
    const client = await shards.ambassador.connect()
    for (let at = writer; at < ELEMENTS; at += WRITERS) {
      const id = `e${at}`
      const push = `${random.pick(['LPUSH', 'RPUSH'])} ${random.pick(LISTS)} ${id}`
      const line = at % 3 === 0 ? `ZADD ${random.pick(SETS)} ${at} ${id}` : push
      let [reply = ''] = await send(client, line)
      while (reply.startsWith('-') && !reply.includes('may have executed')) {
        reply = (await send(client, line))[0] ?? ''
      }
      if (reply.startsWith('-')) doubtful.add(id)
    }
  }

  async function work(cuts: readonly Cut[]): Promise<void> {
    while (!isOver) {
      const client = await shards.ambassador.connect(random.pick([2, 3]))
      let isHere = true
      while (isHere && !isOver) isHere = await popOnce(client, cuts)
      await client.close()
    }
  }

  /** Whether the client is still there. */
  async function popOnce(client: RawClient, cuts: readonly Cut[]): Promise<boolean> {
    const id = (await send(client, 'CLIENT ID'))[0]?.slice(1).trim()
    client.write(pipeline([popOf(random)]))
    const replying = client.reply().then(
      (reply) => note(String(reply)),
      () => {
        counts.unanswered++
      },
    )
    const cut = random.integer(0, 3) === 0 ? random.pick(cuts) : undefined
    if (cut !== undefined) await new Promise((go) => setTimeout(go, random.integer(0, 4)))
    if (cut === 'unblock') {
      const unblocker = await shards.ambassador.connect()
      const [unblocked] = await send(unblocker, `CLIENT UNBLOCK ${id}`)
      counts.unblocked += Number(unblocked?.slice(1))
      await unblocker.close()
    } else if (cut !== undefined) {
      client[cut]()
    }
    await replying
    return cut === undefined || cut === 'unblock'
  }

  /** Waits at one shard, the first of them without the ambassador. */
  async function rival(at: number): Promise<void> {
    const port = shards.redises[at]?.port as number
    const client = at === 0 ? await connectRaw(port) : await shards.ambassador.connect()
    const keys = at === 0 ? LISTS.join(' ') : LISTS[at]
    while (!isOver) note((await send(client, `BLPOP ${keys} 0.05`))[0] ?? '')
    await client.close()
  }

  function note(reply: string): void {
    counts.replies++
    if (reply.startsWith('-')) {
      expect(reply).to.match(/\((?:not sent|not executed|may have executed)\)\r\n$/)
      counts[reply.includes('may have executed') ? 'maybe' : 'refused']++
      return
    }
    const ids = reply.match(/\r\ne\d+\r\n/g)
    if (ids === null) counts.late++
    else popped.push(...ids.map((id) => id.trim()))
  }

  async function left(client: RawClient): Promise<number> {
    const lines = [...LISTS.map((key) => `LLEN ${key}`), ...SETS.map((key) => `ZCARD ${key}`)]
    const replies = await send(client, ...lines)
    return replies.reduce((sum, reply) => sum + Number(reply.slice(1)), 0)
  }

  /** Elements that the ambassador says it has popped for clients that had left. */
  async function counted(): Promise<number> {
    const { body } = await http({ port: shards.ambassador.adminPort, path: '/metrics' })
    return Number(/^ambassador_pops_lost_total (\d+)$/m.exec(body)?.[1])
  }
})

/** One element at a time, so that a client that leaves costs one at most. */
function popOf(random: Random): string {
  const timeout = random.pick(['0.01', '0.05', '0.2'])
  const shuffled = (keys: readonly string[]): string =>
    [...keys].sort(() => random.next() - 0.5).join(' ')
  const lists = shuffled(LISTS)
  const sets = shuffled(SETS)
  return random.pick([
    `BLPOP ${lists} ${timeout}`,
    `BRPOP ${lists} ${timeout}`,
    `BLMPOP ${timeout} ${LISTS.length} ${lists} LEFT`,
    `BZPOPMIN ${sets} ${timeout}`,
    `BZPOPMAX ${sets} ${timeout}`,
    `BZMPOP ${timeout} ${SETS.length} ${sets} MAX COUNT 1`,
  ])
}
