import { expect } from 'chai'
import { renewAfterMs } from '../../lib/credentials/credentials.ts'
import { Keeper } from '../../lib/credentials/keeper.ts'
import type { Answer } from '../../lib/credentials/source.ts'
import { LogLines } from '../support/log-lines.ts'

/** Let what was asked be heard. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A keeper whose source answers when it is told to, by a clock of its own. */
class Rig {
  nowMs = 0
  asked = 0
  readonly log = new LogLines()
  readonly keeper: Keeper
  renewed = 0
  #answer: (answer: Answer) => void = () => {}

  constructor() {
    this.keeper = new Keeper({
      source: {
        kind: 'command',
        id: 'p',
        name: 'p',
        ask: () => {
          this.asked++
          return new Promise((resolve) => {
            this.#answer = resolve
          })
        },
        askAgainMs: renewAfterMs,
        lifeMs: (configured) => configured,
      },
      username: 'fallback',
      lifeMs: 900_000,
      logger: this.log,
      now: () => this.nowMs,
    })
    this.keeper.observe(() => this.renewed++)
  }

  async give(password: string, lifeMs?: number, username?: string): Promise<void> {
    this.#answer({ credentials: { username, password, lifeMs }, ageMs: 0 })
    await settled()
  }

  async fail(problem: string): Promise<void> {
    this.#answer({ problem })
    await settled()
  }

  get told(): string[] {
    return this.log.lines.map(({ level, message }) => `${level} ${message}`)
  }
}

describe('Keeper', () => {
  let rig: Rig
  beforeEach(() => {
    rig = new Rig()
  })
  afterEach(() => rig.keeper.close())

  it('asks at once, and knows nothing before the answer', async () => {
    expect(rig.asked).to.equal(1)
    expect(rig.keeper.current).to.equal(undefined)
    await rig.give('one')
    expect(rig.keeper.current).to.deep.equal({ username: 'fallback', password: 'one' })
    expect(rig.renewed).to.equal(1)
  })

  it('asks again when they are needed late in their life, one question at a time', async () => {
    await rig.give('one')
    rig.nowMs = 629_000
    expect(rig.keeper.current?.password).to.equal('one')
    expect(rig.asked).to.equal(1)
    rig.nowMs = 631_000
    for (let i = 0; i < 3; i++) expect(rig.keeper.current?.password).to.equal('one')
    expect(rig.asked).to.equal(2)
    await rig.give('two', undefined, 'app')
    expect(rig.keeper.current).to.deep.equal({ username: 'app', password: 'two' })
    expect(rig.renewed).to.equal(2)
    expect(rig.told).to.deep.equal(['info shard credentials are there'])
  })

  it('does not call it news when the same are given again, but believes that they live on', async () => {
    await rig.give('one')
    rig.nowMs = 800_000
    rig.keeper.current
    await rig.give('one')
    rig.nowMs = 1_000_000
    expect(rig.keeper.current?.password).to.equal('one')
    expect(rig.renewed).to.equal(1)
    expect(rig.keeper.state.renewals).to.deep.equal({ succeeded: 1, failed: 0 })
  })

  it('keeps them while they live when there are no others, and says each change once', async () => {
    await rig.give('one', 10_000)
    for (const nowMs of [6000, 8000]) {
      rig.nowMs = nowMs
      rig.keeper.current
      await rig.fail('exited with 1: one is bad')
    }
    expect(rig.keeper.current?.password).to.equal('one')
    expect(rig.keeper.state).to.deep.equal({
      source: 'command',
      name: 'p',
      ageSeconds: 8,
      endsInSeconds: 2,
      renewals: { succeeded: 1, failed: 2 },
      problem: 'exited with 1: *** is bad',
    })
    for (const nowMs of [10_000, 20_000]) {
      rig.nowMs = nowMs
      expect(rig.keeper.current).to.equal(undefined)
      await rig.fail('exited with 1')
    }
    rig.nowMs = 60_000
    rig.keeper.current
    await rig.give('two', 10_000)
    expect(rig.told).to.deep.equal([
      'info shard credentials are there',
      'warn shard credentials cannot be renewed',
      'error shard credentials have ended',
      'info shard credentials are there',
    ])
  })

  it('asks less and less often while it fails', async () => {
    const waitsMs: number[] = []
    for (let i = 0; i < 8; i++) {
      const asked = rig.asked
      await rig.fail('exited with 1')
      let waitMs = 0
      for (; rig.asked === asked; waitMs += 500) {
        rig.nowMs += 500
        rig.keeper.current
      }
      waitsMs.push(waitMs)
    }
    expect(waitsMs).to.deep.equal([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
  })

  it('asks early for others when a shard does not want them, and seldom', async () => {
    await rig.give('one')
    rig.keeper.refused()
    rig.nowMs = 4900
    rig.keeper.current
    expect(rig.asked).to.equal(1)
    rig.nowMs = 5000
    rig.keeper.current
    expect(rig.asked).to.equal(2)
  })

  it('does not ask all the time for those that live no time at all', async () => {
    await rig.give('one', 1)
    rig.nowMs = 900
    rig.keeper.current
    expect(rig.asked).to.equal(1)
  })

  it('hears nothing more once it is closed', async () => {
    rig.keeper.close()
    await rig.give('one')
    expect(rig.keeper.current).to.equal(undefined)
    expect(rig.told).to.deep.equal([])
  })
})
