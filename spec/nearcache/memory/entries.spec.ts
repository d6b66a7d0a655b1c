import { expect } from 'chai'
import { Entries, NO_ENTRY } from '../../../lib/nearcache/memory/entries.ts'
import { hashBytes } from '../../../lib/nearcache/memory/hash.ts'
import { createRandom } from '../../support/random.ts'

const KB = 1024

/** A request and its reply, as far as entries know of them. */
interface Sample {
  readonly frame: Buffer
  readonly reply: Buffer
  readonly keyHash: number
  readonly identity: number
  readonly source: number
}

function sample(key: string, replyBytes = 10, source = 1): Sample {
  const frame = Buffer.from(`GET ${key}`)
  const keyHash = hashBytes(frame, 4, frame.length)
  return {
    frame,
    reply: Buffer.alloc(replyBytes, key),
    keyHash,
    identity: keyHash,
    source,
  }
}

function put(entries: Entries, { identity, keyHash, source, frame, reply }: Sample): void {
  entries.put(identity, keyHash, source, 1000, frame, reply)
}

function find(entries: Entries, { identity, source, frame }: Sample): number {
  return entries.find(identity, source, frame, 0, frame.length)
}

function replyOf(entries: Entries, entry: number): Buffer {
  return entries.arena.subarray(entries.replyStart(entry), entries.replyEnd(entry))
}

describe('Entries', () => {
  it('finds the reply to the same request of the same source', () => {
    const entries = new Entries(64 * KB)
    const kept = sample('a')
    put(entries, kept)
    expect(replyOf(entries, find(entries, kept))).to.deep.equal(kept.reply)
    expect(entries.expiresMs(find(entries, kept))).to.equal(1000)
    expect(find(entries, sample('b'))).to.equal(NO_ENTRY)
    expect(find(entries, { ...kept, source: 2 })).to.equal(NO_ENTRY)
  })

  it('finds a request whose head stands elsewhere', () => {
    const entries = new Entries(64 * KB)
    const kept = sample('a')
    put(entries, kept)
    const { identity, source, frame } = kept
    const found = (head: Buffer) => entries.find(identity, source, frame, 5, frame.length, head)
    expect(found(frame.subarray(0, 5))).to.equal(find(entries, kept))
    expect(found(Buffer.from('other'))).to.equal(NO_ENTRY)
    expect(found(frame.subarray(0, 4))).to.equal(NO_ENTRY)
  })

  it('tells requests apart whose numbers are the same', () => {
    const entries = new Entries(64 * KB)
    const [one, other] = [sample('a'), { ...sample('b'), identity: sample('a').identity }]
    put(entries, one)
    expect(find(entries, other)).to.equal(NO_ENTRY)
    put(entries, other)
    expect(replyOf(entries, find(entries, one))).to.deep.equal(one.reply)
    expect(replyOf(entries, find(entries, other))).to.deep.equal(other.reply)
  })

  it('removes all entries of a key, whatever their source', () => {
    const entries = new Entries(64 * KB)
    const all = [sample('a', 10, 1), sample('a', 10, 2), sample('b')]
    for (const each of all) put(entries, each)
    expect(entries.removeKey(sample('a').keyHash)).to.equal(2)
    expect(all.map((each) => find(entries, each) === NO_ENTRY)).to.deep.equal([true, true, false])
    expect(entries.removeKey(sample('a').keyHash)).to.equal(0)
  })

  it('lets go of what nobody has asked for, not of what was hit', () => {
    const entries = new Entries(64 * KB)
    const hot = sample('hot', 500)
    put(entries, hot)
    for (let i = 0; i < 1000; i++) {
      entries.hit(find(entries, hot))
      put(entries, sample(`cold${i}`, 500))
    }
    expect(replyOf(entries, find(entries, hot))).to.deep.equal(hot.reply)
    expect(find(entries, sample('cold0', 500))).to.equal(NO_ENTRY)
    expect(entries.evictions).to.be.greaterThan(500)
  })

  it('goes round when everything is hit', () => {
    const entries = new Entries(64 * KB)
    for (let i = 0; i < 1000; i++) {
      const each = sample(`k${i}`, 100)
      put(entries, each)
      entries.hit(find(entries, each))
    }
    expect(entries.count).to.be.greaterThan(100)
  })

  it('keeps nothing that is larger than all of it', () => {
    const entries = new Entries(64 * KB)
    put(entries, sample('a', 65_000))
    expect(entries.count).to.equal(0)
  })

  it('holds its own through a hundred thousand random operations', () => {
    const entries = new Entries(256 * KB)
    const random = createRandom(7)
    const expected = new Map<string, Sample>()
    for (let round = 0; round < 100_000; round++) {
      const key = `k${random.integer(0, 2000)}`
      const known = expected.get(key)
      const what = random.integer(0, 10)
      if (what === 0) {
        const { keyHash } = sample(key)
        entries.removeKey(keyHash)
        expected.delete(key)
      } else if (known !== undefined && find(entries, known) !== NO_ENTRY) {
        const entry = find(entries, known)
        expect(replyOf(entries, entry).equals(known.reply), key).to.equal(true)
        if (what < 5) entries.hit(entry)
        if (what === 9) {
          entries.remove(entry)
          expected.delete(key)
        }
      } else {
        const each = sample(key, random.integer(0, what === 8 ? 8000 : 300))
        put(entries, each)
        expected.set(key, each)
      }
    }
    const left = [...expected.values()].filter((each) => find(entries, each) !== NO_ENTRY)
    expect(entries.count).to.equal(left.length)
    const bytes = left.reduce((sum, { frame, reply }) => sum + frame.length + reply.length, 0)
    expect(entries.liveBytes).to.equal(bytes)
    entries.clear()
    expect([entries.count, entries.liveBytes]).to.deep.equal([0, 0])
    expect(left.every((each) => find(entries, each) === NO_ENTRY)).to.equal(true)
  })
})
