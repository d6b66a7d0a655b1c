/** The command line: what is understood, and what is told about the rest. */
import { expect } from 'chai'
import { type DiffCommand, parseArguments } from '../../lib/cli/arguments.ts'
import { UsageError } from '../../lib/errors.ts'

function complaint(...words: string[]): string {
  try {
    parseArguments(words)
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
  return ''
}

describe('parseArguments', () => {
  it('starts when no command is given', () => {
    expect(parseArguments([])).to.deep.equal({ name: 'start', flags: {} })
    expect(parseArguments(['--listen', 'a:1'])).to.deep.equal({
      name: 'start',
      flags: { listen: 'a:1' },
    })
  })

  it('takes flags before and after the command, with a space or =', () => {
    expect(parseArguments(['--max-clients=5', 'check', '--request-timeout-ms', '0'])).to.deep.equal(
      {
        name: 'check',
        flags: { maxClients: '5', requestTimeoutMs: '0' },
      },
    )
    expect(parseArguments(['--hash-tag=', '--shards=-a:1']).name).to.equal('start')
  })

  it('takes the file of a secret', () => {
    expect(parseArguments(['--shard-password-file', 'f'])).to.deep.equal({
      name: 'start',
      flags: { shardPasswordFile: 'f' },
    })
  })

  it('takes keys for route, after -- whatever they are', () => {
    expect(
      parseArguments(['route', 'a', '--hash', 'md5', 'b', '--', '-c', '--hash']),
    ).to.deep.equal({
      name: 'route',
      flags: { hash: 'md5' },
      keys: ['a', 'b', '-c', '--hash'],
    })
  })

  it('takes --json for doctor, which is no option', () => {
    expect(parseArguments(['doctor', '--json', '--shards', 'a:1'])).to.deep.equal({
      name: 'doctor',
      flags: { shards: 'a:1' },
      json: true,
    })
    expect(parseArguments(['doctor'])).to.include({ json: false })
  })

  it('takes two sides for diff', () => {
    const { keys, ...command } = parseArguments([
      'diff',
      'a',
      'b',
      '--keys',
      '-',
      '--pool',
      'p',
      '--exit-code',
    ]) as DiffCommand
    expect(keys).to.equal('-')
    expect(command).to.deep.equal({
      name: 'diff',
      before: 'a',
      after: 'b',
      flags: { pool: 'p' },
      json: false,
      exitCode: true,
    })
  })

  it('takes the flags of demo', () => {
    expect(parseArguments(['demo'])).to.deep.equal({ name: 'demo', once: false, port: undefined })
    expect(parseArguments(['demo', '--once', '--port', '7000'])).to.deep.equal({
      name: 'demo',
      once: true,
      port: 7000,
    })
  })

  it('helps and tells its version whatever else is there', () => {
    for (const word of ['-h', '--help']) {
      expect(parseArguments(['check', word])).to.deep.equal({ name: 'help' })
    }
    for (const word of ['-V', '--version']) {
      expect(parseArguments([word])).to.deep.equal({ name: 'version' })
    }
    expect(parseArguments(['-hV'])).to.deep.equal({ name: 'help' })
  })

  for (const [words, message] of [
    [['strat'], 'there is no command "strat"; did you mean "start"?'],
    [
      ['serve'],
      'there is no command "serve"; there are start, demo, check, route, diff, preflight, doctor, healthcheck',
    ],
    [['constructor'], /^there is no command "constructor"/],
    [['start', 'now'], 'start takes no argument "now"'],
    [['check', ''], 'check takes no argument ""'],
    [['route'], 'route needs a KEY'],
    [['diff', 'a:1'], 'diff takes OLD and NEW: configuration files, or lists of shards'],
    [['diff', 'a', 'b', 'c'], 'diff takes OLD and NEW: configuration files, or lists of shards'],
    [['diff', 'a', 'b', '--listen', 'a:1'], '--listen is not a flag of diff'],
    [['--shrads', 'a:1'], 'there is no flag --shrads; did you mean "--shards"?'],
    [['-listen', 'a:1'], 'there is no flag -listen; did you mean "--listen"?'],
    [['-x'], 'there is no flag -x'],
    [['--__proto__'], /^there is no flag --__proto__/],
    [['--maxClients', '5'], 'there is no flag --maxClients; did you mean "--max-clients"?'],
    [['--listen'], '--listen needs a value'],
    [
      ['--listen', '--hash', 'md5'],
      '--listen needs a value; one that starts with - as --listen=VALUE',
    ],
    [['--listen', 'a:1', '--listen', 'b:1'], '--listen is given twice'],
    [['--help=yes'], '--help takes no value'],
    [['--once'], '--once is not a flag of start'],
    [['demo', '--shards', 'a:1'], '--shards is not a flag of demo'],
    [['demo', '--port', '70000'], '--port: "70000" is not a whole number from 0 to 65535'],
    [
      ['--password', 'hunter2'],
      '--password does not exist: every process list would show it; ' +
        'use AMBASSADOR_PASSWORD or --password-file FILE',
    ],
  ] as const) {
    it(`complains about ${words.join(' ')}`, () => {
      if (typeof message === 'string') expect(complaint(...words)).to.equal(message)
      else expect(complaint(...words)).to.match(message)
    })
  }

  it('does not repeat what may be a secret', () => {
    for (const words of [
      ['--pasword=hunter2'],
      ['--pasword', 'hunter2'],
      ['--password=hunter2'],
      ['-phunter2'],
    ]) {
      const message = complaint(...words)
      expect(message).not.to.equal('')
      expect(message).not.to.include('hunter2')
    }
  })
})
