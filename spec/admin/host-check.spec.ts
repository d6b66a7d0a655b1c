import { expect } from 'chai'
import { isTrustedHost } from '../../lib/admin/host-check.ts'

describe('isTrustedHost', () => {
  it('takes this machine, addresses and the name to listen on, with or without a port', () => {
    for (const host of [
      'localhost',
      'LocalHost:9380',
      'a.localhost:1',
      '127.0.0.1:9380',
      '[::1]:9380',
    ]) {
      expect(isTrustedHost(host, undefined), host).to.equal(true)
    }
    expect(isTrustedHost('10.1.2.3:9380', '0.0.0.0')).to.equal(true)
    expect(isTrustedHost('Redis.internal:9380', 'redis.Internal')).to.equal(true)
    expect(isTrustedHost(undefined, undefined)).to.equal(true)
  })

  it('refuses any other name, as a page under attack would send it', () => {
    for (const host of [
      'evil.example',
      'evil.example:9380',
      'localhost.evil.example',
      'notlocalhost',
      '127.0.0.1.evil.example',
      '127.0.0.1@evil.example',
      'localhost:80:80',
      '::1',
      '[localhost',
      '',
    ]) {
      expect(isTrustedHost(host, '127.0.0.1'), host).to.equal(false)
    }
  })
})
