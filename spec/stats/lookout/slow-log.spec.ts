/** The ring of slow requests. */
import { expect } from 'chai'
import { SLOW_LOG_LENGTH } from '../../../lib/limits.ts'
import { SlowLog } from '../../../lib/stats/lookout/slow-log.ts'

function slow(command: string) {
  const rest = { keyHash: 1, key: undefined, shard: 'a', totalMs: 20, shardMs: 19 }
  return { atMs: 0, command, ...rest, ending: 'answered' as const }
}

describe('SlowLog', () => {
  it('keeps the newest, newest first, with numbers that go on', () => {
    const log = new SlowLog()
    for (let i = 0; i < SLOW_LOG_LENGTH + 10; i++) log.add(slow(`c${i}`))
    expect(log.length).to.equal(SLOW_LOG_LENGTH)
    const all = log.newest()
    expect(all.length).to.equal(SLOW_LOG_LENGTH)
    expect(all[0]).to.include({ id: SLOW_LOG_LENGTH + 9, command: `c${SLOW_LOG_LENGTH + 9}` })
    expect(all.at(-1)).to.include({ id: 10, command: 'c10' })
    expect(log.newest(2).map(({ id }) => id)).to.deep.equal([
      SLOW_LOG_LENGTH + 9,
      SLOW_LOG_LENGTH + 8,
    ])
    expect(log.newest(0)).to.deep.equal([])
  })

  it('forgets all, but gives no number twice', () => {
    const log = new SlowLog()
    log.add(slow('get'))
    log.reset()
    expect(log.newest()).to.deep.equal([])
    log.add(slow('get'))
    expect(log.newest()[0]?.id).to.equal(1)
  })
})
