import { expect } from 'chai'
import { exposition } from '../../../lib/admin/metrics/exposition.ts'
import { readExposition } from '../../support/exposition.ts'

describe('exposition', () => {
  it('escapes what would end a label or a line', () => {
    const shard = 'a"b\\n\nc'
    const text = exposition([
      {
        name: 'up',
        type: 'gauge',
        help: 'One\nline, a \\.',
        samples: [{ labels: { shard }, value: 1 }],
      },
    ])
    expect(text).to.equal(
      '# HELP up One\\nline, a \\\\.\n# TYPE up gauge\nup{shard="a\\"b\\\\n\\nc"} 1\n',
    )
    expect(readExposition(text).get('up')?.samples).to.deep.equal([
      { suffix: '', labels: { shard }, value: 1 },
    ])
  })

  it('writes HELP and TYPE once for all samples of a family', () => {
    const samples = ['a', 'b'].map((shard, value) => ({ labels: { shard, zone: 'x' }, value }))
    const text = exposition([
      { name: 'up', type: 'gauge', help: 'Up.', samples },
      { name: 'seconds_total', type: 'counter', help: 'Time.', samples: [{ value: 0.25 }] },
    ])
    expect(Object.fromEntries(readExposition(text))).to.deep.equal({
      up: {
        type: 'gauge',
        help: 'Up.',
        samples: samples.map((sample) => ({ suffix: '', ...sample })),
      },
      seconds_total: {
        type: 'counter',
        help: 'Time.',
        samples: [{ suffix: '', labels: {}, value: 0.25 }],
      },
    })
  })
})

describe('readExposition', () => {
  it('refuses what Prometheus would', () => {
    const family = '# HELP a A.\n# TYPE a gauge\n'
    for (const wrong of [
      `${family}a 1`,
      `${family}${family}`,
      `${family}b 1\n`,
      `${family}a 1\na 2\n`,
      `${family}a{b="c\\d"} 1\n`,
      `${family}a{b=c} 1\n`,
      `${family}a_sum 1\n`,
      `# HELP a A.\n# TYPE a histogram\na 1\n`,
      `${family}a one\n`,
      '# TYPE a gauge\na 1\n',
      'a 1\n',
    ]) {
      expect(() => readExposition(wrong), wrong).to.throw()
    }
  })
})
