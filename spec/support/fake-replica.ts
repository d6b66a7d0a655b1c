/** A replica without a server: what a spec of those who choose between replicas needs. */
import { Replica } from '../../lib/upstream/replicas/replica.ts'
import type { Shard } from '../../lib/upstream/shard.ts'

/** Of the shard, what its reads look at. */
export interface FakeShardState {
  readonly stats: { reconnects: number }
  up: boolean
  inFlight: number
  /** Of every connection. */
  state: 'ready' | 'connecting' | 'down'
  incarnation: number
}

export function fakeReplica(address = '10.0.0.1:6379'): [Replica, FakeShardState] {
  const state: FakeShardState = {
    stats: { reconnects: 0 },
    up: true,
    inFlight: 0,
    state: 'ready',
    incarnation: 1,
  }
  const server = Object.assign(state, { connectionFor: () => state })
  return [new Replica(address, server as unknown as Shard), state]
}

/** What a replica tells that may be read from. */
export const WELL = {
  ailment: undefined,
  coveredMs: 100,
  lagBytes: 0,
  offset: 1000,
  roundTripMs: 1,
  zone: undefined,
}
