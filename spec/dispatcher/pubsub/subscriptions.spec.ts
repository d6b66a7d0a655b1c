/** One registry with shards that do as they are told; what its links do is told here as well. */

import { expect } from 'chai'
import { everywhere } from '../../../lib/dispatcher/pubsub/home.ts'
import type { Receiver, Subscription } from '../../../lib/dispatcher/pubsub/subscription.ts'
import { SubscriptionRegistries } from '../../../lib/dispatcher/pubsub/subscription-registries.ts'
import type { Subscriptions } from '../../../lib/dispatcher/pubsub/subscriptions.ts'
import { shardFailures } from '../../../lib/failures.ts'
import { SUBSCRIBER_BATCH } from '../../../lib/limits.ts'
import type { Logger } from '../../../lib/logger.ts'
import type { TopicKind } from '../../../lib/resp/pubsub.ts'
import type { ConnectionState } from '../../../lib/upstream/connection/connection.ts'
import type { ReplySink } from '../../../lib/upstream/reply-sink.ts'
import type { Shard } from '../../../lib/upstream/shard.ts'
import type { Subscriber, SubscriberOwner } from '../../../lib/upstream/subscribers/subscriber.ts'
import { SILENT } from '../../support/ambassador.ts'
import { encodeRequest } from '../../support/frames.ts'

const MESSAGE = encodeRequest('message', 'c', 'text')
const FAILURES = shardFailures('played')
const UNAVAILABLE = String(FAILURES.unavailable.frame).trim()

/** A shard's subscriber connection, on which nothing happens but what the spec says. */
class PlayedShard {
  readonly name: string
  readonly serverId: string
  readonly errors = FAILURES
  /** `+c` for a topic that was asked for, `-c` for one that was given back; messages apart. */
  readonly sent: string[] = []
  lastUp: boolean | undefined = true
  opened = 0
  idle = false
  #sinks: ReplySink[] = []
  #owner: SubscriberOwner | undefined
  #state: ConnectionState = 'closed'

  constructor(name: string, serverId = name) {
    this.name = name
    this.serverId = serverId
  }

  openSubscriber(_credentials: undefined, owner: SubscriberOwner): Subscriber {
    const shard = this
    this.#owner = owner
    this.#state = 'connecting'
    this.opened++
    const played = {
      get state() {
        return shard.#state
      },
      get usable() {
        return shard.#state === 'ready' || shard.#state === 'connecting'
      },
      reason: 'played',
      subscribe: (_kind: TopicKind, name: Buffer, sink: ReplySink) => {
        this.idle = false
        if (this.#state === 'waiting') {
          sink.failed(0, this.errors.unavailable)
          return
        }
        this.sent.push(`+${name}`)
        this.#sinks.push(sink)
      },
      unsubscribe: (_kind: TopicKind, name: Buffer) => this.sent.push(`-${name}`),
      idle: () => {
        this.idle = true
      },
      close: () => this.become('closed'),
    }
    return played as unknown as Subscriber
  }

  get topics(): number {
    return this.#owner?.topics ?? 0
  }

  get state(): ConnectionState {
    return this.#state
  }

