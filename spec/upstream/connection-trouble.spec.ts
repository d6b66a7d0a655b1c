import { expect } from 'chai'
import { CONNECTION_TROUBLE_MS } from '../../lib/limits.ts'
import { CLOSED_HERE } from '../../lib/upstream/connection/connection.ts'
import {
  type ConnectionKind,
  ConnectionTrouble,
  type WatchedConnection,
} from '../../lib/upstream/connection-trouble.ts'
import { SILENT } from '../support/ambassador.ts'

describe('ConnectionTrouble', () => {
  let told: unknown[]
  let nowMs: number
  let isUp: boolean
  let trouble: ConnectionTrouble

  beforeEach(() => {
    told = []
    nowMs = 0
    isUp = true
    trouble = new ConnectionTrouble({
      shard: 'a',
      isUp: () => isUp,
      now: () => nowMs,
      logger: { ...SILENT, warn: (facts) => told.push(facts) },
    })
  })

  /** One connection, and the states through which it goes. */
  function live(
    kind: ConnectionKind,
    reason: string,
    ...states: WatchedConnection['state'][]
  ): void {
    const connection = { state: 'connecting' as WatchedConnection['state'], reason }
    let change = (): void => {}
    trouble.watched(kind, (watch) => {
      change = watch
      return connection
    })
    for (const state of states) {
      connection.state = state
      change()
    }
  }

  it('tells of the first lease that fails, and not of the others', () => {
    for (let i = 0; i < 100; i++) live('lease', 'NOPERM', 'waiting', 'closed')
    expect(told).to.deep.equal([{ shard: 'a', kind: 'lease', reason: 'NOPERM' }])
  })

  it('tells of it again once it was over, but no more than once a minute', () => {
    for (nowMs = 0; nowMs < 3 * CONNECTION_TROUBLE_MS; nowMs += 1000) {
      live('lease', 'NOPERM', 'waiting', 'closed')
      live('lease', '', 'ready', 'closed')
    }
    expect(told).to.have.lengthOf(3)
  })

  it('says nothing of what was closed here, of a shard that is down, and of a lease that has worked', () => {
    live('lease', CLOSED_HERE, 'closed')
    live('lease', 'reset', 'ready', 'closed')
    isUp = false
    live('lease', 'refused', 'waiting', 'closed')
    expect(told).to.deep.equal([])
  })

  it('tells of a lane that has worked, and not of one whose credentials never did', () => {
    live('lane', 'WRONGPASS', 'waiting')
    live('lane', 'reset', 'ready', 'connecting', 'ready')
    expect(told).to.deep.equal([])
    live('lane', 'WRONGPASS', 'ready', 'connecting', 'waiting')
    expect(told).to.deep.equal([{ shard: 'a', kind: 'lane', reason: 'WRONGPASS' }])
  })
})
