// An app under load: workers that write and read through one port, and check every value they read.
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'

const WORKERS = 8
const KEYS_PER_WORKER = 200

export class Load {
  #workers
  #stopped = false

  /** Starts at once. `port`: on this machine. */
  constructor(port) {
    this.#workers = Array.from({ length: WORKERS }, (_, number) => new Worker(number, port))
  }

  get keys() {
    return this.#workers.flatMap((worker) => worker.keys)
  }

  /** Runs until `stop`; rejects only on a mistake of ours. */
  async run() {
    await Promise.all(
      this.#workers.map(async (worker) => {
        while (!this.#stopped) await worker.step()
      }),
    )
    for (const worker of this.#workers) worker.close()
  }

  stop() {
    this.#stopped = true
  }

  /** One worker after the other goes to another port, as a rolling deployment would do it. */
  async moveTo(port) {
    for (const worker of this.#workers) {
      worker.moveTo(port)
      await delay(20)
    }
  }

  /** Whether every worker has read and written since the figures were taken. */
  get hasWorked() {
    return this.#workers.every((worker) => worker.hasWorked)
  }

  /** What has happened since the last time. */
  takeFigures() {
    const all = this.#workers.map((worker) => worker.takeFigures())
    const sum = (name) => all.reduce((total, figures) => total + figures[name], 0)
    const pauseMs = Math.max(...all.map((figures) => figures.pauseMs))
    return {
      reads: sum('reads'),
      writes: sum('writes'),
      wrong: sum('wrong'),
      errors: sum('errors'),
      pauseMs,
    }
  }
}

/** Has keys of its own, and knows what each must hold. */
class Worker {
  keys
  /** By key: the values that a read may give. More than one after a write that failed half-way. */
  #allowed = new Map()
  #client
  #leaving
  #count = 0
  #figures = noFigures()
  #answeredAtMs = performance.now()

  constructor(number, port) {
    this.keys = Array.from({ length: KEYS_PER_WORKER }, (_, at) => `app:${number}:${at}`)
    for (const key of this.keys) this.#allowed.set(key, new Set([null]))
    this.#client = open(port)
  }

  /** From the next command on. What is under way is answered where it was sent. */
  moveTo(port) {
    this.#leaving = this.#client
    this.#client = open(port)
  }

  async step() {
    const dice = Math.random()
    try {
      if (dice < 0.3) await this.#write(this.#anyKey())
      else if (dice < 0.9) await this.#read([this.#anyKey()])
      else await this.#read(Array.from({ length: 5 }, () => this.#anyKey()))
      const nowMs = performance.now()
      this.#figures.pauseMs = Math.max(this.#figures.pauseMs, nowMs - this.#answeredAtMs)
      this.#answeredAtMs = nowMs
    } catch {
      this.#figures.errors++
      await delay(10)
    }
    this.#leaving?.disconnect()
    this.#leaving = undefined
  }

  get hasWorked() {
    return this.#figures.reads > 0 && this.#figures.writes > 0
  }

  takeFigures() {
    const figures = this.#figures
    this.#figures = noFigures()
    return figures
  }

  close() {
    this.#client.disconnect()
  }

  /** Every value names its key, so that an answer to somebody else's question is noticed. */
  async #write(key) {
    const value = `${key}=${this.#count++}`
    const allowed = this.#allowed.get(key)
    // Until it is known whether it was done.
    allowed.add(value)
    await this.#client.set(key, value)
    this.#allowed.set(key, new Set([value]))
    this.#figures.writes++
  }

  async #read(keys) {
    const [key] = keys
    const values = keys.length === 1 ? [await this.#client.get(key)] : await this.#client.mget(keys)
    for (const [at, value] of values.entries()) {
      this.#figures.reads++
      if (!this.#allowed.get(keys[at]).has(value)) this.#figures.wrong++
    }
    if (values.length !== keys.length) this.#figures.wrong++
  }

  #anyKey() {
    return this.keys[Math.floor(Math.random() * this.keys.length)]
  }
}

function noFigures() {
  return { reads: 0, writes: 0, wrong: 0, errors: 0, pauseMs: 0 }
}

/**
 * As an app would, it connects again and again; a command that was under way when the connection broke
 * fails rather than being sent twice. nutcracker knows neither HELLO nor INFO nor CLIENT.
 */
function open(port) {
  const client = new Redis({
    port,
    protocol: 2,
    enableReadyCheck: false,
    disableClientInfo: true,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => 20,
  })
  client.on('error', () => {})
  return client
}
