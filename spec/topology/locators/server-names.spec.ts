import { expect } from 'chai'
import { SERVER_NAME_MS, SERVER_NAMES_MAX } from '../../../lib/limits.ts'
import { ServerNames } from '../../../lib/topology/locators/server-names.ts'
import { until } from '../../support/until.ts'

const at = (host: string, port = 6379) => ({ host, port })

describe('ServerNames', () => {
  let nowMs: number
  let found: number
  let names: ServerNames

  beforeEach(() => {
    nowMs = 0
    found = 0
    names = new ServerNames(
      () => nowMs,
      () => found++,
    )
  })

  async function lookUp(): Promise<void> {
    names.told([at('localhost')])
    await until(() => found > 0)
  }

  it('know equal addresses for one server without looking up anything', () => {
    names.told([at('10.0.0.1'), at('10.0.0.2')])
    expect(names.isOne(at('10.0.0.1'), at('10.0.0.1'))).to.equal(true)
    expect(names.isOne(at('10.0.0.1'), at('10.0.0.2'))).to.equal(false)
    expect(names.isOne(at('10.0.0.1'), at('10.0.0.1', 6380))).to.equal(false)
  })

  it('know a name and the IP that it leads to for one server, once it has been looked up', async () => {
    const both = [at('localhost'), at('127.0.0.1')] as const
    expect(names.isOne(...both)).to.equal(false)
    await lookUp()
    expect(names.isOne(...both)).to.equal(true)
    expect(names.isOne(both[1], both[0])).to.equal(true)
    expect(names.isOne(at('localhost', 6380), both[1])).to.equal(false)
    expect(names.isOne(both[0], at('127.0.0.2'))).to.equal(false)
  })

  it('take two names for two servers, whatever they lead to', async () => {
    names.told([at('localhost'), at('LOCALHOST')])
    await until(() => found === 2)
    expect(names.isOne(at('localhost'), at('LOCALHOST'))).to.equal(false)
  })

  it('are forgotten when they are told no more', async () => {
    await lookUp()
    nowMs = SERVER_NAME_MS
    names.told([])
    expect(names.isOne(at('localhost'), at('127.0.0.1'))).to.equal(true)
    nowMs = SERVER_NAME_MS + 1
    names.told([])
    expect(names.isOne(at('localhost'), at('127.0.0.1'))).to.equal(false)
  })

  it('are looked up as far as there is room', async () => {
    // Labels this long are refused without a question to any server of names.
    const long = Array.from({ length: SERVER_NAMES_MAX }, (_, i) => at(`${i}${'x'.repeat(64)}`))
    names.told([...long, at('localhost')])
    names.told([at('localhost')])
    nowMs = SERVER_NAME_MS + 1
    names.told([])
    expect(found).to.equal(0)
    await lookUp()
  })
})
