/** What doctor makes of sentinels that tell one server by its name and by its IP. */
import { expect } from 'chai'
import { locate } from '../../lib/doctor/sentinels.ts'
import { configFor } from '../support/ambassador.ts'
import { type FakeSentinel, startFakeSentinel } from '../support/fake-sentinel.ts'

const EPOCH = 1

describe('what doctor finds of sentinels', () => {
  const sentinels: FakeSentinel[] = []

  afterEach(async () => {
    for (const sentinel of sentinels.splice(0)) await sentinel.stop()
  })

  /** One sentinel for each address. */
  async function looked(masters: readonly string[], replicas: readonly string[] = []) {
    for (const master of masters) {
      sentinels.push(await startFakeSentinel({ m: { master, epoch: EPOCH, replicas } }))
    }
    const list = sentinels.map(({ address }) => address).join()
    const [pool] = configFor(['redis+sentinel://m'], { sentinels: list }).pools
    const [shard] = pool.shards
    if (shard === undefined) throw new Error('no shard')
    const { shard: found, findings } = await locate(shard, pool)
    const notes = findings.filter(({ level }) => level !== 'ok').map(({ saw }) => saw)
    return { notes: notes.join(), replicas: found?.replicas }
  }

  const DIFFERENT = 'the sentinels of m name different servers'

  it('are one master under a name and under the IP that the name leads to', async () => {
    const { notes } = await looked(['localhost:6379', '127.0.0.1:6379'])
    expect(notes).to.not.include(DIFFERENT)
  })

  it('are different masters where the ports differ, or the name leads elsewhere', async () => {
    expect((await looked(['localhost:6379', '127.0.0.1:6380'])).notes).to.include(DIFFERENT)
    for (const sentinel of sentinels.splice(0)) await sentinel.stop()
    expect((await looked(['localhost:6379', '127.0.0.2:6379'])).notes).to.include(DIFFERENT)
  })

  it('lists a replica only where it is not the master under another name', async () => {
    const told = ['127.0.0.1:6379', '127.0.0.1:6380']
    const { replicas } = await looked(['localhost:6379'], told)
    expect(replicas).to.deep.equal([{ host: '127.0.0.1', port: 6380 }])
  })
})
