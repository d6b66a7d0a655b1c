import { expect } from 'chai'
import { findKeys, findPatterns, KeyPositions, needsLease } from '../../lib/commands/keys.ts'
import { learnCommand } from '../../lib/commands/learning/learn.ts'
import { CommandTable } from '../../lib/commands/lookup.ts'
import type { CommandRow } from '../../lib/commands/row.ts'
import type { Request } from '../../lib/resp/request.ts'
import { requestOf } from '../support/requests.ts'

const table = new CommandTable()
const out = new KeyPositions()

function rowOf(request: Request): CommandRow {
  const row = table.lookup(request)
  if (row === undefined) throw new Error('no such command')
  return row
}

function found(count: number): number[] {
  expect(count).to.equal(out.count)
  return [...out.positions.subarray(0, count)]
}

function keysOfArgs(...args: string[]): number[] {
  const request = requestOf(...args)
  return found(findKeys(rowOf(request), request, out))
}

/** The indices of the keys of a request written with spaces; `''` is an empty argument. */
function keysOf(text: string): number[] {
  return keysOfArgs(...text.split(' ').map((arg) => (arg === "''" ? '' : arg)))
}

function patternsOf(text: string): number[] {
  const request = requestOf(...text.split(' '))
  return found(findPatterns(rowOf(request), request, out))
}

describe('findKeys', () => {
  it('finds keys at fixed places', () => {
    expect(keysOf('GET k')).to.deep.equal([1])
    expect(keysOf('OBJECT ENCODING k')).to.deep.equal([2])
    expect(keysOf('RENAME a b')).to.deep.equal([1, 2])
    expect(keysOf('BITOP AND d a b c')).to.deep.equal([2, 3, 4, 5])
    expect(keysOf('TIME')).to.deep.equal([])
  })

  it('finds keys to the end, by steps, and short of the end', () => {
    expect(keysOf('MGET a b c')).to.deep.equal([1, 2, 3])
    expect(keysOf('MSET a 1 b 2')).to.deep.equal([1, 3])
    expect(keysOf('BLPOP a b 0')).to.deep.equal([1, 2])
  })

  it('finds as many as numkeys says', () => {
    expect(keysOf('EVAL s 2 a b c')).to.deep.equal([3, 4])
    expect(keysOf('EVAL s 0 a b')).to.deep.equal([])
    expect(keysOf('ZUNIONSTORE d 2 a b WEIGHTS 1 2')).to.deep.equal([1, 3, 4])
    expect(keysOf('SINTERCARD 2 a b LIMIT 1')).to.deep.equal([2, 3])
    expect(keysOf('BLMPOP 0 1 a LEFT')).to.deep.equal([3])
    expect(keysOf('MSETEX 2 a 1 b 2 EX 10')).to.deep.equal([2, 4])
  })

  it('finds none by a numkeys that is wrong: Redis refuses it as well', () => {
    const noNumber = ['', '-', '-1', '-0', '01', '+1', ' 1', '1 ', '1.0', '1e0', 'one', '1\0']
    const tooMany = ['3', '4294967297', '18446744073709551617', '9'.repeat(15), '9'.repeat(400)]
    for (const count of [...noNumber, ...tooMany]) {
      expect(keysOfArgs('EVAL', 's', count, 'a', 'b'), count).to.deep.equal([])
      expect(keysOfArgs('ZUNIONSTORE', 'd', count, 'a', 'b'), count).to.deep.equal([1])
    }
    expect(keysOf('EVAL s 2 a b')).to.deep.equal([3, 4])
    expect(keysOf('MSETEX 2 a 1 b')).to.deep.equal([2, 4])
    expect(keysOf('MSETEX 2 a 1')).to.deep.equal([])
  })

  it('finds the first half of what follows STREAMS', () => {
    expect(keysOf('XREAD STREAMS a b 0 0')).to.deep.equal([2, 3])
    expect(keysOf('xread count 10 block 0 streams a 0')).to.deep.equal([6])
    expect(keysOf('XREADGROUP GROUP g c NOACK STREAMS a >')).to.deep.equal([6])
  })

  it('finds none without STREAMS, or with nothing behind it', () => {
    expect(keysOf('XREAD COUNT 1 a 0')).to.deep.equal([])
    expect(keysOf('XREAD COUNT 10 STREAMS')).to.deep.equal([])
    expect(keysOf('XREAD a b STREAMS 0')).to.deep.equal([])
  })

  it('takes no argument of an option for a keyword', () => {
    expect(keysOf('XREADGROUP GROUP streams streams STREAMS k >')).to.deep.equal([5])
    expect(keysOf('XREADGROUP COUNT 1 GROUP streams c STREAMS k >')).to.deep.equal([7])
    expect(keysOf('XREAD STREAMS streams block 0 0')).to.deep.equal([2, 3])
    expect(keysOf('SORT k BY store GET store STORE d')).to.deep.equal([1, 7])
    expect(keysOf('GEORADIUS k 1 2 3 m COUNT store STORE d')).to.deep.equal([1, 9])
    expect(keysOf("MIGRATE h 1 '' 0 10 AUTH2 keys keys KEYS a b")).to.deep.equal([10, 11])
  })

  it('finds the last of several STORE keys, the one that Redis stores in', () => {
    expect(keysOf('SORT k STORE a STORE b')).to.deep.equal([1, 5])
    expect(keysOf('SORT k STORE a nosuch STORE b LIMIT 0 1')).to.deep.equal([1, 6])
    expect(keysOf('GEORADIUS k 1 2 3 m STORE a STOREDIST b STORE c')).to.deep.equal([1, 11, 9])
    expect(keysOf('GEORADIUSBYMEMBER k member 3 m STORE a')).to.deep.equal([1, 6])
    expect(keysOf('SORT k STORE')).to.deep.equal([1])
  })

  it('finds MIGRATE keys at either place', () => {
    expect(keysOf('MIGRATE h 1 k 0 10')).to.deep.equal([3])
    expect(keysOf("MIGRATE h 1 '' 0 10 COPY KEYS a b")).to.deep.equal([8, 9])
    expect(keysOf("MIGRATE h 1 '' 0 10 COPY")).to.deep.equal([3])
  })

  it('finds channels, which are routed like keys', () => {
    expect(keysOf('PUBLISH c m')).to.deep.equal([1])
    expect(keysOf('SUBSCRIBE a b')).to.deep.equal([1, 2])
    expect(keysOf('UNSUBSCRIBE')).to.deep.equal([])
  })

  it('grows with the request', () => {
    const keys = Array.from({ length: 1000 }, (_, i) => `k${i}`)
    expect(keysOfArgs('MGET', ...keys)).to.deep.equal(keys.map((_, i) => i + 1))
  })

  describe('by what a shard says', () => {
    /** The keys of `m.x` and these arguments, when its one specification is this. */
    function keysBy(begin: unknown[], find: unknown[], ...args: string[]): number[] {
      const spec = ['flags', ['RO'], 'begin_search', begin, 'find_keys', find]
      const definition = learnCommand(['m.x', -2, ['readonly'], 0, 0, 0, [], [], [spec], []])
      const row = new CommandTable(definition ? [definition] : []).byName('m.x')
      expect(row?.handling).to.equal('single')
      return row ? found(findKeys(row, requestOf('m.x', ...args), out)) : []
    }

    it('looks backwards for a keyword', () => {
      const begin = ['type', 'keyword', 'spec', ['keyword', 'KEYS', 'startfrom', -2]]
      const find = ['type', 'range', 'spec', ['lastkey', -1, 'keystep', 1, 'limit', 0]]
      expect(keysBy(begin, find, 'a', 'keys', 'b', 'KEYS', 'c', 'd')).to.deep.equal([5, 6])
      expect(keysBy(begin, find, 'a', 'b', 'c')).to.deep.equal([])
      expect(keysBy(begin, find, 'a')).to.deep.equal([])
    })

    it('looks for no count behind the last argument', () => {
      const begin = ['type', 'index', 'spec', ['index', 2]]
      const find = ['type', 'keynum', 'spec', ['keynumidx', 0, 'firstkey', 1, 'keystep', 1]]
      expect(keysBy(begin, find, 'a', '1', 'k')).to.deep.equal([3])
      expect(keysBy(begin, find, 'a')).to.deep.equal([])
    })

    it('never passes the end, wherever the specification points', () => {
      const begin = ['type', 'index', 'spec', ['index', 3]]
      for (const last of [-100, -1, 0, 5, 2 ** 40]) {
        const find = ['type', 'range', 'spec', ['lastkey', last, 'keystep', 1, 'limit', 2]]
        expect(keysBy(begin, find, 'a'), String(last)).to.deep.equal([])
      }
    })
  })
})

