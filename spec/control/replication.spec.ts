import { expect } from 'chai'
import { openControl } from '../../lib/control/ioredis.ts'
import { parseReplication, ReplicationAsker, silenceReason } from '../../lib/control/replication.ts'
import { startFakeServer } from '../support/fake-replication.ts'

const OPTIONS = { username: undefined, password: undefined, timeoutMs: 5000 }

function replica(fields: Readonly<Record<string, string>>): string {
  const usual = {
    role: 'slave',
    master_link_status: 'up',
    master_last_io_seconds_ago: '3',
    master_sync_in_progress: '0',
    slave_repl_offset: '77',
    master_replid: 'abc',
    master_repl_offset: '70',
  }
  const lines = Object.entries({ ...usual, ...fields }).map(([name, value]) => `${name}:${value}`)
  return `# Replication\r\n${lines.join('\r\n')}\r\n`
}

describe('parseReplication', () => {
  it('reads how far a replica is, and that nothing is wrong with it', () => {
    expect(parseReplication(replica({}), 10)).to.deep.equal({
      isMaster: false,
      history: 'abc',
      offset: 77,
      ailment: undefined,
      replicas: 0,
    })
  })

  it('reads how far a master is', () => {
    const text =
      'role:master\r\nconnected_slaves:2\r\nmaster_replid:abc\r\nmaster_repl_offset:9\r\n'
    const master = { isMaster: true, history: 'abc', offset: 9, ailment: undefined, replicas: 2 }
    expect(parseReplication(text, 10)).to.deep.equal(master)
  })

  it('sees why a replica should not be read from', () => {
    const ailment = (fields: Readonly<Record<string, string>>) => {
      return parseReplication(replica(fields), 10).ailment
    }
    expect(ailment({ master_link_status: 'down' })).to.equal('its link to the master is down')
    expect(ailment({ master_sync_in_progress: '1' })).to.equal('it is copying its master')
    const deaf = 'it has not heard from its master for too long'
    expect(ailment({ master_last_io_seconds_ago: '11' })).to.equal(deaf)
    expect(ailment({ master_last_io_seconds_ago: '-1' })).to.equal(deaf)
    expect(ailment({ master_last_io_seconds_ago: '10' })).to.equal(undefined)
  })

  it('throws when there is nothing of it', () => {
    expect(() => parseReplication('', 10)).to.throw('it tells nothing of its replication')
  })
})

describe('ReplicationAsker', () => {
  it('asks over one connection, for the zone once, and over another after a loss', async () => {
    const server = await startFakeServer('r', 'slave', { offset: 5, zone: 'z1' })
    const port = server.port
    let opened = 0
    const open = () => {
      opened++
      return openControl({ host: '127.0.0.1', port }, OPTIONS)
    }
    const asker = new ReplicationAsker({ open, lastIoSecondsMax: 10, asksZone: true })
    try {
      expect(await asker.ask()).to.include({ offset: 5, isMaster: false })
      expect(asker.zone).to.equal('z1')
      await asker.ask()
      expect(opened).to.equal(1)
      await server.stop()
      expect(await asker.ask().catch(silenceReason)).to.be.a('string')
      await server.start(port)
      server.told = { offset: 6 }
      expect(await asker.ask()).to.include({ offset: 6 })
      expect(opened).to.be.above(1)
    } finally {
      asker.forget()
      await server.stop()
    }
  })

  it('says that the server is not known while that is so', async () => {
    const asker = new ReplicationAsker({
      open: () => undefined,
      lastIoSecondsMax: 10,
      asksZone: false,
    })
    expect(await asker.ask().catch(silenceReason)).to.equal('its server is not known')
  })
})
