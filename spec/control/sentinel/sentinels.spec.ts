/** What the followers of a master hear, from scripted sentinels that say what real ones will not on demand. */
import { expect } from 'chai'
import type { MasterReport, ToldAddress } from '../../../lib/control/sentinel/reports.ts'
import { type MasterObserver, Sentinels } from '../../../lib/control/sentinel/sentinels.ts'
import { SILENT } from '../../support/ambassador.ts'
import { type FakeSentinel, startFakeSentinel } from '../../support/fake-sentinel.ts'
import { LogLines } from '../../support/log-lines.ts'
import { freePort } from '../../support/ports.ts'
import { until } from '../../support/until.ts'

const A = '10.0.0.1:1'
const B = '10.0.0.1:2'

class Heard implements MasterObserver {
  readonly events: string[] = []
  answers = 0

  answered(_sentinel: string, report: MasterReport | undefined): void {
    this.answers++
    if (report === undefined) this.events.push('unknown')
  }

  switched(_sentinel: string, { host, port }: ToldAddress): void {
    this.events.push(`switched ${host}:${port}`)
  }

  selected(_sentinel: string, { host, port }: ToldAddress): void {
    this.events.push(`selected ${host}:${port}`)
  }

  aborted(sentinel: string): void {
    this.events.push(`aborted ${sentinel}`)
  }

  lost(sentinel: string): void {
    this.events.push(`lost ${sentinel}`)
  }

  gone(sentinel: string): void {
    this.events.push(`gone ${sentinel}`)
  }
}