describe('findPatterns', () => {
  it('finds the BY and GET patterns that name other keys', () => {
    expect(patternsOf('SORT k BY w_* GET o_*->f GET # LIMIT 0 1')).to.deep.equal([3, 5])
    expect(patternsOf('SORT_RO k GET a* GET b*')).to.deep.equal([3, 5])
  })

  it('finds none where no key is looked up', () => {
    expect(patternsOf('SORT k BY nosort GET # STORE d*')).to.deep.equal([])
    expect(patternsOf('SORT k')).to.deep.equal([])
    expect(patternsOf('GET k*')).to.deep.equal([])
  })
})

describe('needsLease', () => {
  function leased(text: string): boolean {
    const request = requestOf(...text.split(' '))
    return needsLease(rowOf(request), request)
  }

  it('is said of reads of streams only with BLOCK', () => {
    expect(leased('XREAD BLOCK 0 STREAMS a 0')).to.equal(true)
    expect(leased('XREADGROUP GROUP g c COUNT 1 block 5 STREAMS a >')).to.equal(true)
    expect(leased('XREAD STREAMS a 0')).to.equal(false)
  })

  it('is not said because a stream, a group or a consumer is called BLOCK', () => {
    expect(leased('XREAD STREAMS block block 0 0')).to.equal(false)
    expect(leased('XREADGROUP GROUP block block STREAMS a >')).to.equal(false)
  })

  it('is said of everything else that blocks', () => {
    expect(leased('BLPOP k 0')).to.equal(true)
  })
})
