/**
 * Scripts: a script that one shard knows works on all. Bodies are remembered, and an EVALSHA for a
 * shard that may not have its script goes there behind a SCRIPT LOAD of our own, in one pipeline.
 */
import type { CommandRow } from '../../commands/row.ts'
import type { ScannedRequest } from '../../downstream/session.ts'
import { CROSSSLOT, type Failure } from '../../failures.ts'
import { LARGE_BYTES } from '../../io/outbox.ts'
import { SCRIPT_BYTES_MAX, SCRIPTS_MAX } from '../../limits.ts'
import type { PlaceSink } from '../../pool/cluster/slot-request.ts'
import { MINUS } from '../../resp/bytes.ts'
import { requestFrame } from '../../resp/encode.ts'
import { KeptRequest } from '../../resp/kept-request.ts'
import { isRefusal } from '../../resp/refusal.ts'
import { isError } from '../../resp/reply-reader.ts'
import type { Request } from '../../resp/request.ts'
import { mergeExists } from '../../routing/merge/merge-scripts.ts'
import { mergeReplies } from '../../routing/merge/reassemble.ts'
import { ownFrame } from '../../upstream/backend.ts'
import type { ShardConnection } from '../../upstream/connection/connection.ts'
import { argument, argumentText, argumentWord } from '../core/arguments.ts'
import type { Client } from '../core/client.ts'
import type { SpecialCommand } from '../core/dispatcher.ts'
import { OwnReply } from '../core/lease-sink.ts'
import type { Sender } from '../core/sender.ts'
import { type Script, ScriptCache } from './script-cache.ts'

/** Redis's whole line: a script may make errors of its own that begin with the same code. */
const NOSCRIPT = '-NOSCRIPT No matching script.'

/** The body of a script, or that there are none any more. */
export type Lesson = Buffer | typeof FORGET

const FORGET = Symbol('forget')

export class Scripts {
  readonly #sender: Sender
  readonly #cache: ScriptCache

  constructor(sender: Sender, cache: ScriptCache = new ScriptCache(SCRIPTS_MAX, SCRIPT_BYTES_MAX)) {
    this.#sender = sender
    this.#cache = cache
  }

  commands(): Record<string, SpecialCommand> {
    const evaluate: SpecialCommand = (client, request, row) => {
      this.#cache.remember(argument(request, 1))
      this.#sender.dispatch(client, request, row)
    }
    const evaluateSha: SpecialCommand = (client, request, row) => {
      this.#evaluateSha(client, request, row)
    }
    return {
      eval: evaluate,
      eval_ro: evaluate,
      evalsha: evaluateSha,
      evalsha_ro: evaluateSha,
      'script|load': (client, request, row) => this.#load(client, request, row),
      'script|exists': (client, request, row) => this.#exists(client, request, row),
      'script|flush': (client, request, row) => this.#flush(client, request, row),
    }
  }

  /** Scripts that may only read, by their bodies: replicas know no SHA-1 that is not theirs. */
  reads(readers: Pick<Sender, 'dispatch'>): Record<string, SpecialCommand> {
    return {
      eval_ro: (client, request, row) => {
        this.#cache.remember(argument(request, 1))
        readers.dispatch(client, request, row)
      },
    }
  }

  /** For a request that goes another way than through our commands: the script that it runs by its SHA-1. */
  scriptOf(request: Request, { name }: CommandRow): Script | undefined {
    const bySha = name === 'evalsha' || name === 'evalsha_ro'
    return bySha ? this.#cache.get(argumentText(request, 1)) : undefined
  }

  /** Likewise what is to be learnt from it once it is executed. */
  lessonOf(request: Request, { name }: CommandRow): Lesson | undefined {
    if (name === 'eval' || name === 'eval_ro') return Buffer.from(argument(request, 1))
    if (name === 'script|load') return Buffer.from(argument(request, 2))
    return name === 'script|flush' && flushes(request) ? FORGET : undefined
  }

  learn(lesson: Lesson): void {
    if (lesson === FORGET) this.#cache.clear()
    else this.#cache.remember(lesson)
  }

  /** Sends SCRIPT LOAD, and calls back when it has been answered or has failed. */
  load(connection: ShardConnection, script: Script, done: () => void = () => {}): void {
    const { loadFrame } = script
    const onAnswer = script.sent(connection)
    const sink = new OwnReply((succeeded, error) => {
      onAnswer(succeeded, error !== undefined && isRefusal(error, 0))
      done()
    })
    connection.send(sink, 0, loadFrame, 0, loadFrame.length, loadFrame.length >= LARGE_BYTES)
  }

  /** Loads the scripts that the connection's shard may not have; calls back when it has all, perhaps at once. */
  loadAll(
    connection: ShardConnection,
    scripts: readonly (Script | undefined)[],
    done: () => void,
  ): void {
    let missing = 1
    const loaded = (): void => {
      if (--missing === 0) done()
    }
    for (const script of scripts) {
      if (script === undefined || script.isLoaded(connection)) continue
      missing++
      this.load(connection, script, loaded)
    }
    loaded()
  }

