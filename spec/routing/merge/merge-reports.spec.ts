/** Reports of several shards merged into one of the same shape. */
import { expect } from 'chai'
import { encodeValue, type Value } from '../../../lib/resp/encode.ts'
import { readReply } from '../../../lib/resp/reply-value.ts'
import {
  joinTexts,
  type MergeReports,
  mergeFunctionStats,
  mergeLatencyHistogram,
  mergeLatencyHistory,
  mergeLatencyLatest,
  mergeMemoryStats,
  mergeSlowlogs,
} from '../../../lib/routing/merge/merge-reports.ts'

const NUMBER = Buffer.from(':1\r\n')

/** Merges the values in the protocol, and gives the result as text. */
function merge(how: MergeReports, protocol: 2 | 3, ...values: Value[]): string {
  return String(
    how(
      values.map((value) => encodeValue(value, protocol)),
      protocol,
    ),
  )
}

function frame(value: Value, protocol: 2 | 3): string {
  return encodeValue(value, protocol).toString()
}

const map = (fields: Record<string, Value>) =>
  new Map<string | bigint, Value>(Object.entries(fields))

for (const protocol of [2, 3] as const) {
  describe(`reports in RESP${protocol}`, () => {
    it('join texts under the names of their shards', () => {
      const texts = [Buffer.from('$2\r\nab\r\n'), Buffer.from('=6\r\ntxt:cd\r\n')]
      const joined = readReply(joinTexts(texts, ['x', 'y'], 2) as Buffer)
      expect(String(joined)).to.equal('# Shard x\nab\n# Shard y\ncd')
      expect(joinTexts([NUMBER], ['x'], protocol)).to.equal(undefined)
    })

    it('add memory, and take the mean of ratios and sizes per key', () => {
      const shard = (bytes: number, perKey: number, databases: Record<string, Value>) =>
        map({ bytes, 'keys.bytes-per-key': perKey, ...databases })
      const a = shard(1, 10, { 'db.0': map({ main: 5 }) })
      const b = shard(2, 30, { 'db.0': map({ main: 6 }), 'db.9': map({ main: 7 }) })
      const both = shard(3, 20, { 'db.0': map({ main: 11 }), 'db.9': map({ main: 7 }) })
      expect(merge(mergeMemoryStats, protocol, a, b)).to.equal(frame(both, protocol))
      expect(mergeMemoryStats([NUMBER, NUMBER], protocol)).to.equal(undefined)
    })

    it('tell of each event when it was last and how long at most', () => {
      const a = [
        ['fork', 5, 10, 90],
        ['aof', 1, 2, 3],
      ]
      const b = [['fork', 7, 20, 50]]
      const both = [
        ['fork', 7, 20, 90],
        ['aof', 1, 2, 3],
      ]
      expect(merge(mergeLatencyLatest, protocol, a, b)).to.equal(frame(both, protocol))
      expect(merge(mergeLatencyLatest, protocol, b, a)).to.equal(frame(both, protocol))
      expect(merge(mergeLatencyLatest, protocol, a, [['fork']])).to.equal('undefined')
    })

    it('put samples into the order of their time', () => {
      const both = merge(
        mergeLatencyHistory,
        protocol,
        [
          [1, 10],
          [4, 40],
        ],
        [
          [2, 20],
          [4, 41],
        ],
      )
      expect(both).to.equal(
        frame(
          [
            [1, 10],
            [2, 20],
            [4, 40],
            [4, 41],
          ],
          protocol,
        ),
      )
      expect(merge(mergeLatencyHistory, protocol, [[]], [])).to.equal('undefined')
    })

    it('add the buckets of histograms, which are cumulative', () => {
      const histogram = (calls: number, buckets: [bigint, number][]) =>
        map({ calls, histogram_usec: new Map<string | bigint, Value>(buckets) })
      const a = map({
        get: histogram(3, [
          [1n, 1],
          [4n, 3],
        ]),
      })
      const b = map({ get: histogram(5, [[2n, 5]]), set: histogram(1, [[8n, 1]]) })
      const get = histogram(8, [
        [1n, 1],
        [2n, 6],
        [4n, 8],
      ])
      const both = map({ get, set: histogram(1, [[8n, 1]]) })
      expect(merge(mergeLatencyHistogram, protocol, a, b)).to.equal(frame(both, protocol))
      expect(mergeLatencyHistogram([NUMBER], protocol)).to.equal(undefined)
      const broken = map({ get: map({ calls: 'x', histogram_usec: [] }) })
      expect(merge(mergeLatencyHistogram, protocol, broken)).to.equal('undefined')
      const odd = map({ get: map({ calls: 1, histogram_usec: [1, 'x'] }) })
      expect(merge(mergeLatencyHistogram, protocol, odd)).to.equal('undefined')
      const none = map({ get: map({ calls: 1, histogram_usec: 1 }) })
      expect(merge(mergeLatencyHistogram, protocol, none)).to.equal(
        frame(map({ get: histogram(1, []) }), protocol),
      )
    })

    it('show the script that runs, on whichever shard', () => {
      const idle = map({ running_script: null, engines: map({}) })
      const busy = map({ running_script: map({ name: 'f' }), engines: map({}) })
      expect(merge(mergeFunctionStats, protocol, idle, busy)).to.equal(frame(busy, protocol))
      expect(merge(mergeFunctionStats, protocol, idle, idle)).to.equal(frame(idle, protocol))
      expect(mergeFunctionStats([NUMBER], protocol)).to.equal(undefined)
    })

    it('give the newest slow commands of all', () => {
      const entry = (id: number, time: number): Value => [id, time, 9, ['GET'], '', '']
      const logs = [[entry(2, 30), entry(1, 10)], [entry(2, 20)]].map((log) =>
        encodeValue(log, protocol),
      )
      const all = [entry(2, 30), entry(2, 20), entry(1, 10)]
      expect(String(mergeSlowlogs(logs, -1))).to.equal(frame(all, protocol))
      expect(String(mergeSlowlogs(logs, 2))).to.equal(frame(all.slice(0, 2), protocol))
      expect(mergeSlowlogs([NUMBER], 1)).to.equal(undefined)
      expect(mergeSlowlogs([encodeValue([1], protocol)], 1)).to.equal(undefined)
    })
  })
}

it('takes the mean of doubles, which RESP2 sends as strings', () => {
  const doubles = ['1.5', '2.5'].map((text) => Buffer.from(`*2\r\n$1\r\nr\r\n$3\r\n${text}\r\n`))
  expect(String(mergeMemoryStats(doubles, 2))).to.equal('*2\r\n$1\r\nr\r\n$1\r\n2\r\n')
  const resp3 = ['1.5', '2.5'].map((text) => Buffer.from(`%1\r\n$1\r\nr\r\n,${text}\r\n`))
  expect(String(mergeMemoryStats(resp3, 3))).to.equal('%1\r\n$1\r\nr\r\n,2\r\n')
})
