import { expect } from 'chai'
import { Settlement } from '../../../../lib/upstream/connection/making/settlement.ts'

describe('Settlement', () => {
  it('tells everybody once, in their order', () => {
    const settlement = new Settlement()
    const told: string[] = []
    settlement.add((rejection) => told.push(`first ${rejection}`))
    settlement.add((rejection) => told.push(`second ${rejection}`))
    settlement.settle('ERR max number of clients reached')
    settlement.settle(undefined)
    expect(told).to.deep.equal([
      'first ERR max number of clients reached',
      'second ERR max number of clients reached',
    ])
  })

  it('tells the next time those who ask again while they are told', () => {
    const settlement = new Settlement()
    const told: (string | undefined)[] = []
    settlement.add(() => settlement.add((rejection) => told.push(rejection)))
    settlement.settle('no')
    expect(told).to.deep.equal([])
    settlement.settle(undefined)
    expect(told).to.deep.equal([undefined])
  })
})
