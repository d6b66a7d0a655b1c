import { expect } from 'chai'
import { CommandTable } from '../../lib/commands/lookup.ts'
import { builtInCommands } from '../../lib/commands/table.ts'
import { readShardFacts, type ShardFacts } from '../../lib/control/control.ts'
import { Learning, type Teacher } from '../../lib/control/learning.ts'
import { ShardControl } from '../../lib/control/shard-control.ts'
import { LEARN_AGAIN_MS } from '../../lib/limits.ts'
import type { Logger } from '../../lib/logger.ts'
import { encodeValue } from '../../lib/resp/encode.ts'
import { type AmbassadorUnderTest, SILENT, startAmbassadorFor } from '../support/ambassador.ts'
import { type FakeShard, startFakeShard } from '../support/fake-shard.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'

/** `name firstKey` as a shard tells them; firstKey 0: no key. */
function facts(version: string | undefined, ...commands: readonly [string, number][]): ShardFacts {
  const entries = commands.map(([name, key]) => [name, -2, ['readonly'], key, key, key && 1])
  return { greeting: { server: 'redis', version, modules: [] }, commands: encodeValue(entries, 2) }
}

interface Line {
  readonly facts: object
  readonly message: string
}

/** A Learning over shards that tell what the spec says, or fail. */
function learningFrom(told: readonly (ShardFacts | Error)[], now?: () => number) {
  const lines: Line[] = []
  const log = (about: object, message: string): void => {
    lines.push({ facts: about, message })
  }
  const logger: Logger = { ...SILENT, info: log, warn: log }
  const table = new CommandTable([])
  const asked: number[] = []
  const learning = new Learning({ table, logger, ...(now === undefined ? {} : { now }) })
  const teachers = told.map((answer, index) => ({
    name: `s${index}`,
    readFacts: async () => {
      asked.push(index)
      if (answer instanceof Error) throw answer
      return answer
    },
  }))
  learning.follow(teachers)
  const shardIs = (shard: number, up: boolean) => learning.shardIs(teachers[shard] as Teacher, up)
  const names = () => table.rows().map(({ name }) => name)
  return { learning, shardIs, teachers, names, lines, asked, table }
}