  #evaluateSha(client: Client, request: ScannedRequest, row: CommandRow): void {
    if (this.#sender.locate(request, row) === 'several') {
      client.session.answer(CROSSSLOT)
      return
    }
    // A script without keys may touch some all the same, so that it has a place as well.
    const { place } = this.#sender.plan
    const script = this.#cache.get(argumentText(request, 1))
    if (script === undefined) this.#sender.sendToPlace(client, request, place)
    else if (this.#sender.admits(client, request, place)) {
      new Evaluation(this.#sender, this, client, place, script, request).send()
    }
  }

  #load(client: Client, request: ScannedRequest, row: CommandRow): void {
    const script = this.#cache.remember(argument(request, 2))
    this.#sender.sendToAll(client, request, row, (replies) => {
      const merged = mergeReplies('all_succeeded', replies)
      if (merged !== undefined && !isError(merged)) script.compiles = true
      return merged
    })
  }

  /** A script that only some shards have is there if we can give it to the others. */
  #exists(client: Client, request: ScannedRequest, row: CommandRow): void {
    const scripts: (Script | undefined)[] = []
    for (let i = 2; i < request.argc; i++) scripts.push(this.#cache.get(argumentText(request, i)))
    const isThere = (index: number, some: boolean): boolean => {
      const script = scripts[index]
      if (script === undefined) return false
      script.forgetLoads()
      if (some) script.compiles = true
      return script.compiles
    }
    this.#sender.sendToAll(client, request, row, (replies) => mergeExists(replies, isThere))
  }

  #flush(client: Client, request: ScannedRequest, row: CommandRow): void {
    if (!this.#sender.areAllUp(client, request)) return
    if (flushes(request)) this.#cache.clear()
    this.#sender.sendToAll(client, request, row)
  }
}

/** A SCRIPT FLUSH that Redis will refuse flushes nothing. */
function flushes(request: Request): boolean {
  const { argc } = request
  return argc === 2 || (argc === 3 && /^A?SYNC$/.test(argumentWord(request, 2)))
}

/** One EVALSHA of a script that we know. */
class Evaluation implements PlaceSink {
  readonly #sender: Sender
  readonly #scripts: Scripts
  readonly #client: Client
  readonly #place: number
  readonly #script: Script
  readonly #request: KeptRequest
  /** It is sent for the second time, and the client's later commands wait. */
  #repeated = false

  constructor(
    sender: Sender,
    scripts: Scripts,
    client: Client,
    place: number,
    script: Script,
    request: Request,
  ) {
    this.#sender = sender
    this.#scripts = scripts
    this.#client = client
    this.#place = place
    this.#script = script
    this.#request = new KeptRequest(request)
  }

  send(): void {
    this.#sendAs(this.#client.session.open(), this.#request.bytes)
  }

  reply(ticket: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    const { session } = this.#client
    if (!this.#repeated && isNoScript(bytes, start)) {
      const frame = this.#secondFrame()
      if (session.isNewest(ticket) && !session.closed) {
        this.#repeated = true
        session.hold()
        this.#sendAs(ticket, frame)
        return
      }
    }
    session.reply(ticket, bytes, start, end, last)
    if (last && this.#repeated) session.release()
  }

  failed(ticket: number, error: Failure): void {
    this.#client.session.failed(ticket, error)
    if (this.#repeated) this.#client.session.release()
  }

  /** PlaceSink */
  prepare(connection: ShardConnection): void {
    if (!this.#script.isSent(connection)) this.#scripts.load(connection, this.#script)
  }

  /** What to send to a shard that does not have the script, though it was loaded if it may be. */
  #secondFrame(): Buffer {
    if (!this.#script.isRefused(this.#connection)) {
      // Another client of the shard has flushed its scripts.
      this.#script.forgetLoads()
      return this.#request.bytes
    }
    const [name = '', , ...others] = Array.from({ length: this.#request.argc }, (_, i) => {
      return argument(this.#request, i)
    })
    const readonly = name.length > 'EVALSHA'.length ? '_RO' : ''
    return requestFrame([`EVAL${readonly}`, this.#script.body, ...others])
  }

  get #connection(): ShardConnection {
    const { lane, session } = this.#client
    return this.#sender.topology.shardAt(this.#place).connectionFor(lane, session.id)
  }

  #sendAs(ticket: number, frame: Buffer): void {
    this.prepare(this.#connection)
    this.#sender.frameToPlace(this.#client, ownFrame(frame), this.#place, this, ticket)
  }
}

function isNoScript(bytes: Buffer, start: number): boolean {
  return (
    bytes[start] === MINUS && bytes.toString('latin1', start, start + NOSCRIPT.length) === NOSCRIPT
  )
}
