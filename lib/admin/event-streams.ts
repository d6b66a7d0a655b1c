/**
 * /events: events as they happen, for a few listeners (server-sent events). Nothing piles up for a
 * listener that does not read. It misses events; the next statistics contain what they told. The
 * server's time limit closes a connection on which nothing moves.
 */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { ADMIN_EVENT_MS, ADMIN_STREAMS_MAX } from '../limits.ts'
import { type Answer, text } from './answer.ts'

/** How long a browser waits until it connects again, milliseconds. */
const RETRY_MS = 1000

/** Makes the statistics, and hands them over once they are there. */
type MakeStats = (tell: (stats: unknown) => void) => void

export class EventStreams {
  readonly #streams = new Set<ServerResponse>()
  readonly #stats: MakeStats
  #timer: NodeJS.Timeout | undefined

  /** `stats` is called once a period, and only while somebody listens. */
  constructor(stats: MakeStats) {
    this.#stats = stats
  }

  answer(): Answer {
    if (this.#streams.size >= ADMIN_STREAMS_MAX) return text(503, 'all streams are taken\n')
    const stream = (response: ServerResponse) => this.#add(response)
    return { status: 200, type: 'text/event-stream', body: '', stream }
  }

  /** Whether one of them goes over this connection. */
  has(socket: Socket): boolean {
    return [...this.#streams].some((response) => response.socket === socket)
  }

  tell(event: string, data: unknown): void {
    if (this.#streams.size === 0) return
    const text = eventText(event, data)
    for (const response of this.#streams) {
      if (!response.writableNeedDrain) response.write(text)
    }
  }

  #add(response: ServerResponse): void {
    this.#streams.add(response)
    response.once('close', () => this.#remove(response))
    response.write(`retry: ${RETRY_MS}\n\n`)
    this.#stats((stats) => {
      if (this.#streams.has(response)) response.write(eventText('stats', stats))
    })
    this.#timer ??= setInterval(() => {
      this.#stats((stats) => this.tell('stats', stats))
    }, ADMIN_EVENT_MS).unref()
  }

  #remove(response: ServerResponse): void {
    this.#streams.delete(response)
    if (this.#streams.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}

/** JSON has no line break of its own, which would end the event. */
function eventText(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}
