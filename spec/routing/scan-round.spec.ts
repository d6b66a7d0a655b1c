import { expect } from 'chai'
import {
  firstRound,
  type LineOf,
  lacksOwner,
  nextRound,
  ownLineIn,
  type Round,
} from '../../lib/routing/scan-round.ts'

/** Lines of masters a, b, c. */
function lines(...each: readonly (string | undefined)[]): LineOf<string> {
  return new Map(each.map((line, at) => ['abc'[at] as string, line]))
}

const BEFORE = lines('1 connected 0-9', '2 connected 10-19', '3 connected 20-29')

function masters(round: Round<string> | undefined): readonly string[] | undefined {
  return round?.masters
}

describe('rounds of SCAN', () => {
  const first = firstRound(BEFORE)

  it('begins with all masters, and ends when nothing has moved', () => {
    expect(masters(first)).to.deep.equal(['a', 'b', 'c'])
    expect(nextRound(first, BEFORE)).to.equal(undefined)
  })

  it('goes once more to a master that got a slot', () => {
    const now = lines('4 connected 0-9 29', '2 connected 10-19', '3 connected 20-28')
    const second = nextRound(first, now)
    expect(masters(second)).to.deep.equal(['a'])
    expect(nextRound(second as Round<string>, now)).to.equal(undefined)
  })

  it('goes first where the keys of an open slot come from, and not again while it stays open', () => {
    const now = lines('1 connected 0-9 [29-<-c]', '2 connected 10-19', '3 connected 20-29 [29->-a]')
    const second = nextRound(first, now)
    expect(masters(second)).to.deep.equal(['c', 'a'])
    expect(nextRound(second as Round<string>, now)).to.equal(undefined)
    const moved = lines('4 connected 0-9 29', '2 connected 10-19', '3 connected 20-28')
    expect(nextRound(second as Round<string>, moved)).to.equal(undefined)
  })

  it('follows a slot that goes on, and none that it has seen at rest', () => {
    const now = lines('4 connected 0-9 29', '2 connected 10-19', '3 connected 20-28')
    const later = lines('4 connected 0-9', '5 connected 10-20 29', '3 connected 21-28')
    const second = nextRound(first, now) as Round<string>
    const third = nextRound(second, later)
    expect(masters(third)).to.deep.equal(['b'])
    expect([...(third?.slots ?? [])]).to.deep.equal([29])
  })

  it('looks once more at a master whose slots may have gone and come back', () => {
    const now = lines('9 connected 0-9', '2 connected 10-19', '3 connected 20-29')
    expect(masters(nextRound(first, now))).to.deep.equal(['a'])
  })

  it('asks no more of servers that are in no cluster', () => {
    const round = firstRound(lines(undefined, undefined))
    expect(nextRound(round, lines(undefined, undefined))).to.equal(undefined)
    expect(lacksOwner(round, lines(undefined, undefined))).to.equal(false)
  })

  it('notices that a slot has gone to a master that it does not know', () => {
    expect(lacksOwner(first, BEFORE)).to.equal(false)
    const now = lines('1 connected 0-9', '2 connected 10-19', '3 connected 20-28')
    expect(lacksOwner(first, now)).to.equal(true)
  })

  it("takes the server's own line of CLUSTER NODES, in either protocol", () => {
    const text =
      'x 127.0.0.1:1@2 master - 0 7 1 connected 0-5\ny 127.0.0.1:2@3 myself,master - 0 0 2 connected 6-9 [7->-x]\n'
    const own = '2 connected 6-9 [7->-x]'
    expect(ownLineIn(Buffer.from(`$${text.length}\r\n${text}\r\n`))).to.equal(own)
    expect(ownLineIn(Buffer.from(`=${text.length + 4}\r\ntxt:${text}\r\n`))).to.equal(own)
    const alone = 'y 127.0.0.1:2@3 myself,master - 0 0 2 connected\n'
    expect(ownLineIn(Buffer.from(`=1\r\ntxt:${alone}\r\n`))).to.equal('2 connected')
    expect(ownLineIn(Buffer.from('-ERR This instance has cluster support disabled\r\n'))).to.equal(
      undefined,
    )
  })
})
