import { expect } from 'chai'
import {
  dialProblem,
  isDistrust,
  tlsOptions,
} from '../../../../lib/upstream/connection/making/dial.ts'

const SETTINGS = {
  authorities: undefined,
  certificate: undefined,
  key: undefined,
  serverName: undefined,
  insecure: false,
}

function errorWith(facts: object): Error {
  return Object.assign(new Error('message'), facts)
}

describe('tlsOptions', () => {
  it('names the host as configured, an address never, or the name that was given', () => {
    expect(tlsOptions(SETTINGS, 'redis.example').servername).to.equal('redis.example')
    expect(tlsOptions(SETTINGS, '10.0.0.1')).to.not.have.property('servername')
    expect(tlsOptions(SETTINGS, '::1')).to.not.have.property('servername')
    const named = { ...SETTINGS, serverName: 'other.example' }
    expect(tlsOptions(named, '10.0.0.1').servername).to.equal('other.example')
  })

  it('verify unless told otherwise', () => {
    expect(tlsOptions(SETTINGS, 'h').rejectUnauthorized).to.equal(true)
    expect(tlsOptions({ ...SETTINGS, insecure: true }, 'h').rejectUnauthorized).to.equal(false)
  })
})

describe('isDistrust', () => {
  it('is a certificate or a protocol that was refused', () => {
    for (const code of [
      'CERT_HAS_EXPIRED',
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'ERR_SSL_WRONG_VERSION_NUMBER',
    ]) {
      expect(isDistrust(errorWith({ code })), code).to.equal(true)
    }
  })

  it('is not a connection that failed or broke, which may be mended at once', () => {
    expect(isDistrust(errorWith({ code: 'ECONNREFUSED', syscall: 'connect' }))).to.equal(false)
    expect(isDistrust(errorWith({ code: 'EPIPE', syscall: 'write' }))).to.equal(false)
    // As Node words a FIN in the middle of a handshake: without a system call.
    expect(isDistrust(errorWith({ code: 'ECONNRESET' }))).to.equal(false)
    expect(isDistrust(errorWith({}))).to.equal(false)
  })
})

describe('dialProblem', () => {
  it('prefers the reason to OpenSSL’s line of numbers', () => {
    const reason = 'tlsv13 alert certificate required'
    expect(dialProblem(errorWith({ reason }))).to.equal(reason)
    expect(dialProblem(errorWith({ reason: undefined }))).to.equal('message')
  })
})
