/** What a node of a cluster says about its slots, and what follows from it. */
import { expect } from 'chai'
import { Ownership, slotsServed } from '../../../lib/nearcache/tracking/ownership.ts'
import { PretendedConnection } from '../../support/near-cache/pretended-connection.ts'

const UP = '$16\r\ncluster_state:ok\r\n'
const DOWN = '$18\r\ncluster_state:fail\r\n'

const ID = (digit: number) => `${digit}`.repeat(40)

/** The node asked is the second of three. */
function nodes(slots: string, flags = 'myself,master'): string {
  const others = [1, 3].map((at) => {
    return `${ID(at)} 10.0.0.${at}:6379@16379 master - 0 1700000000000 ${at} connected 6000-16383`
  })
  const own = `${ID(2)} 10.0.0.2:6379@16379,myself.example ${flags} - 0 0 2 connected${slots}`
  return `$999\r\n${others[0]}\n${own}\n${others[1]}\n\r\n`
}

/** Those that are not as the others: `slot:what`. */
const served = (slots: string, flags?: string) => {
  const found = slotsServed(nodes(slots, flags))
  return found && [...found.entries()].filter(([, what]) => what > 0).map((each) => each.join(':'))
}

describe('slotsServed', () => {
  it('reads the line of the node itself', () => {
    expect(served(' 3-5 77')).to.deep.equal(['3:1', '4:1', '5:1', '77:1'])
    expect(served('')).to.deep.equal([])
  })

  it('tells slots that are leaving, and none that are on their way to it', () => {
    const marks = ` [4->-${ID(1)}] [900-<-${ID(3)}]`
    expect(served(` 3-4${marks}`)).to.deep.equal(['3:1', '4:2'])
  })

  it('finds none at a replica, or where the node does not say who it is', () => {
    expect(served(' 3-5', 'myself,slave')).to.equal(undefined)
    expect(served(' 3-5', 'master')).to.equal(undefined)
    expect(slotsServed('-ERR This instance has cluster support disabled\r\n')).to.equal(undefined)
  })
})

describe('Ownership', () => {
  let connection: PretendedConnection
  let touched: number[]
  let told: (string | undefined)[]
  let ownership: Ownership

  beforeEach(() => {
    connection = new PretendedConnection()
    touched = []
    told = []
    ownership = new Ownership({ touch: (slot) => touched.push(slot) })
  })

  function ask(info: string, answer: string): void {
    ownership.ask(connection.asConnection, (trouble) => told.push(trouble))
    connection.answer(info, answer)
  }

  it('doubts no slot as long as nothing changes', () => {
    for (let look = 0; look < 3; look++) ask(UP, nodes(' 0-5460'))
    expect([told, touched]).to.deep.equal([[undefined, undefined, undefined], []])
    expect(connection.sent.slice(0, 2)).to.deep.equal(['CLUSTER INFO', 'CLUSTER NODES'])
  })

  it('doubts the slots that have come, gone, or begin to leave', () => {
    ask(UP, nodes(' 0-10'))
    ask(UP, nodes(` 0-10 [5->-${ID(1)}]`))
    expect(touched).to.deep.equal([5])
    ask(UP, nodes(' 0-4 6-11'))
    expect(touched).to.deep.equal([5, 5, 11])
  })

  it('relies on no node that is not a master, or whose cluster is down', () => {
    ask(DOWN, nodes(' 0-10'))
    ask(UP, nodes(' 0-10', 'myself,slave'))
    expect(told).to.deep.equal(Array(2).fill('it says that it serves no slots'))
    ask('-NOPERM no rights\r\n', nodes(' 0-10'))
    ask(UP, '-NOPERM no rights\r\n')
    expect(told.slice(2)).to.deep.equal(Array(2).fill('NOPERM no rights'))
  })

  it('says nothing when the node says nothing', () => {
    ownership.ask(connection.asConnection, (trouble) => told.push(trouble))
    connection.lose()
    expect(told).to.deep.equal([])
  })
})
