/**
 * Has each request judged once it has been dealt with. It takes the place of the dispatcher only
 * with `whatIf`, so other configurations pay nothing.
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
    // SELECT changes it.
    const { lane } = client
    this.#decider.handle(client, request)
    // A deferred request comes again.
    if (!client.session.isDeferring) this.#judge.judge(client, request, lane.database ?? 0)
  }

  forget(client: Client): void {
    this.#decider.forget(client)
  }
}
