import type net from 'node:net'
import { expect } from 'chai'
import { Farewell } from '../../../lib/downstream/flow/farewell.ts'
import { LINGER_MS } from '../../../lib/limits.ts'
import { ManualTimers } from '../../support/manual-timers.ts'

describe('Farewell', () => {
  const timers = new ManualTimers()
  let done: string[]

  beforeEach(() => {
    done = []
    timers.install(false)
  })

  afterEach(() => timers.restore())

  function farewell(): Farewell {
    const told = (what: string) => () => done.push(what)
    const socket = { end: told('end'), resume: told('resume'), destroy: told('destroy') }
    return new Farewell(socket as unknown as net.Socket)
  }

  it('sends our FIN, reads on, and waits so long for the FIN of the client', () => {
    farewell()
    expect(done).to.deep.equal(['end', 'resume'])
    timers.advance(LINGER_MS - 1)
    expect(done).to.have.length(2)
    timers.advance(1)
    expect(done.at(-1)).to.equal('destroy')
  })

  it('waits no more when the connection is closed', () => {
    farewell().stop()
    timers.advance(LINGER_MS)
    expect(done).to.deep.equal(['end', 'resume'])
  })
})
