/** Closes clients that have sent nothing for too long, as Redis does with its `timeout`. */
import { IDLE_LOOK_MS } from '../../limits.ts'
import { timerMs } from '../../timer.ts'
import type { Client } from '../core/client.ts'

export class IdleClients {
  readonly #clients: ReadonlyMap<number, Client>
  #timer: NodeJS.Timeout | undefined

  constructor(clients: ReadonlyMap<number, Client>) {
    this.#clients = clients
  }

  /** From now on clients may be idle for so long, milliseconds; 0: for ever. */
  limit(timeoutMs: number): void {
    clearInterval(this.#timer)
    if (timeoutMs === 0) return
    this.#timer = setInterval(
      () => this.#look(timeoutMs),
      timerMs(Math.min(timeoutMs, IDLE_LOOK_MS)),
    )
    this.#timer.unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #look(timeoutMs: number): void {
    for (const client of this.#clients.values()) {
      if (client.session.idleMs >= timeoutMs && !isWaiting(client)) client.session.destroy()
    }
  }
}

/** The next bytes must come from us: a reply that is due or on its way, or a message. */
function isWaiting({ session, subscriptions }: Client): boolean {
  return session.inFlight > 0 || session.outputBytes > 0 || subscriptions?.inUse === true
}
