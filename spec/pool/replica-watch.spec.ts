/** What else the watch does is held by spec/upstream/replicas/read-line.spec.ts and spec/integration/replicas.spec.ts. */
import { expect } from 'chai'
import { type AmbassadorUnderTest, startAmbassadorFor } from '../support/ambassador.ts'
import { MovingName } from '../support/moving-name.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'

describe('ReplicaWatch', () => {
  let name: MovingName
  let master: RedisServer
  let ambassador: AmbassadorUnderTest

  before(async () => {
    name = await MovingName.start()
    master = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] })
    for (const index of [0, 1] as const) {
      await name.ask(index, 'CONFIG', 'SET', 'replica-read-only', 'no')
      await name.ask(index, 'REPLICAOF', '127.0.0.1', `${master.port}`)
      await until(
        async () => (await name.ask(index, 'INFO', 'replication')).includes('link_status:up'),
        20,
      )
      await name.ask(index, 'SET', 'who', `${index}`)
    }
  })

  after(async () => {
    await ambassador.stop()
    await master.stop()
    await name.stop()
  })

  it('asks the server to which the name of a replica leads, and no other', async () => {
    const shard = `redis://127.0.0.1:${master.port}?replica=${name.shard}`
    ambassador = await startAmbassadorFor([shard], { readFrom: 'replica' })
    const client = await ambassador.connect()
    const who = async () => String(await client.request('GET', 'who'))
    await until(async () => (await who()) === '$1\r\n0\r\n')
    name.lead(1)
    // Those that asked how far it is stay: only what has read is closed.
    const clients = (await name.ask(0, 'CLIENT', 'LIST', 'TYPE', 'normal')).split('\n')
    for (const each of clients.filter((line) => line.includes('cmd=get'))) {
      await name.ask(0, 'CLIENT', 'KILL', 'ID', /\bid=(\d+)/.exec(each)?.[1] ?? '')
    }
    await until(async () => (await who()) === '$1\r\n1\r\n')
    const left = await name.ask(0, 'CLIENT', 'LIST', 'TYPE', 'normal')
    expect(left.match(/\bid=/g)).to.have.lengthOf(1)
  })
})
