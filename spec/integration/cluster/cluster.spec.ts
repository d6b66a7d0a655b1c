/** One plain Redis, and behind it a Redis Cluster at rest. */
import { expect } from 'chai'
import type { AmbassadorUnderTest } from '../../support/ambassador.ts'
import { type Cluster, startCluster } from '../../support/cluster.ts'
import { startAmbassadorForCluster } from '../../support/cluster-ambassador.ts'
import type { RawClient } from '../../support/raw-client.ts'

describe('a cluster at rest', () => {
  let cluster: Cluster
  let ambassador: AmbassadorUnderTest
  let client: RawClient

  before(async () => {
    cluster = await startCluster({ masters: 3 })
    ambassador = await startAmbassadorForCluster(cluster.addresses)
    client = await ambassador.connect()
  })

  after(async () => {
    await ambassador.stop()
    await cluster.stop()
  })

  async function ask(...words: string[]): Promise<string> {
    return (await client.request(...words)).toString()
  }

  it('finds keys wherever their slots are', async () => {
    for (let i = 0; i < 50; i++) expect(await ask('SET', `key:${i}`, `${i}`)).to.equal('+OK\r\n')
    for (let i = 0; i < 50; i++) {
      expect(await ask('GET', `key:${i}`)).to.equal(`$${`${i}`.length}\r\n${i}\r\n`)
    }
    const counts = await Promise.all(cluster.servers.map((server) => server.ask('DBSIZE')))
    expect(counts.every((count) => Number(count) > 5)).to.equal(true)
    expect(await ask('DBSIZE')).to.equal(':50\r\n')
  })

  it('splits commands over any slots, and keeps the order of their keys', async () => {
    const keys = Array.from({ length: 100 }, (_, i) => `many:${i}`)
    expect(await ask('MSET', ...keys.flatMap((key, i) => [key, `v${i}`]))).to.equal('+OK\r\n')
    const values = await client.request('MGET', ...keys, 'absent')
    const expected = keys.map((_, i) => `$${`v${i}`.length}\r\nv${i}\r\n`).join('')
    expect(values.toString()).to.equal(`*101\r\n${expected}$-1\r\n`)
    expect(await ask('EXISTS', ...keys, 'absent')).to.equal(':100\r\n')
    expect(await ask('TOUCH', ...keys)).to.equal(':100\r\n')
    expect(await ask('DEL', ...keys.slice(0, 60))).to.equal(':60\r\n')
    expect(await ask('UNLINK', ...keys)).to.equal(':40\r\n')
  })

  it('combines reads over several slots', async () => {
    await ask('SADD', 'set:1', 'a', 'b')
    await ask('SADD', 'set:2', 'b', 'c')
    expect(await ask('SINTER', 'set:1', 'set:2')).to.equal('*1\r\n$1\r\nb\r\n')
    await ask('PFADD', 'hll:1', 'a', 'b')
    await ask('PFADD', 'hll:2', 'b', 'c')
    expect(await ask('PFCOUNT', 'hll:1', 'hll:2')).to.equal(':3\r\n')
  })

  it('refuses what cannot be split', async () => {
    const reply = await ask('RENAME', 'one', 'another')
    expect(reply).to.match(/^-CROSSSLOT /)
  })

  it('is one plain Redis to its clients', async () => {
    expect(await ask('HELLO')).to.match(/\$4\r\nmode\r\n\$10\r\nstandalone\r\n/)
    const info = await ask('INFO')
    expect(info)
      .to.contain('cluster_enabled:0')
      .and.to.match(/(redis|server)_mode:standalone/)
    expect(info).to.not.contain('cluster_enabled:1')
    expect(await ask('CLUSTER', 'SLOTS')).to.match(/^-ERR This instance has cluster support/)
    expect(await ask('READONLY')).to.match(/^-ERR This instance has cluster support/)
    expect(await ask('ASKING')).to.match(/^-ERR This instance has cluster support/)
    expect(await ask('ROLE')).to.match(/^\*3\r\n\$6\r\nmaster\r\n/)
    expect(await ask('SELECT', '0')).to.equal('+OK\r\n')
  })

  it('sends what concerns all to all masters', async () => {
    await ask('SET', 'left', 'over')
    expect(await ask('FLUSHALL')).to.equal('+OK\r\n')
    for (const server of cluster.servers) expect(await server.ask('DBSIZE')).to.equal('0')
    expect(await ask('RANDOMKEY')).to.equal('$-1\r\n')
  })

  it('runs scripts, by their SHA-1 as well, wherever their keys are', async () => {
    const script = "return redis.call('INCR', KEYS[1])"
    const sha = (await ask('SCRIPT', 'LOAD', script)).split('\r\n')[1] as string
    for (let i = 0; i < 20; i++) {
      expect(await ask('EVALSHA', sha, '1', `counter:${i}`)).to.equal(':1\r\n')
    }
  })

  it('keeps a transaction on one slot', async () => {
    await ask('MULTI')
    await ask('SET', '{tx}a', '1')
    await ask('INCR', '{tx}a')
    expect(await ask('EXEC')).to.equal('*2\r\n+OK\r\n:2\r\n')
  })
})

it('a cluster of one master is one plain Redis to its clients as well', async () => {
  const cluster = await startCluster({ masters: 1 })
  const ambassador = await startAmbassadorForCluster(cluster.addresses)
  const client = await ambassador.connect()
  const info = String(await client.request('INFO'))
  expect(info)
    .to.match(/(redis|server)_mode:standalone/)
    .and.to.contain('cluster_enabled:0')
  await ambassador.stop()
  await cluster.stop()
})
