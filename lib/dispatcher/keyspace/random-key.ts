/**
 * RANDOMKEY: asks every shard how many keys it has, and then one of them for a key, each as often
 * as its share of all keys. The client's later commands wait for that, as they may change the keys.
 */
import type { Failure } from '../../failures.ts'
import { nullFrame, OK, requestFrame } from '../../resp/encode.ts'
import { isRefusal } from '../../resp/refusal.ts'
import { integerOf, isError } from '../../resp/reply-reader.ts'
import { drawWeighted } from '../../routing/placement/draw.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { Client } from '../core/client.ts'
import type { SpecialCommand } from '../core/dispatcher.ts'
import type { Sender } from '../core/sender.ts'

const DBSIZE = requestFrame(['DBSIZE'])
const RANDOMKEY = requestFrame(['RANDOMKEY'])

/** `random`: 0 <= x < 1. */
export function randomKeyCommands(
  sender: Sender,
  random: () => number = Math.random,
): Record<string, SpecialCommand> {
  return {
    randomkey: (client, request) => {
      if (sender.shards.length === 1) sender.send(client, request, sender.anyShard())
      else if (sender.areAllUp(client, request)) new RandomKey(sender, client, random).ask()
    },
  }
}

class RandomKey implements ReplySink {
  readonly #sender: Sender
  readonly #client: Client
  readonly #random: () => number
  readonly #tag: number
  readonly #shards: readonly Shard[]
  /** Keys of each shard; 0 once it has turned out to have none. */
  #sizes: number[] = []

  constructor(sender: Sender, client: Client, random: () => number) {
    this.#sender = sender
    this.#client = client
    this.#random = random
    this.#shards = sender.shards
    this.#tag = client.session.open()
    client.session.hold()
  }

  ask(): void {
    const target = {
      reply: (_ticket: number, bytes: Buffer, start: number, end: number): void => {
        const frame = bytes.subarray(start, end)
        if (isError(frame)) this.#end(Buffer.from(frame))
        else this.#askOne()
      },
      failed: (ticket: number, failure: Failure): void => this.failed(ticket, failure),
    }
    const note = (replies: readonly Buffer[]) => this.#noteSizes(replies)
    this.#sender.sendFrameToAll(this.#client, DBSIZE, true, note, target)
  }

  /** ReplySink: the key, from the shard that was drawn. */
  reply(_ticket: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    // All its keys have gone since, by expiry for example: the others may still have some.
    if (last && isNull(bytes.subarray(start, end))) {
      this.#askOne()
      return
    }
    this.#client.session.reply(this.#tag, bytes, start, end, last)
    if (last) this.#client.session.release()
  }

  failed(_ticket: number, error: Failure): void {
    this.#client.session.failed(this.#tag, error)
    this.#client.session.release()
  }

  #noteSizes(replies: readonly Buffer[]): Buffer | undefined {
    // Where they are not told, one shard is as good as another.
    if (replies.some((reply) => isRefusal(reply, 0))) {
      this.#sizes = replies.map(() => 1)
      return OK
    }
    const sizes = replies.map((reply) => Number(integerOf(reply)))
    if (!sizes.some(Number.isNaN)) {
      this.#sizes = sizes
      return OK
    }
    return replies.find(isError)
  }

  #askOne(): void {
    const shard = drawWeighted(this.#sizes, this.#random())
    if (shard < 0) {
      this.#end(nullFrame(this.#client.lane.protocol))
      return
    }
    this.#sizes[shard] = 0
    const drawn = this.#shards[shard] as Shard
    this.#sender.sendFrame(this.#client, RANDOMKEY, drawn, this, 0)
  }

  #end(frame: Buffer): void {
    this.#client.session.settle(this.#tag, frame)
    this.#client.session.release()
  }
}

function isNull(frame: Buffer): boolean {
  return frame.equals(nullFrame(2)) || frame.equals(nullFrame(3))
}
