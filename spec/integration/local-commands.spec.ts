/**
 * What the ambassador answers itself: with a Redis of the same version beside it, asked the same,
 * and with the clients that apps use.
 */
import { expect } from 'chai'
import { ANSWERED_ARGUMENTS_MAX } from '../../lib/limits.ts'
import {
  type AmbassadorUnderTest,
  keysOn,
  startAmbassadorFor,
  startShards,
} from '../support/ambassador.ts'
import { runChild } from '../support/child.ts'
import { openIoredis5, openNodeRedis } from '../support/clients.ts'
import { encodeRequest } from '../support/frames.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import type { RedisServer } from '../support/redis-server.ts'
import { shareRedises, shareShards } from '../support/shared-shards.ts'

/** Redis 7.0 answers these, and so do we, byte for byte. */
const SAME = [
  'CLIENT GETNAME',
  'CLIENT SETNAME abc',
  'CLIENT GETNAME',
  'CLIENT SETNAME a\tb',
  'CLIENT SETNAME ',
  'CLIENT GETNAME',
  'CLIENT GETREDIR',
  'CLIENT TRACKINGINFO',
  'CLIENT NO-EVICT on',
  'CLIENT NO-EVICT off',
  'CLIENT NO-EVICT maybe',
  'CLIENT REPLY on',
  'CLIENT REPLY maybe',
  'CLIENT KILL 1.2.3.4:5',
  'CLIENT KILL ADDR 1.2.3.4:5',
  'CLIENT KILL LADDR 1.2.3.4:5',
  'CLIENT KILL ADDR 1.2.3.4:5 TYPE',
  'CLIENT KILL ID 0',
  'CLIENT KILL ID x',
  'CLIENT KILL ID 999999',
  'CLIENT KILL TYPE foo',
  'CLIENT KILL TYPE pubsub',
  'CLIENT KILL USER nobody',
  'CLIENT KILL SKIPME maybe',
  'CLIENT KILL foo bar',
  'CLIENT KILL foo bar baz',
  'CLIENT LIST foo',
  'CLIENT LIST TYPE foo',
  'CLIENT LIST TYPE master',
  'CLIENT LIST TYPE normal ID 3',
  'CLIENT LIST ID',
  'CLIENT LIST ID x',
  'CLIENT LIST ID 999999 999998',
  'CLIENT UNBLOCK x',
  'CLIENT UNBLOCK 999999',
  'CLIENT UNBLOCK 999999 TIMEOUT',
  'CLIENT UNBLOCK 999999 foo',
  'CLIENT nonsense',
  'CLIENT KILL',
  'COMMAND LIST FILTERBY',
  'COMMAND LIST FILTERBY foo bar',
  'COMMAND LIST foo',
  'COMMAND LIST FILTERBY ACLCAT bitmap',
  'COMMAND LIST FILTERBY MODULE none',
  'COMMAND INFO nonsense',
  'COMMAND GETKEYS ping',
  'COMMAND GETKEYS get',
  'COMMAND GETKEYS nonsense',
  'COMMAND GETKEYS client',
  'COMMAND GETKEYS client id',
  'COMMAND GETKEYS mset a',
  'COMMAND GETKEYS get a',
  'COMMAND GETKEYS get a b',
  'COMMAND GETKEYS mset a 1 b 2',
  'COMMAND GETKEYS ping a',
  'COMMAND GETKEYS config get a',
  'COMMAND GETKEYS nonsense a',
  'COMMAND GETKEYS config nonsense',
  'COMMAND GETKEYS eval s 0 a',
  'COMMAND GETKEYS eval s 2 a b c',
  'COMMAND GETKEYS publish a b',
  'COMMAND GETKEYS spublish a b',
  'COMMAND GETKEYS memory usage a',
  'COMMAND GETKEYS zunionstore d 2 a b',
  'COMMAND GETKEYS xread count 1 a 0',
  'COMMAND GETKEYSANDFLAGS lmove a b left right',
  'COMMAND GETKEYSANDFLAGS ping',
  'COMMAND GETKEYSANDFLAGS get',
  'COMMAND GETKEYSANDFLAGS nonsense a',
  'CONFIG GET save',
  'CONFIG GET maxmemory',
  'CONFIG GET maxmemory-policy appendonly',
  'CONFIG GET nonsense',
  'INFO nonsense',
  'LATENCY LATEST',
  'LATENCY HISTORY fork',
  'LATENCY GRAPH fork',
  'SLOWLOG GET x',
  'SLOWLOG GET -2',
  'FUNCTION STATS',
  'ACL WHOAMI',
]