describe('Learning', () => {
  it('says once of a shard that it is a node of a cluster, unless it is meant to be one', async () => {
    const node = { ...facts('7.0.15'), isClusterNode: true }
    let nowMs = 0
    const { shardIs, lines, teachers, learning } = learningFrom([node], () => nowMs)
    await shardIs(0, true)
    await shardIs(0, false)
    nowMs += LEARN_AGAIN_MS
    await shardIs(0, true)
    const message = 'shard is a node of a Redis Cluster, which stands alone'
    expect(lines).to.deep.equal([{ facts: { shard: 's0' }, message }])
    const meant = { ...(teachers[0] as Teacher), name: 'node', inCluster: true }
    learning.follow([meant])
    await learning.shardIs(meant, true)
    expect(lines).to.have.length(1)
  })

  it('adds what all shards have, once all are known', async () => {
    const { shardIs, names, lines } = learningFrom([
      facts('7.0.15', ['foo.set', 1], ['foo.get', 1]),
      facts('7.0.15', ['foo.get', 1], ['foo.set', 1]),
    ])
    await shardIs(0, true)
    expect(names()).to.deep.equal([])
    await shardIs(1, true)
    expect(names()).to.deep.equal(['foo.set', 'foo.get'])
    expect(lines).to.deep.equal([
      {
        facts: { count: 2, commands: ['foo.set', 'foo.get'] },
        message: 'learnt commands from the shards',
      },
    ])
  })

  it('lets no shard say what may be sent without a login', async () => {
    const flags = ['readonly', 'no_auth']
    const member = ['box|open', 3, flags, 2, 2, 1]
    const open = ['foo', -2, flags, 1, 1, 1]
    const box = ['box', -2, flags, 0, 0, 0, [], [], [], [member]]
    const { shardIs, table } = learningFrom([
      { ...facts('8.0.0'), commands: encodeValue([open, box], 2) },
    ])
    await shardIs(0, true)
    expect(table.rows().map(({ name }) => name)).to.deep.equal(['foo', 'box', 'box|open'])
    for (const row of table.rows()) expect([...row.flags], row.name).to.deep.equal(['readonly'])
  })

  it('leaves out what one shard lacks or describes otherwise, and says so once', async () => {
    const { shardIs, names, lines } = learningFrom([
      facts('7.0.15', ['foo.set', 1], ['foo.get', 1], ['foo.del', 1]),
      facts('7.0.15', ['foo.get', 1], ['foo.del', 2], ['foo.new', 1]),
    ])
    await shardIs(0, true)
    await shardIs(1, true)
    await shardIs(1, false)
    await shardIs(1, true)
    // While shard 1 was away, what only shard 0 has was enough.
    expect(names()).to.deep.equal(['foo.get', 'foo.set', 'foo.del'])
    const differences = lines.filter(({ message }) => message.includes('differ'))
    expect(differences).to.deep.equal([
      {
        facts: { count: 3, commands: ['foo.set', 'foo.del', 'foo.new'] },
        message: 'shards differ in their commands',
      },
    ])
  })

  it('does not wait for a shard that is down', async () => {
    const { shardIs, names } = learningFrom([facts('7.0.15', ['foo.get', 1]), new Error('down')])
    await shardIs(0, true)
    await shardIs(1, false)
    expect(names()).to.deep.equal(['foo.get'])
  })

  it('goes on without a shard that does not tell, and says so once', async () => {
    let nowMs = 0
    const refusing = new Error('NOPERM no permissions\r\n')
    const { shardIs, names, lines } = learningFrom(
      [facts('7.0.15', ['foo.get', 1]), refusing],
      () => nowMs,
    )
    await shardIs(0, true)
    await shardIs(1, true)
    nowMs += LEARN_AGAIN_MS
    await shardIs(1, false)
    await shardIs(1, true)
    expect(names()).to.deep.equal(['foo.get'])
    expect(lines.slice(0, 1)).to.deep.equal([
      {
        facts: { shard: 's1', reason: 'NOPERM no permissions  ' },
        message: 'shard does not tell its commands',
      },
    ])
    expect(lines.filter(({ message }) => message.includes('tell'))).to.have.length(1)
  })

  it('asks a shard again when it comes back, but not at once', async () => {
    let nowMs = 0
    const { shardIs, asked } = learningFrom([facts('7.0.15')], () => nowMs)
    for (const elapsedMs of [0, LEARN_AGAIN_MS - 1, LEARN_AGAIN_MS]) {
      nowMs = elapsedMs
      await shardIs(0, true)
      await shardIs(0, false)
    }
    expect(asked).to.deep.equal([0, 0])
  })

  it('asks nobody whom it does not follow any more', async () => {
    const { learning, shardIs, asked } = learningFrom([facts('7.0.15')])
    learning.follow([])
    await shardIs(0, true)
    expect(asked).to.deep.equal([])
  })

  it('knows what a shard has told as long as it follows it, and takes no heed of one that has gone', async () => {
    const told = [facts('7.0.15', ['foo.get', 1]), facts('7.0.4'), facts('7.2.0', ['foo.get', 1])]
    const { learning, shardIs, teachers, asked, names } = learningFrom(told)
    for (const shard of [0, 1, 2]) await shardIs(shard, true)
    expect(learning.greeting.version).to.equal('7.0.4')
    expect(names()).to.deep.equal([])
    const staying = teachers.filter((_, index) => index !== 1)
    learning.follow(staying)
    expect(learning.greeting.version).to.equal('7.0.15')
    expect(names()).to.deep.equal(['foo.get'])
    for (const shard of [0, 1, 2]) await shardIs(shard, true)
    expect(asked).to.deep.equal([0, 1, 2])
  })

  it('breaks off what it asks a shard that has gone, and forgets the answer', async () => {
    const { learning, names } = learningFrom([])
    let signal: AbortSignal | undefined
    let answer: (facts: ShardFacts) => void = () => {}
    const teacher: Teacher = {
      name: 's',
      readFacts: (given) => {
        signal = given
        return new Promise((resolve) => {
          answer = resolve
        })
      },
    }
    learning.follow([teacher])
    const reading = learning.shardIs(teacher, true)
    learning.follow([])
    expect(signal?.aborted).to.equal(true)
    answer(facts('7.2.0', ['foo.get', 1]))
    await reading
    expect(learning.greeting.version).to.equal('7.0.0')
    expect(names()).to.deep.equal([])
  })

  it('tells the lowest version of all shards', async () => {
    const told = [facts('7.0.15'), facts('7.0.4'), facts(undefined), facts('7.2.0')]
    const { learning, shardIs } = learningFrom(told)
    expect(learning.greeting.version).to.equal('7.0.0')
    for (const shard of told.keys()) await shardIs(shard, true)
    expect(learning.greeting.version).to.equal('7.0.4')
  })
})

