/** The strict readers, and every kindness of convict's that they refuse. */
import { expect } from 'chai'
import {
  choice,
  type Format,
  hashTag,
  hostList,
  numberOrAll,
  parseInteger,
  plainText,
  type Raw,
  secretText,
  shown,
  strictBoolean,
  strictInteger,
} from '../../../lib/config/values/formats.ts'
import { listenList, listenOrOff } from '../../../lib/config/values/lists/listen-list.ts'

function accepted<Value>(format: Format<Value>, raw: Raw): Value {
  const parsed = format.parse(raw)
  if ('value' in parsed) return parsed.value
  throw new Error(`refused: ${parsed.problems.map(({ text }) => text).join(', ')}`)
}

function problemsOf(format: Format<unknown>, raw: Raw): string[] {
  const parsed = format.parse(raw)
  return 'value' in parsed ? [] : parsed.problems.map(({ text }) => text)
}

describe('strictInteger', () => {
  const format = strictInteger({ min: 1, max: 64 })

  it('takes decimal digits within the range', () => {
    expect(accepted(format, '1')).to.equal(1)
    expect(accepted(format, '64')).to.equal(64)
  })

  for (const text of [
    '0',
    '65',
    '-1',
    '+1',
    '12abc',
    '1e3',
    '0x10',
    '63.5',
    '7 8',
    ' 7',
    '7\n',
    '007',
    '',
    'NaN',
    '१',
  ]) {
    it(`refuses ${JSON.stringify(text)} and shows it`, () => {
      const problem = `${JSON.stringify(text)} is not a whole number from 1 to 64`
      expect(problemsOf(format, text)).to.deep.equal([problem])
    })
  }

  it('refuses a list, a map and nothing', () => {
    expect(problemsOf(format, ['1'])).to.deep.equal(['a list is not a whole number from 1 to 64'])
    expect(problemsOf(format, { a: '1' })).to.have.lengthOf(1)
    expect(problemsOf(format, null)).to.deep.equal(['nothing is not a whole number from 1 to 64'])
  })

  it('says the unit and what 0 means', () => {
    const timeout = strictInteger({ min: 0, max: 9, unit: 'milliseconds', zero: 'never' })
    expect(timeout.accepts).to.equal('a whole number of milliseconds from 0 to 9 (0: never)')
    expect(accepted(timeout, '0')).to.equal(0)
  })

  it('refuses what a double cannot hold', () => {
    expect(parseInteger('9007199254740993')).to.equal(undefined)
    expect(parseInteger('9007199254740991')).to.equal(9007199254740991)
  })
})

describe('strictBoolean', () => {
  for (const text of ['true', 'TRUE', 'yes', 'on', '1']) {
    it(`reads ${text} as true`, () => expect(accepted(strictBoolean, text)).to.equal(true))
  }
  // convict reads each of these but "false" as true.
  for (const text of ['false', 'no', 'off', 'Off', '0']) {
    it(`reads ${text} as false`, () => expect(accepted(strictBoolean, text)).to.equal(false))
  }
  for (const text of ['', 'maybe', '2', 'y', 'enabled']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(problemsOf(strictBoolean, text)[0]).to.match(/is not one of true, yes, on, 1, false/)
    })
  }
})

describe('numberOrAll', () => {
  const format = numberOrAll({ min: 1, max: 9, unit: 'shards' })

  it('takes a number in its range, or the word', () => {
    expect(['1', '9', 'all'].map((text) => accepted(format, text))).to.deep.equal([1, 9, 'all'])
    for (const text of ['0', '10', 'All', '1x', '']) {
      expect(problemsOf(format, text)).to.deep.equal([
        `${JSON.stringify(text)} is not a whole number of shards from 1 to 9, or all`,
      ])
    }
  })
})

describe('choice', () => {
  const format = choice(['ketama', 'modula', 'random'])

  it('takes the words exactly', () => {
    expect(accepted(format, 'modula')).to.equal('modula')
    expect(problemsOf(format, 'Modula')).to.deep.equal([
      '"Modula" is not one of ketama, modula, random; did you mean "modula"?',
    ])
  })

  it('suggests what was meant', () => {
    expect(problemsOf(format, 'ketma')[0]).to.include('did you mean "ketama"?')
    expect(problemsOf(format, 'nothing like it')[0]).not.to.include('did you mean')
  })
})

