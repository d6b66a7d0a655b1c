import { expect } from 'chai'
import type { Family } from '../../../lib/admin/metrics/exposition.ts'
import type { Member } from '../../../lib/workers/crew/member.ts'
import type { Report } from '../../../lib/workers/messages.ts'
import { Counted } from '../../../lib/workers/sums/counted.ts'

describe('Counted', () => {
  const one = {} as Member
  const other = {} as Member

  function report(requests: number): Report {
    const family: Family = {
      name: 'ambassador_client_pauses_total',
      type: 'counter',
      help: '',
      samples: [{ value: requests }],
    }
    const process = { cpuSeconds: 0 }
    const errors = {}
    const stats = {
      ...{ requests, errors, bytes: {}, reloads: {}, window: { latencySeconds: {} }, process },
      ...{ history: [], commands: [], mirrors: [], shards: [], cluster: null, pauses: 0 },
    }
    return { stats, families: [family] } as unknown as Report
  }

  function pauses(counted: Counted): unknown {
    const living = report(0).families
    return counted.families(living).map(([family]) => family?.samples[0]?.value)
  }

  it('is nothing while all live', () => {
    const counted = new Counted()
    counted.reported(one, report(5))
    expect(counted.stats).to.deep.equal([])
    expect(pauses(counted)).to.deep.equal([])
  })

  it('is what those have reported last who have died, once each', () => {
    const counted = new Counted()
    counted.reported(one, report(5))
    counted.reported(one, report(7))
    counted.gone(one)
    counted.gone(one)
    expect(pauses(counted)).to.deep.equal([7])
    counted.reported(other, report(10))
    counted.gone(other)
    expect(pauses(counted)).to.deep.equal([17])
    expect(counted.stats.map(({ requests }) => requests)).to.deep.equal([17])
  })

  it('is nothing of a worker that nobody has asked', () => {
    const counted = new Counted()
    counted.gone(one)
    expect(pauses(counted)).to.deep.equal([])
  })
})
