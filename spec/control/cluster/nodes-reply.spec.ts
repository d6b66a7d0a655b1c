import { expect } from 'chai'
import { readNodes } from '../../../lib/control/cluster/nodes-reply.ts'

describe('CLUSTER NODES', () => {
  it('tells roles, epochs, and how many slots are open', () => {
    const text =
      'aa 10.0.0.1:6379@16379,a.example myself,master - 0 1700 3 connected 0-5460 7000 [5->-bb] [6-<-cc]\n' +
      'bb :0@0 slave,noaddr aa 0 1700 3 disconnected\n'
    expect(readNodes(text)).to.deep.equal([
      {
        id: 'aa',
        flags: ['myself', 'master'],
        masterId: undefined,
        epoch: 3,
        openSlots: 2,
      },
      { id: 'bb', flags: ['slave', 'noaddr'], masterId: 'aa', epoch: 3, openSlots: 0 },
    ])
  })

  it('leaves out lines that make no sense', () => {
    expect(readNodes('')).to.deep.equal([])
    expect(readNodes('aa\nbb x master - 0 0 epoch connected\n')).to.deep.equal([])
  })
})
