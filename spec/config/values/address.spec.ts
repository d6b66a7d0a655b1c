/** Addresses as they are written. */
import { expect } from 'chai'
import {
  addressText,
  parseHostPort,
  parseListenAddress,
} from '../../../lib/config/values/address.ts'

describe('parseHostPort', () => {
  for (const [text, host, port] of [
    ['127.0.0.1:6379', '127.0.0.1', 6379],
    ['redis_0.redis-headless.svc:1', 'redis_0.redis-headless.svc', 1],
    ['[::1]:65535', '::1', 65535],
    ['[fe80::1%eth0]:6379', 'fe80::1%eth0', 6379],
  ] as const) {
    it(`reads ${text}`, () => expect(parseHostPort(text, 1)).to.deep.equal({ host, port }))
  }

  for (const [text, problem] of [
    ['', 'is not host:port'],
    ['host', 'is not host:port'],
    [':6379', 'has no valid host before the port'],
    ['ho st:1', 'has no valid host before the port'],
    ['-host:1', 'has no valid host before the port'],
    ['*:1', 'has no valid host before the port'],
    ['[nope]:1', 'has no valid host before the port'],
    ['[::1:1', 'is an IPv6 address without brackets; write [::1]:6379'],
    ['::1:6379', 'is an IPv6 address without brackets; write [::1]:6379'],
    ['2001:db8::5', 'is an IPv6 address without brackets; write [::1]:6379'],
    ['host:', 'has no port from 1 to 65535'],
    ['host:0', 'has no port from 1 to 65535'],
    ['host:65536', 'has no port from 1 to 65535'],
    ['host:0x10', 'has no port from 1 to 65535'],
    ['host:6379.5', 'has no port from 1 to 65535'],
    ['host:12abc', 'has no port from 1 to 65535'],
    ['host:1e3', 'has no port from 1 to 65535'],
    ['host:06379', 'has no port from 1 to 65535'],
    ['host:+1', 'has no port from 1 to 65535'],
    ['host:1 ', 'has no port from 1 to 65535'],
  ] as const) {
    it(`refuses ${JSON.stringify(text)}`, () => expect(parseHostPort(text, 1)).to.equal(problem))
  }
})

describe('parseListenAddress', () => {
  it('takes any free port', () => {
    expect(parseListenAddress('localhost:0')).to.deep.equal({ host: 'localhost', port: 0 })
  })

  it('takes an address for TLS', () => {
    const address = { host: '0.0.0.0', port: 6380, tls: true }
    expect(parseListenAddress('tls://0.0.0.0:6380')).to.deep.equal(address)
    expect(parseListenAddress('tls://6380')).to.match(/is not host:port/)
  })

  it('refuses paths that cannot be those of a socket', () => {
    expect(parseListenAddress('unix:relative')).to.match(/not an absolute path/)
    expect(parseListenAddress('unix:')).to.match(/not an absolute path/)
    expect(parseListenAddress('unix:/run/')).to.match(/is a directory/)
    expect(parseListenAddress('unix:/a\nb')).to.match(/control character/)
    expect(parseListenAddress(`unix:/${'x'.repeat(107)}`)).to.match(/longer than 107 bytes/)
  })
})

describe('addressText', () => {
  it('writes what the parser reads', () => {
    for (const text of ['127.0.0.1:6379', '[::1]:0', 'tls://h:1', 'unix:/run/a.sock']) {
      const address = parseListenAddress(text)
      expect(typeof address === 'string' ? address : addressText(address)).to.equal(text)
    }
  })
})
