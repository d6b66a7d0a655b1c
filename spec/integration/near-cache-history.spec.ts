/** No read is older than it may be, whatever happens meanwhile. */
import { expect } from 'chai'
import { History, type HistoryOptions } from '../support/near-cache/history.ts'

const SEED = Number(process.env['SEED'] ?? Date.now() % 1e6)

async function run(options: Omit<HistoryOptions, 'seed' | 'staleMs'>): Promise<History> {
  const history = new History({ seed: SEED, staleMs: 400, ...options })
  await history.run()
  expect(history.lies.slice(0, 5), `SEED=${SEED}`).to.deep.equal([])
  expect(history.reads).to.be.at.least(options.reads)
  // How many writes fit between that many reads depends on the machine, and while servers are down on luck.
  expect(history.writes).to.be.greaterThan(30)
  return history
}

describe('history of reads through near-caches', () => {
  it('has no lie while two ambassadors and others write, over slow ways', async () => {
    await run({ reads: 40_000, delayMs: 4, troubleEveryMs: 0 })
  })

  it('has no lie while servers stop and die and connections are cut', async () => {
    const { events } = await run({ reads: 60_000, delayMs: 4, troubleEveryMs: 100 })
    // A fast machine is through before there was a second kind.
    expect(events.size).to.be.at.least(1)
  })
})