describe('Sentinels', () => {
  let fake: FakeSentinel
  let sentinels: Sentinels
  let alpha: Heard
  let beta: Heard

  beforeEach(async () => {
    fake = await startFakeSentinel({
      alpha: { master: A, epoch: 1, replicas: [B] },
      beta: { master: A, epoch: 1, replicas: [B] },
    })
    fake.id = 'a'.repeat(40)
    const [host = '', port = ''] = fake.address.split(':')
    sentinels = new Sentinels({
      addresses: [{ host, port }],
      username: undefined,
      password: undefined,
      dialled: (address) => ({ host: address.host, port: Number(address.port) }),
      logger: SILENT,
    })
    alpha = new Heard()
    beta = new Heard()
    sentinels.follow('alpha', alpha)
    sentinels.follow('beta', beta)
    await until(() => fake.listeners === 1 && alpha.answers > 0 && beta.answers > 0)
  })

  afterEach(async () => {
    sentinels.close()
    await fake.stop()
  })

  it('tell the follower of the master that an event names, and no other', async () => {
    fake.publish('+switch-master', `alpha 10.0.0.1 1 10.0.0.1 2`)
    fake.publish('+selected-slave', `slave ${B} 10.0.0.1 2 @ alpha 10.0.0.1 1`)
    fake.publish('-failover-abort-not-elected', 'master alpha 10.0.0.1 1')
    fake.publish('+switch-master', 'alphabet 10.0.0.1 1 10.0.0.1 2')
    fake.publish('+switch-master', 'beta 10.0.0.1 1 10.0.0.1 2')
    await until(() => beta.events.length > 0)
    expect(beta.events).to.deep.equal([`switched ${B}`])
    expect(alpha.events).to.deep.equal([
      `switched ${B}`,
      `selected ${B}`,
      `aborted ${fake.address}`,
    ])
  })

  it('ask again when what they were told may have changed', async () => {
    const { asked } = fake
    fake.publish('+reset-master', 'master alpha 10.0.0.1 1')
    await until(() => fake.asked > asked)
  })

  it('take no notice of events that make no sense', async () => {
    for (const words of ['', 'slave', `slave ${B} 10.0.0.1 2`, `slave ${B} 10.0.0.1 2 alpha @`]) {
      fake.publish('+selected-slave', words)
    }
    fake.publish('+switch-master', '')
    fake.publish('+switch-master', 'beta 10.0.0.1 1 10.0.0.1 2')
    await until(() => beta.events.length > 0)
    expect(alpha.events).to.deep.equal([])
  })

  it('say why no sentinel answers', async () => {
    const port = await freePort()
    const log = new LogLines()
    const away = new Sentinels({
      addresses: [{ host: '127.0.0.1', port: String(port) }],
      username: undefined,
      password: undefined,
      dialled: ({ host }) => ({ host, port }),
      logger: log,
    })
    away.follow('alpha', new Heard())
    try {
      await until(() => log.lines.length > 0)
      expect(log.lines[0]?.facts).to.include({
        reason: `connect ECONNREFUSED 127.0.0.1:${port}`,
      })
    } finally {
      away.close()
    }
  })

  it('find those that one of them names, before its answer is weighed', async () => {
    const other = await startFakeSentinel({ alpha: { master: B, epoch: 2, replicas: [A] } })
    try {
      fake.masters = { alpha: { master: A, epoch: 1, sentinels: [other.address] } }
      const counts: number[] = []
      alpha.answered = () => counts.push(sentinels.states.length)
      sentinels.ask()
      await until(() => other.asked > 0)
      expect(counts[0]).to.equal(2)
    } finally {
      await other.stop()
    }
  })

  it('say that one is lost which does not answer any more', async () => {
    fake.deaf = true
    sentinels.ask()
    await until(() => alpha.events.length > 0)
    expect(alpha.events).to.deep.equal([`lost ${fake.address}`])
    expect(sentinels.states.map(({ reachable }) => reachable)).to.deep.equal([false])
  })

  describe('known by several addresses, or there no more', () => {
    let other: FakeSentinel

    beforeEach(async () => {
      other = await startFakeSentinel({ alpha: { master: A, epoch: 1, replicas: [B] } })
      other.id = 'b'.repeat(40)
    })

    afterEach(() => other.stop())

    function name(...addresses: string[]): void {
      fake.masters = { alpha: { master: A, epoch: 1, replicas: [B], sentinels: addresses } }
      sentinels.ask()
    }

    const known = (): string[] => sentinels.states.map(({ address }) => address)

    it('have one voice by all their addresses', async () => {
      const byName = other.address.replace('127.0.0.1', 'localhost')
      name(`${other.address} ${other.id}`, `${byName} ${other.id}`)
      await until(() => other.listeners > 0 && other.asked > 0)
      await until(() => sentinels.states.filter(({ reachable }) => reachable).length === 2)
      const { answers } = alpha
      name(`${other.address} ${other.id}`, `${byName} ${other.id}`)
      await until(() => {
        sentinels.ask()
        return alpha.answers > answers + 2
      })
      expect(known()).to.have.lengthOf(2)
      expect(other.listeners).to.equal(1)
    })

    it('are asked for ever where they are configured, and are left elsewhere', async () => {
      const byName = fake.address.replace('127.0.0.1', 'localhost')
      name(byName)
      await until(() => fake.listeners === 2)
      await until(() => fake.listeners === 1)
      expect(known()).to.deep.equal([fake.address])
      // Whoever says at once who it is, is not even tried.
      name(`${byName} ${fake.id}`)
      const { answers } = alpha
      await until(() => {
        sentinels.ask()
        return alpha.answers > answers + 2
      })
      expect(fake.listeners).to.equal(1)
    })

    it('are forgotten when they are away and nobody names them any more (row 111)', async () => {
      name(other.address)
      await until(() => sentinels.states.filter(({ reachable }) => reachable).length === 2)
      await other.stop()
      await until(() => alpha.events.includes(`lost ${other.address}`))
      // Others still name it: it counts as one that is silent.
      sentinels.ask()
      const { asked } = fake
      await until(() => fake.asked > asked + 1)
      expect(known()).to.deep.equal([fake.address, other.address])
      name()
      await until(() => known().length === 1)
      expect(alpha.events).to.include(`gone ${other.address}`)
      expect(beta.events).to.include(`gone ${other.address}`)
    })

    it('make room: more than may be known at once can come and go', async () => {
      for (let port = 1; port <= 70; port += 10) {
        name(...Array.from({ length: 10 }, (_, i) => `127.0.0.1:${port + i}`))
        const { answers } = alpha
        await until(() => alpha.answers > answers)
      }
      name(other.address)
      await until(() => known().includes(other.address))
      await until(() => known().length === 2, 50)
    })
  })

  it('tell all followers of one master, and forget a master that nobody follows', async () => {
    const second = new Heard()
    const unfollow = sentinels.follow('alpha', second)
    fake.publish('+switch-master', 'alpha 10.0.0.1 1 10.0.0.1 2')
    await until(() => second.events.length > 0 && alpha.events.length > 0)
    unfollow()
    fake.publish('+switch-master', 'alpha 10.0.0.1 2 10.0.0.1 1')
    await until(() => alpha.events.length > 1)
    expect(second.events).to.deep.equal([`switched ${B}`])
  })
})
