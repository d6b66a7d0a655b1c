/** The option rows, their generated texts, and convict kept away from its traps. */
import { expect } from 'chai'
import { optionsHelp, optionsTable } from '../../lib/config/options-text.ts'
import {
  flagName,
  mergeLayers,
  OPTION_NAMES,
  optionOf,
  type Settings,
  variableName,
} from '../../lib/config/schema.ts'
import {
  BYTE_SIGNS,
  DISTRIBUTIONS,
  HASH_NAMES,
  LOG_FORMATS,
  LOG_LEVELS,
} from '../../lib/config/values/types.ts'
import { keyHash } from '../../lib/routing/placement/key-hash.ts'
import { buildRing } from '../../lib/routing/placement/ring.ts'

describe('the option rows', () => {
  it('name flags and variables after the option', () => {
    expect(flagName('requestTimeoutMs')).to.equal('request-timeout-ms')
    expect(variableName('requestTimeoutMs')).to.equal('AMBASSADOR_REQUEST_TIMEOUT_MS')
    expect(variableName('env')).to.equal('AMBASSADOR_ENV')
  })

  it('have defaults that their own formats accept', () => {
    const defaults = mergeLayers([])
    for (const name of OPTION_NAMES) {
      const text = optionOf(name).default
      if (text === undefined) expect(defaults[name], name).to.equal(undefined)
      else expect({ value: defaults[name] }, name).to.deep.equal(optionOf(name).format.parse(text))
    }
  })

  it('have the defaults that the documentation promises', () => {
    expect(mergeLayers([])).to.deep.include({
      listen: [{ host: 'localhost', port: 6379 }],
      adminListen: { host: 'localhost', port: 9380 },
      hash: 'murmur',
      distribution: 'ketama',
      hashTag: '{}',
      byteSign: 'signed',
      connectionsPerShard: 1,
      requestTimeoutMs: 1000,
      connectTimeoutMs: 1000,
      drainTimeoutMs: 10000,
      maxClients: 10000,
      logLevel: 'info',
      logFormat: 'json',
    })
  })

  it('offer the hash functions and distributions that routing has', () => {
    for (const hash of HASH_NAMES) {
      for (const sign of BYTE_SIGNS) {
        expect(keyHash(hash, sign)(Buffer.from('apple'), 0, 5)).to.be.a('number')
      }
    }
    for (const distribution of DISTRIBUTIONS) {
      expect(buildRing([{ name: 'a', weight: 1 }], distribution).shares()).to.deep.equal([1])
    }
    expect([...LOG_LEVELS, ...LOG_FORMATS]).to.include('info')
  })
})

describe('mergeLayers', () => {
  it('lets the later layer win and leaves the others alone', () => {
    const { maxClients, hash, hashTag } = mergeLayers([
      { maxClients: 5, hash: 'md5' },
      { maxClients: 6, hashTag: '' },
    ])
    expect({ maxClients, hash, hashTag }).to.deep.equal({ maxClients: 6, hash: 'md5', hashTag: '' })
  })

  it('replaces a value whole, where convict would mix two objects', () => {
    const { adminListen, listen } = mergeLayers([
      { adminListen: { host: 'a', port: 1, tls: true }, listen: [{ path: '/a', mode: 0o600 }] },
      { adminListen: { host: 'b', port: 3 }, listen: [{ host: 'b', port: 2 }] },
    ])
    expect({ adminListen, listen }).to.deep.equal({
      adminListen: { host: 'b', port: 3 },
      listen: [{ host: 'b', port: 2 }],
    })
  })

  it('leaves text that looks like something else alone', () => {
    const { shardUsername, password } = mergeLayers([{ shardUsername: '12', password: 'false' }])
    expect({ shardUsername, password }).to.deep.equal({ shardUsername: '12', password: 'false' })
  })

  it('reads neither the process environment nor its arguments', () => {
    process.env['AMBASSADOR_MAX_CLIENTS'] = '7'
    process.argv.push('--maxClients=8')
    try {
      expect(mergeLayers([]).maxClients).to.equal(10000)
    } finally {
      process.argv.pop()
      Reflect.deleteProperty(process.env, 'AMBASSADOR_MAX_CLIENTS')
    }
  })

  it('refuses an option without a row', () => {
    const merge = (layer: object) => () => mergeLayers([layer as Partial<Settings>])
    expect(merge({ maxCleints: 5 })).to.throw("'maxCleints' not declared")
  })

  it('cannot be made to pollute Object.prototype', () => {
    const layer = JSON.parse(
      '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"p": 1}}}',
    )
    expect(() => mergeLayers([layer])).to.throw('not declared')
    expect(Object.keys(Object.prototype)).to.deep.equal([])
    expect('polluted' in {}).to.equal(false)
  })
})

describe('the generated texts', () => {
  it('have a row and a paragraph for every option, with flag, variable and default', () => {
    const table = optionsTable().split('\n')
    const help = optionsHelp()
    for (const name of OPTION_NAMES) {
      const { secret, default: text } = optionOf(name)
      const flag = `--${flagName(name)}${secret === true ? '-file' : ''}`
      const row = table.find((line) => line.includes(`\`${flag}\``)) ?? ''
      expect(row, name).to.include(`\`${variableName(name)}\``)
      if (text !== undefined) expect(row, name).to.include(`\`${text}\``)
      expect(help, name).to.include(`  ${flag} VALUE\n`).and.to.include(variableName(name))
    }
  })

  it('keep to the table’s five columns and the terminal’s width', () => {
    for (const line of optionsTable().trimEnd().split('\n')) {
      expect(line.split(/(?<!\\)\|/), line).to.have.lengthOf(7)
    }
    for (const line of optionsHelp().split('\n')) expect(line.length, line).to.be.at.most(100)
  })
})
