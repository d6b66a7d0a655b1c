/** What the locator makes of sentinels and servers that say what the spec wants them to say. */
import { expect } from 'chai'
import { Sentinels } from '../../../lib/control/sentinel/sentinels.ts'
import { addressKey, type ServerAddress } from '../../../lib/control/server-address.ts'
import { SentinelLocator } from '../../../lib/topology/locators/sentinel-locator.ts'
import { SILENT } from '../../support/ambassador.ts'
import { type FakeSentinel, startFakeSentinel, type Told } from '../../support/fake-sentinel.ts'
import { until } from '../../support/until.ts'

const A = '10.0.0.1:1'
const B = '10.0.0.1:2'
const C = '10.0.0.1:3'
const AT_A: Told = { master: A, epoch: 1, replicas: [B, C] }
const AT_B: Told = { master: B, epoch: 2, replicas: [A, C] }

describe('SentinelLocator, with scripted sentinels', () => {
  let fakes: readonly FakeSentinel[]
  let sentinels: Sentinels
  let locator: SentinelLocator
  /** By address: what each server says its role is; without one it does not answer. */
  let roles: Map<string, string>
  let asked: string[]
  let told: string[]

  async function start(early: boolean): Promise<void> {
    fakes = await Promise.all([1, 2, 3].map(() => startFakeSentinel({ alpha: AT_A })))
    roles = new Map([
      [A, 'master'],
      [B, 'slave'],
      [C, 'slave'],
    ])
    asked = []
    told = []
    sentinels = new Sentinels({
      addresses: fakes.map(({ address }) => {
        const [host = '', port = ''] = address.split(':')
        return { host, port }
      }),
      username: undefined,
      password: undefined,
      dialled: ({ host, port }) => ({ host, port: Number(port) }),
      logger: SILENT,
    })
    locator = new SentinelLocator({
      master: 'alpha',
      sentinels,
      early,
      readRole: async (address: ServerAddress) => {
        asked.push(addressKey(address))
        return roles.get(addressKey(address))
      },
      observer: {
        moved: (to) => told.push(`moved ${addressKey(to)}`),
        held: () => told.push('held'),
        released: () => told.push('released'),
        replicated: () => {},
      },
      onUnknown: () => told.push('unknown'),
      now: () => performance.now(),
    })
    await until(() => told.length > 0 && locator.view.voices === 3)
    expect(told.splice(0)).to.deep.equal([`moved ${A}`])
    asked.length = 0
  }

  afterEach(async () => {
    locator.close()
    for (const fake of fakes) await fake.stop()
  })

  async function untilAsked(server: string): Promise<void> {
    const count = asked.length
    await until(() => asked.slice(count).includes(server))
  }

  /** The first of them leads. */
  function select(): void {
    fakes[0]?.publish('+selected-slave', `slave ${B} 10.0.0.1 2 @ alpha 10.0.0.1 1`)
  }

  it('moves when the server itself says that it is the master, and not before', async () => {
    await start(false)
    for (const fake of fakes) fake.switchMaster('alpha', AT_B)
    await untilAsked(B)
    await untilAsked(B)
    expect(told).to.deep.equal([])
    roles.set(B, 'master')
    await until(() => told.length > 0)
    expect(told).to.deep.equal([`moved ${B}`])
  })

  it('follows most, though one claims to be newer for a server that is no master', async () => {
    await start(false)
    fakes[0]?.switchMaster('alpha', { master: C, epoch: 99, replicas: [A, B] })
    await untilAsked(C)
    roles.set(B, 'master')
    fakes[1]?.switchMaster('alpha', AT_B)
    fakes[2]?.switchMaster('alpha', AT_B)
    await until(() => told.length > 0)
    expect(told).to.deep.equal([`moved ${B}`])
  })

  it('goes to the heir that was seen to be a replica, and stays against those that are behind', async () => {
    await start(true)
    select()
    await untilAsked(B)
    roles.set(B, 'master')
    await until(() => told.length > 1)
    sentinels.ask()
    const counts = fakes.map((fake) => fake.asked)
    await until(() => fakes.every((fake, i) => fake.asked > (counts[i] ?? 0) + 1))
    expect(told).to.deep.equal(['held', `moved ${B}`])
    expect(asked).to.not.include(A)
  })

  it('takes no server for an heir that says from the first that it is a master', async () => {
    await start(true)
    roles.set(B, 'master')
    select()
    await untilAsked(B)
    await untilAsked(B)
    expect(told).to.deep.equal(['held'])
    fakes[0]?.publish('-failover-abort-slave-timeout', 'master alpha 10.0.0.1 1')
    await until(() => told.length > 1)
    expect(told).to.deep.equal(['held', 'released'])
  })

  it('goes on waiting when another gives up that wanted to lead', async () => {
    await start(true)
    select()
    await until(() => told.length > 0)
    fakes[1]?.publish('-failover-abort-not-elected', 'master alpha 10.0.0.1 1')
    await untilAsked(B)
    roles.set(B, 'master')
    await until(() => told.length > 1)
    expect(told).to.deep.equal(['held', `moved ${B}`])
  })

  it('goes back where most still are when the leader gives up after all', async () => {
    await start(true)
    select()
    await untilAsked(B)
    roles.set(B, 'master')
    await until(() => told.length > 1)
    fakes[0]?.publish('-failover-abort-slave-timeout', 'master alpha 10.0.0.1 1')
    await until(() => told.length > 2)
    expect(told).to.deep.equal(['held', `moved ${B}`, `moved ${A}`])
  })

  it('follows to a server that one sentinel tells by its name and another by its IP', async () => {
    await start(false)
    roles.set('localhost:2', 'master')
    roles.set('127.0.0.1:2', 'master')
    if (fakes[2] !== undefined) fakes[2].deaf = true
    fakes[0]?.switchMaster('alpha', { master: 'localhost:2', epoch: 2 })
    fakes[1]?.switchMaster('alpha', { master: '127.0.0.1:2', epoch: 2 })
    await until(() => told.length > 0)
    const counts = fakes.map((fake) => fake.asked)
    sentinels.ask()
    await until(() => fakes.slice(0, 2).every((fake, i) => fake.asked > (counts[i] ?? 0)))
    expect(told).to.have.lengthOf(1)
    expect(told[0]).to.match(/^moved (localhost|127\.0\.0\.1):2$/)
  })

  it('counts no more a sentinel that is gone', async () => {
    await start(false)
    const [one, two, three] = fakes
    const extra = await startFakeSentinel({ alpha: AT_A })
    const fifth = await startFakeSentinel({ alpha: AT_A })
    const named = { ...AT_A, sentinels: [extra.address, fifth.address] }
    if (one !== undefined) one.masters = { alpha: named }
    sentinels.ask()
    await until(() => sentinels.states.filter(({ reachable }) => reachable).length === 5)
    await Promise.all([extra.stop(), fifth.stop()])
    if (three !== undefined) three.deaf = true
    // Two of five are not most, of three they are.
    const told2 = { master: B, epoch: 2 }
    if (one !== undefined) one.masters = { alpha: told2 }
    if (two !== undefined) two.masters = { alpha: told2 }
    roles.set(B, 'master')
    sentinels.ask()
    await until(() => told.length > 0)
    expect(told).to.deep.equal([`moved ${B}`])
    expect(sentinels.states).to.have.lengthOf(3)
  })
})
