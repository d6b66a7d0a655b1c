import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { configFor, keysOn, startAmbassadorFor } from '../support/ambassador.ts'
import { startBin } from '../support/bin.ts'
import { startFakeShard } from '../support/fake-shard.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { shareRedises } from '../support/shared-shards.ts'
import { temporaryFiles } from '../support/temporary-files.ts'
import { until } from '../support/until.ts'

describe('row 58: reload', () => {
  const redises = shareRedises(3)

  it('loses no request and keeps the connections to shards that stay', async () => {
    const two = redises.slice(0, 2)
    const ambassador = await startAmbassadorFor(two)
    const client = await ambassador.connect()
    const shard = await connectRaw((redises[0] as RedisServer).port)
    const connections = async (): Promise<string> => {
      const list = (await shard.request('CLIENT', 'LIST')).toString()
      return [...list.matchAll(/^id=(\d+) .* cmd=(?!client|info|command|hello)/gm)]
        .map(([, id]) => id)
        .join()
    }
    const keys = Array.from({ length: 200 }, (_, i) => `key:${i}`)
    for (const key of keys) await client.request('SET', key, 'two')
    const before = await connections()
    let errors = 0
    for (let round = 0; round < 6; round++) {
      const replies = Promise.all(keys.map((key) => client.request('SET', key, `${round}`)))
      ambassador.reload(configFor(round % 2 === 0 ? redises : two))
      for (const reply of await replies) if (reply.toString() !== '+OK\r\n') errors++
    }
    expect(errors).to.equal(0)
    expect(await connections()).to.equal(before)
    await shard.close()
    await ambassador.stop()
  })

  it('uses the new ring at once', async () => {
    const ambassador = await startAmbassadorFor(redises.slice(0, 1))
    const client = await ambassador.connect()
    await client.request('FLUSHALL')
    ambassador.reload(configFor(redises))
    for (let i = 0; i < 100; i++) await client.request('SET', `ring:${i}`, 'x')
    const third = await connectRaw((redises[2] as RedisServer).port)
    expect((await third.request('DBSIZE')).toString()).to.not.equal(':0\r\n')
    await third.close()
    await ambassador.stop()
  })

  it('lets an open transaction end on the shard on which it began', async () => {
    const ambassador = await startAmbassadorFor(redises.slice(0, 2))
    const client = await ambassador.connect()
    await client.request('MULTI')
    expect((await client.request('SET', 'tx', '1')).toString()).to.equal('+QUEUED\r\n')
    ambassador.reload(configFor(redises.slice(1)))
    expect((await client.request('EXEC')).toString()).to.equal('*1\r\n+OK\r\n')
    expect((await client.request('PING')).toString()).to.equal('+PONG\r\n')
    await ambassador.stop()
  })

  describe('in the middle of a SCAN', () => {
    /** No scan here takes so many, not even one that begins anew. */
    const PAGES_MAX = 200

    /** Servers by name, in the order of the configuration, before the reload and after it. */
    const changes: readonly [string, Record<string, number>, Record<string, number>][] = [
      ['a shard more', { a: 0, b: 1 }, { a: 0, b: 1, c: 2 }],
      ['a shard more before the others', { b: 0, c: 1 }, { a: 2, b: 0, c: 1 }],
      ['a shard less', { a: 0, b: 1, c: 2 }, { a: 0, c: 2 }],
      ['another order', { a: 0, b: 1, c: 2 }, { c: 2, a: 0, b: 1 }],
      ['other names', { a: 0, b: 1, c: 2 }, { x: 0, y: 1, z: 2 }],
      ['several in place of one', { a: 0 }, { x: 2, a: 0 }],
      ['one in place of several', { a: 0, b: 1 }, { b: 1 }],
    ]

    for (const [name, before, after] of changes) {
      it(`misses no key: ${name}`, async () => {
        const staying = new Set<string>()
        for (const [at, { port }] of redises.entries()) {
          const direct = await connectRaw(port)
          await direct.request('FLUSHALL')
          const keys = Array.from({ length: 24 }, (_, i) => `${at}:${i}`)
          await direct.request('MSET', ...keys.flatMap((key) => [key, 'v']))
          const stays = [before, after].every((servers) => Object.values(servers).includes(at))
          if (stays) for (const key of keys) staying.add(key)
          await direct.close()
        }
        const lists = [before, after].map((servers) => {
          const shards = Object.entries(servers).map(([shard, at]) => {
            return `${shard}=127.0.0.1:${redises[at]?.port}`
          })
          return shards.join()
        }) as [string, string]
        for (let pagesBefore = 1, more = true; more; pagesBefore++) {
          const ambassador = await startAmbassadorFor([], { shards: lists[0] })
          const client = await ambassador.connect()
          const found = new Set<string>()
          let cursor = '0'
          let pages = 0
          do {
            if (pages++ === pagesBefore) ambassador.reload(configFor([], { shards: lists[1] }))
            const reply = (await client.request('SCAN', cursor, 'COUNT', '7')).toString()
            cursor = /^\*2\r\n\$\d+\r\n(\d+)/.exec(reply)?.[1] ?? reply
            for (const [, key = ''] of reply.matchAll(/\r\n(\d:\d+)\r\n/g)) found.add(key)
          } while (/^\d+$/.test(cursor) && cursor !== '0' && pages < PAGES_MAX)
          expect(cursor).to.equal('0')
          const missed = [...staying].filter((key) => !found.has(key))
          expect(missed, `reload after ${pagesBefore} pages`).to.deep.equal([])
          more = pages > pagesBefore
          await ambassador.stop()
        }
      })
    }
  })

  it('closes subscribers when their channels have moved, and only then', async () => {
    const ambassador = await startAmbassadorFor(redises.slice(0, 2))
    const [stays, moves] = [await ambassador.connect(), await ambassador.connect()]
    // On the third of three; and on the first, of two and of three.
    await moves.request('SUBSCRIBE', keysOn(2, 3)[0] as string)
    await stays.request('SUBSCRIBE', keysOn(0, 3)[0] as string)
    const pong = '*2\r\n$4\r\npong\r\n$0\r\n\r\n'
    ambassador.reload(configFor(redises.slice(0, 2), { maxClients: '77' }))
    for (const client of [stays, moves]) {
      expect((await client.request('PING')).toString()).to.equal(pong)
    }
    ambassador.reload(configFor(redises))
    await moves.closed()
    expect((await stays.request('PING')).toString()).to.equal(pong)
    await ambassador.stop()
  })

  it('lets no request overtake one that was sent another way before', async () => {
    const shard = await startFakeShard(({ text }) => (text === 'GET k' ? '$1\r\n2\r\n' : undefined))
    const ambassador = await startAmbassadorFor([shard])
    /** One of two connections to a shard is for those with even numbers, one for the others. */
    const connectOdd = async (): Promise<RawClient> => {
      const client = await ambassador.connect()
      const id = (await client.request('CLIENT', 'ID')).toString()
      return /[13579]\r\n$/.test(id) ? client : connectOdd()
    }
    const client = await connectOdd()
    client.write('SET k 2\r\n')
    const set = await shard.nextRequest()
    // The new connection is for this client: what was sent over the old one may come later.
    ambassador.reload(configFor([shard], { connectionsPerShard: '2' }))
    const other = await connectOdd()
    client.write('GET k\r\n')
    // What another client asks after that passes.
    expect((await other.request('GET', 'k')).toString()).to.equal('$1\r\n2\r\n')
    expect(shard.requests.map(({ text }) => text)).to.deep.equal(['SET k 2', 'GET k'])
    set.reply('+OK\r\n')
    expect((await client.replies(2)).map(String)).to.deep.equal(['+OK\r\n', '$1\r\n2\r\n'])
    expect(shard.requests).to.have.length(3)
    await ambassador.stop()
    await shard.stop()
  })

  describe('with other options about shards that stay', () => {
    it('keeps every connection when time-outs change', async () => {
      const [redis] = redises as [RedisServer]
      const ambassador = await startAmbassadorFor([redis])
      const direct = await connectRaw(redis.port)
      const connections = async (): Promise<string> => {
        const list = (await direct.request('CLIENT', 'LIST')).toString()
        return [...list.matchAll(/^id=(\d+) .* cmd=(?!client|info|command|hello)/gm)]
          .map(([, id]) => id)
          .join()
      }
      const [waits, subscribes, changes] = [
        await ambassador.connect(),
        await ambassador.connect(),
        await ambassador.connect(),
      ] as const
      await subscribes.request('SUBSCRIBE', 'news')
      await changes.request('MULTI')
      await changes.request('SET', 'k', 'v')
      waits.write('BLPOP q 0\r\n')
      await until(async () => (await direct.request('CLIENT', 'LIST')).includes('cmd=blpop'))
      const before = await connections()
      ambassador.reload(configFor([redis], { requestTimeoutMs: '9000', connectTimeoutMs: '8000' }))
      expect((await changes.request('EXEC')).toString()).to.equal('*1\r\n+OK\r\n')
      expect((await changes.request('PUBLISH', 'news', 'x')).toString()).to.equal(':1\r\n')
      expect((await subscribes.reply()).toString()).to.include('message')
      expect((await changes.request('RPUSH', 'q', 'job')).toString()).to.equal(':1\r\n')
      expect((await waits.reply()).toString()).to.include('job')
      expect(await connections()).to.equal(before)
      await direct.close()
      await ambassador.stop()
    })

    it('lets a request that is under way take no longer than they say', async () => {
      const shard = await startFakeShard(() => undefined)
      const ambassador = await startAmbassadorFor([shard], { requestTimeoutMs: '0' })
      const client = await ambassador.connect()
      client.write('GET k\r\n')
      await shard.nextRequest()
      ambassador.reload(configFor([shard], { requestTimeoutMs: '50' }))
      expect((await client.reply()).toString()).to.match(/^-ERR ambassador: shard a timed out/)
      await ambassador.stop()
      await shard.stop()
    })

    it('opens more connections, and closes those it has too many of when they owe nothing', async () => {
      const shard = await startFakeShard(() => undefined)
      const ambassador = await startAmbassadorFor([shard], { connectionsPerShard: '1' })
      const clients = [await ambassador.connect(), await ambassador.connect()] as const
      ambassador.reload(configFor([shard], { connectionsPerShard: '2' }))
      for (const client of clients) client.write('GET k\r\n')
      const requests = [await shard.nextRequest(), await shard.nextRequest()] as const
      expect(requests[0].connection).to.not.equal(requests[1].connection)
      ambassador.reload(configFor([shard], { connectionsPerShard: '1' }))
      for (const request of requests) request.reply('$1\r\nv\r\n')
      for (const client of clients) {
        expect((await client.reply()).toString()).to.equal('$1\r\nv\r\n')
      }
      await Promise.race(requests.map(({ connection }) => connection.closed()))
      for (const client of clients) client.write('GET k\r\n')
      const more = [await shard.nextRequest(), await shard.nextRequest()] as const
      expect(more[0].connection).to.equal(more[1].connection)
      for (const request of more) request.reply('$1\r\nv\r\n')
      for (const client of clients) await client.reply()
      await ambassador.stop()
      await shard.stop()
    })

    it('takes up another password without ending anything', async () => {
      const redis = await startRedis({ args: ['--requirepass', 'one'] })
      const direct = await connectRaw(redis.port)
      await direct.request('AUTH', 'one')
      await direct.request('ACL', 'SETUSER', 'default', '>two')
      const ambassador = await startAmbassadorFor([redis], { shardPassword: 'one' })
      const connections = async (): Promise<string[]> => {
        const list = (await direct.request('CLIENT', 'LIST')).toString()
        const all = list.matchAll(/^id=(\d+) .* cmd=(?!client|info|command|hello)/gm)
        return [...all].map(([, id]) => id as string)
      }
      const [waits, changes] = [await ambassador.connect(), await ambassador.connect()] as const
      waits.write('BLPOP q 0\r\n')
      await changes.request('WATCH', 'k')
      const before = await connections()
      ambassador.reload(configFor([redis], { shardPassword: 'two' }))
      await direct.request('ACL', 'SETUSER', 'default', '<one')
      await changes.request('MULTI')
      await changes.request('RPUSH', 'q', 'job')
      expect((await changes.request('EXEC')).toString()).to.equal('*1\r\n:1\r\n')
      expect((await waits.reply()).toString()).to.include('job')
      expect(await connections()).to.include.members(before)
      await direct.request('CLIENT', 'KILL', 'TYPE', 'normal')
      await until(async () => (await changes.request('GET', 'k')).toString() === '$-1\r\n')
      await direct.close()
      await ambassador.stop()
      await redis.stop()
    })
  })

  it('takes up a changed file, and keeps the old configuration when the file is wrong', async () => {
    const directory = temporaryFiles()
    const file = join(directory, 'ambassador.yaml')
    const write = (shards: string): void => {
      writeFileSync(file, `listen: 127.0.0.1:0\nadminListen: off\nshards: ${shards}\n`)
    }
    const list = redises.map(({ port }, i) => `${'abc'.charAt(i)}=127.0.0.1:${port}`)
    write(list.slice(0, 1).join())
    const bin = await startBin(['start', '--config', file, '--log-format', 'json'], {})
    const refused = bin.ready({ log: 'configuration refused' })
    write('a=127.0.0.1:notaport')
    await refused
    const reloaded = bin.ready({ log: 'configuration reloaded' })
    write(list.join())
    await reloaded
    await bin.kill('SIGTERM')
  })

  it('is none when nothing is different', async () => {
    const file = join(temporaryFiles(), 'ambassador.yaml')
    const write = (maxClients: number): void => {
      const shards = `shards: a=127.0.0.1:${redises[0]?.port}`
      writeFileSync(
        file,
        `listen: 127.0.0.1:0\nadminListen: off\n${shards}\nmaxClients: ${maxClients}\n`,
      )
    }
    write(100)
    const bin = await startBin(['start', '--config', file, '--log-format', 'json'], {})
    await bin.kill('SIGHUP')
    const reloaded = bin.ready({ log: 'configuration reloaded' })
    write(200)
    await reloaded
    expect(bin.output.split('configuration reloaded')).to.have.length(2)
    await bin.kill('SIGTERM')
  })

  it('reloads on SIGHUP', async () => {
    const directory = temporaryFiles()
    const file = join(directory, 'ambassador.yaml')
    const [first] = redises
    writeFileSync(
      file,
      `listen: 127.0.0.1:0\nadminListen: off\nshards: a=127.0.0.1:${first?.port}\n`,
    )
    const bin = await startBin(['start', '--config', file, '--log-format', 'json'], {})
    const refused = bin.ready({ log: '"cause":"SIGHUP"' })
    writeFileSync(file, 'shards: nonsense:::\n')
    await bin.kill('SIGHUP')
    await refused
    await bin.kill('SIGTERM')
  })
})