  /** What has not been answered fails with the connection. */
  become(state: ConnectionState): void {
    if (this.#state === state) return
    this.#state = state
    if (state !== 'ready') {
      for (const sink of this.#sinks.splice(0)) sink.failed(0, this.errors.unavailable)
    }
    this.#owner?.stateChanged()
  }

  /** Answers the oldest that are unanswered. */
  confirm(count = 1): void {
    const frame = Buffer.from('*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n')
    for (let i = 0; i < count; i++) this.#sinks.shift()?.reply(0, frame, 0, frame.length, true)
  }

  confirmAll(): void {
    while (this.#sinks.length > 0) this.confirm()
  }

  refuse(error = '-NOPERM no'): void {
    const frame = Buffer.from(`${error}\r\n`)
    this.#sinks.shift()?.reply(0, frame, 0, frame.length, true)
  }

  timeOut(): void {
    this.#sinks.shift()?.failed(0, FAILURES.timedOut)
  }

  deliver(kind: TopicKind, topic: string): void {
    this.#owner?.message(kind, topic, MESSAGE, 0, MESSAGE.length)
  }
}

class Listener implements Receiver {
  heard = 0
  isLost = false

  receive(): void {
    this.heard++
  }

  lost(): void {
    this.isLost = true
  }
}

describe('Subscriptions', () => {
  let a: PlayedShard
  let b: PlayedShard
  let logged: string[]
  let registries: SubscriptionRegistries
  let subscriptions: Subscriptions

  beforeEach(() => {
    a = new PlayedShard('a')
    b = new PlayedShard('b')
    logged = []
    const log = (facts: object, message: string) => {
      logged.push(`${message} ${JSON.stringify(facts)}`)
    }
    registries = new SubscriptionRegistries({ ...SILENT, info: log, warn: log } as Logger)
    follow([a, b], a)
    subscriptions = registries.registryFor(undefined)
  })

  /** Patterns have no home. */
  function follow(shards: PlayedShard[], home: PlayedShard): void {
    const homeOf = (kind: TopicKind): Shard | undefined => {
      return kind === 'pattern' ? undefined : (home as unknown as Shard)
    }
    registries.follow(shards as unknown as Shard[], everywhere(homeOf))
  }

  function outcomes(subscription: Subscription): (string | undefined)[] {
    const found: (string | undefined)[] = []
    subscription.onceSettled((error) => found.push(error?.toString().trim()))
    return found
  }

  const join = (kind: TopicKind, name: string) => subscriptions.join(kind, Buffer.from(name))
  const isOn = (subscription: Subscription, shard: PlayedShard): boolean =>
    subscriptions.isOn(subscription, shard as unknown as Shard)

  /** A topic that a client has been told of. */
  function told(kind: TopicKind, name: string): { topic: Subscription; listener: Listener } {
    const topic = join(kind, name)
    for (const shard of [a, b]) {
      shard.become('ready')
      shard.confirmAll()
    }
    const listener = new Listener()
    topic.receivers.add(listener)
    return { topic, listener }
  }

  describe('on shards that answer', () => {
    it('subscribes everywhere with the first user and unsubscribes with the last', () => {
      const first = join('channel', 'c')
      for (const shard of [a, b]) shard.become('ready')
      expect(join('channel', 'c')).to.equal(first)
      subscriptions.leave(first)
      for (const shard of [a, b]) expect(shard.sent).to.deep.equal(['+c'])
      subscriptions.leave(first)
      for (const shard of [a, b]) {
        expect(shard.sent).to.deep.equal(['+c', '-c'])
        expect(shard.idle).to.equal(true)
      }
      expect(join('channel', 'c')).to.not.equal(first)
      expect(b.idle).to.equal(false)
      expect(a.opened).to.equal(1)
    })

    it('keeps kinds apart', () => {
      join('channel', 'x')
      join('pattern', 'x')
      join('shardChannel', 'x')
      expect(subscriptions.size).to.equal(3)
      expect(a.sent).to.deep.equal(['+x', '+x', '+x'])
    })

    it('is settled when every shard has confirmed', () => {
      const topic = join('channel', 'c')
      const found = outcomes(topic)
      for (const shard of [a, b]) shard.become('ready')
      a.confirm()
      expect(found).to.deep.equal([])
      expect([isOn(topic, a), isOn(topic, b)]).to.deep.equal([true, false])
      expect([a.topics, b.topics]).to.deep.equal([1, 0])
      b.confirm()
      expect(found).to.deep.equal([undefined])
      expect(isOn(topic, b)).to.equal(true)
    })

    it('delivers to those who have been told, and to nobody else', () => {
      const topic = join('channel', 'c')
      const listener = new Listener()
      b.deliver('channel', 'c')
      topic.receivers.add(listener)
      b.deliver('channel', 'c')
      a.deliver('channel', 'c')
      expect(listener.heard).to.equal(2)
      b.deliver('pattern', 'c')
      b.deliver('channel', '__proto__')
      expect(listener.heard).to.equal(2)
    })

    it('is unused once nothing is subscribed and no connection is left', () => {
      const { topic } = told('channel', 'c')
      subscriptions.leave(topic)
      a.become('closed')
      expect([...registries.all]).to.deep.equal([subscriptions])
      b.become('closed')
      expect([...registries.all]).to.deep.equal([])
    })

    it('is subscribed once where two shards are one server', () => {
      const twin = new PlayedShard('twin', 'a')
      follow([a, twin, b], twin)
      const topic = join('channel', 'c')
      expect([a.sent, twin.sent, b.sent]).to.deep.equal([['+c'], [], ['+c']])
      expect(topic.home).to.equal(a)
      expect(registries.serverFor(twin as unknown as Shard)).to.equal(a)
    })
  })

  describe('on shards that do not', () => {
    it('needs the home of a channel', () => {
      const found = outcomes(join('channel', 'c'))
      for (const shard of [a, b]) shard.become('ready')
      b.confirm()
      a.refuse()
      expect(found).to.deep.equal(['-NOPERM no'])
      expect(b.sent).to.deep.equal(['+c', '-c'])
      expect(subscriptions.size).to.equal(0)
      const again = outcomes(join('channel', 'c'))
      a.become('waiting')
      expect(again).to.deep.equal([UNAVAILABLE])
    })

    it('does without others, and asks them when they are there', () => {
      const topic = join('channel', 'c')
      const found = outcomes(topic)
      a.become('ready')
      a.confirm()
      b.become('waiting')
      expect(found).to.deep.equal([undefined])
      // It is known to be away by now: nobody waits for it.
      expect(outcomes(join('channel', 'd'))).to.deep.equal([])
      a.confirm()
      expect(outcomes(join('channel', 'd'))).to.deep.equal([undefined])
      b.become('connecting')
      b.become('ready')
      expect(b.sent.slice(-2)).to.deep.equal(['+c', '+d'])
      b.confirmAll()
      expect(isOn(topic, b)).to.equal(true)
    })

    it('does not wait for a shard that was down before, nor for one that let time run out', () => {
      b.lastUp = false
      const found = outcomes(join('channel', 'c'))
      for (const shard of [a, b]) shard.become('ready')
      a.confirm()
      expect(found).to.deep.equal([undefined])
      b.confirm()
      const next = outcomes(join('channel', 'd'))
      a.confirm()
      expect(next).to.deep.equal([])
      b.timeOut()
      expect(next).to.deep.equal([undefined])
      const last = outcomes(join('channel', 'e'))
      a.confirm()
      expect(last).to.deep.equal([undefined])
    })

    it('needs one shard for a pattern, and the consent of those that answer', () => {
      b.become('waiting')
      const found = outcomes(join('pattern', 'p'))
      a.become('ready')
      b.become('waiting')
      a.confirm()
      expect(found).to.deep.equal([undefined])
      a.become('waiting')
      expect(outcomes(join('pattern', 'q'))).to.deep.equal([UNAVAILABLE])
      for (const shard of [a, b]) shard.become('ready')
      const refused = outcomes(join('pattern', 'r'))
      for (const shard of [a, b]) shard.confirmAll()
      expect(refused).to.deep.equal([undefined])
      const again = outcomes(join('pattern', 's'))
      a.confirm()
      b.refuse()
      expect(again).to.deep.equal(['-NOPERM no'])
      expect(a.sent.at(-1)).to.equal('-s')
    })

    it('waits for the shard that is back first when all have been away', () => {
      for (const shard of [a, b]) shard.lastUp = false
      const found = outcomes(join('pattern', 'p'))
      a.become('waiting')
      expect(found).to.deep.equal([])
      b.become('ready')
      b.confirm()
      expect(found).to.deep.equal([undefined])
    })

    it('is content where another shard than the home does not want a channel', () => {
      const topic = join('shardChannel', 's')
      for (const shard of [a, b]) shard.become('ready')
      const found = outcomes(topic)
      a.confirm()
      b.refuse('-ERR unknown command')
      expect(found).to.deep.equal([undefined])
      expect(isOn(topic, b)).to.equal(false)
      // It may be another server next time.
      b.become('connecting')
      b.become('ready')
      expect(b.sent).to.deep.equal(['+s', '+s'])
    })
  })

  describe('when a connection is lost', () => {
    it('tells at once whose home it is, and those with patterns', () => {
      const [channel, pattern] = [told('channel', 'c'), told('pattern', 'p')]
      a.become('connecting')
      expect([channel.listener.isLost, pattern.listener.isLost]).to.deep.equal([true, true])
      expect(channel.topic.ended).to.equal(true)
      expect(b.sent).to.deep.equal(['+c', '+p', '-c'])
      expect(logged).to.deep.equal(['subscriber lost {"shard":"a","reason":"played","topics":2}'])
    })

    it('tells the others when it is back and has all their topics again', () => {
      const { topic, listener } = told('channel', 'c')
      const more = Array.from({ length: SUBSCRIBER_BATCH + 1 }, (_, i) => told('channel', `c${i}`))
      b.become('waiting')
      b.become('connecting')
      expect([listener.isLost, isOn(topic, b)]).to.deep.equal([false, false])
      const before = b.sent.length
      b.become('ready')
      expect(b.sent.length - before).to.equal(SUBSCRIBER_BATCH)
      b.confirm(SUBSCRIBER_BATCH)
      expect(b.sent.length - before).to.equal(SUBSCRIBER_BATCH + 2)
      b.confirm()
      expect(listener.isLost).to.equal(false)
      b.confirm()
      expect(
        [listener, ...more.map((each) => each.listener)].every((each) => each.isLost),
      ).to.equal(true)
      expect(isOn(topic, b)).to.equal(true)
      expect(logged.at(-1)).to.equal(`subscriber back {"shard":"b","clients":${more.length + 1}}`)
    })

    it('tells nobody who has subscribed since it is back', () => {
      told('channel', 'c')
      b.become('connecting')
      b.become('ready')
      const topic = join('channel', 'd')
      const found = outcomes(topic)
      a.confirm()
      expect(found).to.deep.equal([])
      b.confirm()
      const listener = new Listener()
      b.confirm()
      topic.receivers.add(listener)
      expect(found).to.deep.equal([undefined])
      expect(listener.isLost).to.equal(false)
    })

    it('ends a pattern that no shard has any more', () => {
      const topic = join('pattern', 'p')
      for (const shard of [a, b]) {
        shard.become('ready')
        shard.confirm()
      }
      a.become('waiting')
      expect(topic.ended).to.equal(false)
      b.become('waiting')
      expect(topic.ended).to.equal(true)
      expect(String(topic.error)).to.equal(`${UNAVAILABLE}\r\n`)
    })

    it('does not look for a shard that nobody needs any more', () => {
      const { topic } = told('channel', 'c')
      b.become('waiting')
      subscriptions.leave(topic)
      b.become('connecting')
      b.become('waiting')
      expect([b.state, b.opened]).to.deep.equal(['closed', 1])
    })

    it('opens another where it was closed for good', () => {
      told('channel', 'c')
      b.become('closed')
      expect(b.opened).to.equal(2)
      b.become('ready')
      expect(b.sent.at(-1)).to.equal('+c')
    })
  })

  describe('when shards change', () => {
    it('leaves alone what stays, and asks for it on shards that come', () => {
      const { topic, listener } = told('channel', 'c')
      const c = new PlayedShard('c')
      follow([c, a, b], a)
      expect([a.sent, b.sent, c.sent]).to.deep.equal([['+c'], ['+c'], ['+c']])
      c.become('ready')
      c.confirm()
      expect([listener.isLost, isOn(topic, c)]).to.deep.equal([false, true])
    })

    it('tells those whose home has moved, and those with patterns when a shard comes', () => {
      const [channel, pattern] = [told('channel', 'c'), told('pattern', 'p')]
      follow([a, b], b)
      expect([channel.listener.isLost, pattern.listener.isLost]).to.deep.equal([true, false])
      expect(channel.topic.home).to.equal(b)
      follow([a, b, new PlayedShard('c')], b)
      expect(pattern.listener.isLost).to.equal(true)
    })

    it('settles what is under way on the new home, and not before', () => {
      const topic = join('channel', 'c')
      const found = outcomes(topic)
      for (const shard of [a, b]) shard.become('ready')
      const c = new PlayedShard('c')
      follow([b, c], c)
      b.confirm()
      expect(found).to.deep.equal([])
      c.become('ready')
      c.confirm()
      expect(found).to.deep.equal([undefined])
      expect(a.state).to.equal('ready')
      // Its answer comes too late to matter.
      a.confirm()
      expect(isOn(topic, a)).to.equal(false)
    })

    it('needs a new home that was done without before', () => {
      b.lastUp = false
      const topic = join('channel', 'c')
      const found = outcomes(topic)
      a.become('ready')
      b.become('waiting')
      follow([a, b], b)
      a.confirm()
      expect(found).to.deep.equal([UNAVAILABLE])
    })

    it('hears a shard that leaves until it closes, unless another is the same server', () => {
      const { listener } = told('channel', 'c')
      follow([a], a)
      b.deliver('channel', 'c')
      expect([b.state, listener.heard]).to.deep.equal(['ready', 1])
      b.become('connecting')
      expect(b.state).to.equal('closed')
      const moved = new PlayedShard('moved', 'a')
      follow([moved], moved)
      expect(a.state).to.equal('closed')
      expect(listener.isLost).to.equal(true)
      expect(logged).to.deep.equal([])
    })

    it('closes everything at the end', () => {
      told('channel', 'c')
      registries.close()
      expect([a.state, b.state, a.opened]).to.deep.equal(['closed', 'closed', 1])
    })
  })
})
