/** Which keys may be kept: those that begin as the configuration says. */
import { NO_TEXT, PrefixTree } from './prefix-tree.ts'

/** The record of a prefix. One that costs more than it saves is left alone for a while. */
export interface Prefix {
  readonly text: string
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
  readonly all: readonly Prefix[]
  readonly #tree: PrefixTree
  #judgedMs: number

  /** `texts`: `*` stands for all keys. */
  constructor(texts: readonly string[], nowMs: number) {
    this.all = [...new Set(texts)].map(prefixOf)
    this.#tree = new PrefixTree(this.all.map(({ text }) => bytesOf(text)))
    this.#judgedMs = nowMs
  }

  /** The longest prefix of the key `bytes[start, end)`. */
  of(bytes: Uint8Array, start: number, end: number): Prefix | undefined {
    const at = this.#tree.longest(bytes, start, end)
    return at === NO_TEXT ? undefined : this.all[at]
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

function bytesOf(text: string): Buffer {
  return Buffer.from(text === '*' ? '' : text)
}

function prefixOf(text: string): Prefix {
  const counts = { hits: 0, fills: 0, hitsBefore: 0, fillsBefore: 0 }
  return { text, ...counts, suspendedUntilMs: Number.NEGATIVE_INFINITY }
}
