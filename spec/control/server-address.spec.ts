import { expect } from 'chai'
import { addressKey, serverAddress } from '../../lib/control/server-address.ts'

describe('a server address', () => {
  it('is what can be connected to', () => {
    expect(serverAddress('10.0.0.1', '6379')).to.deep.equal({ host: '10.0.0.1', port: 6379 })
    expect(serverAddress('redis-0.svc', 6379)).to.deep.equal({ host: 'redis-0.svc', port: 6379 })
    expect(serverAddress('fe80::1%eth0', '1')).to.deep.equal({ host: 'fe80::1%eth0', port: 1 })
    for (const [host, port] of [
      ['', '6379'],
      ['a b', '6379'],
      ['a', '0'],
      ['a', '65536'],
      ['a', '1.5'],
      ['a', ''],
      [null, '1'],
      ['a\r\nb', '1'],
    ]) {
      expect(serverAddress(host, port), `${host}:${port}`).to.equal(undefined)
    }
  })

  it('is written as everybody writes it', () => {
    expect(addressKey({ host: '10.0.0.1', port: 1 })).to.equal('10.0.0.1:1')
    expect(addressKey({ host: '::1', port: 1 })).to.equal('[::1]:1')
  })
})