/** Hash tables of Redis, which each process walks in its own order. */
const UNORDERED = new Set([
  'COMMAND LIST FILTERBY ACLCAT bitmap',
  'CONFIG GET maxmemory-policy appendonly',
])

function sortedLines(text: string): string {
  return text.split('\r\n').sort().join('\r\n')
}

function argsOf(line: string): string[] {
  return line.split(' ')
}

/** The bulk or verbatim string of a reply. */
function textOf(reply: Buffer): string {
  const text = reply.toString('latin1').replace(/^[$=]\d+\r\n(txt:)?/, '')
  return text.slice(0, -2)
}

/** `name=value` pairs, by name. */
function fieldsOfLine(line: string): Map<string, string> {
  return new Map(
    line
      .trim()
      .split(' ')
      .map((field) => field.split('=', 2) as [string, string]),
  )
}

for (const protocol of [2, 3] as const) {
  describe(`commands answered here, in RESP${protocol}`, () => {
    const plain = shareRedises(1)
    const shards = shareShards(3)
    let redis: RawClient
    let client: RawClient

    beforeEach(async () => {
      redis = await connectRaw((plain[0] as RedisServer).port)
      if (protocol === 3) await redis.request('HELLO', '3')
      client = await shards.ambassador.connect(protocol)
    })

    afterEach(() => redis.close())

    for (const line of SAME) {
      it(`${JSON.stringify(line)} is answered as by Redis`, async () => {
        const ask = async (each: RawClient) => String(await each.request(...argsOf(line)))
        const order = UNORDERED.has(line) ? sortedLines : (text: string) => text
        expect(order(await ask(client))).to.equal(order(await ask(redis)))
      })
    }

    it('COMMAND INFO describes commands as Redis does, apart from what the table lacks', async () => {
      // Groups among the categories, key uses, tips that are no policies, and newer data.
      const names = [
        'get',
        'set',
        'mget',
        'rename',
        'eval',
        'zunionstore',
        'object|encoding',
        'ping',
      ]
      for (const name of names) {
        const [ours, theirs] = await Promise.all(
          [client, redis].map(async (each) => String(await each.request('COMMAND', 'INFO', name))),
        )
        const arrayHead = (reply = '') => reply.split('\r\n').slice(0, 5).join(' ')
        expect(arrayHead(ours), name).to.equal(arrayHead(theirs))
        const range = (reply = '') => /(:-?\d+\r\n){3}/.exec(reply)?.[0]
        expect(range(ours), name).to.equal(range(theirs))
        const specs = (reply = '') => reply.slice(reply.indexOf('begin_search')).length
        expect(specs(ours), name).to.be.greaterThan(0)
      }
    })

    it('COMMAND is COMMAND INFO without names, and COUNT says how many that are', async () => {
      const all = await client.request('COMMAND')
      expect((await client.request('COMMAND', 'INFO')).equals(all)).to.equal(true)
      const count = String(await client.request('COMMAND', 'COUNT')).slice(1, -2)
      expect(all.toString('latin1', 0, count.length + 1)).to.equal(`*${count}`)
    })

    it('COMMAND LIST names what Redis has, subcommands too', async () => {
      const words = async (from: RawClient) =>
        String(await from.request('COMMAND', 'LIST')).match(/^[a-z].*$/gm) ?? []
      expect(await words(client)).to.include.members(await words(redis))
    })

    it('CLIENT LIST and CLIENT INFO have the fields of Redis, and then those of a newer one', async () => {
      const theirs = [...fieldsOfLine(textOf(await redis.request('CLIENT', 'LIST'))).keys()]
      for (const args of [
        ['CLIENT', 'LIST'],
        ['CLIENT', 'INFO'],
      ]) {
        const [line = ''] = textOf(await client.request(...args)).split('\n')
        const names = [...fieldsOfLine(line).keys()]
        expect(names).to.deep.equal([...theirs, 'lib-name', 'lib-ver'])
      }
    })

    it('INFO has the sections of Redis in their order, and then ours', async () => {
      const titles = (text: string) => text.split('\r\n').filter((line) => line.startsWith('#'))
      for (const args of [[], ['all'], ['everything'], ['default']]) {
        const theirs = titles(textOf(await redis.request('INFO', ...args)))
        const ours = titles(textOf(await client.request('INFO', ...args)))
        // Only what has happened has a section with lines, but its title is there.
        expect(ours, String(args)).to.deep.equal([...theirs, '# Shards', '# Ambassador'])
      }
    })

    it('INFO gives the sections asked for', async () => {
      const ask = async (...names: string[]) => textOf(await client.request('INFO', ...names))
      expect(await ask('keyspace')).to.match(/^# Keyspace\r\n/)
      expect(await ask('shards')).to.match(/^# Shards\r\nshard0:name=a,state=up,address=127/)
      expect(await ask('ambassador')).to.match(/^# Ambassador\r\nambassador_version:/)
      const several = await ask('keyspace', 'server', 'shards')
      expect(several.match(/^# \w+/gm)).to.deep.equal(['# Server', '# Keyspace', '# Shards'])
    })

    it('reports of all shards have the shape of one', async () => {
      const names = (reply: Buffer) => String(reply).match(/[a-z][a-z.-]+(?=\r\n)/g)
      const theirs = names(await redis.request('MEMORY', 'STATS'))
      const ours = names(await client.request('MEMORY', 'STATS'))
      expect(ours?.filter((name) => !/^db\.|hashtable/.test(name))).to.deep.equal(
        theirs?.filter((name) => !/^db\.|hashtable/.test(name)),
      )
      for (const line of ['MEMORY DOCTOR', 'LATENCY DOCTOR', 'MEMORY MALLOC-STATS']) {
        const reply = await client.request(...argsOf(line))
        expect(String(reply)[0]).to.equal(protocol === 3 ? '=' : '$')
        for (const name of ['a', 'b', 'c']) expect(textOf(reply)).to.include(`# Shard ${name}\n`)
      }
      expect(String(await client.request('LATENCY', 'HISTOGRAM', 'info'))).to.match(/^[*%]/)
      expect(String(await client.request('SLOWLOG', 'LEN'))).to.match(/^:\d+\r\n$/)
    })

    it('AMBASSADOR tells where keys go, and which shards there are', async () => {
      const help = String(await client.request('AMBASSADOR', 'HELP'))
      expect(help).to.match(/^\*21\r\n\+AMBASSADOR /)
      const route = String(await client.request('AMBASSADOR', 'ROUTE', '{tag}key'))
      expect(route).to.match(
        /key\r\n\$8\r\n\{tag\}key\r\n\$5\r\nshard\r\n\$1\r\n[abc]\r\n.*hashed\r\n\$3\r\ntag\r\n/s,
      )
      expect(String(await client.request('AMBASSADOR', 'SHARDS'))).to.match(
        /state\r\n\$2\r\nup\r\n/,
      )
      expect(String(await client.request('AMBASSADOR', 'STATS'))).to.include('ambassador_shards_up')
      expect(String(await client.request('AMBASSADOR', 'CONFIG'))).to.include('murmur')
    })
  })
}

describe('CLIENT', () => {
  const shards = shareShards(2)

  async function idOf(client: RawClient): Promise<string> {
    return String(await client.request('CLIENT', 'ID')).slice(1, -2)
  }

  /** The other client as CLIENT LIST shows it. */
  async function shown(client: RawClient, id: string): Promise<Map<string, string>> {
    return fieldsOfLine(textOf(await client.request('CLIENT', 'LIST', 'ID', id)))
  }

  it('LIST shows names, library, flags, database, protocol and the last command', async () => {
    const [client, other] = [await shards.ambassador.connect(), await shards.ambassador.connect(3)]
    const id = await idOf(other)
    await other.request('CLIENT', 'SETINFO', 'LIB-NAME', 'lib')
    await other.request('CLIENT', 'SETINFO', 'lib-ver', '1.2')
    await other.request('CLIENT', 'SETNAME', 'worker')
    await other.request('CLIENT', 'NO-TOUCH', 'on')
    await other.request('SELECT', '3')
    const facts = await shown(client, id)
    const some = ['name', 'lib-name', 'lib-ver', 'flags', 'db', 'resp', 'cmd', 'user', 'multi']
    expect(some.map((name) => facts.get(name))).to.deep.equal([
      'worker',
      'lib',
      '1.2',
      'T',
      '3',
      '3',
      'select',
      'default',
      '-1',
    ])
    await other.request('MULTI')
    await other.request('SET', 'k', 'v')
    expect((await shown(client, id)).get('multi')).to.equal('1')
    expect((await shown(client, id)).get('flags')).to.equal('xT')
  })

  it('LIST and KILL tell subscribers from others', async () => {
    const [client, other] = [await shards.ambassador.connect(), await shards.ambassador.connect()]
    const id = await idOf(other)
    await other.request('SUBSCRIBE', 'channel')
    const facts = fieldsOfLine(textOf(await client.request('CLIENT', 'LIST', 'TYPE', 'pubsub')))
    expect([facts.get('id'), facts.get('flags'), facts.get('sub')]).to.deep.equal([id, 'P', '1'])
    expect(String(await client.request('CLIENT', 'KILL', 'TYPE', 'pubsub'))).to.equal(':1\r\n')
    await other.closed()
  })

  it('refuses SETINFO of anything else, as Redis 7.2 does', async () => {
    const client = await shards.ambassador.connect()
    expect(String(await client.request('CLIENT', 'SETINFO', 'lib-x', 'v'))).to.equal(
      "-ERR Unrecognized option 'lib-x'\r\n",
    )
    expect(String(await client.request('CLIENT', 'SETINFO', 'lib-name', 'a b'))).to.equal(
      '-ERR lib-name cannot contain spaces, newlines or special characters.\r\n',
    )
  })

  it('KILL closes by id, by address in both forms, and spares the one that asks', async () => {
    const client = await shards.ambassador.connect()
    const others = [
      await shards.ambassador.connect(),
      await shards.ambassador.connect(),
      await shards.ambassador.connect(),
    ]
    const [first, second, third] = others as [RawClient, RawClient, RawClient]
    const addressOf = ({ socket }: RawClient) => `127.0.0.1:${socket.localPort}`
    expect(String(await client.request('CLIENT', 'KILL', 'ID', await idOf(first)))).to.equal(
      ':1\r\n',
    )
    await first.closed()
    expect(String(await client.request('CLIENT', 'KILL', addressOf(second)))).to.equal('+OK\r\n')
    await second.closed()
    await third.request('PING')
    expect(String(await client.request('CLIENT', 'KILL', 'USER', 'default'))).to.equal(':1\r\n')
    await third.closed()
    expect(String(await client.request('CLIENT', 'KILL', 'MAXAGE', '1000'))).to.equal(':0\r\n')
  })

  it('KILL of oneself is answered first', async () => {
    const client = await shards.ambassador.connect()
    client.write(encodeRequest('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'no'))
    expect(String(await client.rest())).to.equal(':1\r\n')
  })

  it('REPLY OFF silences what follows, errors and merged replies too, until ON', async () => {
    const client = await shards.ambassador.connect()
    const lines = ['CLIENT REPLY OFF', 'SET k v', 'NONSENSE', 'DBSIZE', 'MGET a b c d e', 'PING']
    const requests = [...lines, 'GET k', 'CLIENT REPLY ON', 'GET k', 'PING']
    client.write(Buffer.concat(requests.map((line) => encodeRequest(...argsOf(line)))))
    const replies = (await client.replies(3)).map(String)
    expect(replies).to.deep.equal(['+OK\r\n', '$1\r\nv\r\n', '+PONG\r\n'])
    expect(client.unreadBytes).to.equal(0)
  })

  it('REPLY SKIP silences the next reply and no other, whenever the shards answer', async () => {
    const client = await shards.ambassador.connect()
    const lines = [
      'SET a 1',
      'CLIENT REPLY SKIP',
      'INCR a',
      'GET a',
      'CLIENT REPLY SKIP',
      'PING',
      'DBSIZE',
    ]
    client.write(Buffer.concat(lines.map((line) => encodeRequest(...argsOf(line)))))
    const replies = (await client.replies(3)).map(String)
    expect(replies.slice(0, 2)).to.deep.equal(['+OK\r\n', '$1\r\n2\r\n'])
    expect(replies[2]).to.match(/^:\d+\r\n$/)
    expect(client.unreadBytes).to.equal(0)
  })

  it('RESET ends REPLY OFF', async () => {
    const client = await shards.ambassador.connect()
    client.write(Buffer.concat([encodeRequest('CLIENT', 'REPLY', 'OFF'), encodeRequest('RESET')]))
    expect(String(await client.reply())).to.equal('+RESET\r\n')
  })

  for (const [reason, expected] of [
    ['TIMEOUT', '*-1\r\n'],
    ['ERROR', '-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n'],
  ] as const) {
    it(`UNBLOCK ${reason} ends a wait on its shard`, async () => {
      const [client, other] = [await shards.ambassador.connect(), await shards.ambassador.connect()]
      const id = await idOf(other)
      expect(String(await client.request('CLIENT', 'UNBLOCK', id, reason))).to.equal(':0\r\n')
      other.write(encodeRequest('BLPOP', 'nothing', '0'))
      // Until the shard knows that it waits.
      let answer = ':0\r\n'
      while (answer === ':0\r\n')
        answer = String(await client.request('CLIENT', 'UNBLOCK', id, reason))
      expect(answer).to.equal(':1\r\n')
      expect(String(await other.reply())).to.equal(expected)
      expect(String(await other.request('PING'))).to.equal('+PONG\r\n')
    })
  }
})

describe('what clients read before they are ready', () => {
  const shards = shareShards(3)

  it('ioredis and node-redis connect, name themselves and read INFO', async () => {
    const ioredis = openIoredis5(shards.ambassador.port)
    expect(await ioredis.info()).to.match(/^redis_version:\d/m)
    expect(await ioredis.info()).to.match(/^loading:0/m)
    expect(await ioredis.config('GET', 'maxmemory-policy')).to.deep.equal([
      'maxmemory-policy',
      'noeviction',
    ])
    ioredis.disconnect()
    const nodeRedis = await openNodeRedis(shards.ambassador.port)
    expect((await nodeRedis.clientInfo()).id).to.be.a('number')
    expect((await nodeRedis.clientList()).length).to.be.greaterThan(0)
    expect(await nodeRedis.configGet('maxclients')).to.deep.include({ maxclients: '10000' })
    expect(await nodeRedis.commandCount()).to.be.greaterThan(240)
    expect((await nodeRedis.commandInfo(['get']))[0]).to.deep.include({ name: 'get', arity: 2 })
    nodeRedis.destroy()
  })

  it('redis-cli and redis-benchmark find what they ask for', async () => {
    const port = String(shards.ambassador.port)
    for (const args of [['-2'], ['-3']]) {
      const { stdout } = await runChild('redis-cli', [...args, '-p', port, 'INFO', 'ambassador'])
      expect(stdout).to.match(/ambassador_shards:3/)
    }
    const { code, stderr } = await runChild('redis-benchmark', [
      '-p',
      port,
      '-n',
      '10',
      '-t',
      'get',
      '-q',
    ])
    expect([code, stderr]).to.deep.equal([0, ''])
  })

  it('a shard that is down is listed, and breaks neither INFO nor a client’s start', async () => {
    const [redis] = shards.redises
    await redis?.kill()
    const client = await shards.ambassador.connect()
    // The ambassador has noticed when it refuses by itself.
    while (!/^shard0:name=a,state=down,address=127/m.test(textOf(await client.request('INFO'))));
    const text = textOf(await client.request('INFO'))
    expect(text).to.match(/^redis_version:\d/m)
    expect(text).to.match(/^shard1:name=b,state=up/m)
    const ioredis = openIoredis5(shards.ambassador.port)
    expect(await ioredis.ping()).to.equal('PONG')
    ioredis.disconnect()
    await redis?.restart()
  })
})

describe('with one shard', () => {
  it('INFO counts the clients of the ambassador, as with several', async () => {
    const shards = await startShards(1, { maxClients: '77' })
    const [client] = [await shards.ambassador.connect(), await shards.ambassador.connect()]
    const direct = await connectRaw(shards.redises[0]?.port ?? 0)
    const text = textOf(await client.request('INFO'))
    expect(text).to.match(/^connected_clients:2\r$/m)
    expect(text).to.match(/^maxclients:77\r$/m)
    expect(text).to.match(new RegExp(`^tcp_port:${shards.ambassador.port}\\r$`, 'm'))
    expect(textOf(await direct.request('INFO'))).to.match(/^maxclients:(?!77\r)\d+\r$/m)
    await direct.close()
    await shards.stop()
  })

  it('INFO is the shard’s own text but for clients and port, with our sections behind it', async () => {
    const shards = await startShards(1)
    const client = await shards.ambassador.connect()
    const redis = await connectRaw(shards.redises[0]?.port ?? 0)
    const still = (text: string) =>
      text.replace(
        /^(used_|total_|instant|lru_|server_time|alloc|mem_|rss|client|expire_cycle|cmdstat|latency|tracking|evicted|io_|connected|total|tcp_port).*$/gm,
        '',
      )
    const theirs = still(textOf(await redis.request('INFO', 'server', 'replication', 'keyspace')))
    const ours = still(textOf(await client.request('INFO', 'server', 'replication', 'keyspace')))
    expect(ours).to.equal(theirs)
    expect(textOf(await client.request('INFO'))).to.match(
      /\r\n\r\n# Shards\r\nshard0:.*\r\n\r\n# Ambassador\r\n/,
    )
    await redis.close()
    await shards.stop()
  })
})

describe('secrets and administration', () => {
  it('CONFIG GET tells no password, and our own address', async () => {
    const shards = await startShards(2, { shardPassword: 'sesame' }, ['--requirepass', 'sesame'])
    const client = await shards.ambassador.connect()
    const all = String(await client.request('CONFIG', 'GET', '*'))
    expect(all).not.to.match(/sesame|requirepass|masterauth/)
    expect(all).to.include(`$4\r\nport\r\n$5\r\n${shards.ambassador.port}\r\n`)
    await shards.stop()
  })

  it('CLIENT UNPAUSE gets through although a paused command waits on the way', async () => {
    const shards = await startShards(2, { allowAdmin: 'yes' })
    const [admin, writer] = [await shards.ambassador.connect(), await shards.ambassador.connect()]
    expect(String(await admin.request('CLIENT', 'PAUSE', '100000', 'WRITE'))).to.equal('+OK\r\n')
    writer.write(encodeRequest('SET', 'k', 'v'))
    await inFlight(shards.ambassador)
    expect(String(await admin.request('CLIENT', 'UNPAUSE'))).to.equal('+OK\r\n')
    expect(String(await writer.reply())).to.equal('+OK\r\n')
    await shards.stop()
  })

  it('DEBUG tells of a key what the shard of the key knows, and of all others what each does', async () => {
    const shards = await startShards(3, { allowAdmin: 'yes' }, ['--enable-debug-command', 'yes'])
    const client = await shards.ambassador.connect()
    const keys = [0, 1, 2].flatMap((shard) => keysOn(shard, 3, 2))
    for (const key of keys) {
      await client.request('SET', key, 'v')
      expect(String(await client.request('debug', 'object', key)), key).to.match(/^\+Value at:/)
      const digest = await client.request('DEBUG', 'DIGEST-VALUE', key)
      expect(String(digest), key).to.match(/^\*1\r\n\+(?!0{40})/)
    }
    const [here = '', hereToo = '', there = ''] = keys
    const digests = await client.request('DEBUG', 'DIGEST-VALUE', here, hereToo)
    expect(String(digests)).to.match(/^\*2\r\n/)
    const apart = await client.request('DEBUG', 'DIGEST-VALUE', here, there)
    expect(String(apart)).to.match(/^-CROSSSLOT /)
    expect(String(await client.request('DEBUG', 'SLEEP', '0'))).to.equal('+OK\r\n')
    await shards.stop()
  })

  it('administration is refused with the option that allows it, and some of it even then', async () => {
    const shards = await startShards(2)
    const client = await shards.ambassador.connect()
    expect(String(await client.request('CONFIG', 'SET', 'maxmemory', '5mb'))).to.match(
      /^-ERR ambassador: command 'config\|set' is not supported .*AMBASSADOR_ALLOW_ADMIN=yes/,
    )
    await shards.stop()
    const allowing = await startShards(2, { allowAdmin: 'yes' })
    const admin = await allowing.ambassador.connect()
    expect(String(await admin.request('CONFIG', 'SET', 'maxmemory', '5mb'))).to.equal('+OK\r\n')
    expect(String(await admin.request('CONFIG', 'GET', 'maxmemory'))).to.include('10485760')
    expect(
      String(await admin.request('CONFIG', 'SET', 'maxmemory', '9mb', 'requirepass', 'x')),
    ).to.match(
      /^-ERR ambassador: .* because the ambassador could not connect to the shards any more/,
    )
    for (const [name, value] of [
      ['timeout', '300'],
      ['MaxClients', '300'],
    ] as const) {
      const before = String(await admin.request('CONFIG', 'GET', name))
      expect(String(await admin.request('CONFIG', 'SET', 'hz', '11', name, value))).to.match(
        /^-ERR ambassador: .* because the ambassador has a [a-z]+ of its own, an option/,
      )
      expect(String(await admin.request('CONFIG', 'GET', name))).to.equal(before)
    }
    expect(String(await admin.request('CONFIG', 'GET', 'hz'))).to.include('$2\r\n10\r\n')
    for (const line of [
      'MONITOR',
      'SYNC',
      'PSYNC ? -1',
      'REPLICAOF no one',
      'SHUTDOWN',
      'SCRIPT DEBUG no',
    ]) {
      expect(String(await admin.request(...argsOf(line))), line).to.match(
        /^-ERR ambassador: .*not supported/,
      )
    }
    await allowing.stop()
  })
})

describe('who may log in', () => {
  const redises = shareRedises(1)

  it('several users with one password each, and WHOAMI says which', async () => {
    const ambassador = await startAmbassadorFor(redises, { password: 'd', users: 'ann:a ben:b:c' })
    const client = await ambassador.connect()
    expect(String(await client.request('GET', 'k'))).to.match(/^-NOAUTH/)
    expect(String(await client.request('AUTH', 'ann', 'b'))).to.match(/^-WRONGPASS/)
    expect(String(await client.request('AUTH', 'eve', 'a'))).to.match(/^-WRONGPASS/)
    for (const [args, user] of [
      [['d'], 'default'],
      [['ann', 'a'], 'ann'],
      [['ben', 'b:c'], 'ben'],
    ] as const) {
      expect(String(await client.request('AUTH', ...args))).to.equal('+OK\r\n')
      expect(String(await client.request('ACL', 'WHOAMI'))).to.include(user)
    }
    expect(String(await client.request('CLIENT', 'KILL', 'USER', 'ann'))).to.equal(':0\r\n')
    expect(String(await client.request('CLIENT', 'KILL', 'USER', 'eve'))).to.match(
      /^-ERR No such user/,
    )
    const other = await ambassador.connect()
    expect(String(await other.request('HELLO', '3', 'AUTH', 'ann', 'a'))).to.match(/^%7/)
    await ambassador.stop()
  })

  it('closes a connection after ten wrong passwords', async () => {
    const ambassador = await startAmbassadorFor(redises, { password: 'right' })
    const client = await ambassador.connect()
    const wrong = encodeRequest('AUTH', 'wrong')
    client.write(Buffer.concat([...Array(10).fill(wrong), encodeRequest('AUTH', 'right')]))
    const replies = String(await client.rest()).split('\r\n')
    expect(replies.filter((reply) => reply.startsWith('-WRONGPASS')).length).to.equal(10)
    expect(replies.length).to.equal(11)
    await ambassador.stop()
  })

  it('answers no question with more arguments than it takes others to wait for', async () => {
    const ambassador = await startAmbassadorFor(redises, {})
    const client = await ambassador.connect()
    const questions = [
      ['COMMAND', 'INFO', 'get'],
      ['CLIENT', 'LIST', 'ID', '1'],
      ['AMBASSADOR', 'ROUTE', 'key'],
    ]
    for (const question of questions) {
      const last = question.at(-1) ?? ''
      const of = (argc: number) => [...question, ...Array(argc - question.length).fill(last)]
      const answer = await client.request(...of(ANSWERED_ARGUMENTS_MAX))
      expect(String(answer), last).to.match(/^[*$]\d/)
      expect(String(await client.request(...of(ANSWERED_ARGUMENTS_MAX + 1))), last).to.equal(
        '-ERR ambassador: too many arguments for one answer, over 1024 (not sent)\r\n',
      )
    }
    await ambassador.stop()
  })

  it('AUTH passed through is judged by the shard’s own users', async () => {
    const direct = await connectRaw((redises[0] as RedisServer).port)
    await direct.request('ACL', 'SETUSER', 'reader', 'on', '>secret', '~open:*', '+get', '+ping')
    const ambassador = await startAmbassadorFor(redises, { authPassthrough: 'yes' })
    const client = await ambassador.connect()
    expect(String(await client.request('GET', 'open:1'))).to.match(/^-NOAUTH/)
    expect(String(await client.request('AUTH', 'reader', 'wrong'))).to.match(/^-WRONGPASS/)
    expect(String(await client.request('AUTH', 'reader', 'secret'))).to.equal('+OK\r\n')
    expect(String(await client.request('GET', 'open:1'))).to.equal('$-1\r\n')
    expect(String(await client.request('GET', 'closed:1'))).to.match(/^-NOPERM/)
    expect(String(await client.request('ACL', 'WHOAMI'))).to.equal('$6\r\nreader\r\n')
    await ambassador.stop()
    await direct.close()
  })
})

/** Until a request of some client is on its way to a shard. */
async function inFlight(ambassador: AmbassadorUnderTest): Promise<void> {
  while (ambassador.gauges.inFlight === 0) await new Promise((resolve) => setImmediate(resolve))
}
