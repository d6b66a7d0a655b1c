import { expect } from 'chai'
import { CommandTable } from '../../lib/commands/lookup.ts'
import type { CommandRow } from '../../lib/commands/row.ts'
import { builtInCommands } from '../../lib/commands/table.ts'
import type { Places } from '../../lib/routing/places.ts'
import { locate, Plan, plan } from '../../lib/routing/plan.ts'
import { requestOf } from '../support/requests.ts'

const table = new CommandTable(builtInCommands())

/** A key's place is its last digit. */
const PLACES: Places = {
  placeCount: 10,
  keylessPlace: 7,
  hashOf: (bytes, _start, end) => (bytes[end - 1] as number) - 0x30,
  placeOf: (_bytes, _start, _end, hash) => hash,
  placeOfPattern: (bytes, _start, end) => {
    const last = bytes[end - 1] as number
    return last === 0x2a ? undefined : last - 0x30
  },
}
const ONE_PLACE: Places = {
  ...PLACES,
  placeCount: 1,
  keylessPlace: 0,
  placeOf: () => 0,
  placeOfPattern: () => 0,
}

interface Options {
  readonly places?: Places
  readonly allowAdmin?: boolean
}

function planned(text: string, { places = PLACES, allowAdmin = false }: Options = {}): string {
  const request = requestOf(...text.split(' '))
  const out = new Plan()
  plan(table.lookup(request) as CommandRow, request, places, { allowAdmin }, out)
  switch (out.kind) {
    case 'one':
      return `one ${out.place}`
    case 'split':
      return `split ${out.groups.places.map((place, i) => `${place}x${out.groups.counts[i]}`)}`
    case 'refused':
      return `refused ${out.refusal}`
    default:
      return out.kind
  }
}

describe('plan', () => {
  it('sends what has one place there, whatever its row would do with several', () => {
    expect(planned('GET k3')).to.equal('one 3')
    expect(planned('MGET a3 b3')).to.equal('one 3')
    expect(planned('SUNION a3 b3')).to.equal('one 3')
    expect(planned('XREAD STREAMS a3 b3 0 0')).to.equal('one 3')
  })

  it('splits keys of several places where the row can, one fragment for each place', () => {
    expect(planned('MGET a1 b2 c1 d1')).to.equal('split 1x3,2x1')
    expect(planned('MSET a1 x b2 y')).to.equal('split 1x1,2x1')
    expect(planned('DEL a9 b0')).to.equal('split 9x1,0x1')
  })

  it('refuses keys of several places otherwise', () => {
    expect(planned('SUNION a1 b2')).to.equal('refused crossslot')
    expect(planned('RENAME a1 b2')).to.equal('refused crossslot')
    expect(planned('EVAL x 2 a1 b2')).to.equal('refused crossslot')
  })

  it('sends what touches no key to any shard, and to the only one where there is one place', () => {
    expect(planned('TIME')).to.equal('any')
    expect(planned('FUNCTION LIST')).to.equal('any')
    expect(planned('TIME', { places: ONE_PLACE })).to.equal('one 0')
  })

  it('sends what names no key and may touch some to the one place for that', () => {
    for (const text of ['EVAL x 0', 'EVALSHA_RO x 0', 'FCALL f 0', 'EVAL x nonsense', 'LOLWUT']) {
      expect(planned(text), text).to.equal('one 7')
    }
    expect(planned('EVAL x 0', { places: ONE_PLACE })).to.equal('one 0')
  })

  it("refuses SORT's patterns unless every key that they make has its place", () => {
    expect(planned('SORT k1 BY w_*')).to.equal('refused crossslot')
    expect(planned('SORT k1 BY w_*_1')).to.equal('one 1')
    expect(planned('SORT k1 BY w_*_1 GET o_*_2')).to.equal('refused crossslot')
    expect(planned('SORT k1 BY w_*', { places: ONE_PLACE })).to.equal('one 0')
  })

  it('sends to every shard what is about all of them, admin commands only if allowed', () => {
    expect(planned('DBSIZE')).to.equal('every')
    expect(planned('CONFIG RESETSTAT')).to.equal('refused admin')
    expect(planned('CONFIG RESETSTAT', { allowAdmin: true })).to.equal('every')
  })

  it('leaves what is answered here or needs a connection of its own to its commands', () => {
    expect(planned('PING')).to.equal('own')
    expect(planned('BLPOP q1 0')).to.equal('own')
    expect(planned('SUBSCRIBE c1')).to.equal('own')
    expect(planned('XREAD BLOCK 0 STREAMS a3 0')).to.equal('own')
  })

  it('refuses what its row refuses', () => {
    expect(planned('REPLICAOF a 1')).to.equal('refused unsupported')
  })
})

describe('locate', () => {
  it('tells the first key and its hash, and reuses one object without a trace of what was before', () => {
    const out = new Plan()
    const where = (text: string): string => {
      const request = requestOf(...text.split(' '))
      return locate(table.lookup(request) as CommandRow, request, PLACES, out)
    }
    expect(where('MGET a4 b5 c4')).to.equal('several')
    expect([out.keyCount, out.firstKey, out.firstHash]).to.deep.equal([3, 1, 4])
    expect(where('SET k7 v')).to.equal('one')
    expect([out.keyCount, out.firstKey, out.firstHash, out.place]).to.deep.equal([1, 1, 7, 7])
    expect(where('EVAL x 1 k8')).to.equal('one')
    expect([out.keyCount, out.firstKey, out.place]).to.deep.equal([1, 3, 8])
    expect(where('TIME')).to.equal('none')
    expect(where('EVAL x 0')).to.equal('one')
    expect(out.keyCount).to.equal(0)
  })
})
