import { expect } from 'chai'
import { Feed } from '../../../lib/nearcache/tracking/feed.ts'
import type { Shard } from '../../../lib/upstream/shard.ts'
import {
  HELLO_REPLY,
  OLD_HELLO_REPLY,
  PretendedConnection,
} from '../../support/near-cache/pretended-connection.ts'

class Scene {
  nowMs = 100
  readonly opened: PretendedConnection[] = []
  readonly pushes: string[] = []
  readonly refusals: string[] = []
  readonly feed: Feed
  #last = 0

  constructor() {
    const openAside = () => {
      const connection = new PretendedConnection()
      this.opened.push(connection)
      return connection
    }
    this.feed = new Feed({ openAside, name: 'a' } as unknown as Shard, {
      nextNumber: () => ++this.#last,
      now: () => this.nowMs,
      announced: (_feed, bytes, start, end) =>
        this.pushes.push(bytes.toString('latin1', start, end)),
      feedRefused: (feed, words) => {
        this.refusals.push(words)
        feed.close()
      },
    })
  }

  get connection(): PretendedConnection {
    return this.opened.at(-1) as PretendedConnection
  }

  open(): void {
    this.feed.current()
    this.connection.answer(HELLO_REPLY, ':17\r\n')
  }
}

describe('Feed', () => {
  let scene: Scene

  beforeEach(() => {
    scene = new Scene()
  })

  it('is opened when it is needed, once, and begins when it knows its id', () => {
    expect(scene.opened).to.have.length(0)
    expect([scene.feed.current(), scene.feed.current()]).to.deep.equal([0, 0])
    expect(scene.opened).to.have.length(1)
    expect(scene.connection.sent).to.deep.equal(['HELLO', 'CLIENT ID'])
    scene.connection.answer(HELLO_REPLY)
    expect(scene.feed.number).to.equal(0)
    scene.connection.answer(':17\r\n')
    expect([scene.feed.number, scene.feed.clientId]).to.deep.equal([1, '17'])
  })

  it('has another number after it was lost, and is not opened again at once', () => {
    scene.open()
    scene.connection.close()
    expect(scene.feed.number).to.equal(0)
    scene.nowMs += 999
    expect([scene.feed.current(), scene.opened.length]).to.deep.equal([0, 1])
    scene.nowMs += 1
    scene.open()
    expect([scene.feed.number, scene.opened.length]).to.deep.equal([2, 2])
  })

  it('refuses a server that is too old, and one that refuses HELLO', () => {
    scene.feed.current()
    scene.connection.answer(OLD_HELLO_REPLY, ':17\r\n')
    expect(scene.refusals[0]).to.include('Redis 7.0.5 is not relied on')
    scene.nowMs += 1000
    scene.feed.current()
    scene.connection.settle("ERR unknown command 'HELLO'")
    expect(scene.refusals[1]).to.include('unknown command')
    expect(scene.feed.number).to.equal(0)
  })

  it('passes on what is announced, and nothing of a connection that it has left', () => {
    scene.open()
    const { connection } = scene
    connection.push('>2 first')
    scene.feed.close()
    connection.push('>2 second')
    expect(scene.pushes).to.deep.equal(['>2 first'])
  })

  it('asks for a sign of life, one at a time, unless there has been one', () => {
    scene.open()
    scene.feed.refresh(100)
    expect(scene.connection.sent).not.to.include('PING')
    scene.nowMs = 300
    scene.feed.refresh(200)
    scene.nowMs = 400
    scene.feed.refresh(350)
    expect(scene.connection.sent.filter((each) => each === 'PING')).to.have.length(1)
    expect(scene.feed.confirmedMs).to.equal(100)
    scene.connection.answer('+PONG\r\n')
    // As of when it was asked for: what was announced later may still be on its way.
    expect(scene.feed.confirmedMs).to.equal(300)
  })

  it('takes no failure for a sign of life', () => {
    scene.open()
    scene.nowMs = 300
    scene.feed.refresh(200)
    scene.connection.lose()
    expect(scene.feed.confirmedMs).to.equal(100)
  })
})
