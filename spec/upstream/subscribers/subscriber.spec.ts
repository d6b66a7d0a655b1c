import { expect } from 'chai'
import { Turn } from '../../../lib/io/turn.ts'
import type { TopicKind } from '../../../lib/resp/pubsub.ts'
import { InHand } from '../../../lib/stats/in-hand.ts'
import { ShardStats } from '../../../lib/stats/shard-stats.ts'
import { Lanes } from '../../../lib/upstream/lane.ts'
import type { ReplySink } from '../../../lib/upstream/reply-sink.ts'
import { Shard } from '../../../lib/upstream/shard.ts'
import type { Subscriber } from '../../../lib/upstream/subscribers/subscriber.ts'
import { SILENT } from '../../support/ambassador.ts'
import { type FakeShard, type Script, startFakeShard } from '../../support/fake-shard.ts'
import { encodeRequest } from '../../support/frames.ts'

const MESSAGE = encodeRequest('message', 'c', 'hello')

/** A subscriber of a scripted shard, and all that happens to it, in order. */
class Scene {
  readonly events: string[] = []
  readonly fake: FakeShard
  readonly subscriber: Subscriber
  readonly #shard: Shard
  #wake: () => void = () => {}

  constructor(fake: FakeShard) {
    this.fake = fake
    const turn = new Turn()
    this.#shard = new Shard(
      {
        name: 'a',
        address: { host: '127.0.0.1', port: fake.port },
        database: 0,
        settings: {
          credentials: undefined,
          connections: 1,
          connectTimeoutMs: 1000,
          requestTimeoutMs: 1000,
        },
        turn,
        stats: new ShardStats(),
        inHand: new InHand(),
        logger: SILENT,
      },
      new Lanes(() => {}).first,
    )
    this.subscriber = this.#shard.openSubscriber(undefined, {
      topics: 0,
      message: (kind, topic, _bytes, start, end) => {
        this.#add(`${kind} ${topic} ${end - start} bytes`)
      },
      dropped: (channel) => this.#add(`${channel} dropped`),
      stateChanged: () => {
        if (this.subscriber.state !== 'ready') this.#add(this.subscriber.state)
      },
    })
  }

  get connections(): number {
    return this.#shard.connections
  }

  subscribe(kind: TopicKind, name: string): void {
    const sink: ReplySink = {
      reply: (_ticket, bytes, start) =>
        this.#add(`${name} ${String.fromCharCode(bytes[start] ?? 0)}`),
      failed: (_ticket, error) => this.#add(`${name} ${error.frame}`.trimEnd()),
    }
    this.subscriber.subscribe(kind, Buffer.from(name), sink)
  }

  /** Waits until so many events have happened. */
  async happened(count: number): Promise<readonly string[]> {
    while (this.events.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.events
  }

  async end(): Promise<void> {
    this.#shard.close()
    await this.fake.stop()
  }

  #add(event: string): void {
    this.events.push(event)
    this.#wake()
  }
}

async function openScene(script: Script): Promise<Scene> {
  return new Scene(await startFakeShard(script))
}

function confirmed(word: string, name: string, count: number): string {
  return `*3\r\n$${word.length}\r\n${word}\r\n$${name.length}\r\n${name}\r\n:${count}\r\n`
}

