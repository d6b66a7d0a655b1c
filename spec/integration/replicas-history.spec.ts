/**
 * What docs/replicas.md promises, held by a checker while replicas hang, die, come back and are promoted:
 * no session reads less than it has written, and none goes back.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { type AmbassadorUnderTest, startAmbassadorFor } from '../support/ambassador.ts'
import { LogLines } from '../support/log-lines.ts'
import type { RawClient } from '../support/raw-client.ts'
import type { RedisServer } from '../support/redis-server.ts'
import { startReplicated, tell } from '../support/replicated.ts'
import { startSentinels } from '../support/sentinels.ts'
import { until } from '../support/until.ts'

/** How long one of the clients below goes on before it stops to think, requests. */
const BURST = 40

class History {
  /** What went against the promise, in words. */
  readonly breaches: string[] = []
  /** Errors that clients have got. */
  readonly errors: string[] = []
  reads = 0
  isOver = false
  readonly #ambassador: AmbassadorUnderTest

  constructor(ambassador: AmbassadorUnderTest) {
    this.#ambassador = ambassador
  }

  /** Counts up for all to see, without a pause. */
  async count(): Promise<void> {
    const client = await this.#ambassador.connect()
    while (!this.isOver) await this.#number(client, 'INCR', 'all')
  }

  /** Reads what `count` writes: never less than before. */
  async watch(): Promise<void> {
    const client = await this.#ambassador.connect()
    let last = 0
    while (!this.isOver) {
      for (let i = 0; i < BURST; i++) {
        const now = await this.#number(client, 'GET', 'all')
        if (now === undefined) continue
        if (now < last) this.breaches.push(`${last} was read, then ${now}`)
        last = Math.max(last, now)
      }
      await pause(Math.random() * 20)
    }
  }

  /** Writes now and then a key of its own, and reads it again and again. */
  async write(name: string): Promise<void> {
    const client = await this.#ambassador.connect()
    let written = 0
    while (!this.isOver) {
      written = (await this.#number(client, 'INCR', name)) ?? written
      for (let i = 0; i < BURST; i++) {
        const now = await this.#number(client, 'GET', name)
        if (now !== undefined && now < written)
          this.breaches.push(`${written} was written, then ${now} read`)
      }
      await pause(Math.random() * 300)
    }
  }

  /** Undefined for an error. */
  async #number(client: RawClient, ...words: string[]): Promise<number | undefined> {
    const reply = String(await client.request(...words))
    if (reply.startsWith('-')) {
      this.errors.push(reply.trimEnd())
      // Of a request that failed nothing is known.
      await pause(5)
      return undefined
    }
    this.reads++
    return Number(/(\d+)\r\n$/.exec(reply)?.[1] ?? 0)
  }
}

async function readsOf(ports: readonly number[]): Promise<number> {
  const stats = await Promise.all(ports.map((port) => tell(port, 'INFO', 'commandstats')))
  return stats.reduce(
    (sum, text) => sum + Number(/cmdstat_get:calls=(\d+)/.exec(text)?.[1] ?? 0),
    0,
  )
}

/** By what the log has said last of the replica. */
function serves({ lines }: LogLines, server: RedisServer | undefined): boolean {
  const replica = `127.0.0.1:${server?.port}`
  const about = lines.filter(({ facts }) => 'replica' in facts && facts.replica === replica)
  return about.at(-1)?.message === 'replica is read from'
}

for (const readFrom of ['prefer-replica', 'replica', 'nearest']) {
  describe(`a history of reads with readFrom ${readFrom}`, () => {
    it('keeps its promise while replicas hang, die and come back (row 89)', async () => {
      const world = await startReplicated(2)
      const log = new LogLines()
      const flags = { readFrom, readAfterWriteMs: '100', requestTimeoutMs: '1000' }
      const ambassador = await startAmbassadorFor([world.shard], flags, log)
      const [first, second] = world.replicas
      try {
        await until(() => serves(log, first) && serves(log, second))
        const history = new History(ambassador)
        const clients = [history.count(), history.watch(), history.watch(), history.watch()]
        for (const name of ['w0', 'w1', 'w2']) clients.push(history.write(name))
        await until(() => history.reads > 2000)
        await first?.kill('SIGSTOP')
        await pause(800)
        await first?.kill('SIGCONT')
        const before = history.reads
        await until(() => serves(log, first) && history.reads > before + 2000)
        await second?.kill()
        await second?.restart()
        const after = history.reads
        await until(() => serves(log, second) && history.reads > after + 2000)
        history.isOver = true
        await Promise.all(clients)
        expect(history.breaches).to.deep.equal([])
        expect(history.errors).to.deep.equal([])
        // Which server is the nearest is for the machine to say: it may be the master.
        if (readFrom === 'nearest') return
        expect(await readsOf(world.replicas.map(({ port }) => port))).to.be.above(0)
      } finally {
        await ambassador.stop()
        await world.stop()
      }
    })
  })
}

describe('reads from the replicas of a master that sentinels move', () => {
  it('go on through a failover, leave the heir, and find the replicas of the new master', async () => {
    const world = await startSentinels({ masters: { alpha: 2 } })
    const log = new LogLines()
    const flags = {
      readFrom: 'prefer-replica',
      readAfterWriteMs: '100',
      sentinels: world.addresses,
    }
    const ambassador = await startAmbassadorFor(['redis+sentinel://alpha'], flags, log)
    const served = () =>
      log.lines.filter(({ message }) => message === 'replica is read from').length
    const moves = () =>
      log.lines.filter(({ message }) => message === 'shard has another server').length
    try {
      await until(() => served() === 2)
      const history = new History(ambassador)
      const clients = [history.count(), history.watch(), history.watch(), history.write('w0')]
      await until(() => history.reads > 1000)
      await world.failOver('alpha')
      await until(() => moves() === 2)
      const known = served()
      // The heir is the master; the old master becomes a replica after ten seconds.
      await until(() => served() > known)
      const before = history.reads
      await until(() => history.reads > before + 1000)
      history.isOver = true
      await Promise.all(clients)
      expect(history.breaches).to.deep.equal([])
      for (const error of history.errors) {
        expect(error).to.match(/^-ERR ambassador: shard a connection lost \(may have executed\)$/)
      }
    } finally {
      await ambassador.stop()
      await world.stop()
    }
  })
})
