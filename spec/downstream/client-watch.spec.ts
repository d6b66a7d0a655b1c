import { expect } from 'chai'
import { ClientWatch, type WatchedClient } from '../../lib/downstream/client-watch.ts'
import {
  CLIENT_STALL_MS,
  IMPASSE_MS,
  IMPASSE_MS_MAX,
  PARTIAL_REQUEST_BYTES_PER_SECOND_MIN,
} from '../../lib/limits.ts'
import type { Logger } from '../../lib/logger.ts'
import { newCutOffs } from '../../lib/stats/cut-offs.ts'

class FakeClient implements WatchedClient {
  memoryBytes = 0
  inputBytes = 0
  partialRequest = 0
  unsentBytes = 0
  sentBytes = 0
  restrained = false
  inImpasse = false
  onTheWayBytes = 0
  uploadBytes = 0
  uploadMissingBytes = 0
  hasMoreRoom = false
  givenBytes = 0
  closed = false

  constructor(state: Partial<FakeClient>) {
    Object.assign(this, state)
  }

  giveRoom(bytes: number): void {
    this.givenBytes += bytes
    this.hasMoreRoom = true
  }

  holdUpload(): void {}

  resumeUpload(): void {}

  destroy(): void {
    this.closed = true
  }
}

/** A watch over fakes, with a clock that is set by hand. */
function watchOver(...states: Partial<FakeClient>[]) {
  const clients = states.map((state) => new FakeClient(state))
  const warnings: [object, string][] = []
  const logger: Logger = {
    debug: () => {},
    info: () => {},
    warn: (facts, message) => warnings.push([facts, message]),
    error: () => {},
  }
  const now = { ms: 0 }
  const set = new Set<WatchedClient>(clients)
  const cutOffs = newCutOffs()
  const clock = () => now.ms
  const watch = new ClientWatch({ clients: set, logger, bytesMax: () => 1000, cutOffs, clock })
  const closed = (): number[] => clients.flatMap((client, i) => (client.closed ? [i] : []))
  const lookAt = (ms: number): void => {
    now.ms = ms
    watch.look()
  }
  const leave = (client: FakeClient): void => {
    set.delete(client)
  }
  return { clients, watch, warnings, cutOffs, closed, lookAt, leave }
}

