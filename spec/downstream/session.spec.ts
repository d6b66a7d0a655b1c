/** What a session decides by itself, without a socket: how much may be in flight, and what is too much. */
import type net from 'node:net'
import { expect } from 'chai'
import { SoleClient } from '../../lib/downstream/flow/sole-client.ts'
import { Session } from '../../lib/downstream/session.ts'
import {
  CLIENT_OUTPUT_BYTES_MAX,
  WINDOW_ALONE_MS,
  WINDOW_REQUESTS_MAX,
  WINDOW_REQUESTS_NEAR_MAX,
} from '../../lib/limits.ts'
import { Stats } from '../../lib/stats/stats.ts'
import { FakeTarget } from '../support/fake-target.ts'
import { encodeRequest, latin1 } from '../support/frames.ts'
import { ManualTurn } from '../support/manual-turn.ts'

const PART_BYTES = 64 * 1024

class FakeSocket extends FakeTarget {
  destroyed = false

  on(): void {}
  pause(): void {}
  resume(): void {}
  end(): void {}

  destroy(): void {
    this.destroyed = true
  }
}

describe('Session', () => {
  let manual: ManualTurn
  let stats: Stats
  let soleClient: SoleClient

  beforeEach(() => {
    manual = new ManualTurn()
    stats = new Stats(manual.turn)
    soleClient = new SoleClient()
  })

  /** A session whose requests wait for `reply`. */
  function start(id: number) {
    const session = new Session(id, manual.turn, stats, soleClient)
    const socket = new FakeSocket()
    const tickets: number[] = []
    const handler = { handle: () => tickets.push(session.open()), closed: () => {} }
    session.start(socket as unknown as net.Socket, handler, () => {})
    const ask = (times: number): void => {
      const requests = latin1(encodeRequest('GET', 'k').toString('latin1').repeat(times))
      session.onBytes(requests, requests.length)
    }
    return { session, socket, tickets, ask }
  }

  function pass(ms: number): void {
    while (manual.scheduled > 0) manual.end()
    manual.nowMs += ms
  }

  /** The most that were in flight while `times` requests came in at once. */
  function flood({ session, tickets, ask }: ReturnType<typeof start>, times: number): number {
    const reply = latin1('+OK\r\n')
    let most = 0
    ask(times)
    while (session.inFlight > 0) {
      most = Math.max(most, session.inFlight)
      for (const ticket of tickets.splice(0)) session.reply(ticket, reply, 0, reply.length, true)
      manual.end()
    }
    return most
  }

  it('gives the full window to a client that is alone, and to none that others wait behind', () => {
    const [flooder, other] = [start(1), start(2)]
    pass(1000)
    expect(flood(flooder, 3000)).to.equal(WINDOW_REQUESTS_NEAR_MAX)
    pass(WINDOW_ALONE_MS)
    expect(flood(flooder, 3000)).to.equal(WINDOW_REQUESTS_MAX)
    flood(other, 1)
    expect(flood(flooder, 3000)).to.equal(WINDOW_REQUESTS_NEAR_MAX)
    pass(WINDOW_ALONE_MS - 1)
    flood(other, 1)
    expect(flood(flooder, 3000)).to.equal(WINDOW_REQUESTS_NEAR_MAX)
  })

  it('lets one reply through that is larger than all that may wait, and no other after it', () => {
    const { session, socket, tickets, ask } = start(1)
    ask(3)
    const [first, second, third] = tickets as [number, number, number]
    const part = Buffer.alloc(PART_BYTES, 'v')
    // It waits for its turn, in parts.
    const parts = 2 * (CLIENT_OUTPUT_BYTES_MAX / PART_BYTES)
    for (let i = 0; i < parts; i++) session.reply(second, part, 0, part.length, i === parts - 1)
    expect([session.closed, session.outputBytes]).to.deep.equal([false, parts * PART_BYTES])
    session.reply(third, part, 0, part.length, true)
    expect([session.closed, socket.destroyed]).to.deep.equal([true, true])
    session.reply(first, part, 0, part.length, true)
    expect(session.outputBytes).to.equal(0)
  })

  it('counts no error because the middle of a value looks like one, sent or dropped', () => {
    const { session, tickets, ask } = start(1)
    for (const drops of [false, true]) {
      if (drops) session.muting.off()
      ask(2)
      const [first, second] = tickets.splice(0) as [number, number]
      const [start, middle, end] = ['$9\r\n1234', '-not', '!\r\n'].map(latin1) as Buffer[]
      // The second waits for its turn.
      for (const ticket of [second, first]) {
        for (const part of [start, middle, end] as Buffer[]) {
          session.reply(ticket, part, 0, part.length, part === end)
        }
      }
      expect([session.inFlight, stats.errors.shard]).to.deep.equal([0, 0])
    }
    ask(1)
    const error = latin1('-WRONGTYPE\r\n')
    session.reply(tickets[0] as number, error, 0, error.length, true)
    expect(stats.errors.shard).to.equal(1)
  })
})
