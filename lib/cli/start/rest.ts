/**
 * Gives back at rest what starting or a burst has left behind. V8 grows its heap while much is allocated,
 * and collects only when something is allocated again, which at rest is hours later. A collection stops the
 * process for tens of milliseconds: so it waits until the process has next to nothing to do, and comes
 * again only when memory has grown since.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { REST_CPU_MS_MAX, REST_GROWN_BYTES, REST_LOOK_MS } from '../../limits.ts'

const IS_NODE_20 = process.version.startsWith('v20.')

/** What a look finds, and what it may do. */
export interface RestOptions {
  /** CPU time of the process so far, milliseconds. */
  readonly cpuMs: () => number
  /** Resident memory, bytes. */
  readonly residentBytes: () => number
  readonly collect: () => void
  /** A second collection after a quiet while frees what the first has left. */
  readonly twice: boolean
}

export class Rest {
  readonly #options: RestOptions
  readonly #timer: NodeJS.Timeout
  #cpuMs: number
  /** The least since the last collection, bytes; at first everything is too much. */
  #restBytes = 0
  #isSecondDue = false

  /** Looks every REST_LOOK_MS, and keeps nothing alive by that. */
  constructor(options: RestOptions = ofThisProcess()) {
    this.#options = options
    this.#cpuMs = options.cpuMs()
    this.#timer = setInterval(() => this.look(), REST_LOOK_MS)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Collects if the process rests and has grown. */
  look(): void {
    const { cpuMs, residentBytes, collect, twice } = this.#options
    const isQuiet = cpuMs() - this.#cpuMs <= REST_CPU_MS_MAX
    const bytes = residentBytes()
    if (isQuiet && (this.#isSecondDue || bytes > this.#restBytes + REST_GROWN_BYTES)) {
      collect()
      this.#isSecondDue = twice && !this.#isSecondDue
      this.#restBytes = residentBytes()
    }
    // V8 goes on giving back after a collection.
    this.#restBytes = Math.min(this.#restBytes, bytes)
    // The collection's own time is no work.
    this.#cpuMs = cpuMs()
  }
}

function ofThisProcess(): RestOptions {
  return {
    cpuMs: () => {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1000
    },
    residentBytes: () => process.memoryUsage.rss(),
    collect: collectGarbage,
    twice: IS_NODE_20,
  }
}

/** V8 has the function only in contexts that are made while the flag is on. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (options?: object) => void
  setFlagsFromString('--no-expose-gc')
  // This flavor shrinks the young generation. Node 20 lacks it, and takes any options for a minor collection; it
  // shrinks when next to nothing was allocated since the last collection.
  if (IS_NODE_20) collect()
  else collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
