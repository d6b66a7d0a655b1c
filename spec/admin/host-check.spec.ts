import { hostname } from 'node:os'
import { expect } from 'chai'
import { mayOrder, mayRead } from '../../lib/admin/host-check.ts'

const OWN = [
  'localhost',
  'LocalHost:9380',
  'a.localhost:1',
  '127.0.0.1:9380',
  '[::1]:9380',
  '10.1.2.3',
]

/** As a page under attack would send them, whose name somebody has registered. */
const FOREIGN = [
  'evil.example',
  'evil.example:9380',
  'localhost.evil.example',
  'internal.evil.example',
  '127.0.0.1.evil.example',
  '127.0.0.1@evil.example',
  'localhost:80:80',
  'localhost.',
  '.internal',
  'evil..local',
  '::1',
  '[localhost',
  '',
]

/** Names of services, which nobody outside of this network can have. */
const PRIVATE = [
  'ambassador:9380',
  'Redis_Ambassador',
  'ambassador.local',
  'ambassador.shop.svc.cluster.local:9380',
  'ip-10-0-0-1.ec2.internal:9380',
]

describe('mayRead', () => {
  it('takes addresses, names of this machine, and names that no stranger can have', () => {
    for (const host of [...OWN, ...PRIVATE, `${hostname()}:9380`, undefined]) {
      expect(mayRead(host, []), host).to.equal(true)
    }
  })

  it('refuses any other name', () => {
    for (const host of FOREIGN) expect(mayRead(host, ['redis.example']), host).to.equal(false)
  })

  it('takes the names that are given, and all below a domain that is given', () => {
    const names = ['Redis.Example', '*.shop.svc']
    for (const host of ['redis.example:9380', 'REDIS.example', 'a.shop.svc', 'a.b.shop.svc:1']) {
      expect(mayRead(host, names), host).to.equal(true)
      expect(mayOrder(host, names), host).to.equal(true)
    }
    for (const host of ['a.redis.example', 'shop.svc', 'evilshop.svc', 'a.shop.svc.evil.example']) {
      expect(mayRead(host, names), host).to.equal(false)
    }
  })
})

describe('mayOrder', () => {
  it('takes addresses and localhost only, if no name is given', () => {
    for (const host of [...OWN, undefined]) expect(mayOrder(host, []), host).to.equal(true)
    for (const host of [...FOREIGN, ...PRIVATE]) expect(mayOrder(host, []), host).to.equal(false)
  })
})