describe('learning from real servers', () => {
  let redis: RedisServer
  const fakes: FakeShard[] = []
  let ambassador: AmbassadorUnderTest | undefined

  before(async () => {
    redis = await startRedis({ args: ['--requirepass', 'hunter2', '--unixsocket', './redis.sock'] })
  })
  afterEach(async () => {
    await ambassador?.stop()
    ambassador = undefined
    for (const fake of fakes.splice(0)) await fake.stop()
  })
  after(() => redis.stop())

  const credentials = { username: undefined, password: 'hunter2', timeoutMs: 5000 }
  const signal = new AbortController().signal

  it('reads Redis over TCP and over a unix socket', async () => {
    const overTcp = await readShardFacts(
      { host: '127.0.0.1', port: redis.port },
      credentials,
      signal,
    )
    const path = `${redis.directory}/redis.sock`
    const overSocket = await readShardFacts({ path }, credentials, signal)
    expect(overTcp).to.deep.equal(overSocket)
    expect(overTcp.greeting.version).to.match(/^\d+\.\d+\.\d+$/)
    const [, count] = /^\*(\d+)\r\n/.exec(overTcp.commands.toString('latin1', 0, 16)) ?? []
    expect(Number(count)).to.be.greaterThan(200)
  })

  it('learns from Redis exactly the command that a table lacks', async () => {
    const lacking = builtInCommands().filter(({ name }) => name !== 'getdel')
    const table = new CommandTable(lacking)
    const count = table.rows().length
    const learning = new Learning({ table, logger: SILENT })
    const control = new ShardControl(
      'a',
      () => ({ host: '127.0.0.1', port: redis.port }),
      () => credentials,
    )
    learning.follow([control])
    await learning.shardIs(control, true)
    expect(table.byName('getdel')).to.deep.include({ handling: 'single', fixedKey: 1, arity: 2 })
    expect(table.rows().length).to.equal(count + 1)
  })

  it('fails with the reason when Redis does not let it in, or is not there', async () => {
    const address = { host: '127.0.0.1', port: redis.port }
    const wrong = { ...credentials, password: 'wrong' }
    const failures = [
      [address, wrong, /WRONGPASS|NOAUTH/],
      [{ host: '127.0.0.1', port: 1 }, credentials, /closed/i],
    ] as const
    for (const [to, options, reason] of failures) {
      const failure = await readShardFacts(to, options, signal).then(
        () => 'no failure',
        (error: Error) => error.message,
      )
      expect(failure).to.match(reason)
    }
  })

  it('breaks off when it is stopped, though the shard does not answer', async () => {
    const hanging = await startFakeShard(() => undefined, { handshake: false })
    fakes.push(hanging)
    const stop = new AbortController()
    const address = { host: '127.0.0.1', port: hanging.port }
    const reading = readShardFacts(address, { ...credentials, password: undefined }, stop.signal)
    const failed = reading.then(
      () => false,
      () => true,
    )
    await hanging.nextRequest()
    stop.abort()
    expect(await failed).to.equal(true)
    await hanging.connections[0]?.closed()
  })

  /** A shard that has one command besides, and answers it with its own name. */
  async function startFakeWith(name: string): Promise<FakeShard> {
    const fake = await startFakeShard(
      ({ text }) => {
        if (text === 'PING') return '+PONG\r\n'
        if (text === 'HELLO')
          return '*4\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.9.1\r\n'
        if (text === 'COMMAND') {
          const entry = `*6\r\n$7\r\nfoo.set\r\n:3\r\n*1\r\n+write\r\n:1\r\n:1\r\n:1\r\n`
          return `*1\r\n${entry}`
        }
        return text.startsWith('FOO.SET') ? `+${name}\r\n` : '-ERR unknown command\r\n'
      },
      { handshake: false },
    )
    fakes.push(fake)
    return fake
  }

  it('lets clients use a command that is not built in, on the shard of its key', async () => {
    const shards = [await startFakeWith('a'), await startFakeWith('b')]
    ambassador = await startAmbassadorFor(shards)
    const client = await ambassador.connect()
    // The shards have been asked once they have closed the connection for that.
    for (const shard of shards) await (await shard.connection(2)).closed()
    const owners = new Set<string>()
    for (let i = 0; i < 20; i++) {
      owners.add(String(await client.request('foo.set', `key:${i}`, 'v')))
    }
    expect([...owners].sort()).to.deep.equal(['+a\r\n', '+b\r\n'])
    expect(String(await client.request('foo.set', 'k'))).to.equal(
      "-ERR wrong number of arguments for 'foo.set' command\r\n",
    )
    expect(String(await client.request('HELLO'))).to.include('$7\r\nversion\r\n$5\r\n7.9.1\r\n')
  })
})
