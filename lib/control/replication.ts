/** What a server tells about its replication. It is asked repeatedly over one connection. */
import { errorText } from '../errors.ts'
import type { RedisClient } from './ioredis.ts'

export interface Replication {
  readonly isMaster: boolean
  /** `master_replid`: the same for a master and those that follow it. */
  readonly history: string
  /** `master_repl_offset`, `slave_repl_offset`: how far it is in that history, bytes. */
  readonly offset: number
  /** Why it should not be read from; undefined for a replica that follows its master, and for a master. */
  readonly ailment: string | undefined
  /** How many replicas a master has; 0 for a replica without any. */
  readonly replicas: number
}

export interface ReplicationAskerOptions {
  /** A new connection; undefined while nobody knows where the server is. */
  readonly open: () => RedisClient | undefined
  /** Seconds that a replica may have heard nothing from its master. */
  readonly lastIoSecondsMax: number
  /** It is asked for its zone too, once for each connection. */
  readonly asksZone: boolean
}

export class ReplicationAsker {
  readonly #options: ReplicationAskerOptions
  #client: RedisClient | undefined
  /**
   * `availability_zone`, as the server last told it; undefined: it tells none, or was not asked.
   */
  zone: string | undefined

  constructor(options: ReplicationAskerOptions) {
    this.#options = options
  }

  /** Rejects with what ioredis or the server says, and the next question takes another connection. */
  async ask(): Promise<Replication> {
    const isNew = this.#client === undefined
    const client = this.#client ?? this.#connect()
    try {
      if (isNew && this.#options.asksZone) await this.#readZone(client)
      const told = await client.call('INFO', 'replication')
      return parseReplication(String(told), this.#options.lastIoSecondsMax)
    } catch (error) {
      if (this.#client === client) this.forget()
      throw error
    }
  }

  /** Closes the connection: the server is elsewhere, or no more questions come. */
  forget(): void {
    this.#client?.disconnect()
    this.#client = undefined
  }

  #connect(): RedisClient {
    const client = this.#options.open()
    if (client === undefined) throw new Error('its server is not known')
    this.#client = client
    client.once('end', () => {
      if (this.#client === client) this.#client = undefined
    })
    return client
  }

  async #readZone(client: RedisClient): Promise<void> {
    const told = await client.call('INFO', 'server')
    const zone = fieldsOf(String(told)).get('availability_zone')
    this.zone = zone === '' ? undefined : zone
  }
}

/** Why a server could not be asked, safe for a log. */
export function silenceReason(error: unknown): string {
  return errorText(error instanceof Error ? error.message : String(error))
}

/** Reads the section `replication` of INFO. Throws when it is not there. */
export function parseReplication(text: string, lastIoSecondsMax: number): Replication {
  const fields = fieldsOf(text)
  const role = fields.get('role')
  if (role === undefined) throw new Error('it tells nothing of its replication')
  const isMaster = role === 'master'
  return {
    isMaster,
    history: fields.get('master_replid') ?? '',
    offset: Number(fields.get(isMaster ? 'master_repl_offset' : 'slave_repl_offset')),
    ailment: isMaster ? undefined : ailmentOf(fields, lastIoSecondsMax),
    replicas: Number(fields.get('connected_slaves') ?? 0),
  }
}

function ailmentOf(
  fields: ReadonlyMap<string, string>,
  lastIoSecondsMax: number,
): string | undefined {
  if (fields.get('master_sync_in_progress') === '1') return 'it is copying its master'
  if (fields.get('master_link_status') !== 'up') return 'its link to the master is down'
  const lastIo = Number(fields.get('master_last_io_seconds_ago'))
  if (!(lastIo >= 0 && lastIo <= lastIoSecondsMax)) {
    return 'it has not heard from its master for too long'
  }
  return undefined
}

function fieldsOf(text: string): Map<string, string> {
  const lines = text.matchAll(/^([a-z0-9_]+):(.*?)\r?$/gm)
  return new Map([...lines].map(([, name = '', value = '']) => [name, value]))
}
