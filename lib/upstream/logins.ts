/**
 * How a shard takes the credentials that follow others on connections that there are. A refusal changes
 * nothing in such a connection, which stays logged in as it was: it is told, once as long as it lasts.
 */
import type { LoginRefusal } from './connection/connection-options.ts'
import type { ExpiringCredentials, ShardOptions } from './shard-options.ts'

export class Logins {
  readonly #options: Pick<ShardOptions, 'name' | 'stats' | 'logger'>
  readonly #expiring: () => ExpiringCredentials | undefined
  #isRefused = false

  constructor(
    options: Pick<ShardOptions, 'name' | 'stats' | 'logger'>,
    expiring: () => ExpiringCredentials | undefined,
  ) {
    this.#options = options
    this.#expiring = expiring
  }

  readonly heard = (refusal: LoginRefusal | undefined): void => {
    const { name: shard, stats, logger } = this.#options
    if (refusal === undefined) {
      stats.logins.succeeded++
      if (this.#isRefused) logger.info({ shard }, 'shard takes the credentials again')
      this.#isRefused = false
      return
    }
    const { reason, atConnect } = refusal
    this.#expiring()?.refused()
    // That new connections are turned away is told where the shard is said to be down.
    if (atConnect) return
    stats.logins.refused++
    if (!this.#isRefused) {
      logger.warn(
        { shard, reason },
        'shard refuses the new credentials, its connections keep the old',
      )
    }
    this.#isRefused = true
  }
}
