import { expect } from 'chai'
import { placeOn } from '../../../lib/dispatcher/pubsub/subscription-commands.ts'
import {
  EVERY_SHARD,
  type Receiver,
  type Subscription,
  Subscriptions,
} from '../../../lib/dispatcher/pubsub/subscriptions.ts'
import type { TopicKind } from '../../../lib/resp/pubsub.ts'
import type { ReplySink } from '../../../lib/upstream/reply-sink.ts'
import type { Shard } from '../../../lib/upstream/shard.ts'
import type { Subscriber, SubscriberEvents } from '../../../lib/upstream/subscriber.ts'
import { encodeRequest } from '../../support/frames.ts'

const UNAVAILABLE = Buffer.from('-ERR unavailable\r\n')
const MESSAGE = encodeRequest('message', 'c', 'text')

/** A shard's subscriber connections, on which nothing happens but what the spec says. */
class PlayedShard {
  readonly errors = { unavailable: { frame: UNAVAILABLE, maybeExecuted: false } }
  readonly sent: string[] = []
  readonly sinks: [ReplySink, number][] = []
  events: SubscriberEvents | undefined
  opened = 0

  openSubscriber(_credentials: undefined, events: SubscriberEvents): Subscriber {
    this.events = events
    this.opened++
    const played = {
      usable: true,
      subscribe: (_kind: TopicKind, name: Buffer, sink: ReplySink, tag: number) => {
        this.sent.push(`+${name}`)
        this.sinks.push([sink, tag])
      },
      unsubscribe: (_kind: TopicKind, name: Buffer) => this.sent.push(`-${name}`),
    }
    return played as unknown as Subscriber
  }

  confirm(): void {
    const [sink, tag] = this.sinks.shift() as [ReplySink, number]
    const frame = Buffer.from('*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n')
    sink.reply(tag, frame, 0, frame.length, true)
  }

  refuse(): void {
    const [sink, tag] = this.sinks.shift() as [ReplySink, number]
    const frame = Buffer.from('-NOPERM no\r\n')
    sink.reply(tag, frame, 0, frame.length, true)
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
  let shards: PlayedShard[]
  let subscriptions: Subscriptions
  let unused: number

  beforeEach(() => {
    shards = [new PlayedShard(), new PlayedShard()]
    unused = 0
    subscriptions = new Subscriptions({
      shards: shards as unknown as Shard[],
      place: (kind) => (kind === 'pattern' ? EVERY_SHARD : 0),
      credentials: undefined,
      onUnused: () => unused++,
    })
  })

  function outcomes(subscription: Subscription): (string | undefined)[] {
    const found: (string | undefined)[] = []
    subscription.onceSettled((error) => found.push(error?.toString().trim()))
    return found
  }

  const join = (kind: TopicKind, name: string) => subscriptions.join(kind, Buffer.from(name))
  const shard = (index: number) => shards[index] as PlayedShard

  it('subscribes with the first user and unsubscribes with the last', () => {
    const first = join('channel', 'c')
    expect(join('channel', 'c')).to.equal(first)
    subscriptions.leave(first)
    expect(shard(0).sent).to.deep.equal(['+c'])
    subscriptions.leave(first)
    expect(shard(0).sent).to.deep.equal(['+c', '-c'])
    expect(join('channel', 'c')).to.not.equal(first)
    expect(shard(0).sent).to.deep.equal(['+c', '-c', '+c'])
    expect(shard(1).opened).to.equal(0)
  })

  it('keeps kinds apart', () => {
    join('channel', 'x')
    join('pattern', 'x')
    join('shardChannel', 'x')
    expect(subscriptions.size).to.equal(3)
    expect(shard(0).sent).to.deep.equal(['+x', '+x', '+x'])
    expect(shard(1).sent).to.deep.equal(['+x'])
  })

  it('is settled when every shard has confirmed', () => {
    const found = outcomes(join('pattern', 'p'))
    shard(1).confirm()
    expect(found).to.deep.equal([])
    shard(0).confirm()
    expect(found).to.deep.equal([undefined])
  })

  it('unsubscribes everywhere when one shard refuses', () => {
    const found = outcomes(join('pattern', 'p'))
    shard(0).confirm()
    shard(1).refuse()
    expect(found).to.deep.equal(['-NOPERM no'])
    expect(shard(0).sent).to.deep.equal(['+p', '-p'])
    expect(subscriptions.size).to.equal(0)
  })

  it('delivers to those who have been told, and to nobody else', () => {
    const subscription = join('channel', 'c')
    const listener = new Listener()
    const deliver = () => shard(0).events?.message('channel', 'c', MESSAGE, 0, MESSAGE.length)
    deliver()
    subscription.receivers.add(listener)
    deliver()
    expect(listener.heard).to.equal(1)
    shard(0).events?.message('pattern', 'c', MESSAGE, 0, MESSAGE.length)
    shard(0).events?.message('channel', '__proto__', MESSAGE, 0, MESSAGE.length)
    expect(listener.heard).to.equal(1)
  })

  it('tells those who used a lost connection, and opens another for the next', () => {
    const [near, far] = [new Listener(), new Listener()]
    join('channel', 'c').receivers.add(near)
    const pattern = join('pattern', 'p')
    pattern.receivers.add(far)
    shard(1).events?.closed()
    expect([near.isLost, far.isLost]).to.deep.equal([false, true])
    expect(pattern.error).to.equal(UNAVAILABLE)
    // On the shard that is left nobody needs the pattern any more.
    expect(shard(0).sent).to.deep.equal(['+c', '+p', '-p'])
    subscriptions.leave(pattern)
    expect(shard(0).sent).to.have.length(3)
    join('pattern', 'p')
    expect(shard(1).opened).to.equal(2)
  })

  it('is unused once nothing is subscribed and no connection is left', () => {
    const subscription = join('channel', 'c')
    subscriptions.leave(subscription)
    expect(unused).to.equal(0)
    shard(0).events?.closed()
    expect(unused).to.equal(1)
  })
})

describe('the place of a topic', () => {
  const place = placeOn((name) => Number(name.toString().at(-1)))

  it('is the shard of its name, and every shard for what may be heard on any', () => {
    expect(place('channel', Buffer.from('c3'))).to.equal(3)
    expect(place('shardChannel', Buffer.from('c4'))).to.equal(4)
    expect(place('pattern', Buffer.from('c5'))).to.equal(EVERY_SHARD)
    expect(place('channel', Buffer.from('__keyspace@0__:k6'))).to.equal(EVERY_SHARD)
    expect(place('channel', Buffer.from('__keyevent@0__:k6'))).to.equal(EVERY_SHARD)
    expect(place('channel', Buffer.from('__keyspace0'))).to.equal(0)
    expect(place('shardChannel', Buffer.from('__keyspace@0__:k6'))).to.equal(6)
  })
})
