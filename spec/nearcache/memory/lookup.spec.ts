import { expect } from 'chai'
import { NO_RECORD } from '../../../lib/nearcache/memory/chains.ts'
import { Lookup } from '../../../lib/nearcache/memory/lookup.ts'
import { DEAD, LIVE, Records } from '../../../lib/nearcache/memory/records.ts'

const RECORDS = 20_000
const SOURCE = 3

describe('Lookup', () => {
  let log: Records
  let lookup: Lookup

  beforeEach(() => {
    log = new Records(RECORDS)
    lookup = new Lookup(log, RECORDS)
  })

  function add(at: number): void {
    log.identities[at] = 7 * at
    log.sources[at] = SOURCE
    log.keyHashes[at] = Math.imul(at, 0x9e3779b1)
    log.states[at] = LIVE
    lookup.add(at)
  }

  function remove(at: number): void {
    lookup.remove(at)
    log.states[at] = DEAD
  }

  /** Whether the record is found by the number of its request, and by that of its key. */
  function found(at: number): readonly [boolean, boolean] {
    let byRequest = lookup.first(7 * at, SOURCE)
    while (byRequest !== NO_RECORD && byRequest !== at) byRequest = lookup.next(byRequest)
    const keyHash = log.keyHashes[at] as number
    let byKey = lookup.firstOfKey(keyHash)
    while (byKey !== NO_RECORD && byKey !== at) byKey = lookup.nextOfKey(byKey)
    return [byRequest === at, byKey === at && lookup.mayHave(keyHash)]
  }

  function foundAll(): readonly (readonly [boolean, boolean])[] {
    return Array.from({ length: RECORDS }, (_, at) => found(at))
  }

  it('finds each record, however many come, until it is removed', () => {
    for (let at = 0; at < RECORDS; at++) add(at)
    expect(foundAll()).to.deep.equal(Array(RECORDS).fill([true, true]))
    for (let at = 0; at < RECORDS; at += 2) remove(at)
    const odd = Array.from({ length: RECORDS }, (_, at) => [at % 2 === 1, at % 2 === 1])
    expect(foundAll()).to.deep.equal(odd)
  })

  it('finds what is left when it becomes wider, and nothing when it was cleared', () => {
    for (let at = 0; at < 1000; at++) add(at)
    for (let at = 0; at < 1000; at += 3) remove(at)
    for (let at = 1000; at < 5000; at++) add(at)
    const expected = Array.from({ length: RECORDS }, (_, at) => {
      const isThere = at < 5000 && (at >= 1000 || at % 3 !== 0)
      return [isThere, isThere]
    })
    expect(foundAll()).to.deep.equal(expected)
    lookup.clear()
    log.states.fill(DEAD)
    expect(foundAll()).to.deep.equal(Array(RECORDS).fill([false, false]))
    add(17)
    expect(found(17)).to.deep.equal([true, true])
  })

  it('knows of most keys that nothing is there', () => {
    for (let at = 0; at < 100; at++) add(at)
    let wrong = 0
    for (let at = 100; at < 20_000; at++) if (lookup.mayHave(Math.imul(at, 0x9e3779b1))) wrong++
    expect(wrong).to.be.lessThan(1000)
  })
})
