import { expect } from 'chai'
import { CHUNK_BYTES, Chunk } from '../../../lib/io/chunk.ts'
import type { Piece } from '../../../lib/io/shelf.ts'
import { interleave } from '../../../lib/routing/merge/interleave.ts'
import { bulk, latin1 } from '../../support/frames.ts'
import { createRandom, type Random, specSeed } from '../../support/random.ts'
import { randomReply } from '../../support/random-replies.ts'

/** `bytes` somewhere in a chunk. */
function piece(bytes: Buffer): Piece {
  const chunk = new Chunk(bytes.length + 8)
  chunk.bytes.fill('+')
  bytes.copy(chunk.bytes, 4)
  return { chunk, start: 4, end: 4 + bytes.length }
}

/** The merged reply, or undefined if there is none. */
function merge(replies: readonly (readonly Piece[])[], owners: Int32Array): Buffer | undefined {
  const parts: Buffer[] = []
  let ended = false
  const output = {
    reply(tag: number, bytes: Buffer, start: number, end: number, last: boolean): void {
      expect([tag, ended]).to.deep.equal([7, false])
      parts.push(Buffer.from(bytes.subarray(start, end)))
      ended = last
    },
  }
  const source = {
    count: replies.length,
    whole: (part: number) => (replies[part]?.length === 1 ? replies[part][0] : undefined),
    pieces: (part: number) => replies[part] as readonly Piece[],
    rowOf: undefined,
    row: () => [],
  }
  const merged = interleave(source, owners, output, 7)
  expect([ended, parts.length > 0]).to.deep.equal([merged, merged])
  return merged ? Buffer.concat(parts) : undefined
}

function interleaved(replies: readonly string[], owners: readonly number[]): string | undefined {
  const pieces = replies.map((reply) => [piece(latin1(reply))])
  return merge(pieces, Int32Array.from(owners))?.toString('latin1')
}

