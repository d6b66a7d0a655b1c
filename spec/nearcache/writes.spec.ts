import { expect } from 'chai'
import { Life, Writes } from '../../lib/nearcache/writes.ts'

/** A client whose replies go out when the spec says so. */
class Pretended {
  mode: object | undefined
  readonly session = {
    closed: false,
    nextTicket: 0,
    answered: 0,
    owes(ticket: number): boolean {
      return ticket >= this.answered
    },
  }

  open(): void {
    this.session.nextTicket++
  }

  answer(): void {
    this.session.answered = this.session.nextTicket
  }
}

describe('Writes', () => {
  let client: Pretended
  let writes: Writes

  beforeEach(() => {
    client = new Pretended()
    writes = new Writes()
  })

  it('knows a key as being written until its client has the reply', () => {
    writes.add(1, new Life(client))
    client.open()
    expect([writes.isBeingWritten(1), writes.isBeingWritten(2)]).to.deep.equal([true, false])
    client.answer()
    expect(writes.isBeingWritten(1)).to.equal(false)
    expect(writes.count).to.equal(0)
  })

  it('waits for all who write the same key', () => {
    const other = new Pretended()
    writes.add(1, new Life(client))
    client.open()
    writes.add(1, new Life(other))
    other.open()
    client.answer()
    expect(writes.isBeingWritten(1)).to.equal(true)
    other.answer()
    expect(writes.isBeingWritten(1)).to.equal(false)
  })

  it('waits before the reply is opened, too', () => {
    client.open()
    writes.add(1, new Life(client))
    client.answer()
    expect(writes.isBeingWritten(1)).to.equal(true)
  })

  it('waits for the end of a transaction', () => {
    const transaction = {}
    client.mode = transaction
    const life = new Life(client)
    writes.add(1, life)
    client.open()
    client.answer()
    expect(writes.isBeingWritten(1)).to.equal(true)
    life.extend()
    // EXEC is under way.
    client.open()
    client.mode = undefined
    expect(writes.isBeingWritten(1)).to.equal(true)
    client.answer()
    expect(writes.isBeingWritten(1)).to.equal(false)
  })

  it('promises nothing to a client that has gone', () => {
    writes.add(1, new Life(client))
    client.session.closed = true
    expect(writes.isBeingWritten(1)).to.equal(false)
  })

  it('takes every key for written while anything may be', () => {
    writes.addAnything(new Life(client))
    expect(writes.isBeingWritten(7)).to.equal(true)
    client.open()
    client.answer()
    expect(writes.isBeingWritten(7)).to.equal(false)
  })

  it('keeps no more than twice what is under way', () => {
    for (let key = 0; key < 10_000; key++) {
      writes.add(key, new Life(client))
      client.open()
      client.answer()
    }
    expect(writes.count).to.be.at.most(64)
    writes.settle()
    expect(writes.count).to.equal(0)
  })
})