describe('Subscriber', () => {
  let scene: Scene

  afterEach(() => scene.end())

  it('tells messages from confirmations, in one read or byte by byte', async () => {
    const messages = [
      MESSAGE,
      encodeRequest('pmessage', 'c*', 'c', 'hello'),
      encodeRequest('smessage', 's', ''),
    ]
    const bytes = Buffer.concat([...messages, Buffer.from(confirmed('subscribe', 'c', 1))])
    const expected = [
      `channel c ${messages[0]?.length} bytes`,
      `pattern c* ${messages[1]?.length} bytes`,
      `shardChannel s ${messages[2]?.length} bytes`,
      'c *',
    ]
    scene = await openScene(() => undefined)
    scene.subscribe('channel', 'c')
    const { connection } = await scene.fake.nextRequest()
    connection.send(bytes)
    expect(await scene.happened(4)).to.deep.equal(expected)
    scene.subscribe('channel', 'c')
    await scene.fake.nextRequest()
    await connection.sendInPieces([...bytes].map((byte) => Buffer.of(byte)))
    expect((await scene.happened(8)).slice(4)).to.deep.equal(expected)
  })

  it('puts a message together that comes in parts, and the one behind it', async () => {
    const large = encodeRequest('message', 'c', 'x'.repeat(300_000))
    scene = await openScene(() => undefined)
    scene.subscribe('channel', 'c')
    const { connection } = await scene.fake.nextRequest()
    connection.send(Buffer.concat([Buffer.from(confirmed('subscribe', 'c', 1)), large, MESSAGE]))
    expect(await scene.happened(3)).to.deep.equal([
      'c *',
      `channel c ${large.length} bytes`,
      `channel c ${MESSAGE.length} bytes`,
    ])
  })

  it('pairs errors with the topic that was refused', async () => {
    scene = await openScene(({ text }) =>
      text === 'SUBSCRIBE b' ? '-NOPERM no\r\n' : confirmed('subscribe', 'x', 1),
    )
    for (const name of ['a', 'b', 'c']) scene.subscribe('channel', name)
    expect(await scene.happened(3)).to.deep.equal(['a *', 'b -', 'c *'])
  })

  it('fails what is unconfirmed when it is lost, says so, and is there again', async () => {
    scene = await openScene(({ connection, text }) => {
      if (connection === scene.fake.connections[2]) return undefined
      return text === 'SUBSCRIBE c' ? undefined : confirmed('subscribe', 'x', 1)
    })
    scene.subscribe('channel', 'a')
    scene.subscribe('channel', 'c')
    expect(await scene.happened(1)).to.deep.equal(['a *'])
    const request = await scene.fake.nextRequest()
    request.connection.reset()
    expect((await scene.happened(3)).slice(1)).to.deep.equal([
      'c -ERR ambassador: shard a unavailable (not sent)',
      'connecting',
    ])
    expect(scene.subscriber.usable).to.equal(true)
    // What was subscribed is so no more, and what is asked for now waits for the new connection.
    scene.subscribe('channel', 'd')
    const [, , again] = [request, await scene.fake.nextRequest(), await scene.fake.nextRequest()]
    expect(again.text).to.equal('SUBSCRIBE d')
    expect(again.connection).to.not.equal(request.connection)
    again.reply(confirmed('subscribe', 'd', 1))
    expect((await scene.happened(4)).at(-1)).to.equal('d *')
  })

  it('refuses at once while the shard cannot be reached, and asks it nothing', async () => {
    scene = await openScene(() => undefined)
    scene.subscribe('channel', 'a')
    await scene.fake.nextRequest()
    await scene.fake.stop()
    await scene.happened(3)
    while (scene.subscriber.state !== 'waiting') await scene.happened(scene.events.length + 1)
    const before = scene.events.length
    scene.subscribe('channel', 'b')
    expect(scene.events.slice(before)).to.deep.equal([
      'b -ERR ambassador: shard a unavailable (not sent)',
    ])
  })

  it('tells a shard channel that the shard drops from one that it was asked to end', async () => {
    scene = await openScene(({ text }) => {
      const [, name = ''] = text.split(' ')
      // The slot of `gone` moves right behind its confirmation.
      const dropped = name === 'gone' ? confirmed('sunsubscribe', name, 0) : ''
      return text.startsWith('SSUB')
        ? `${confirmed('ssubscribe', name, 1)}${dropped}`
        : confirmed('sunsubscribe', name, 0)
    })
    scene.subscribe('shardChannel', 'left')
    scene.subscriber.unsubscribe('shardChannel', Buffer.from('left'))
    scene.subscribe('shardChannel', 'gone')
    expect(await scene.happened(3)).to.deep.equal(['left *', 'gone *', 'gone dropped'])
    expect(scene.subscriber.state).to.equal('ready')
  })

  const MOVED = '-MOVED 5161 127.0.0.1:7002\r\n'

  it('ends a shard channel that the shard has dropped in the same moment (row 119)', async () => {
    scene = await openScene(({ text }) => {
      const [word, name = ''] = text.split(' ')
      if (word === 'SSUBSCRIBE') return confirmed('ssubscribe', name, 1)
      // It has said that the slot has gone, and then reads what it was asked.
      return confirmed('sunsubscribe', name, 0) + (name === 'twice' ? '' : MOVED)
    })
    for (const name of ['gone', 'twice', 'gone']) {
      scene.subscribe('shardChannel', name)
      scene.subscriber.unsubscribe('shardChannel', Buffer.from(name))
    }
    scene.subscribe('shardChannel', 'last')
    expect(await scene.happened(4)).to.deep.equal(['gone *', 'twice *', 'gone *', 'last *'])
    expect(scene.subscriber.state).to.equal('ready')
  })

  it('does so while it still owes other answers', async () => {
    scene = await openScene(({ text }) => {
      if (text === 'SSUBSCRIBE other') return undefined
      if (!text.startsWith('SUN')) return confirmed('ssubscribe', 'x', 1)
      return confirmed('sunsubscribe', 'gone', 0) + confirmed('ssubscribe', 'other', 1) + MOVED
    })
    scene.subscribe('shardChannel', 'gone')
    scene.subscribe('shardChannel', 'other')
    scene.subscriber.unsubscribe('shardChannel', Buffer.from('gone'))
    scene.subscribe('shardChannel', 'last')
    expect(await scene.happened(3)).to.deep.equal(['gone *', 'other *', 'last *'])
    expect(scene.subscriber.state).to.equal('ready')
  })

  it('gives up a connection on which a reply comes that nobody asked for', async () => {
    scene = await openScene(() => confirmed('subscribe', 'a', 1) + confirmed('unsubscribe', 'a', 0))
    scene.subscribe('channel', 'a')
    expect(await scene.happened(2)).to.deep.equal(['a *', 'connecting'])
  })

  it('is closed within the call, once, and its shard forgets it', async () => {
    scene = await openScene(() => undefined)
    expect(scene.connections).to.equal(2)
    scene.subscriber.close()
    scene.subscriber.close()
    expect(scene.events).to.deep.equal(['closed'])
    expect(scene.connections).to.equal(1)
  })
})