describe('ClientWatch', () => {
  it('forgets clients that left in the middle of a request, or with too much for them', () => {
    const { clients, lookAt, leave, watch } = watchOver(
      { partialRequest: 1 },
      { memoryBytes: 900 },
      { partialRequest: 1 },
    )
    lookAt(0)
    expect(watch.remembered).to.equal(3)
    for (const client of clients.slice(0, 2)) leave(client)
    lookAt(1)
    expect(watch.remembered).to.equal(1)
  })

  describe('memory', () => {
    it('lets everybody be below half of the bound', () => {
      const { clients, watch, closed } = watchOver({ memoryBytes: 499 }, { memoryBytes: 1 })
      expect(watch.look()).to.equal(500)
      expect(clients.map(({ restrained }) => restrained)).to.deep.equal([false, false])
      expect(closed()).to.deep.equal([])
    })

    it('reads no more from those above their share, until a quarter is left', () => {
      const { clients, watch } = watchOver({ memoryBytes: 600 }, { memoryBytes: 100 })
      watch.look()
      expect(clients.map(({ restrained }) => restrained)).to.deep.equal([true, false])
      const [greedy] = clients as [FakeClient]
      greedy.memoryBytes = 200
      watch.look()
      expect(greedy.restrained).to.equal(true)
      greedy.memoryBytes = 150
      watch.look()
      expect(greedy.restrained).to.equal(false)
    })

    it('closes the greediest, no more than needed, and says so', () => {
      const sizes = [300, 500, 200, 400].map((memoryBytes) => ({ memoryBytes }))
      const { watch, warnings, closed } = watchOver(...sizes)
      watch.look()
      expect(closed()).to.deep.equal([1])
      expect(warnings).to.deep.equal([
        [
          { clients: 1, heldBytes: 1400, maxBytes: 1000 },
          'clients closed that held too much memory',
        ],
      ])
    })
  })

  describe('an impasse', () => {
    const stuck = { inImpasse: true, unsentBytes: 9 }

    it('ends with its part of the room that is left, and not before IMPASSE_MS', () => {
      const { clients, lookAt } = watchOver(
        { ...stuck, memoryBytes: 100 },
        { ...stuck, memoryBytes: 50 },
        { unsentBytes: 9 },
      )
      const given = () => clients.map(({ givenBytes }) => givenBytes)
      lookAt(0)
      lookAt(IMPASSE_MS - 1)
      expect(given()).to.deep.equal([0, 0, 0])
      lookAt(IMPASSE_MS)
      expect(given()).to.deep.equal([300, 300, 0])
    })

    it('is none while the client reads', () => {
      const { clients, lookAt } = watchOver(stuck)
      const [client] = clients as [FakeClient]
      for (let look = 0; look < 10; look++) {
        client.sentBytes++
        lookAt(look * IMPASSE_MS)
      }
      expect(client.givenBytes).to.equal(0)
    })

    it('gives a client more room than its share, which is not taken away', () => {
      const { clients, lookAt } = watchOver({ ...stuck, memoryBytes: 600 }, { memoryBytes: 100 })
      lookAt(0)
      lookAt(IMPASSE_MS)
      const [client] = clients as [FakeClient]
      expect([client.givenBytes, client.hasMoreRoom]).to.deep.equal([50, true])
      client.restrained = false
      lookAt(2 * IMPASSE_MS)
      expect(client.restrained).to.equal(false)
    })

    it('without room for IMPASSE_MS_MAX is the end of the client that holds most', () => {
      const { clients, lookAt, closed, warnings, cutOffs } = watchOver(
        { ...stuck, memoryBytes: 300 },
        { ...stuck, memoryBytes: 350 },
        { memoryBytes: 200 },
      )
      lookAt(0)
      lookAt(IMPASSE_MS)
      lookAt(IMPASSE_MS + IMPASSE_MS_MAX - 1)
      expect(closed()).to.deep.equal([])
      lookAt(IMPASSE_MS + IMPASSE_MS_MAX)
      expect(closed()).to.deep.equal([1])
      expect(cutOffs.impasse).to.equal(1)
      expect(warnings).to.deep.equal([
        [
          { heldBytes: 850, maxBytes: 1000 },
          'client closed that sent and did not read, for want of room',
        ],
      ])
      expect(clients.map(({ givenBytes }) => givenBytes)).to.deep.equal([0, 0, 0])
    })
  })

  it('tells the log once of those whom others have closed and counted', () => {
    const { watch, cutOffs, warnings } = watchOver({})
    cutOffs.replies += 2
    watch.look()
    watch.look()
    expect(warnings).to.deep.equal([
      [{ clients: 2, reason: 'had too many bytes of replies waiting' }, 'clients closed'],
    ])
  })

  describe('replies that are not read', () => {
    it('close a client of which nothing was taken for CLIENT_STALL_MS', () => {
      const { clients, lookAt, closed } = watchOver({ unsentBytes: 9 }, { unsentBytes: 9 })
      lookAt(0)
      lookAt(CLIENT_STALL_MS - 1)
      const [, reader] = clients as [FakeClient, FakeClient]
      reader.sentBytes = 1
      expect(closed()).to.deep.equal([])
      lookAt(CLIENT_STALL_MS)
      expect(closed()).to.deep.equal([0])
      lookAt(2 * CLIENT_STALL_MS)
      expect(closed()).to.deep.equal([0, 1])
    })

    it('begin anew when all had been read in between', () => {
      const { clients, lookAt, closed } = watchOver({ unsentBytes: 9 })
      lookAt(0)
      const [client] = clients as [FakeClient]
      client.unsentBytes = 0
      lookAt(CLIENT_STALL_MS - 1)
      client.unsentBytes = 9
      lookAt(CLIENT_STALL_MS)
      expect(closed()).to.deep.equal([])
    })
  })

  describe('a request that stays incomplete', () => {
    it('closes its client, and another one begun meanwhile does not', () => {
      const { clients, lookAt, closed } = watchOver({ partialRequest: 1 }, { partialRequest: 1 })
      lookAt(0)
      const [, busy] = clients as [FakeClient, FakeClient]
      busy.partialRequest = 2
      lookAt(1)
      lookAt(CLIENT_STALL_MS)
      expect(closed()).to.deep.equal([0])
    })

    it('may take its time while bytes come at the rate of a slow line', () => {
      const inputBytes = 100 * PARTIAL_REQUEST_BYTES_PER_SECOND_MIN
      const { lookAt, closed } = watchOver({ partialRequest: 1, inputBytes })
      lookAt(0)
      lookAt(CLIENT_STALL_MS + 99_999)
      expect(closed()).to.deep.equal([])
      lookAt(CLIENT_STALL_MS + 100_000)
      expect(closed()).to.deep.equal([0])
    })
  })

  it('has no timer without clients', () => {
    const { watch } = watchOver()
    watch.start()
    watch.stop()
    // A timer that was left would keep mocha from ending.
    expect(watch.look()).to.equal(0)
  })
})
