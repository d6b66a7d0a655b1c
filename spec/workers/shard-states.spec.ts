import { expect } from 'chai'
import { ShardStates } from '../../lib/workers/shard-states.ts'

describe('ShardStates', () => {
  const one = {}
  const other = {}

  function statesWithLog(): { states: ShardStates; log: string[] } {
    const log: string[] = []
    return { states: new ShardStates((name, up) => log.push(`${name} ${up}`)), log }
  }

  it('tell that a shard is down once, however many workers say so', () => {
    const { states, log } = statesWithLog()
    states.told(one, 'a', false)
    states.told(other, 'a', false)
    states.told(one, 'a', false)
    expect(log).to.deep.equal(['a false'])
  })

  it('tell that it is up when it is up for all', () => {
    const { states, log } = statesWithLog()
    states.told(one, 'a', false)
    states.told(other, 'a', false)
    states.told(one, 'a', true)
    expect(log).to.deep.equal(['a false'])
    states.told(other, 'a', true)
    expect(log).to.deep.equal(['a false', 'a true'])
  })

  it('forget what a worker has said that is gone', () => {
    const { states, log } = statesWithLog()
    states.told(one, 'a', false)
    states.gone(one)
    expect(log).to.deep.equal(['a false', 'a true'])
  })
})
