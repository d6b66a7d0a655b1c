/** What a transaction keeps until EXEC: how much, and whose memory it is. */
import { expect } from 'chai'
import { CommandTable } from '../../../lib/commands/lookup.ts'
import type { CommandRow } from '../../../lib/commands/row.ts'
import { KeptCommands } from '../../../lib/dispatcher/transactions/kept-commands.ts'
import { TRANSACTION_KEPT_BYTES_MAX, TRANSACTION_KEPT_MAX } from '../../../lib/limits.ts'
import { KeptRequest } from '../../../lib/resp/kept-request.ts'
import { requestOf } from '../../support/requests.ts'

const row = new CommandTable().byName('ping') as CommandRow
const ping = requestOf('PING')
const bytes = ping.frameEnd - ping.frameStart

function own(hasTwin: boolean) {
  return { place: 0, request: new KeptRequest(ping), row, hasTwin }
}

describe('KeptCommands', () => {
  it('count as memory of their client until they are let go', () => {
    const keeper = { keptBytes: 5 }
    const kept = new KeptCommands(keeper)
    expect(kept.takeRoom(ping)).to.equal(true)
    expect(kept.takeRoom(ping)).to.equal(true)
    expect(keeper.keptBytes).to.equal(5 + 2 * bytes)
    kept.letGo()
    expect(keeper.keptBytes).to.equal(5)
    kept.letGo()
    expect(keeper.keptBytes).to.equal(5)
  })

  it('take no room when they are only asked whether there is some', () => {
    const keeper = { keptBytes: 0 }
    expect(new KeptCommands(keeper).hasRoomFor(ping)).to.equal(true)
    expect(keeper.keptBytes).to.equal(0)
  })

  it('are so many at most, of every kind', () => {
    const keeper = { keptBytes: 0 }
    const kept = new KeptCommands(keeper)
    for (let i = 0; i < TRANSACTION_KEPT_MAX - 2; i++) {
      kept.early.push({ frame: ping.bytes, script: undefined })
    }
    kept.own.push(own(false))
    expect(kept.hasRoomFor(ping)).to.equal(true)
    kept.lessons.push(Buffer.from('return 1'))
    expect(kept.takeRoom(ping)).to.equal(false)
    expect(keeper.keptBytes).to.equal(0)
  })

  it('have so many bytes at most', () => {
    const keeper = { keptBytes: 0 }
    const kept = new KeptCommands(keeper)
    const large = { ...ping, frameStart: 0, frameEnd: TRANSACTION_KEPT_BYTES_MAX - bytes }
    expect(kept.takeRoom(large)).to.equal(true)
    expect(kept.takeRoom(ping)).to.equal(true)
    expect(kept.takeRoom(ping)).to.equal(false)
    expect(keeper.keptBytes).to.equal(TRANSACTION_KEPT_BYTES_MAX)
  })

  it('tell whether there is something to do here, and whether the connection is another after it', () => {
    const kept = new KeptCommands({ keptBytes: 0 })
    kept.early.push({ frame: ping.bytes, script: undefined })
    expect(kept.mustReplay).to.equal(false)
    kept.own.push(own(false))
    expect(kept.mustReplay).to.equal(true)
    expect(kept.changesConnection).to.equal(false)
    kept.own.push(own(true))
    expect(kept.changesConnection).to.equal(true)
  })
})
