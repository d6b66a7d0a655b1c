import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import { expect } from 'chai'
import { DOUBT_MS, RESOLVE_AGAIN_MS } from '../../../lib/limits.ts'
import { NameLookup, nameLookupFor } from '../../../lib/upstream/doubts/name-lookup.ts'
import { ManualTimers } from '../../support/manual-timers.ts'

type Found = (error: Error | null, found: dns.LookupAddress[]) => void

describe('NameLookup', () => {
  const timers = new ManualTimers()
  const realLookup = dns.lookup
  /** Questions that have not been answered, oldest first. */
  let questions: Found[]
  let nowMs: number
  let changes: string[]
  let name: NameLookup

  beforeEach(() => {
    timers.install(false)
    const lookup = (_host: string, _options: dns.LookupAllOptions, found: Found): void => {
      questions.push(found)
    }
    dns.lookup = lookup as unknown as typeof dns.lookup
    syncBuiltinESMExports()
    questions = []
    nowMs = 0
    changes = []
    name = new NameLookup(
      'shard.test',
      () => nowMs,
      (addresses) => changes.push(addresses.join(' ')),
    )
  })

  afterEach(() => {
    name.close()
    timers.restore()
    dns.lookup = realLookup
    syncBuiltinESMExports()
  })

  /** As a socket asks. */
  function connect(): string[] {
    const got: string[] = []
    name.lookup('shard.test', {}, (error, address) => got.push(error?.message ?? `${address}`))
    return got
  }

  function answer(...addresses: string[]): void {
    const found = addresses.map((address) => ({ address, family: 4 }))
    questions.shift()?.(null, found)
  }

  it('tells of other addresses than before, before whoever connects hears of them', () => {
    connect()
    answer('10.0.0.1')
    expect(changes).to.deep.equal([])
    name.lookup('shard.test', {}, () => changes.push('connects'))
    answer('10.0.0.2')
    expect(changes).to.deep.equal(['10.0.0.2', 'connects'])
  })

  it('gives all addresses to those who ask for all', () => {
    let got: unknown
    name.lookup('shard.test', { all: true }, (_error, found) => {
      got = found
    })
    answer('10.0.0.1', '10.0.0.2')
    expect(got).to.deep.equal([
      { address: '10.0.0.1', family: 4 },
      { address: '10.0.0.2', family: 4 },
    ])
  })

  it('takes another order for the same', () => {
    connect()
    answer('10.0.0.1', '10.0.0.2')
    connect()
    answer('10.0.0.2', '10.0.0.1')
    expect(changes).to.deep.equal([])
  })

  it('gives the newest answer to those whose own is older', () => {
    connect()
    answer('10.0.0.1')
    const early = connect()
    const late = connect()
    const [earlyQuestion, lateQuestion] = questions
    lateQuestion?.(null, [{ address: '10.0.0.2', family: 4 }])
    earlyQuestion?.(null, [{ address: '10.0.0.1', family: 4 }])
    expect([...early, ...late]).to.deep.equal(['10.0.0.2', '10.0.0.2'])
    expect(changes).to.deep.equal(['10.0.0.2'])
  })

  it('fails those who connect, and nobody else, when the name cannot be resolved', () => {
    connect()
    answer('10.0.0.1')
    const got = connect()
    questions.shift()?.(new Error('ENOTFOUND'), [])
    expect(got).to.deep.equal(['ENOTFOUND'])
    expect(changes).to.deep.equal([])
  })

  it('asks again after a while, and at once when there is doubt', () => {
    timers.advance(RESOLVE_AGAIN_MS)
    expect(questions).to.have.length(1)
    answer('10.0.0.1')
    timers.advance(RESOLVE_AGAIN_MS)
    expect(questions).to.have.length(1)
    answer('10.0.0.1')
    nowMs = DOUBT_MS
    name.doubt()
    name.doubt()
    expect(questions).to.have.length(1)
    answer('10.0.0.2')
    expect(changes).to.deep.equal(['10.0.0.2'])
  })

  it('is silent once it is closed', () => {
    connect()
    answer('10.0.0.1')
    const got = connect()
    name.close()
    answer('10.0.0.2')
    timers.advance(2 * RESOLVE_AGAIN_MS)
    expect([got.length, changes.length, questions.length]).to.deep.equal([1, 0, 0])
  })

  it('is not needed for addresses in numbers and for unix sockets', () => {
    for (const address of [
      { host: '10.0.0.1', port: 1 },
      { host: '::1', port: 1 },
      { path: '/s' },
    ]) {
      expect(
        nameLookupFor(
          address,
          () => 0,
          () => {},
        ),
      ).to.equal(undefined)
    }
  })
})
