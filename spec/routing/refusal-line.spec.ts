import { expect } from 'chai'
import { refusalIn } from '../../lib/routing/refusal-line.ts'

function refusal(line: string) {
  const bytes = Buffer.from(`..${line}\r\n`, 'latin1')
  return refusalIn(bytes, 2, bytes.length)
}

describe('routing/refusal-line', () => {
  it('reads redirects', () => {
    const moved = { kind: 'moved', code: 'MOVED', slot: 10166, host: '127.0.0.1', port: 7001 }
    expect(refusal('-MOVED 10166 127.0.0.1:7001')).to.deep.equal(moved)
    const ask = { kind: 'ask', code: 'ASK', slot: 15891, host: 'fe80::1', port: 7001 }
    expect(refusal('-ASK 15891 fe80::1:7001')).to.deep.equal(ask)
  })

  it('tells a host that is the one asked, and one that the node does not know', () => {
    expect(refusal('-MOVED 1 :7001')?.host).to.equal('')
    expect(refusal('-MOVED 1 ?:7001')?.host).to.equal('?')
  })

  it('takes what cannot be a redirect for one to nowhere', () => {
    const lines = [
      'MOVED 99999 a:1',
      'MOVED 16384 a:1',
      'ASK __proto__ a:1',
      'MOVED 1 a:0',
      'MOVED 1 a',
      'MOVED',
    ]
    for (const line of lines) {
      expect(refusal(`-${line}`), line).to.include({ slot: -1, host: '?', port: 0 })
    }
    expect(refusal(`-MOVED 1 ${'a'.repeat(600)}:1`)).to.include({ slot: -1 })
  })

  it('tells what is worth another attempt later', () => {
    const lines = [
      'TRYAGAIN Multiple keys request during rehashing of slot',
      'CLUSTERDOWN The cluster is down',
      'LOADING Valkey is loading the dataset in memory',
      "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
      "READONLY You can't write against a read only replica.",
      'UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)',
    ]
    for (const line of lines) expect(refusal(`-${line}`)?.kind, line).to.equal('later')
  })

  it('leaves all other errors to the client', () => {
    const lines = [
      'ERR MOVED',
      'MOVEDX 1 a:1',
      "CROSSSLOT Keys in request don't hash",
      'WRONGTYPE',
      'OOM x',
      'UNBLOCKED client unblocked via CLIENT UNBLOCK',
    ]
    for (const line of lines) expect(refusal(`-${line}`), line).to.equal(undefined)
  })
})
