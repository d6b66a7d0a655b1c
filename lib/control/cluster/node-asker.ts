/**
 * Asks one node of a cluster for its map, over a connection that is kept while questions come: in a
 * failover they come every 100 ms.
 */
import { CLUSTER_IDLE_MS } from '../../limits.ts'
import { timerMs } from '../../timer.ts'
import { openControl, type RedisAddress, type RedisClient } from '../ioredis.ts'

export interface NodeCredentials {
  readonly username: string | undefined
  readonly password: string | undefined
}

/** What a node has answered, as it came. */
export interface NodeAnswer {
  /** A verified frame; undefined: not even an array. */
  readonly slots: Buffer | undefined
  /** Undefined where the server does not tell, as some managed services do not. */
  readonly nodes: string | undefined
}

/** Errors of a server that refuses the login or the command. */
const REFUSED = /^(?:NOAUTH|WRONGPASS|NOPERM)\b/

/** Nobody has said anything: the node may hang, or be far away. */
export class NoAnswer extends Error {}

export class NodeAsker {
  readonly #address: RedisAddress
  readonly #credentials: NodeCredentials
  readonly #onIdle: () => void
  #client: RedisClient | undefined
  #timer: NodeJS.Timeout | undefined
  /** What the socket said first. */
  #trouble: Error | undefined
  /** The answer to CLUSTER SLOTS that came last. */
  #slots: Buffer | undefined

  /** `onIdle`: it has been asked nothing for a while, and its connection is closed. */
  constructor(address: RedisAddress, credentials: NodeCredentials, onIdle: () => void) {
    this.#address = address
    this.#credentials = credentials
    this.#onIdle = onIdle
  }

  /** Rejects with what the server, its socket or ioredis says, and after `deadlineMs` in any case. */
  async ask(deadlineMs: number): Promise<NodeAnswer> {
    clearTimeout(this.#timer)
    const client = this.#client ?? this.#open(deadlineMs)
    const deadline = setTimeout(() => {
      this.#trouble ??= new NoAnswer('no answer in time')
      client.disconnect()
    }, timerMs(deadlineMs))
    try {
      // In one write, so that both answers describe nearly the same moment.
      const nodes = client.call('CLUSTER', 'NODES').then(String, () => undefined)
      await client.call('CLUSTER', 'SLOTS')
      const slots = this.#slots
      this.#slots = undefined
      return { slots, nodes: await nodes }
    } catch (error) {
      // There may be other credentials by the next question; a connection keeps those that it began
      // with.
      if (error instanceof Error && REFUSED.test(error.message)) this.close()
      throw this.#trouble ?? error
    } finally {
      clearTimeout(deadline)
      this.#timer = setTimeout(() => this.#idle(), CLUSTER_IDLE_MS)
      this.#timer.unref()
    }
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#client?.disconnect()
    this.#client = undefined
  }

  #idle(): void {
    this.close()
    this.#onIdle()
  }

  #open(timeoutMs: number): RedisClient {
    const take = (frame: Buffer): void => {
      this.#slots = frame
    }
    const options = { ...this.#credentials, timeoutMs }
    const client = openControl(this.#address, options, { to: 'cluster slots', take })
    this.#client = client
    this.#trouble = undefined
    client.on('error', (error: Error) => {
      this.#trouble ??= error
    })
    client.once('end', () => {
      if (this.#client === client) this.#client = undefined
    })
    return client
  }
}
