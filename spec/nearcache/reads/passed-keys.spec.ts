import { expect } from 'chai'
import { PassedKeys } from '../../../lib/nearcache/reads/passed-keys.ts'

/** Owes all replies from one ticket on. */
class Client {
  from = 0

  owes(ticket: number): boolean {
    return ticket >= this.from
  }
}

describe('PassedKeys', () => {
  const client = new Client()
  let passed: PassedKeys

  beforeEach(() => {
    client.from = 0
    passed = new PassedKeys()
  })

  function haveAnyOf(...identities: number[]): boolean {
    return passed.haveAnyOf(Int32Array.from([...identities, 1]), identities.length, client)
  }

  it('has the keys of requests that are on their way, until the last for a key is answered', () => {
    passed.add(1, 5, client)
    passed.add(2, 5, client)
    passed.add(2, 6, client)
    passed.add(3, 7, client)
    client.from = 6
    expect([1, 2, 3, 4].map((key) => haveAnyOf(key))).to.deep.equal([false, true, true, false])
    expect([haveAnyOf(4, 3), haveAnyOf()]).to.deep.equal([true, false])
  })

  it('forgets all when the last request is answered', () => {
    passed.add(1, 5, client)
    client.from = 6
    expect([haveAnyOf(1), passed.count]).to.deep.equal([false, 0])
  })

  it('forgets what is answered of a client that never waits', () => {
    for (let ticket = 0; ticket < 100_000; ticket++) {
      passed.add(ticket, ticket, client)
      client.from = ticket - 10
    }
    expect(passed.count).to.be.lessThan(300)
    expect(haveAnyOf(99_995)).to.equal(true)
  })
})
