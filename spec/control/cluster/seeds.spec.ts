import { promises as dns } from 'node:dns'
import { expect } from 'chai'
import { seedCandidates } from '../../../lib/control/cluster/seeds.ts'

describe('seeds of a cluster', () => {
  const realLookup = dns.lookup

  /** Names that lead to these addresses; others lead nowhere. */
  function resolveTo(names: Readonly<Record<string, readonly string[]>>): void {
    const lookup = async (name: string) => {
      const found = names[name]
      if (found === undefined) throw new Error('ENOTFOUND')
      return found.map((address) => ({ address, family: 4 }))
    }
    dns.lookup = lookup as unknown as typeof dns.lookup
  }

  afterEach(() => {
    dns.lookup = realLookup
  })

  it('are asked at all addresses that a name has at this moment, by the name in the certificate', async () => {
    const seeds = [{ host: 'clustercfg.example', port: 6379 }]
    resolveTo({ 'clustercfg.example': ['10.0.0.1', '10.0.0.2'] })
    const serverName = 'clustercfg.example'
    expect(await seedCandidates(seeds, 0)).to.deep.equal([
      { address: { host: '10.0.0.1', port: 6379 }, serverName },
      { address: { host: '10.0.0.2', port: 6379 }, serverName },
    ])
    resolveTo({ 'clustercfg.example': ['10.0.0.3', '10.0.0.4'] })
    const hosts = (await seedCandidates(seeds, 0)).map(({ address }) => address.host)
    expect(hosts).to.deep.equal(['10.0.0.3', '10.0.0.4'])
  })

  it('are asked by their names when those have one address, or none now', async () => {
    resolveTo({ a: ['10.0.0.1'] })
    const seeds = ['a', 'b', '10.0.0.7'].map((host) => ({ host, port: 1 }))
    const candidates = seeds.map((address) => ({ address, serverName: undefined }))
    expect(await seedCandidates(seeds, 0)).to.deep.equal(candidates)
  })

  it('take turns, and each address comes once', async () => {
    const seeds = ['10.0.0.1', '10.0.0.2', '10.0.0.1'].map((host) => ({ host, port: 1 }))
    const hosts = async (turn: number) => {
      return (await seedCandidates(seeds, turn)).map(({ address }) => address.host)
    }
    expect(await hosts(0)).to.deep.equal(['10.0.0.1', '10.0.0.2'])
    expect(await hosts(4)).to.deep.equal(['10.0.0.2', '10.0.0.1'])
  })
})
