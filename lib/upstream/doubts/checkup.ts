/**
 * A look at a shard over a new connection, when those that there are give reason to doubt it: they say
 * READONLY, or nothing at all. A new connection shows where the shard is now.
 */
import type { ShardConnection } from '../connection/connection.ts'
import type { Lane } from '../lane.ts'
import { askRole, type Role } from './role.ts'
import { Seldom } from './seldom.ts'

export interface CheckupOptions {
  readonly now: () => number
  /** Makes the new connection. */
  readonly open: (lane: Lane) => ShardConnection
  /** The shard has answered a new connection, which was begun at `sinceMs`. */
  readonly onAnswered: (sinceMs: number) => void
  /** After READONLY: what answers connections that there are, and what answers the new one. */
  readonly onRoles: (before: Role, now: Role, sinceMs: number) => void
}

export class Checkup {
  readonly #options: CheckupOptions
  readonly #seldom: Seldom
  /** Of the connection that gave reason: its credentials are good. */
  #lane: Lane | undefined
  /** A shared one, if READONLY was said. */
  #current: ShardConnection | undefined

  constructor(options: CheckupOptions) {
    this.#options = options
    this.#seldom = new Seldom(() => this.#look(), options.now)
  }

  /** A connection of this lane gives reason to doubt the shard. `current`: a shared one, after READONLY. */
  ask(lane: Lane, current?: ShardConnection): void {
    this.#lane = lane
    if (current !== undefined) this.#current = current
    this.#seldom.ask()
  }

  close(): void {
    this.#seldom.close()
  }

  #look(): void {
    const lane = this.#lane
    if (lane === undefined) return
    const { now, open, onAnswered, onRoles } = this.#options
    const sinceMs = now()
    const current = this.#current
    this.#current = undefined
    const connection = open(lane)
    askRole(connection, lane.protocol, (role) => {
      connection.close()
      if (role === undefined) return
      onAnswered(sinceMs)
      if (current === undefined) return
      askRole(current, lane.protocol, (before) => onRoles(before, role, sinceMs))
    })
  }
}