describe('interleave', () => {
  it('puts each element in the place of its key', () => {
    const replies = ['*2\r\n$1\r\na\r\n$-1\r\n', '*1\r\n$1\r\nb\r\n', '*2\r\n:1\r\n*1\r\n+x\r\n']
    const owners = [0, 2, 1, 2, 0]
    const merged = '*5\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n*1\r\n+x\r\n$-1\r\n'
    expect(interleaved(replies, owners)).to.equal(merged)
  })

  it('takes elements from rows, those left out that came by themselves', () => {
    const rows = [
      [piece(latin1('*1\r\n$1\r\na\r\n*1\r\n$-1\r\n')), piece(latin1('*1\r\n$2\r\ncc\r\n'))],
      [piece(latin1('*1\r\n_\r\n'))],
    ]
    const own = [
      undefined,
      undefined,
      '*1\r\n$1\r\no\r\n',
      undefined,
      '*2\r\n$1\r\nx\r\n$1\r\ny\r\n',
    ]
    const replies = [...own, undefined].map((text) =>
      text === undefined ? [] : [piece(latin1(text))],
    )
    const source = {
      count: replies.length,
      whole: (part: number) => replies[part]?.[0],
      pieces: (part: number) => replies[part] as readonly Piece[],
      rowOf: [0, 1, 0, 0, -1, 0],
      row: (number: number) => rows[number] as readonly Piece[],
    }
    let text = ''
    const output = {
      reply: (_tag: number, bytes: Buffer, start: number, end: number) => {
        text += bytes.toString('latin1', start, end)
      },
    }
    expect(interleave(source, Int32Array.of(0, 1, 2, 4, 3, 4, 5), output, 7)).to.equal(true)
    const elements = ['$1\r\na', '_', '$1\r\no', '$1\r\nx', '$-1', '$1\r\ny', '$2\r\ncc']
    expect(text).to.equal(`*7\r\n${elements.join('\r\n')}\r\n`)
  })

  it('passes on the first error as it came', () => {
    const error = '-WRONGTYPE Operation against a key\r\n'
    expect(interleaved(['*1\r\n:1\r\n', error, '-LATER\r\n'], [0, 1, 2])).to.equal(error)
  })

  it('does not guess when a reply has not one element for each of its keys', () => {
    for (const [replies, owners] of [
      [
        ['*1\r\n:1\r\n', '*1\r\n:1\r\n'],
        [0, 1, 1],
      ],
      [
        ['*2\r\n:1\r\n:2\r\n', '*1\r\n:1\r\n'],
        [0, 1],
      ],
      [
        ['*-1\r\n', '*1\r\n:1\r\n'],
        [0, 1],
      ],
      [
        ['+OK\r\n', '*1\r\n:1\r\n'],
        [0, 1],
      ],
      [
        ['%1\r\n+a\r\n+b\r\n', '*1\r\n:1\r\n'],
        [0, 1],
      ],
    ] as const) {
      expect(interleaved(replies, owners), String(replies)).to.equal(undefined)
    }
  })

  it('does what an obvious merge does, for random elements of any size in any pieces', () => {
    const random = createRandom(specSeed())
    for (let round = 0; round < 300; round += 1) {
      const shardCount = random.integer(1, 5)
      const shards = Array.from({ length: shardCount }, (): Buffer[] => [])
      const owners: number[] = []
      const inOrder: Buffer[] = []
      for (let i = random.pick([1, 10, 200]); i > 0; i -= 1) {
        const owner = random.integer(0, shardCount)
        const element =
          random.integer(0, 20) === 0
            ? bulk('v'.repeat(random.pick([255, 256, 257, 30_000])))
            : randomReply(random, 3)
        owners.push(owner)
        inOrder.push(element)
        shards[owner]?.push(element)
      }
      const replies = shards.map((elements) => cut(elements, random))
      const message = `seed ${random.seed}, round ${round}`
      const merged = merge(replies, Int32Array.from(owners))
      expect(merged?.equals(arrayOf(inOrder)), message).to.equal(true)
    }
  })

  it('takes elements that are larger than a chunk, in pieces and in one', () => {
    const large = bulk('v'.repeat(3 * CHUNK_BYTES))
    const whole = [piece(arrayOf([large]))]
    const inPieces = cutAt(arrayOf([large]), [20, 70_000, large.length])
    const merged = merge([whole, inPieces], Int32Array.of(1, 0))
    expect(merged?.equals(arrayOf([large, large]))).to.equal(true)
  })

  it('takes no rest of a string for an element, wherever it is cut', () => {
    const elements = ['$1\r\nx\r\n'.repeat(5), '*1\r\n$2\r\nab\r\n', '-ERR\r\n_\r\n'].map(bulk)
    const frame = arrayOf(elements)
    const bodies = elements.map((element) => frame.indexOf(element) + element.indexOf(10) + 1)
    for (const [i, element] of elements.entries()) {
      const end = frame.indexOf(element) + element.length
      for (let at = bodies[i] as number; at < end; at += 1) {
        for (let next = at + 1; next <= end; next += 1) {
          const merged = merge([cutAt(frame, [at, next])], Int32Array.of(0, 0, 0))
          expect(merged?.equals(frame), `${at} ${next}`).to.equal(true)
        }
      }
    }
  })

  it('passes on an error in pieces', () => {
    const error = bulkError('x'.repeat(100_000))
    const merged = merge(
      [cutAt(error, [50, 60_000]), [piece(latin1(':1\r\n'))]],
      Int32Array.of(0, 1),
    )
    expect(merged?.equals(error)).to.equal(true)
  })
})

/** A list of the elements in pieces, cut between elements and within strings' bodies. */
function cut(elements: readonly Buffer[], random: Random): Piece[] {
  const places: number[] = []
  let at = arrayOf(elements).length - Buffer.concat(elements).length
  for (const element of elements) {
    if (random.integer(0, 4) === 0) places.push(at)
    const body = element.indexOf(10) + 1
    if (element[0] === 0x24 && element.length > body && random.integer(0, 4) === 0) {
      places.push(at + random.integer(body, element.length))
    }
    at += element.length
  }
  return cutAt(arrayOf(elements), places)
}

function cutAt(frame: Buffer, places: readonly number[]): Piece[] {
  const ends = [...new Set([...places, frame.length])].filter((end) => end > 0)
  return ends.map((end, i) => piece(frame.subarray(i === 0 ? 0 : ends[i - 1], end)))
}

function bulkError(text: string): Buffer {
  return latin1(`!${text.length}\r\n${text}\r\n`)
}

function arrayOf(elements: readonly Buffer[]): Buffer {
  return Buffer.concat([latin1(`*${elements.length}\r\n`), ...elements])
}
