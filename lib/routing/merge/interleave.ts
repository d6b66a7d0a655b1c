/**
 * Puts the elements of the shards' arrays back into the order of the keys: one reply from one reply
 * per shard, for commands that were split without a response policy (MGET).
 */
import { CHUNK_BYTES, Chunk, copyToChunk, copyWords, WORDWISE_BYTES_MAX } from '../../io/chunk.ts'
import type { Piece } from '../../io/shelf.ts'
import { CR, parseInteger } from '../../resp/bytes.ts'
import { arrayHeader } from '../../resp/encode.ts'
import { isErrorKind, isListKind, shortElementEnd } from '../../resp/reply-reader.ts'
import { endOfRowElement } from '../../resp/reply-row.ts'
import { ReplyScanner } from '../../resp/reply-scanner.ts'

/** Takes the merged reply, in parts if it is large. It copies what it keeps. */
export interface MergedOutput {
  reply(tag: number, bytes: Buffer, start: number, end: number, last: boolean): void
}

/**
 * A verified reply as it came: its pieces in order. A cut lies only within the body of a string.
 */
export type ReplyPieces = readonly Piece[]

/** The replies to the parts of one command, numbered from 0. */
export interface ReplyParts {
  readonly count: number
  /** The reply to a part, if it lies in one piece. */
  whole(part: number): Piece | undefined
  pieces(part: number): ReplyPieces
  /** By part without a piece: its row; undefined: there are no rows. */
  readonly rowOf: readonly number[] | undefined
  /** Replies to parts, in their order: arrays of one element each, as `ReplyRow` has verified them. */
  row(number: number): ReplyPieces
}

/**
 * Element i of the merged reply is the next one of reply `owners[i]`. It goes to `output`; the first
 * error wins, as it came. False, and no output, when a reply is not an array with one element for
 * each of its keys.
 */
export function interleave(
  replies: ReplyParts,
  owners: Int32Array,
  output: MergedOutput,
  tag: number,
): boolean {
  const { count, rowOf } = replies
  for (let part = 0; part < count; part++) {
    const first = replies.whole(part) ?? replies.pieces(part)[0]
    if (!isErrorKind(first?.chunk.bytes[first.start])) continue
    passOn(replies.pieces(part), output, tag)
    return true
  }
  const readers = readersOf(replies, owners)
  if (readers === undefined) return false
  const merged = new MergedReply(output, tag)
  const rows: RowReader[] = []
  merged.begin(arrayHeader(owners.length))
  for (const owner of owners) {
    const reader = readers[owner]
    const only = replies.whole(owner)
    if (reader !== undefined) reader.copyNext(merged)
    else if (only !== undefined) merged.appendOnly(only)
    else {
      const row = rowOf?.[owner] as number
      rows[row] ??= new RowReader(replies.row(row))
      rows[row].copyNext(merged)
    }
  }
  merged.end()
  return true
}

/** By part: what reads a reply that is more than the one element of one key. Undefined: a reply is not what it should be. */
function readersOf(
  replies: ReplyParts,
  owners: Int32Array,
): readonly (PiecesReader | undefined)[] | undefined {
  const { count, rowOf } = replies
  let due: Int32Array | undefined
  let readers = NO_READERS
  for (let part = 0; part < count; part++) {
    const whole = replies.whole(part)
    const isOne = whole !== undefined && hasOneElement(whole)
    // What might be in a row is for one key.
    const isInRow = rowOf !== undefined && (rowOf[part] as number) >= 0
    if (isInRow && (isOne || replies.pieces(part).length === 0)) continue
    due ??= dueTo(owners, count)
    if (isOne && due[part] === 1) continue
    const reader = new PiecesReader(replies.pieces(part))
    if (reader.count !== due[part]) return undefined
    if (readers === NO_READERS) readers = new Array(count).fill(undefined)
    readers[part] = reader
  }
  return readers
}

/** By part: how many elements it owes. */
function dueTo(owners: Int32Array, count: number): Int32Array {
  const due = new Int32Array(count)
  for (const owner of owners) due[owner] = (due[owner] as number) + 1
  return due
}

const NO_READERS: (PiecesReader | undefined)[] = []

/** The header of an array of one: most parts of a command for a cluster have one key. */
const ONE = Buffer.from('*1\r\n')

