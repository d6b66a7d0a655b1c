import { expect } from 'chai'
import {
  commonGreeting,
  GREETING_UNTIL_KNOWN,
  type Greeting,
  parseGreeting,
  scoreFormat,
} from '../../lib/control/greeting.ts'
import {
  GREETING_BYTES_MAX,
  GREETING_MODULES_MAX,
  GREETING_TEXT_BYTES_MAX,
} from '../../lib/limits.ts'
import { encodeValue } from '../../lib/resp/encode.ts'

function hello(fields: Readonly<Record<string, unknown>>): unknown[] {
  return Object.entries(fields).flat()
}

function module(name: string, ver: string): unknown[] {
  return ['name', name, 'ver', ver, 'path', '/m.so', 'args', ['a', 'b']]
}

describe('parseGreeting', () => {
  it('reads server, version and modules', () => {
    const modules = [module('search', '80200')]
    const reply = hello({ server: 'valkey', version: '9.1.2', proto: '2', modules })
    expect(parseGreeting(reply)).to.deep.equal({
      server: 'valkey',
      version: '9.1.2',
      modules: [
        new Map<string, unknown>([
          ['name', 'search'],
          ['ver', 80200],
          ['path', '/m.so'],
          ['args', ['a', 'b']],
        ]),
      ],
    })
  })

  it('takes nothing that is not what it should be', () => {
    const modules = [['ver', '1'], 'search', module('x', 'one'), ['name', ['y']]]
    const reply = hello({ server: 'a\r\nb', version: '1.0\r\n', modules })
    const { server, version, modules: read } = parseGreeting(reply)
    expect([server, version]).to.deep.equal(['redis', undefined])
    expect(read.map((each) => [...each.keys()])).to.deep.equal([['name', 'path', 'args']])
    for (const odd of ['PONG', null, 7, [], [1]]) {
      expect(parseGreeting(odd), String(odd)).to.deep.equal({
        server: 'redis',
        version: undefined,
        modules: [],
      })
    }
  })

  it('takes no more modules, and no longer texts, than fit into a reply of ours', () => {
    const many = Array.from({ length: GREETING_MODULES_MAX + 1 }, (_, i) => module(`m${i}`, '1'))
    expect(parseGreeting(hello({ modules: many })).modules).to.have.length(GREETING_MODULES_MAX)
    const long = 'x'.repeat(GREETING_TEXT_BYTES_MAX + 1)
    expect(parseGreeting(hello({ modules: [module(long, '1')] })).modules).to.deep.equal([])
  })

  it('takes no more facts about modules than each client may be told', () => {
    const args = Array.from({ length: 10_000 }, () => '')
    const facts = Array.from({ length: 10_000 }, (_, i) => [`fact${i}`, 'x']).flat()
    const text = 'x'.repeat(GREETING_TEXT_BYTES_MAX)
    const wordy = Array.from({ length: 60 }, (_, i) => ['name', `m${i}`, 'path', text])
    const modules = [['name', 'a', 'args', args], ['name', 'b', ...facts], ...wordy]
    for (const listed of [modules, wordy]) {
      const told = parseGreeting(hello({ modules: listed })).modules
      expect(encodeValue(told, 3).length).to.be.below(GREETING_BYTES_MAX)
    }
    expect(parseGreeting(hello({ modules: wordy })).modules.length).to.be.above(10)
  })

  it('takes no number that is none in RESP', () => {
    for (const ver of ['Infinity', '1e400', '1.5', '9007199254740993']) {
      const [told] = parseGreeting(hello({ modules: [module('a', ver)] })).modules
      expect(told?.has('ver'), ver).to.equal(false)
    }
  })
})

describe('scoreFormat', () => {
  it('is that of the shards', () => {
    const text = (server: string, version: string | undefined): string => {
      return scoreFormat({ server, version, modules: [] })(0.1)
    }
    for (const old of ['6.2.14', '7.0.15', undefined]) {
      expect(text('redis', old), String(old)).to.equal('0.10000000000000001')
    }
    for (const version of ['7.2.0', '7.4.1', '8.0.6', '10.0.0']) {
      expect(text('redis', version), version).to.equal('0.1')
    }
    expect(text('valkey', undefined)).to.equal('0.1')
  })
})

describe('commonGreeting', () => {
  const of = (version: string | undefined, ...modules: string[]): Greeting => {
    return parseGreeting(
      hello({ server: 'redis', version, modules: modules.map((m) => module(m, '1')) }),
    )
  }

  it('is that of Redis 7.0 before a shard has told', () => {
    expect(commonGreeting([])).to.equal(GREETING_UNTIL_KNOWN)
    expect(commonGreeting([of(undefined)]).version).to.equal(GREETING_UNTIL_KNOWN.version)
  })

  it('has the lowest version, number by number', () => {
    expect(commonGreeting([of('7.0.15'), of('7.0.4'), of(undefined)]).version).to.equal('7.0.4')
  })

  it('has the modules that all have', () => {
    const { modules } = commonGreeting([of('8.0.0', 'a', 'b', 'c'), of('8.0.0', 'c', 'a')])
    expect(modules.map((each) => each.get('name'))).to.deep.equal(['a', 'c'])
  })
})
