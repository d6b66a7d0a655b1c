import { expect } from 'chai'
import { changeBetween } from '../../../lib/control/cluster/change.ts'
import { viewOf } from '../../../lib/control/cluster/view.ts'

function node(port: number, replicaPorts: readonly number[] = []) {
  const at = (each: number) => ({ host: '10.0.0.1', port: each })
  return { id: `id${port}`, address: at(port), replicas: replicaPorts.map(at) }
}

describe('a change of a cluster', () => {
  const before = viewOf([
    { first: 0, last: 9, owner: node(1, [11]) },
    { first: 10, last: 19, owner: node(2, [12]) },
  ])

  it('is slots that have another owner, by pairs, most first', () => {
    const after = viewOf([
      { first: 0, last: 7, owner: node(1) },
      { first: 9, last: 15, owner: node(2) },
      { first: 16, last: 19, owner: node(3) },
    ])
    expect(changeBetween(before, after).moves).to.deep.equal([
      '10.0.0.1:2 -> 10.0.0.1:3 (4 slots)',
      '10.0.0.1:1 -> nobody (1 slots)',
      '10.0.0.1:1 -> 10.0.0.1:2 (1 slots)',
    ])
  })

  it('tells masters whose replica stands in their place from those that only lost their slots', () => {
    const failedOver = viewOf([
      { first: 0, last: 9, owner: node(11) },
      { first: 10, last: 19, owner: node(2) },
    ])
    expect(changeBetween(before, failedOver).replaced).to.deep.equal([
      { host: '10.0.0.1', port: 1 },
    ])
    const emptied = viewOf([{ first: 0, last: 19, owner: node(2) }])
    expect(changeBetween(before, emptied).replaced).to.deep.equal([])
  })

  it('is nothing when the view is the first one or says the same', () => {
    expect(changeBetween(undefined, before)).to.deep.equal({ moves: [], replaced: [] })
    expect(changeBetween(before, before)).to.deep.equal({ moves: [], replaced: [] })
  })
})
