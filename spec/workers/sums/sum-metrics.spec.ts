import { expect } from 'chai'
import type { Family } from '../../../lib/admin/metrics/exposition.ts'
import { METRICS } from '../../../lib/admin/metrics/metrics.ts'
import {
  countsOf,
  NOT_SUMMED,
  ofShardsIn,
  sumFamilies,
  withValue,
} from '../../../lib/workers/sums/sum-metrics.ts'

function family(
  name: string,
  type: Family['type'],
  values: Readonly<Record<string, number>>,
  label = 'shard',
): Family {
  const samples = Object.entries(values).map(([text, value]) => ({
    labels: { [label]: text },
    value,
  }))
  return { name, type, help: '', samples }
}

function valuesOf([first]: readonly Family[], label = 'shard'): Record<string, number> {
  const { samples = [] } = first ?? {}
  return Object.fromEntries(samples.map(({ labels, value }) => [labels?.[label], value]))
}

describe('sumFamilies', () => {
  it('adds values by their labels, also those that one worker alone has', () => {
    const sum = sumFamilies([
      [family('ambassador_requests_total', 'counter', { get: 1, set: 2 }, 'command')],
      [family('ambassador_requests_total', 'counter', { get: 10, del: 5 }, 'command')],
    ])
    expect(valuesOf(sum, 'command')).to.deep.equal({ get: 11, set: 2, del: 5 })
  })

  it('adds a histogram bucket by bucket', () => {
    const histogram = (below: number, count: number): Family => ({
      name: 'ambassador_request_duration_seconds',
      type: 'histogram',
      help: '',
      samples: [
        { suffix: '_bucket', labels: { le: '1' }, value: below },
        { suffix: '_count', labels: {}, value: count },
      ],
    })
    const [sum] = sumFamilies([[histogram(1, 2)], [histogram(3, 30)]])
    expect(sum?.samples.map(({ value }) => value)).to.deep.equal([4, 32])
  })

  it('says of a shard that it is up if it is up for all', () => {
    const up = (a: number, b: number) => [family('ambassador_shard_up', 'gauge', { a, b })]
    expect(valuesOf(sumFamilies([up(1, 1), up(1, 0), up(1, 1)]))).to.deep.equal({ a: 1, b: 0 })
  })

  it('counts once what all have seen', () => {
    const moves = (a: number) => [family('ambassador_shard_moves_total', 'counter', { a })]
    expect(valuesOf(sumFamilies([moves(2), moves(1)]))).to.deep.equal({ a: 2 })
  })

  it('knows no metric that there is not', () => {
    const names = new Set(METRICS.map(({ name }) => name))
    expect(Object.keys(NOT_SUMMED).filter((name) => !names.has(name))).to.deep.equal([])
  })

  it('has thought of every gauge that is a share, a time or a yes', () => {
    const doubtful = METRICS.filter(({ name, type }) => {
      return (
        type === 'gauge' && /_(?:up|ready|draining|successful|ratio|seconds|limit|info)$/.test(name)
      )
    })
    // Several workers have no near-cache.
    const summed = doubtful.filter(
      ({ name }) => NOT_SUMMED[name] === undefined && !name.startsWith('ambassador_near_cache'),
    )
    expect(summed.map(({ name }) => name)).to.deep.equal([])
  })
})

describe('countsOf', () => {
  it('keeps counts and no gauge', () => {
    const families = [
      family('ambassador_shard_requests_total', 'counter', { a: 3 }),
      family('ambassador_shard_connections', 'gauge', { a: 3 }),
      family('ambassador_shard_moves_total', 'counter', { a: 3 }),
    ]
    expect(countsOf(families).map(({ samples }) => samples.length)).to.deep.equal([1, 0, 0])
  })
})

describe('ofShardsIn', () => {
  it('leaves out shards that nobody has any more', () => {
    const living = [
      family('ambassador_shard_up', 'gauge', { a: 1 }),
      { name: 'ambassador_clients', type: 'gauge', help: '', samples: [{ value: 1 }] } as const,
    ]
    const counts = [family('ambassador_shard_requests_total', 'counter', { a: 3, gone: 4 })]
    expect(valuesOf(ofShardsIn(living, counts))).to.deep.equal({ a: 3 })
  })
})

describe('withValue', () => {
  it('puts values in place, in the order of the samples', () => {
    const families = [family('x', 'counter', { one: 1, two: 2 })]
    expect(valuesOf(withValue(families, 'x', [7, 8]))).to.deep.equal({ one: 7, two: 8 })
    expect(withValue(families, 'y', [7])).to.deep.equal(families)
  })
})
