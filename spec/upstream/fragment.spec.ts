import { expect } from 'chai'
import { Outbox } from '../../lib/io/outbox.ts'
import { RequestScanner } from '../../lib/resp/request-scanner.ts'
import { encodeFragment } from '../../lib/upstream/fragment.ts'
import { FakeTarget } from '../support/fake-target.ts'
import { encodeRequest, latin1 } from '../support/frames.ts'
import { ManualTurn } from '../support/manual-turn.ts'
import { createRandom, specSeed } from '../support/random.ts'
import { requestOf } from '../support/requests.ts'

/** What each of the places gets of a command whose keys have these owners. */
function fragments(args: readonly string[], stride: number, owners: readonly number[]): string[] {
  const places = Math.max(...owners) + 1
  return Array.from({ length: places }, (_, place) => {
    const { manual, outbox, target } = openedOutbox()
    const count = owners.filter((owner) => owner === place).length
    const request = requestOf(...args)
    const groupOf = Int32Array.from(owners)
    encodeFragment(outbox, {
      request,
      stride,
      groupOf,
      index: place,
      keyCount: count,
      firstKey: groupOf.indexOf(place),
    })
    manual.end()
    return target.received.toString('latin1')
  })
}

function openedOutbox(): { manual: ManualTurn; outbox: Outbox; target: FakeTarget } {
  const manual = new ManualTurn()
  const outbox = new Outbox(manual.turn, { drained: () => {}, expectsMore: () => false })
  const target = new FakeTarget()
  outbox.open(target)
  return { manual, outbox, target }
}

function frame(...args: readonly string[]): string {
  return encodeRequest(...args).toString('latin1')
}

describe('encodeFragment', () => {
  it('gives each shard its keys, in their order, duplicates too', () => {
    expect(fragments(['MGET', 'a', 'b', 'c', 'a'], 1, [0, 1, 0, 0])).to.deep.equal([
      frame('MGET', 'a', 'c', 'a'),
      frame('MGET', 'b'),
    ])
  })

  it('takes along what belongs to a key', () => {
    expect(fragments(['mset', 'a', '1', 'b', '', 'c', '\r\n'], 2, [1, 0, 1])).to.deep.equal([
      frame('mset', 'b', ''),
      frame('mset', 'a', '1', 'c', '\r\n'),
    ])
  })

  it('describes an inline command, which has been made canonical', () => {
    const scanner = new RequestScanner()
    const bytes = latin1('del a "b c" d\r\n')
    scanner.feed(bytes, bytes.length)
    expect(scanner.next()).to.equal('request')
    const { manual, outbox, target } = openedOutbox()
    const groupOf = Int32Array.of(0, 1, 1)
    encodeFragment(outbox, {
      request: scanner,
      stride: 1,
      groupOf,
      index: 1,
      keyCount: 2,
      firstKey: groupOf.indexOf(1),
    })
    manual.end()
    expect(target.received.toString()).to.equal(frame('del', 'b c', 'd'))
  })

  it('does what an obvious encoder does, for random commands', () => {
    const random = createRandom(specSeed())
    for (let round = 0; round < 300; round += 1) {
      const stride = random.pick([1, 2, 3])
      const keyCount = random.pick([1, 2, 5, 120])
      const owners = Array.from({ length: keyCount }, () => random.integer(0, 3))
      const args = Array.from({ length: keyCount * stride }, () =>
        random.bytes(random.pick([0, 1, 9, 10, 99, 100, 1000])).toString('latin1'),
      )
      const expected = Array.from({ length: Math.max(...owners) + 1 }, (_, place) =>
        frame('CMD', ...args.filter((_, i) => owners[Math.floor(i / stride)] === place)),
      )
      const found = fragments(['CMD', ...args], stride, owners)
      expect(found, `seed ${random.seed}, round ${round}`).to.deep.equal(expected)
    }
  })
})
