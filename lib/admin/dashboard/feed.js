/**
 * Where the figures come from: /events while it streams, /stats by asking while it does not (all
 * streams may be taken), nothing while nobody looks at the page.
 *
 * @typedef {import('./stats.d.ts').Stats} Stats
 * @typedef {object} Listener
 * @property {(stats: Stats) => void} stats
 * @property {(name: string, state: string) => void} shard
 * @property {() => void} reload
 * @property {(link: 'live' | 'asking' | 'lost') => void} link
 */

/** Without a stream, between two questions, ms. */
const ASK_MS = 2000
/** Between two attempts to get a stream back that was refused, ms. */
const STREAM_AGAIN_MS = 10_000
/** A stream on which nothing came for so long is dead, even if nobody has said so, ms. */
const SILENCE_MS = 4000

/** @param {string} path */
export async function getJson(path) {
  const response = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(ASK_MS * 2) })
  if (!response.ok) throw new Error(`${path}: ${response.status}`)
  return response.json()
}

export class Feed {
  /** @type {EventSource | undefined} */
  #stream
  #heardAtMs = 0
  #streamAtMs = Number.NEGATIVE_INFINITY
  #asking = false
  /** The last question had no answer. */
  #lost = false
  #askedAtMs = 0
  /** @type {number | undefined} */
  #timer
  #listener

  /** @param {Listener} listener */
  constructor(listener) {
    this.#listener = listener
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) this.#stop()
      else this.#start()
    })
    if (!document.hidden) this.#start()
  }

  #start() {
    if (this.#timer !== undefined) return
    this.#timer = setInterval(() => this.#look(), 500)
    // For the history, which the stream does not repeat.
    void this.#ask()
    this.#openStream()
  }

  #stop() {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#closeStream()
    this.#streamAtMs = Number.NEGATIVE_INFINITY
  }

  #look() {
    const nowMs = performance.now()
    if (this.#stream !== undefined && nowMs - this.#heardAtMs < SILENCE_MS) return
    if (this.#stream !== undefined) {
      this.#closeStream()
      this.#listener.link('lost')
    }
    if (nowMs - this.#askedAtMs >= ASK_MS) void this.#ask()
    if (nowMs - this.#streamAtMs >= STREAM_AGAIN_MS) this.#openStream()
  }

  #openStream() {
    this.#closeStream()
    const stream = new EventSource('events')
    this.#stream = stream
    this.#streamAtMs = performance.now()
    this.#heardAtMs = this.#streamAtMs
    /** @template T @param {string} name @param {(data: T) => void} take */
    const on = (name, take) => {
      stream.addEventListener(name, (event) => {
        this.#heardAtMs = performance.now()
        this.#listener.link('live')
        take(JSON.parse(event.data))
      })
    }
    on('stats', (/** @type {Stats} */ stats) => this.#listener.stats(stats))
    on('shard', (/** @type {{ name: string, state: string }} */ { name, state }) => {
      this.#listener.shard(name, state)
    })
    on('reload', () => this.#listener.reload())
    stream.addEventListener('error', () => {
      // We ask ourselves until then: a browser gives up for good after a refusal.
      if (stream === this.#stream) this.#closeStream()
      this.#askedAtMs = 0
      this.#look()
    })
  }

  #closeStream() {
    this.#stream?.close()
    this.#stream = undefined
  }

  async #ask() {
    if (this.#asking) return
    this.#asking = true
    this.#askedAtMs = performance.now()
    try {
      this.#listener.stats(await getJson('stats'))
      if (this.#stream === undefined) {
        this.#listener.link('asking')
        // It was gone and is back: its stream is worth a try at once.
        if (this.#lost) this.#streamAtMs = Number.NEGATIVE_INFINITY
      }
      this.#lost = false
    } catch {
      this.#lost = true
      this.#listener.link('lost')
    } finally {
      this.#asking = false
    }
  }
}
