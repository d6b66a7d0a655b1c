/** Which keys may be kept: those that begin as the configuration says. */

/** The record of a prefix. One that costs more than it saves is left alone for a while. */
export interface Prefix {
  readonly text: string
  readonly bytes: Buffer
  hits: number
  fills: number
  /** Until this moment nothing of it is kept. */
  suspendedUntilMs: number
  /** At the last look. */
  hitsBefore: number
  fillsBefore: number
}

/** How long a prefix is observed, and how long it is left alone. */
const JUDGED_MS = 60_000
/** Fewer fills than this are no burden. */
const FILLS_MIN = 100

export class Prefixes {
  /** The longest first, so that the first match is the longest. */
  readonly all: readonly Prefix[]
  /** By a key's first byte: whether any may fit. */
  readonly #firstBytes = new Uint8Array(256)
  readonly #fitAll: boolean
  #judgedMs: number

  /** `texts`: `*` stands for all keys. */
  constructor(texts: readonly string[], nowMs: number) {
    const sorted = [...new Set(texts)].sort((a, b) => lengthOf(b) - lengthOf(a))
    this.all = sorted.map(prefixOf)
    this.#fitAll = this.all.some(({ bytes }) => bytes.length === 0)
    for (const { bytes } of this.all) if (bytes.length > 0) this.#firstBytes[bytes[0] as number] = 1
    this.#judgedMs = nowMs
  }

  /** The longest prefix of the key `bytes[start, end)`. */
  of(bytes: Uint8Array, start: number, end: number): Prefix | undefined {
    const { all } = this
    if (!this.#fitAll && (start === end || this.#firstBytes[bytes[start] as number] === 0)) {
      return undefined
    }
    for (let i = 0; i < all.length; i++) {
      const prefix = all[i] as Prefix
      if (begins(prefix.bytes, bytes, start, end)) return prefix
    }
    return undefined
  }

  /** Those that have cost more than they brought since the last judgement, a minute ago. */
  judge(nowMs: number): readonly Prefix[] {
    if (nowMs - this.#judgedMs < JUDGED_MS) return []
    this.#judgedMs = nowMs
    return this.all.filter((prefix) => {
      const fills = prefix.fills - prefix.fillsBefore
      const hits = prefix.hits - prefix.hitsBefore
      prefix.fillsBefore = prefix.fills
      prefix.hitsBefore = prefix.hits
      const isBurden = fills >= FILLS_MIN && fills > hits
      if (isBurden) prefix.suspendedUntilMs = nowMs + JUDGED_MS
      return isBurden
    })
  }
}

function lengthOf(text: string): number {
  return text === '*' ? 0 : Buffer.byteLength(text)
}

function prefixOf(text: string): Prefix {
  const bytes = Buffer.from(text === '*' ? '' : text)
  const counts = { hits: 0, fills: 0, hitsBefore: 0, fillsBefore: 0 }
  return { text, bytes, ...counts, suspendedUntilMs: Number.NEGATIVE_INFINITY }
}

function begins(prefix: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < prefix.length) return false
  for (let i = 0; i < prefix.length; i++) if (prefix[i] !== bytes[start + i]) return false
  return true
}
