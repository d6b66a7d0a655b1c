/** The doctor in front of real Redis servers, each of them ill in its own way. */
import { once } from 'node:events'
import { readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { examine } from '../../lib/doctor/doctor.ts'
import type { Check, Finding } from '../../lib/doctor/finding.ts'
import { configFor, type ShardAddress } from '../support/ambassador.ts'
import { Authority } from '../support/certificates.ts'
import { startChild } from '../support/child.ts'
import { freePort } from '../support/ports.ts'
import { connectRaw } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { temporaryFiles } from '../support/temporary-files.ts'

describe('doctor', () => {
  const servers: RedisServer[] = []
  let healthy: RedisServer

  before(async () => {
    healthy = await start()
  })
  after(async () => {
    for (const server of servers) await server.stop()
  })

  async function start(...args: string[]): Promise<RedisServer> {
    const server = await startRedis({ args })
    servers.push(server)
    return server
  }

  async function findings(
    shards: readonly ShardAddress[],
    flags: Readonly<Record<string, string>> = {},
  ): Promise<Finding[]> {
    const shares = shards.map(() => 1 / shards.length)
    return await examine(configFor(shards, flags).pools[0], shares)
  }

  /** All that is not well: `level check: what was seen`. */
  async function complaints(
    shards: readonly ShardAddress[],
    flags: Readonly<Record<string, string>> = {},
  ): Promise<string[]> {
    const found = (await findings(shards, flags)).filter(({ level }) => level !== 'ok')
    for (const { advice } of found) expect(advice).to.match(/[.?]$/)
    return found.map(({ level, check, saw }) => `${level} ${check}: ${saw}`)
  }

  const at = ({ port }: { readonly port: number }) => `127.0.0.1:${port}`

  it('finds nothing to complain about where nothing is wrong, and says what it looked at', async () => {
    const found = await findings([healthy, await start(), await start()])
    expect(found.filter(({ level }) => level !== 'ok')).to.deep.equal([])
    const checks: Check[] = ['reach', 'state', 'mode', 'role', 'version', 'memory', 'clients']
    for (const check of [...checks, 'clock', 'latency', 'rights'] as const) {
      const shards = found.filter((finding) => finding.check === check).map(({ shard }) => shard)
      expect(shards, check).to.deep.equal(['a', 'b', 'c'])
    }
    const together = found.filter(({ shard }) => shard === undefined).map(({ check }) => check)
    expect(together).to.deep.equal(['same', 'policy', 'commands', 'ring'])
  })

  it('tells a refused port from a name that does not resolve', async () => {
    const port = await freePort()
    expect(
      await complaints([{ port }, 'nowhere.invalid:6379', 'unix:///nonexistent/s']),
    ).to.have.deep.members([
      `problem reach: 127.0.0.1:${port} refuses connections: nothing listens there`,
      'problem dns: nowhere.invalid does not resolve: there is no such name (ENOTFOUND)',
      'problem reach: unix:/nonexistent/s is a path where there is no socket',
    ])
  })

  it('says why no sentinel answers', async () => {
    const port = await freePort()
    const shard = `redis+sentinel://127.0.0.1:${port}/mymaster`
    expect(await complaints([shard])).to.deep.equal([
      `problem sentinel: no sentinel answers: 127.0.0.1:${port} (connect ECONNREFUSED 127.0.0.1:${port})`,
    ])
  })

  it('sees a wrong password, a missing one and one too many, and shows none of them', async () => {
    const locked = await start('--requirepass', 'hunter2')
    const shards = [`redis://:hunter3@${at(locked)}`, locked, `redis://:hunter4@${at(healthy)}`]
    const found = await findings(shards)
    expect(JSON.stringify(found)).to.not.match(/hunter/)
    const auth = found.filter(({ level }) => level === 'problem').map(({ saw }) => saw)
    expect(auth).to.have.lengthOf(3)
    expect(auth[0]).to.match(/refuses the password or the user \(WRONGPASS/)
    expect(auth[1]).to.match(/wants a password, and none is configured \(NOAUTH/)
    expect(auth[2]).to.match(/has no password, but one is configured \(ERR AUTH/)
    expect(await complaints([`redis://:hunter2@${at(locked)}`])).to.deep.equal([])
  })

  it('tries the program that gives credentials once, and tells what it gives', async () => {
    const locked = await start('--requirepass', 'hunter2')
    const directory = temporaryFiles()
    const give = (text: string) => {
      writeFileSync(join(directory, 'token'), text)
      return { shardAuthCommand: `sh -c 'echo >> ${directory}/runs; cat ${directory}/token'` }
    }
    const json = '{"password":"hunter2","expiresInSeconds":900}'
    const found = await findings([locked, locked], give(json))
    expect(
      found.filter(({ check }) => check === 'credentials').map(({ saw }) => saw),
    ).to.deep.equal([
      'sh gives credentials of the user default that live 900 s',
      'sh gives credentials of the user default that live 900 s',
    ])
    expect(found.filter(({ check }) => check === 'auth')).to.have.length(2)
    expect(readFileSync(join(directory, 'runs'), 'utf8')).to.equal('\n')
    expect(JSON.stringify(found)).to.not.include('hunter')
    const wrong = await complaints([locked], give('app\nhunter3'))
    expect(wrong.join()).to.match(/^problem auth: .* refuses the password or the user \(WRONGPASS/)
    expect(
      await complaints([locked], give('{"password":"hunter2","expiresInSeconds":9}')),
    ).to.deep.equal(['note credentials: sh gives credentials of the user default that live 9 s'])
    expect(await complaints([locked], { shardAuthCommand: '/nonexistent' })).to.deep.equal([
      'problem credentials: nonexistent is not found, nor is an interpreter that it names',
    ])
  })

  it('reads the file that holds credentials', async () => {
    const locked = await start('--requirepass', 'hunter2')
    const shardAuthFile = join(temporaryFiles({ token: 'hunter2\n' }), 'token')
    const [first] = (await findings([locked], { shardAuthFile })).filter(
      ({ check }) => check === 'credentials',
    )
    expect(first?.saw).to.equal(
      `${shardAuthFile} gives credentials of the user default, without an end that is known`,
    )
    writeFileSync(shardAuthFile, '{"password":"hunter2","expiresInSeconds":60}')
    utimesSync(shardAuthFile, Date.now() / 1000 - 100, Date.now() / 1000 - 100)
    expect((await complaints([locked], { shardAuthFile })).join()).to.match(
      /^problem credentials: .* gives credentials of the user default that ended \d+ s ago$/,
    )
  })

  it('sees a database that is not there', async () => {
    expect(await complaints([`redis://${at(healthy)}/3`])).to.deep.equal([])
    expect(await complaints([`redis://${at(healthy)}/99`])).to.deep.equal([
      `problem database: ${at(healthy)} does not have the database that is configured (ERR DB index is out of range)`,
    ])
  })

  it('sees a replica', async () => {
    const replica = await start('--replicaof', '127.0.0.1', String(healthy.port))
    const [only, ...others] = await complaints([replica])
    expect(others).to.deep.equal([])
    expect(only).to.match(
      new RegExp(`^problem role: ${at(replica)} is a replica of ${at(healthy)}.*READONLY$`),
    )
  })

  it('sees cluster mode', async () => {
    const [only, ...others] = await complaints([
      await start('--cluster-enabled', 'yes', '--cluster-port', String(await freePort())),
    ])
    expect(others).to.deep.equal([])
    expect(only).to.match(/^problem mode: .* runs in cluster mode/)
  })

  it('sees two shards that are one and the same Redis, by whatever name', async () => {
    expect(await complaints([healthy, await start(), `localhost:${healthy.port}`])).to.deep.equal([
      'problem same: a, c are one and the same Redis',
    ])
    const databases = [`redis://${at(healthy)}/0`, `redis://${at(healthy)}/1`]
    expect(await complaints(databases)).to.deep.equal([
      'note same: a, b are databases of one and the same Redis',
    ])
  })

  it('sees policies that differ, and that keys are evicted', async () => {
    const cache = await start('--maxmemory', '64mb', '--maxmemory-policy', 'allkeys-lru')
    const found = await complaints([healthy, cache])
    expect(found).to.have.lengthOf(2)
    expect(found[0]).to.match(/^note memory: .* evicts keys when full \(allkeys-lru; .* of 64.0 MB/)
    expect(found[1]).to.equal(
      'note policy: maxmemory-policy differs: noeviction (a), allkeys-lru (b)',
    )
  })

  it('sees a shard that is full', async () => {
    const [only] = await complaints([await start('--maxmemory', '100kb')])
    expect(only).to.match(/^problem memory: .* is full and refuses writes with OOM/)
  })

  it('sees a command that one shard lacks, and one that has another name there', async () => {
    const args = ['--rename-command', 'GETDEL', '', '--rename-command', 'SET', 'MYSET']
    const renamed = await start(...args)
    const found = await complaints([healthy, renamed])
    expect(found).to.have.lengthOf(2)
    expect(found[0]).to.equal('problem commands: missing on b: getdel, set')
    expect(found[1]).to.match(
      /^problem rights: .* refuses SET \(ERR unknown command .*writes fail$/,
    )
  })

  it('sees a shard that is loading its data', async () => {
    const full = await start('--rdbcompression', 'no')
    const client = await connectRaw(full.port)
    for (let i = 0; i < 500; i++) await client.request('SET', `k${i}`, 'x'.repeat(1000))
    await client.request('SAVE')
    await client.close()
    const port = await freePort()
    const slowly = ['--key-load-delay', '10000', '--loading-process-events-interval-bytes', '1024']
    const loading = await startChild({
      command: 'redis-server',
      args: ['--port', String(port), '--dir', full.directory, ...slowly],
      ready: { log: 'Loading RDB' },
    })
    const found = await complaints([{ port }])
    await loading.kill()
    // It is slow then as well, perhaps slow enough for a note.
    const [problem, ...others] = found.filter((each) => each.startsWith('problem'))
    expect(others).to.deep.equal([])
    expect(problem).to.match(/^problem state: .* is loading its data and answers nothing else/)
  })

  it('sees a shard that takes connections and never answers', async () => {
    const silent = await serve(() => {})
    const found = await complaints([silent], { connectTimeoutMs: '100' })
    await silent.stop()
    expect(found).to.deep.equal([
      `problem reach: ${at(silent)} takes connections but does not answer`,
    ])
  })

  it('sees an address that does not answer at all', async () => {
    const stopped = await start('--tcp-backlog', '1')
    await stopped.kill('SIGSTOP')
    // Once its queue is full, Linux drops what asks for a connection.
    const sockets = Array.from({ length: 4 }, () => connect(stopped.port, '127.0.0.1'))
    for (const socket of sockets) socket.on('error', () => {})
    await Promise.all(sockets.slice(0, 2).map((socket) => once(socket, 'connect')))
    const found = await complaints([stopped], { connectTimeoutMs: '200' })
    for (const socket of sockets) socket.destroy()
    expect(found).to.deep.equal([`problem reach: ${at(stopped)} does not answer a connection`])
  })

  it('sees something that is no Redis', async () => {
    const web = await serve((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    const found = await complaints([web])
    await web.stop()
    expect(found).to.deep.equal([`problem reach: ${at(web)} does not speak Redis's protocol`])
  })

  it('says so when a shard’s user may not be asked about', async () => {
    const strict = await start(
      ...['--user', 'app', 'on', '>pw', '~*', '&*', '+@all', '-info', '-command', '-time'],
    )
    const found = await complaints([`redis://app:pw@${at(strict)}`])
    expect(found).to.have.lengthOf(2)
    expect(found[0]).to.match(/^note state: .* does not answer INFO \(NOPERM/)
    expect(found[1]).to.match(/^note commands: .* does not tell its commands \(NOPERM/)
  })

  it('says in plain words what a shard’s user may not do, and what does without it', async () => {
    const user = ['--user', 'app', 'on', '>pw', '~app:*', '&*']
    const application = '+@read +@write +@blocking +@transaction +@pubsub +@scripting'
    const poor = await start(...user, ...application.split(' '))
    const shard = `redis://app:pw@${at(poor)}`
    const told = (await complaints([shard])).filter((line) => line.includes(' rights: '))
    const refused = (command: string) =>
      `NOPERM this user has no permissions to run the '${command}' command`
    expect(told).to.deep.equal([
      `note rights: ${at(poor)} refuses WAIT (${refused('wait')}): WAIT fails`,
      `note rights: ${at(poor)} refuses CLIENT (${refused('client|id')}): CLIENT UNBLOCK closes the connection on which the client waits`,
    ])
  })

  it('sees what clients will be refused', async () => {
    const user = ['--user', 'app', 'on', '>pw', '~*', 'resetchannels', '+@all']
    const poor = await start(...user, '-set', '-multi', '-blpop', '-evalsha', '-script')
    const told = await complaints([`redis://app:pw@${at(poor)}`])
    const what = told.map((line) => line.replace(/^(\S+) rights: .* refuses (\S+) .*: /, '$1 $2: '))
    expect(what).to.deep.equal([
      'problem SET: writes fail',
      'problem BLPOP: commands that block fail',
      'problem EVALSHA: scripts fail',
      'note SCRIPT: EVALSHA of a script that this shard does not have goes there as EVAL',
      'problem MULTI: transactions fail',
      'note SUBSCRIBE: subscribing to some channels fails',
    ])
  })

  it('sees commands that all shards have renamed away, and changes nothing by trying them', async () => {
    const poor = await start('--rename-command', 'EXEC', '', '--rename-command', 'PING', '')
    const client = await connectRaw(poor.port)
    const listener = await connectRaw(poor.port)
    await listener.request('PSUBSCRIBE', '*')
    const told = await complaints([poor])
    expect(told.map((line) => line.replace(/ \(.*?\)/, ''))).to.deep.equal([
      `note state: ${at(poor)} answers PING with an error`,
      `problem rights: ${at(poor)} refuses EXEC: transactions fail`,
    ])
    expect(String(await client.request('DBSIZE'))).to.equal(':0\r\n')
    const info = String(await client.request('INFO', 'everything'))
    expect(info).to.include('number_of_cached_scripts:0\r\n')
    expect(info).to.include('rdb_changes_since_last_save:0\r\n')
    expect(listener.unreadBytes).to.equal(0)
    await client.close()
    await listener.close()
  })

  /** A server on a free port that answers the first bytes of each connection so. */
  async function serve(answer: (socket: Socket) => void) {
    const sockets = new Set<Socket>()
    const server: Server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.once('data', () => answer(socket))
    })
    const port = await freePort()
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    const stop = async (): Promise<void> => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    }
    return { port, stop }
  }

  describe('with TLS', () => {
    const authority = new Authority()
    const good = authority.issue('DNS:localhost,IP:127.0.0.1')

    async function startTls(pair = good, ...args: string[]): Promise<number> {
      const port = await freePort()
      const files = ['--tls-cert-file', pair.cert, '--tls-key-file', pair.key]
      const more = ['--tls-ca-cert-file', authority.cert, '--tls-port', String(port)]
      await start(...files, ...more, ...(args.length > 0 ? args : ['--tls-auth-clients', 'no']))
      return port
    }

    it('is content when both sides agree', async () => {
      const shards = [`rediss://127.0.0.1:${await startTls()}`]
      const found = await findings(shards, { shardTlsCa: authority.cert })
      expect(found.filter(({ level }) => level !== 'ok')).to.deep.equal([])
      expect(found.map(({ check }) => check)).to.include('tls')
    })

    it('sees TLS on one side only', async () => {
      const port = await startTls()
      expect(await complaints([{ port }])).to.deep.equal([
        `problem tls: 127.0.0.1:${port} speaks TLS, but is configured in clear`,
      ])
      const [only] = await complaints([`rediss://${at(healthy)}`])
      expect(only).to.match(/^problem tls: .* speaks no TLS, but is configured as rediss:/)
    })

    it('sees an authority that is not trusted, another name and an old certificate', async () => {
      const [first] = await complaints([`rediss://127.0.0.1:${await startTls()}`])
      expect(first).to.match(/certificate from an authority that is not trusted here$/)
      const flags = { shardTlsCa: authority.cert }
      const elsewhere = await startTls(authority.issue('DNS:elsewhere'))
      const [second] = await complaints([`rediss://127.0.0.1:${elsewhere}`], flags)
      expect(second).to.match(/certificate for another name$/)
    })

    it('sees that a certificate is wanted of us', async () => {
      const port = await startTls(good, '--tls-auth-clients', 'yes')
      const flags = { shardTlsCa: authority.cert }
      const [only] = await complaints([`rediss://127.0.0.1:${port}`], flags)
      expect(only).to.match(/^problem tls: .* does not accept us \(.*certificate required/)
    })
  })
})
