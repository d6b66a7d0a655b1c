/** A listener to server-sent events, at byte level. */
import { connect, type Socket } from 'node:net'

/** What specs look into; which of it is there depends on the event. */
export interface EventData {
  readonly clients: number
  readonly draining: boolean
  readonly shards: readonly { readonly state: string }[]
  readonly history: readonly unknown[]
  readonly errors: { readonly unavailable: number }
  readonly process: { readonly residentBytes: number }
  readonly name: string
  readonly state: string
  readonly at: string
  readonly ok: boolean
}

export interface StreamEvent {
  readonly event: string
  readonly data: EventData
}

export class EventStream {
  readonly socket: Socket
  readonly closed: Promise<unknown>
  head = ''
  readonly #events: StreamEvent[] = []
  #rest = ''
  #wake: () => void = () => {}

  private constructor(socket: Socket) {
    this.socket = socket
    this.closed = new Promise((resolve) => socket.once('close', resolve))
    socket.setEncoding('utf8').on('data', (text: string) => this.#take(text))
    socket.on('error', () => {})
    socket.on('close', () => this.#wake())
  }

  /** Resolves once the head of the answer is there. */
  static async open(port: number): Promise<EventStream> {
    const stream = new EventStream(connect(port, '127.0.0.1'))
    stream.socket.write('GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n')
    while (stream.head === '' && !stream.socket.destroyed) await stream.#more()
    return stream
  }

  /** The next event of this kind for which `wanted` holds; mocha's time-out is its bound. */
  async next(
    kind: string,
    wanted: (data: StreamEvent['data']) => boolean = () => true,
  ): Promise<StreamEvent['data']> {
    for (;;) {
      const found = this.#events.shift()
      if (found === undefined) await this.#more()
      else if (found.event === kind && wanted(found.data)) return found.data
    }
  }

  async close(): Promise<void> {
    this.socket.destroy()
    await this.closed
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  #take(text: string): void {
    this.#rest += text
    if (this.head === '') {
      const end = this.#rest.indexOf('\r\n\r\n')
      if (end === -1) return
      this.head = this.#rest.slice(0, end)
      this.#rest = this.#rest.slice(end + 4)
    }
    // The chunks' sizes stand on lines of their own between the events.
    const pattern = /event: (\w+)\ndata: (.*)\n\n/g
    let end = 0
    for (const match of this.#rest.matchAll(pattern)) {
      this.#events.push({ event: match[1] ?? '', data: JSON.parse(match[2] ?? '') })
      end = match.index + match[0].length
    }
    this.#rest = this.#rest.slice(end)
    this.#wake()
  }
}
