/** As much of a shard's connection as the near-cache needs: it shows what is sent, and the spec answers. */
import { OVERLOADED } from '../../../lib/failures.ts'
import type { ShardConnection } from '../../../lib/upstream/connection/connection.ts'
import type { ReplyHandler } from '../../../lib/upstream/connection/reply-cutter.ts'
import type { ReplySink } from '../../../lib/upstream/reply-sink.ts'

interface Owed {
  readonly sink: ReplySink
  readonly tag: number
  text: string
}

export class PretendedConnection {
  state: 'ready' | 'waiting' | 'closed' = 'ready'
  incarnation = 1
  /** Tells that the shard takes the connection, or why not. */
  settle: (rejection?: string) => void = () => {}
  readonly #all: Owed[] = []
  #answered = 0
  #onPush: ReplyHandler | undefined

  get asConnection(): ShardConnection {
    return this as unknown as ShardConnection
  }

  /** All requests since the beginning: `GET a`. */
  get sent(): readonly string[] {
    return this.#all.map(({ text }) => {
      const words = text.split('\r\n')
      return words.filter((_, at) => at > 0 && at % 2 === 0).join(' ')
    })
  }

  send(sink: ReplySink, tag: number, bytes: Buffer, start: number, end: number): void {
    this.enter(sink, tag).append(bytes, start, end)
  }

  enter(sink: ReplySink, tag: number) {
    const owed: Owed = { sink, tag, text: '' }
    this.#all.push(owed)
    return {
      append: (bytes: Buffer, start: number, end: number): void => {
        owed.text += bytes.toString('latin1', start, end)
      },
    }
  }

  /** Answers the oldest requests, one after the other. */
  answer(...replies: readonly string[]): void {
    for (const reply of replies) this.answerPart(reply, true)
  }

  answerPart(part: string, last: boolean): void {
    const { sink, tag } = this.#all[this.#answered] as Owed
    if (last) this.#answered++
    const bytes = Buffer.from(`..${part}`)
    sink.reply(tag, bytes, 2, bytes.length, last)
  }

  push(text: string, last = true): void {
    const bytes = Buffer.from(text)
    this.#onPush?.(bytes, 0, bytes.length, last)
  }

  watchPushes(onPush: ReplyHandler): void {
    this.#onPush = onPush
  }

  onceSettled(callback: (rejection?: string) => void): void {
    this.settle = callback
  }

  /** What was asked is lost, and there is another connection to the shard. */
  lose(): void {
    this.incarnation++
    const lost = this.#all.slice(this.#answered)
    this.#answered = this.#all.length
    for (const { sink, tag } of lost) sink.failed(tag, OVERLOADED)
  }

  close(): void {
    this.state = 'closed'
    this.lose()
  }
}

/** What servers say of themselves, and of a connection that they track. */
export const HELLO_REPLY = '%1\r\n$7\r\nversion\r\n$6\r\n7.2.4\r\n'
export const OLD_HELLO_REPLY = '%1\r\n$7\r\nversion\r\n$5\r\n7.0.5\r\n'
export const trackingInfo = (redirect: number): string => {
  return `%2\r\n$5\r\nflags\r\n~2\r\n$2\r\non\r\n$5\r\noptin\r\n$8\r\nredirect\r\n:${redirect}\r\n`
}
