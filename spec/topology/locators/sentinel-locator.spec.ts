import { EventEmitter, once } from 'node:events'
import { expect } from 'chai'
import { openControl, type RedisAddress } from '../../../lib/control/ioredis.ts'
import { readRole, type ToldAddress } from '../../../lib/control/sentinel/reports.ts'
import { Sentinels } from '../../../lib/control/sentinel/sentinels.ts'
import type { ServerAddress } from '../../../lib/control/server-address.ts'
import type { MoveFacts } from '../../../lib/topology/locators/locator.ts'
import { SentinelLocator } from '../../../lib/topology/locators/sentinel-locator.ts'
import { type SentinelWorld, startSentinels } from '../../support/sentinels.ts'
import { until } from '../../support/until.ts'

const QUIET = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, fatal() {} }

function addressOf({ host, port }: ToldAddress): RedisAddress {
  return { host, port: Number(port) }
}

async function roleOf(address: ServerAddress): Promise<string | undefined> {
  const client = openControl(address, { username: undefined, password: undefined, timeoutMs: 500 })
  try {
    return await readRole(client)
  } finally {
    client.disconnect()
  }
}

class Rig {
  readonly events = new EventEmitter()
  readonly told: string[] = []
  readonly sentinels: Sentinels
  readonly locator: SentinelLocator

  constructor(addresses: string, master: string, early: boolean) {
    this.sentinels = new Sentinels({
      addresses: addresses.split(',').map((each) => {
        const [host = '', port = ''] = each.split(':')
        return { host, port }
      }),
      username: undefined,
      password: undefined,
      dialled: addressOf,
      logger: QUIET,
    })
    this.locator = new SentinelLocator({
      master,
      sentinels: this.sentinels,
      early,
      readRole: roleOf,
      observer: {
        moved: (to: ServerAddress, facts: MoveFacts) => {
          this.told.push(`moved ${to.port}`)
          this.events.emit('moved', to, facts)
        },
        held: () => this.told.push('held'),
        released: () => this.told.push('released'),
        replicated: () => 0,
      },
      onUnknown: () => this.events.emit('unknown'),
      now: () => performance.now(),
    })
  }

  close(): void {
    this.locator.close()
    this.sentinels.close()
  }
}

describe('SentinelLocator', () => {
  let world: SentinelWorld
  let rig: Rig | undefined

  before(async () => {
    world = await startSentinels({ masters: { alpha: 2, beta: 0 } })
  })
  afterEach(() => rig?.close())
  after(() => world.stop())

  it('finds the master, and follows a failover before the sentinels announce it', async () => {
    rig = new Rig(world.addresses, 'alpha', true)
    await once(rig.events, 'moved')
    const [master] = world.servers('alpha')
    expect(rig.locator.address?.port).to.equal(master?.port)
    await until(() => rig?.sentinels.states.every(({ reachable }) => reachable) === true, 20)
    const moved = once(rig.events, 'moved')
    await world.failOver('alpha')
    const [to, facts] = (await moved) as [ServerAddress, MoveFacts]
    expect(to.port).to.not.equal(master?.port)
    expect(facts.toldBy).to.match(/, \+selected-slave$/)
    expect(rig.told.slice(1)).to.deep.equal(['held', `moved ${to.port}`])
    // Sentinels that are behind do not bring the old one back.
    await until(() => rig?.locator.view.differs === false, 50)
    expect(rig.told).to.have.lengthOf(3)
  })

  it('without early switches on the first +switch-master, and never waits', async () => {
    rig = new Rig(world.addresses, 'alpha', false)
    await once(rig.events, 'moved')
    const before = rig.locator.address?.port
    await until(() => rig?.sentinels.states.every(({ reachable }) => reachable) === true, 20)
    const moved = once(rig.events, 'moved')
    await world.failOver('alpha')
    await moved
    expect(rig.locator.address?.port).to.not.equal(before)
    expect(rig.told).to.not.include('held')
  })

  it('finds the other sentinels through one of them, and knows no master of another name', async () => {
    const [first] = world.addresses.split(',')
    rig = new Rig(first ?? '', 'beta', true)
    await once(rig.events, 'moved')
    expect(rig.locator.address?.port).to.equal(world.servers('beta')[0]?.port)
    await until(() => rig?.sentinels.states.length === 3, 20)
    rig.close()
    rig = new Rig(world.addresses, 'gamma', true)
    await once(rig.events, 'unknown')
    expect(rig.locator.address).to.equal(undefined)
  })
})
