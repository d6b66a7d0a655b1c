import { expect } from 'chai'
import { type AmbassadorUnderTest, configFor, startAmbassadorFor } from '../support/ambassador.ts'
import { encodeRequest } from '../support/frames.ts'
import { http } from '../support/http.ts'
import { LogLines } from '../support/log-lines.ts'
import type { RawClient } from '../support/raw-client.ts'
import { Relay } from '../support/relay.ts'
import { type Replicated, startReplicated, tell, untilLinked } from '../support/replicated.ts'
import { until } from '../support/until.ts'

describe('reads from replicas', () => {
  let world: Replicated
  let log: LogLines
  let ambassador: AmbassadorUnderTest | undefined

  beforeEach(async () => {
    world = await startReplicated(2)
    log = new LogLines()
  })

  afterEach(async () => {
    try {
      await ambassador?.stop()
    } finally {
      ambassador = undefined
      await world.stop()
    }
  })

  function linesOf(message: string): readonly object[] {
    return log.lines.filter((line) => line.message === message).map(({ facts }) => facts)
  }

  /** Resolves when all replicas are read from. */
  async function start(
    flags: Readonly<Record<string, string>>,
    shard = world.shard,
  ): Promise<AmbassadorUnderTest> {
    ambassador = await startAmbassadorFor([shard], flags, log)
    await until(() => linesOf('replica is read from').length === world.replicas.length)
    return ambassador
  }

  async function who(client: RawClient): Promise<string> {
    return String(await client.request('GET', 'who')).split('\r\n')[1] ?? ''
  }

  async function clients(at: AmbassadorUnderTest, count: number): Promise<RawClient[]> {
    return Promise.all(Array.from({ length: count }, () => at.connect()))
  }

  it('are none unless they are asked for: nothing connects to a replica', async () => {
    ambassador = await startAmbassadorFor([world.shard], {}, log)
    const client = await ambassador.connect()
    expect(await who(client)).to.equal('master')
    for (const { port } of world.replicas) {
      // The one that asks, and the link to the master.
      expect(await tell(port, 'CLIENT', 'LIST', 'TYPE', 'normal')).to.match(
        /^\$\d+\r\nid=\d+[^\n]*\n/,
      )
      expect((await tell(port, 'CLIENT', 'LIST', 'TYPE', 'normal')).match(/id=/g)).to.have.lengthOf(
        1,
      )
    }
  })

  it('spread sessions over the replicas, each of which stays with one', async () => {
    const all = await clients(await start({ readFrom: 'prefer-replica' }), 6)
    const first = await Promise.all(all.map(who))
    expect([...new Set(first)].sort()).to.deep.equal(['replica0', 'replica1'])
    for (let i = 0; i < 5; i++) expect(await Promise.all(all.map(who))).to.deep.equal(first)
  })

  it('leave to the master what writes, what is in a transaction, and what is no read of keys', async () => {
    const client = await (await start({ readFrom: 'replica', readAfterWriteMs: '0' })).connect()
    expect(await who(client)).to.match(/^replica/)
    await client.request('WATCH', 'who')
    expect(await who(client)).to.equal('master')
    await client.request('MULTI')
    await client.request('GET', 'who')
    expect(String(await client.request('EXEC'))).to.include('master')
    const before = await Promise.all(
      world.replicas.map(({ port }) => tell(port, 'INFO', 'commandstats')),
    )
    for (const words of [
      ['SCAN', '0'],
      ['KEYS', '*'],
      ['DBSIZE'],
      ['RANDOMKEY'],
      ['PUBLISH', 'c', 'm'],
    ]) {
      await client.request(...words)
    }
    for (const { port } of world.replicas) {
      expect(await tell(port, 'INFO', 'commandstats')).to.not.match(
        /cmdstat_(scan|keys|dbsize|randomkey):/,
      )
    }
    expect(before).to.have.lengthOf(2)
    const script = "return redis.call('GET', KEYS[1])"
    expect(String(await client.request('EVAL', script, '1', 'who'))).to.include('master')
  })

  it('see what their session has written, and come back to the replica when that has it', async () => {
    const client = await (await start({ readFrom: 'replica' })).connect()
    expect(await who(client)).to.match(/^replica/)
    for (let i = 0; i < 50; i++) {
      await client.request('SET', 'k', `${i}`)
      expect(String(await client.request('GET', 'k'))).to.include(`\r\n${i}\r\n`)
    }
    expect(await who(client)).to.equal('master')
    await until(async () => /^replica/.test(await who(client)))
  })

  it('keep the order of one client in a pipeline', async () => {
    const at = await start({ readFrom: 'replica', readAfterWriteMs: '0' })
    const client = await at.connect()
    for (let i = 0; i < 100; i++) {
      const before = `${i}`
      const requests = [
        ['GET', 'k'],
        ['GET', 'k'],
        ['SET', 'k', `${i + 1}`],
        ['GET', 'who'],
      ]
      client.write(requests.map((words) => encodeRequest(...words).toString('latin1')).join(''))
      const [one, other] = await client.replies(4)
      // What it had, or, as reads of its own writes are not asked for here, less; never what comes later.
      for (const reply of [one, other]) {
        const value = String(reply).split('\r\n')[1]
        expect(value === undefined || Number(value) <= Number(before)).to.equal(true)
      }
    }
  })

  it('are split and combined over shards like any other', async () => {
    const other = await startReplicated(1)
    try {
      const flags = { readFrom: 'replica' }
      ambassador = await startAmbassadorFor([world.shard, other.shard], flags, log)
      await until(() => linesOf('replica is read from').length === 3)
      const writer = await ambassador.connect()
      const keys = Array.from({ length: 20 }, (_, i) => `k${i}`)
      for (const key of keys) await writer.request('SADD', `s${key}`, key)
      for (const key of keys) await writer.request('SET', key, key)
      const reader = await ambassador.connect()
      // It stays with one replica of each shard, which may be behind the others.
      const exist = async () => String(await reader.request('EXISTS', ...keys))
      await until(async () => (await exist()) === ':20\r\n')
      const values = keys.map((key) => `$${key.length}\r\n${key}\r\n`).join('')
      expect(String(await reader.request('MGET', ...keys))).to.equal(`*20\r\n${values}`)
      expect(String(await reader.request('EXISTS', ...keys))).to.equal(':20\r\n')
      const union = String(await reader.request('SUNION', ...keys.map((key) => `s${key}`)))
      expect(union).to.match(/^\*20\r\n/)
      expect(String(await reader.request('EVAL_RO', 'return 7', '1', 'k1'))).to.equal(':7\r\n')
      for (const { port } of [world.master, other.master]) {
        expect(await tell(port, 'INFO', 'commandstats')).to.not.match(
          /cmdstat_(mget|exists|sunion|smembers|eval_ro):/,
        )
      }
    } finally {
      await ambassador?.stop()
      ambassador = undefined
      await other.stop()
    }
  })

  it('prefer the master until it cannot be reached, where that is said', async () => {
    const relay = await Relay.start(world.master.port)
    try {
      const list = world.replicas.map(({ port }) => `replica=127.0.0.1:${port}`).join('&')
      const shard = `redis://127.0.0.1:${relay.port}?${list}`
      const client = await (await start({ readFrom: 'prefer-master' }, shard)).connect()
      expect(await who(client)).to.equal('master')
      await relay.stop()
      await until(async () => /^replica/.test(await who(client)))
      expect(String(await client.request('SET', 'k', '1'))).to.equal(
        '-ERR ambassador: shard a unavailable (not sent)\r\n',
      )
    } finally {
      await relay.stop().catch(() => {})
    }
  })

  it('go on elsewhere when their replica is killed, and nobody gets an error (row 88)', async () => {
    const at = await start({ readFrom: 'prefer-replica' })
    const all = await clients(at, 8)
    let answers = 0
    let isOver = false
    const errors: string[] = []
    const read = async (client: RawClient): Promise<void> => {
      while (!isOver) {
        const reply = String(await client.request('GET', 'who'))
        if (reply.startsWith('-')) errors.push(reply)
        answers++
      }
    }
    const readers = all.map(read)
    await until(() => answers > 500)
    await world.replicas[0]?.kill()
    const before = answers
    await until(() => answers > before + 500)
    isOver = true
    await Promise.all(readers)
    expect(errors).to.deep.equal([])
    expect(linesOf('replica is not read from')).to.have.lengthOf(1)
    for (const client of all) expect(await who(client)).to.match(/^(?:replica1|master)$/)
  })

  it('are answered by another server in time when their replica hangs', async () => {
    const at = await start({ readFrom: 'replica', requestTimeoutMs: '2000' })
    const all = await clients(at, 4)
    await Promise.all(all.map(who))
    await world.replicas[0]?.kill('SIGSTOP')
    const answers = await Promise.all(all.map(who))
    await world.replicas[0]?.kill('SIGCONT')
    expect(answers.join()).to.match(/^(?:(?:replica1|master),?)+$/)
  })

  it('wait for no replica that is too far behind', async () => {
    const relay = await Relay.start(world.master.port)
    try {
      const [held] = world.replicas
      await tell(held?.port ?? 0, 'REPLICAOF', '127.0.0.1', `${relay.port}`)
      await untilLinked(held?.port ?? 0)
      const at = await start({ readFrom: 'replica', replicaMaxLagBytes: '10000' })
      relay.forget()
      await tell(world.master.port, 'SET', 'k', 'x'.repeat(20_000))
      // On a busy machine another may have been slow to answer before.
      await until(() => {
        return linesOf('replica is not read from').some((line) => {
          const { replica, reason } = line as Record<string, unknown>
          const isHeld = replica === `127.0.0.1:${held?.port}`
          return isHeld && reason === 'it is too far behind its master'
        })
      })
      for (const client of await clients(at, 4)) expect(await who(client)).to.equal('replica1')
    } finally {
      await relay.stop()
    }
  })

  it('pass over a replica that has lost its master and refuses to serve', async () => {
    const relay = await Relay.start(world.master.port)
    const [cut] = world.replicas
    const port = cut?.port ?? 0
    await tell(port, 'CONFIG', 'SET', 'replica-serve-stale-data', 'no')
    await tell(port, 'REPLICAOF', '127.0.0.1', `${relay.port}`)
    await untilLinked(port)
    const all = await clients(await start({ readFrom: 'replica' }), 4)
    await Promise.all(all.map(who))
    await relay.stop()
    await until(async () => (await tell(port, 'GET', 'who')).startsWith('-MASTERDOWN'))
    for (let i = 0; i < 20; i++) {
      expect((await Promise.all(all.map(who))).join()).to.match(/^(?:(?:replica\d|master),?)+$/)
    }
    await until(() => linesOf('replica is not read from').length === 1)
    expect((await Promise.all(all.map(who))).join()).to.not.include('replica0')
  })

  it('have no server where only replicas may be read and none serves', async () => {
    const client = await (await start({ readFrom: 'replica' })).connect()
    for (const replica of world.replicas) await replica.kill()
    await until(() => linesOf('replica is not read from').length === 2)
    expect(String(await client.request('GET', 'who'))).to.equal(
      '-ERR ambassador: shard a unavailable (not sent)\r\n',
    )
    expect(String(await client.request('SET', 'k', '1'))).to.equal('+OK\r\n')
    expect(String(await client.request('GET', 'k'))).to.equal('$1\r\n1\r\n')
    for (const replica of world.replicas) await replica.restart()
    await until(async () => /^\$/.test(String(await client.request('GET', 'k'))))
  })

  it('begin and end with a reload', async () => {
    ambassador = await startAmbassadorFor([world.shard], {}, log)
    const client = await ambassador.connect()
    expect(await who(client)).to.equal('master')
    ambassador.reload(configFor([world.shard], { readFrom: 'replica' }))
    await until(async () => /^replica/.test(await who(client)))
    const [, second] = world.replicas
    const one = `redis://127.0.0.1:${world.master.port}?replica=127.0.0.1:${second?.port}`
    ambassador.reload(configFor([one], { readFrom: 'replica' }))
    await until(async () => (await who(client)) === 'replica1')
    ambassador.reload(configFor([world.shard], {}))
    expect(await who(client)).to.equal('master')
    await until(
      async () =>
        (await tell(second?.port ?? 0, 'CLIENT', 'LIST', 'TYPE', 'normal')).match(/id=/g)
          ?.length === 1,
    )
  })

  it('are seen on all pages, and by any client', async () => {
    const at = await start({ readFrom: 'prefer-replica', adminListen: '127.0.0.1:0' })
    const client = await at.connect()
    await who(client)
    const [first] = world.replicas
    const text = String(await client.request('AMBASSADOR', 'SHARDS'))
    expect(text).to.include(`127.0.0.1:${first?.port}`)
    expect(text).to.match(/state\r\n\$4\r\nread\r\n/)
    const page = async (path: string) => (await http({ port: at.adminPort, path })).body
    const [shard] = JSON.parse(await page('/stats')).shards
    expect(shard).to.include({ replicaReads: 1, lastMove: null })
    expect(shard.since).to.match(/^\d{4}-/)
    expect(shard.replicas).to.have.lengthOf(2)
    expect(shard.replicas[0]).to.include({ serves: true, reason: null })
    await first?.kill()
    await until(() => linesOf('replica is not read from').length === 1)
    const metrics = await page('/metrics')
    expect(metrics).to.include('ambassador_shard_replicas{pool="default",shard="a"} 2')
    expect(metrics).to.include('ambassador_shard_replicas_serving{pool="default",shard="a"} 1')
    expect(metrics).to.include('ambassador_shard_replica_reads_total{pool="default",shard="a"} 1')
  })
})
