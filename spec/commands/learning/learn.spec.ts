import { expect } from 'chai'
import { learnCommand, learnCommands } from '../../../lib/commands/learning/learn.ts'

const index = ['type', 'index', 'spec', ['index', 2]]
const range = ['type', 'range', 'spec', ['lastkey', -1, 'keystep', 2, 'limit', 0]]
const spec = ['flags', ['RW'], 'begin_search', index, 'find_keys', range]

/** A Redis 7 entry as a RESP2 client decodes it. */
function entry(changes: Record<number, unknown> = {}): unknown[] {
  const plain = ['m.set', -3, ['write', 'module'], 0, 0, 0, ['@write'], [], [spec], []]
  return plain.map((value, place) => (place in changes ? changes[place] : value))
}

describe('learnCommand', () => {
  it('reads a Redis 7 entry', () => {
    expect(learnCommand(entry())).to.deep.include({
      name: 'm.set',
      writtenName: 'm.set',
      arity: -3,
      handling: 'single',
      keySpecs: [
        { begin: { type: 'index', pos: 2 }, find: { type: 'range', last: -1, step: 2, limit: 0 } },
      ],
      flags: new Set(['write', 'module']),
    })
  })

  it('reads the same from maps, sets, objects, bytes, bigints and digits', () => {
    const begin_search = { type: 'index', spec: new Map([['index', 2n]]) }
    const find = { lastkey: '-1', keystep: 2, limit: '0' }
    const find_keys = new Map<string, unknown>([
      ['type', Buffer.from('range')],
      ['spec', find],
    ])
    const other = entry({
      0: Buffer.from('M.SET'),
      1: '-3',
      2: new Set(['write', Buffer.from('module'), 5]),
      8: new Set([{ flags: new Set(['RW']), begin_search, find_keys }]),
    })
    expect(learnCommand(other)).to.deep.equal(learnCommand(entry({ 0: 'M.SET' })))
  })

  it('reads a Redis 6 entry, which has positions alone', () => {
    const old = learnCommand(['m.set', -2, ['write'], 1, -2, 1, ['@write']])
    expect(old?.keySpecs).to.deep.equal([
      { begin: { type: 'index', pos: 1 }, find: { type: 'range', last: -2, step: 1, limit: 0 } },
    ])
    expect(learnCommand(['m.get', 2, ['readonly'], 1, 1, 1])).to.deep.include({
      fixedKey: 1,
      handling: 'single',
    })
    expect(learnCommand(['m.time', 1, ['readonly'], 0, 0, 0])?.handling).to.equal('single')
  })

  it('refuses keys that move without a word where to', () => {
    const old = learnCommand(['m.set', -2, ['write', 'movablekeys'], 1, 1, 1])
    expect([old?.handling, old?.because]).to.deep.equal([
      'refuse',
      'which of its arguments are keys cannot be told',
    ])
    // A module whose own function finds the keys gives a fixed place besides, which is not all.
    expect(learnCommand(entry({ 2: ['write', 'module', 'movablekeys'] }))?.handling).to.equal(
      'refuse',
    )
  })

  it('refuses keys that are told by half', () => {
    const unknown = ['type', 'unknown', 'spec', []]
    const halves = [
      ['flags', ['RW', 'incomplete'], 'begin_search', index, 'find_keys', range],
      ['flags', ['RW'], 'begin_search', unknown, 'find_keys', range],
      ['flags', ['RW'], 'begin_search', index, 'find_keys', unknown],
      [
        'flags',
        ['RW'],
        'begin_search',
        ['type', 'index', 'spec', ['index', 0]],
        'find_keys',
        range,
      ],
      [
        'flags',
        ['RW'],
        'begin_search',
        ['type', 'keyword', 'spec', ['keyword', 'K']],
        'find_keys',
        range,
      ],
      ['flags', ['RW'], 'begin_search', index],
      'nonsense',
      undefined,
    ]
    const broken = [
      ['range', ['lastkey', -1, 'keystep', 0, 'limit', 0]],
      ['range', ['keystep', 1]],
      ['keynum', ['keynumidx', -1, 'firstkey', 1, 'keystep', 1]],
      ['keynum', ['keynumidx', 0, 'firstkey', -1, 'keystep', 1]],
      ['keynum', ['keynumidx', 0, 'keystep', 1]],
      ['keynum', ['firstkey', 1, 'keystep', 1]],
      ['other', ['keystep', 1]],
    ].map(([type, fields]) => {
      return ['flags', [], 'begin_search', index, 'find_keys', ['type', type, 'spec', fields]]
    })
    for (const half of [...halves, ...broken]) {
      expect(learnCommand(entry({ 8: [spec, half] }))?.handling, JSON.stringify(half)).to.equal(
        'refuse',
      )
    }
  })

  it('follows policies', () => {
    const tips = ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:agg_sum']
    const all = learnCommand(entry({ 2: ['readonly'], 7: tips, 8: [] }))
    expect(all).to.deep.include({ handling: 'broadcast', responsePolicy: 'agg_sum' })
  })

  it('learns the subcommands of a container', () => {
    const members = [
      ['m|set', -3, ['write'], 0, 0, 0, [], [], [spec], []],
      ['m|time', 2, ['readonly'], 0, 0, 0, [], [], [], []],
      ['other|time', 2, ['readonly'], 0, 0, 0, [], [], [], []],
      'nonsense',
    ]
    const container = learnCommand(['m', -2, [], 0, 0, 0, [], [], [], members])
    expect(container?.subcommands?.map(({ name, handling }) => [name, handling])).to.deep.equal([
      ['m|set', 'single'],
      ['m|time', 'single'],
    ])
    expect(container?.handling).to.equal('refuse')
  })

  it('learns nothing from what is no entry', () => {
    const names = ['', 'a b', 'a\r\nb', 'é', 'x'.repeat(129), 'config|set', 5, undefined]
    const arities = [0, 1.5, 'many', '', undefined, Number.NaN, 2 ** 60]
    const entries = [
      ...names.map((name) => entry({ 0: name })),
      ...arities.map((arity) => entry({ 1: arity })),
    ]
    for (const bad of [...entries, [], undefined, null, 'GET', 5, {}, new Error('no')]) {
      expect(learnCommand(bad), JSON.stringify(bad)).to.equal(undefined)
    }
  })
})

describe('learnCommands', () => {
  it('learns what it can and passes over the rest', () => {
    expect(
      learnCommands([entry(), null, entry({ 0: 'm.get' })]).map(({ name }) => name),
    ).to.deep.equal(['m.set', 'm.get'])
    expect(learnCommands(null)).to.deep.equal([])
  })
})
