/**
 * The Lua scripts that clients have shown us, by SHA-1, those used last kept longest; and for each
 * one the shard connections over which we have loaded it. No sockets: a connection is only asked
 * for its incarnation.
 */
import { hash } from 'node:crypto'
import { requestFrame } from '../../resp/encode.ts'

/** A connection that may be lost: a shard that comes back may have forgotten everything. */
export interface Generational {
  readonly incarnation: number
}

const CRLF_BYTES = 2

interface Load {
  readonly incarnation: number
  answered: boolean
  refused: boolean
}

export class Script {
  /** `SCRIPT LOAD <body>`. */
  readonly loadFrame: Buffer
  /** A shard has taken it, so its syntax is right. */
  compiles = false
  #loads = new WeakMap<Generational, Load>()

  readonly #bodyBytes: number

  constructor(body: Uint8Array) {
    this.loadFrame = requestFrame(['SCRIPT', 'LOAD', body])
    this.#bodyBytes = body.length
  }

  /** The script itself, which ends its frame. */
  get body(): Buffer {
    const end = this.loadFrame.length - CRLF_BYTES
    return this.loadFrame.subarray(end - this.#bodyBytes, end)
  }

  /** SCRIPT LOAD has gone over this connection: what follows on it finds the script. */
  isSent(connection: Generational): boolean {
    return this.#loads.get(connection)?.incarnation === connection.incarnation
  }

  /** And it has been answered: the shard has the script, whichever way it is asked. */
  isLoaded(connection: Generational): boolean {
    return this.isSent(connection) && this.#loads.get(connection)?.answered === true
  }

  /** The shard has not let us load it over this connection: that need not be tried again. */
  isRefused(connection: Generational): boolean {
    return this.isSent(connection) && this.#loads.get(connection)?.refused === true
  }

  /** SCRIPT LOAD goes over this connection now; returns what to call when its answer is known. */
  sent(connection: Generational): (succeeded: boolean, refused?: boolean) => void {
    const load = { incarnation: connection.incarnation, answered: false, refused: false }
    this.#loads.set(connection, load)
    return (succeeded, refused = false) => {
      if (succeeded) {
        load.answered = true
        this.compiles = true
      } else if (refused) {
        load.refused = true
      } else if (this.#loads.get(connection) === load) {
        this.#loads.delete(connection)
      }
    }
  }

  /** Some shard has turned out not to have it: all get it again. */
  forgetLoads(): void {
    this.#loads = new WeakMap()
  }
}

export class ScriptCache {
  readonly #scriptsMax: number
  readonly #bytesMax: number
  /** Used last, last. */
  readonly #scripts = new Map<string, Script>()
  #bytes = 0

  /** `bytesMax`: of all bodies together. */
  constructor(scriptsMax: number, bytesMax: number) {
    this.#scriptsMax = scriptsMax
    this.#bytesMax = bytesMax
  }

  get size(): number {
    return this.#scripts.size
  }

  /** The script with this body, remembered unless it is too large for that. */
  remember(body: Uint8Array): Script {
    const sha = hash('sha1', body)
    const known = this.get(sha)
    if (known !== undefined) return known
    const script = new Script(body)
    // It would drive all the others out, and itself.
    if (script.loadFrame.length > this.#bytesMax) return script
    this.#scripts.set(sha, script)
    this.#bytes += script.loadFrame.length
    this.#evict()
    return script
  }

  /** By the hexadecimal SHA-1 of its body, in any case. */
  get(sha: string): Script | undefined {
    const name = sha.toLowerCase()
    const script = this.#scripts.get(name)
    if (script === undefined) return undefined
    this.#scripts.delete(name)
    this.#scripts.set(name, script)
    return script
  }

  clear(): void {
    this.#scripts.clear()
    this.#bytes = 0
  }

  #evict(): void {
    for (const [sha, script] of this.#scripts) {
      if (this.#scripts.size <= this.#scriptsMax && this.#bytes <= this.#bytesMax) return
      this.#scripts.delete(sha)
      this.#bytes -= script.loadFrame.length
    }
  }
}