function hasOneElement({ chunk: { bytes }, start }: Piece): boolean {
  return bytes[start] === ONE[0] && bytes[start + 1] === ONE[1] && bytes[start + 2] === ONE[2]
}

function passOn(pieces: ReplyPieces, output: MergedOutput, tag: number): void {
  for (const [i, { chunk, start, end }] of pieces.entries()) {
    output.reply(tag, chunk.bytes, start, end, i === pieces.length - 1)
  }
}

/** Merged bytes are handed on at once, so one buffer is enough for all. */
const scratch = new Chunk(CHUNK_BYTES)

class MergedReply {
  readonly #output: MergedOutput
  readonly #tag: number
  #used = 0

  constructor(output: MergedOutput, tag: number) {
    this.#output = output
    this.#tag = tag
  }

  begin(header: Buffer): void {
    copyToChunk(scratch, 0, header, 0, header.length)
    this.#used = header.length
  }

  append({ bytes, view }: Chunk, start: number, end: number): void {
    const length = end - start
    if (length > CHUNK_BYTES - this.#used) this.#handOn(false)
    const at = this.#used
    // A piece may be larger than the scratch.
    if (length > CHUNK_BYTES) {
      this.#output.reply(this.#tag, bytes, start, end, false)
      return
    }
    this.#used = at + length
    if (length <= WORDWISE_BYTES_MAX) copyWords(scratch, at, view, start, end)
    else scratch.bytes.set(bytes.subarray(start, end), at)
  }

  /** The element of an array of one. */
  appendOnly({ chunk, start, end }: Piece): void {
    this.append(chunk, start + ONE.length, end)
  }

  end(): void {
    this.#handOn(true)
  }

  #handOn(last: boolean): void {
    this.#output.reply(this.#tag, scratch.bytes, 0, this.#used, last)
    this.#used = 0
  }
}

/** Walks over the elements of a row: no reply is cut. */
class RowReader {
  readonly #pieces: ReplyPieces
  #index = 0
  #piece: Piece
  #at: number

  constructor(pieces: ReplyPieces) {
    this.#pieces = pieces
    this.#piece = pieces[0] as Piece
    this.#at = this.#piece.start
  }

  copyNext(merged: MergedReply): void {
    if (this.#at === this.#piece.end) {
      this.#piece = this.#pieces[++this.#index] as Piece
      this.#at = this.#piece.start
    }
    const { chunk } = this.#piece
    const start = this.#at + ONE.length
    this.#at = endOfRowElement(chunk.bytes, start)
    merged.append(chunk, start, this.#at)
  }
}

/** Walks over the elements of an array, set or push that lies in pieces. */
class PiecesReader {
  /** Number of elements; -1 for a null and for a reply of another kind. */
  readonly count: number
  readonly #pieces: ReplyPieces
  #index = 0
  #piece: Piece
  /** Where the next element begins in the piece. */
  #at: number
  #scanner: ReplyScanner | undefined
  /** The last piece has ended within an element. */
  #cut = false

  constructor(pieces: ReplyPieces) {
    this.#pieces = pieces
    this.#piece = pieces[0] as Piece
    const { chunk, start } = this.#piece
    const { bytes } = chunk
    let lineEnd = start + 1
    while (bytes[lineEnd] !== CR) lineEnd++
    this.count = isListKind(bytes[start]) ? (parseInteger(bytes, start + 1, lineEnd) as number) : -1
    this.#at = lineEnd + 2
  }

  copyNext(merged: MergedReply): void {
    for (;;) {
      if (this.#at === this.#piece.end) this.#turnOver()
      const { chunk, end } = this.#piece
      const start = this.#at
      const next = this.#endOfElement(chunk.bytes, start, end)
      this.#at = next < 0 ? end : next
      merged.append(chunk, start, this.#at)
      if (next >= 0) return
    }
  }

  #turnOver(): void {
    this.#index++
    this.#piece = this.#pieces[this.#index] as Piece
    this.#at = this.#piece.start
  }

  /** Negative: it goes on in the next piece. */
  #endOfElement(bytes: Buffer, start: number, limit: number): number {
    // The usual element is found without the scanner.
    const short = this.#cut ? 0 : shortElementEnd(bytes, start, limit)
    if (short > 0 && short <= limit) return short
    this.#scanner ??= new ReplyScanner()
    const end = this.#scanner.scan(bytes, start, limit)
    this.#cut = end < 0
    return end
  }
}