describe('hashTag', () => {
  it('takes two printable characters, or nothing', () => {
    for (const text of ['{}', '$$', '']) expect(accepted(hashTag, text)).to.equal(text)
  })

  it('refuses any other number of bytes, and a map that YAML makes of bare braces', () => {
    for (const raw of ['{', '{}}', 'é', '\t ', {}])
      expect(problemsOf(hashTag, raw)).to.have.lengthOf(1)
  })
})

describe('secretText', () => {
  it('takes any text on one line', () => {
    expect(accepted(secretText, 'pa ss:wörd')).to.equal('pa ss:wörd')
  })

  it('never shows what it refuses', () => {
    for (const raw of ['', 'hunter2\nhunter3', 'hunter2\0', ['hunter2'], null]) {
      const [problem] = problemsOf(secretText, raw)
      expect(problem).to.be.a('string')
      expect(problem).not.to.include('hunter')
    }
  })
})

describe('plainText', () => {
  it('refuses nothing and control characters', () => {
    const format = plainText('a file')
    expect(accepted(format, '/etc/a b')).to.equal('/etc/a b')
    expect(problemsOf(format, '')).to.deep.equal(['"" is not a file'])
    expect(problemsOf(format, 'a\0b')).to.deep.equal(['"a\\u0000b" is not a file'])
  })
})

describe('listenList', () => {
  it('takes host:port, [IPv6]:port and unix:/path, comma-separated or as a list', () => {
    const wanted = [
      { host: '127.0.0.1', port: 6379 },
      { host: '::1', port: 0 },
      { path: '/run/a.sock', mode: undefined },
    ]
    const text = '127.0.0.1:6379, [::1]:0,unix:/run/a.sock'
    expect(accepted(listenList, text)).to.deep.equal(wanted)
    expect(accepted(listenList, text.split(', ').join(',').split(','))).to.deep.equal(wanted)
    expect(accepted(listenList, 'unix:///run/b.sock')).to.deep.equal([
      { path: '/run/b.sock', mode: undefined },
    ])
  })

  it('reports every address that is wrong, with its place in a list', () => {
    expect(listenList.parse(['127.0.0.1:6379', '6379', 'a:b', ['x']])).to.deep.equal({
      problems: [
        { at: [1], text: '"6379" is not host:port' },
        { at: [2], text: '"a:b" has no port from 0 to 65535' },
        { at: [3], text: 'a list is not host:port' },
      ],
    })
  })

  it('refuses the same address twice, but several free ports', () => {
    expect(problemsOf(listenList, 'a:1,a:1')).to.deep.equal(['"a:1" is there twice'])
    expect(accepted(listenList, 'a:0,a:0')).to.have.lengthOf(2)
  })

  it('refuses an empty list and a map', () => {
    for (const raw of [[], {}, null]) {
      expect(problemsOf(listenList, raw)[0]).to.include('is not an address or a list of addresses')
    }
    expect(problemsOf(listenList, '')).to.deep.equal(['"" is not host:port'])
  })
})

describe('listenOrOff', () => {
  it('takes one address or off', () => {
    expect(accepted(listenOrOff, 'off')).to.equal('off')
    expect(accepted(listenOrOff, 'a:1')).to.deep.equal({ host: 'a', port: 1 })
    expect(problemsOf(listenOrOff, 'a:1,b:2')).to.deep.equal(['"a:1,b:2" is more than one address'])
    expect(problemsOf(listenOrOff, 'none')).to.deep.equal(['"none" is not host:port'])
  })
})

describe('hostList', () => {
  it('takes names, comma-separated or as a list, and domains', () => {
    const wanted = ['proxy1.prod.example', '*.svc', 'a_b', '10.0.0.1']
    expect(accepted(hostList, wanted.join(', '))).to.deep.equal(wanted)
    expect(accepted(hostList, wanted)).to.deep.equal(wanted)
  })

  it('refuses ports, schemes and what would be any name', () => {
    const bad = ['a:9380', 'http://a', '*', '*.', 'a.*', '']
    expect(hostList.parse(bad)).to.deep.equal({
      problems: bad.map((name, index) => {
        return { at: [index], text: `${shown(name)} is not a host name without a port` }
      }),
    })
  })
})

describe('shown', () => {
  it('quotes, escapes and cuts', () => {
    expect(shown('a\r\nb"c')).to.equal('"a\\r\\nb\\"c"')
    expect(shown('x'.repeat(200))).to.equal(`"${'x'.repeat(100)}..."`)
  })
})
