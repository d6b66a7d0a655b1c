/**
 * Lets each request be judged once it has been dealt with. In the place of the dispatcher for
 * configurations that rehearse another; others have nothing of this.
 */
import type { ScannedRequest } from '../../downstream/session.ts'
import type { Client, Decider } from '../core/client.ts'
import type { Judge } from './judge.ts'

export class Rehearsing implements Decider {
  readonly #decider: Decider
  readonly #judge: Judge

  constructor(decider: Decider, judge: Judge) {
    this.#decider = decider
    this.#judge = judge
  }

  handle(client: Client, request: ScannedRequest): void {
    this.#decider.handle(client, request)
    // It comes again.
    if (!client.session.isDeferring) this.#judge.judge(client, request)
  }

  forget(client: Client): void {
    this.#decider.forget(client)
  }
}
