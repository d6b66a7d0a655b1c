import { expect } from 'chai'
import { ServerHistory } from '../../../lib/upstream/doubts/server-history.ts'

describe('ServerHistory', () => {
  it('tells since when there is a server, and how long the last move took', () => {
    let nowMs = 1000
    const history = new ServerHistory(() => nowMs)
    expect(history).to.include({ sinceMs: 1000, moves: 0, lastMove: undefined })
    nowMs = 2000
    history.moved(true)
    expect(history).to.include({ sinceMs: 2000, moves: 0, lastMove: undefined })
    nowMs = 3000
    history.troubled()
    nowMs = 3200
    history.troubled()
    history.moved(false)
    expect(history).to.include({ sinceMs: 3200, moves: 1 })
    expect(history.lastMove).to.deep.equal({ atMs: 3200, tookMs: 200 })
  })

  it('counts no trouble that was over before', () => {
    let nowMs = 1000
    const history = new ServerHistory(() => nowMs)
    history.troubled()
    history.settled()
    nowMs = 5000
    history.moved(false)
    expect(history.lastMove).to.deep.equal({ atMs: 5000, tookMs: 0 })
  })
})
