import { expect } from 'chai'
import { addressesOf, isFamilyMissing, openDoors } from '../../lib/io/doors.ts'
import { SAME_PORT_ATTEMPTS_MAX } from '../../lib/limits.ts'

/** What the system says at an address: an error's code, or the port that is free there. */
type System = (host: string, port: number) => string | number

describe('openDoors', () => {
  /** Doors that are open, as `host:port`. */
  let open: string[]

  beforeEach(() => {
    open = []
  })

  async function opening(addresses: readonly string[], port: number, system: System) {
    const opened = await openDoors(addresses, { port, ipv6Only: false }, async ({ host, port }) => {
      const said = system(host, port)
      if (typeof said === 'string')
        throw Object.assign(new Error(said), { code: said, address: host })
      const door = `${host} ${said}`
      open.push(door)
      return { port: said, close: () => open.splice(open.indexOf(door), 1) }
    })
    return opened.map((door) => door.port)
  }

  async function failing(...given: Parameters<typeof opening>): Promise<string> {
    const error = await opening(...given).catch((reason) => reason)
    expect(open).to.deep.equal([])
    return error.code
  }

  const LOCALHOST = ['127.0.0.1', '::1']
  const as = (port: number) => () => port
  const without = (missing: string, code: string): System => {
    return (host, port) => (host === missing ? code : port || 7000)
  }

  it('opens one at each address, at the same port, which is found where none is given', async () => {
    expect(await opening(LOCALHOST, 6379, (_, port) => port)).to.deep.equal([6379, 6379])
    expect(await opening(LOCALHOST, 0, (_, port) => port || 7000)).to.deep.equal([7000, 7000])
  })

  it('leaves out an address of a family that the machine lacks', async () => {
    for (const code of ['EADDRNOTAVAIL', 'EAFNOSUPPORT']) {
      expect(await opening(LOCALHOST, 0, without('::1', code)), code).to.deep.equal([7000])
      expect(await opening(LOCALHOST, 6379, without('127.0.0.1', code)), code).to.deep.equal([6379])
    }
    expect(open.filter((door) => door.startsWith('127.0.0.1'))).to.have.lengthOf(2)
  })

  it('fails when none is there, and when one cannot be opened for another reason', async () => {
    expect(await failing(LOCALHOST, 6379, () => 'EADDRNOTAVAIL')).to.equal('EADDRNOTAVAIL')
    expect(await failing(['10.0.0.1'], 6379, () => 'EADDRNOTAVAIL')).to.equal('EADDRNOTAVAIL')
    // Whoever asks for localhost may come to the other server.
    expect(await failing(LOCALHOST, 6379, without('::1', 'EADDRINUSE'))).to.equal('EADDRINUSE')
    expect(await failing(LOCALHOST, 6379, without('127.0.0.1', 'EACCES'))).to.equal('EACCES')
  })

  it('tries other ports where the one that is free at the first address is taken at the second', async () => {
    let next = 7000
    const system: System = (host, port) => {
      if (host === '127.0.0.1') return ++next
      return port < 7004 ? 'EADDRINUSE' : port
    }
    expect(await opening(LOCALHOST, 0, system)).to.deep.equal([7004, 7004])
    expect(open).to.deep.equal(['127.0.0.1 7004', '::1 7004'])
    open = []
    let attempts = 0
    const code = await failing(LOCALHOST, 0, (host) => {
      if (host === '::1') return 'EADDRINUSE'
      attempts++
      return 7000
    })
    expect({ code, attempts }).to.deep.equal({
      code: 'EADDRINUSE',
      attempts: SAME_PORT_ATTEMPTS_MAX,
    })
  })

  it('takes IPv4 alone for all addresses where there is no IPv6', async () => {
    expect(await opening(['::'], 6379, without('::', 'EAFNOSUPPORT'))).to.deep.equal([6379])
    expect(open).to.deep.equal(['0.0.0.0 6379'])
    open = []
    expect(await opening(['::'], 6379, as(6379))).to.deep.equal([6379])
    expect(open).to.deep.equal([':: 6379'])
  })
})

describe('isFamilyMissing', () => {
  it('tells a family that is missing from an address that is', () => {
    const error = (code: string, address: string) =>
      Object.assign(new Error(code), { code, address })
    expect(isFamilyMissing(error('EAFNOSUPPORT', '::'))).to.equal(true)
    expect(isFamilyMissing(error('EADDRNOTAVAIL', '::1'))).to.equal(true)
    expect(isFamilyMissing(error('EADDRNOTAVAIL', '10.0.0.1'))).to.equal(false)
    expect(isFamilyMissing(error('EADDRINUSE', '::1'))).to.equal(false)
    expect(isFamilyMissing('EAFNOSUPPORT')).to.equal(false)
  })
})

describe('addressesOf', () => {
  it('is the address itself, and both loopbacks for localhost, without asking anybody', async () => {
    expect(await addressesOf('::1')).to.deep.equal(['::1'])
    for (const name of ['localhost', 'LocalHost', 'redis.localhost']) {
      expect(await addressesOf(name), name).to.deep.equal(['127.0.0.1', '::1'])
    }
  })

  it('rejects for a name that leads nowhere', async () => {
    const error = await addressesOf('nowhere.invalid').catch((reason) => reason)
    expect(error.code).to.match(/^ENOTFOUND|^EAI_AGAIN/)
  })
})
