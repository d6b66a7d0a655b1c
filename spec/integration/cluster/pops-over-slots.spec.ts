/** Blocking pops of keys in several slots of a cluster, while slots move and masters fail over. */
import { expect } from 'chai'
import { startAmbassadorForCluster } from '../../support/cluster-ambassador.ts'
import type { ClusterServer } from '../../support/cluster-server.ts'
import { startFakeCluster } from '../../support/fake-cluster.ts'
import type { FakeRequest } from '../../support/fake-shard.ts'
import { shareSlots } from '../../support/shared-slots.ts'
import { until } from '../../support/until.ts'

const ELEMENTS = 3000
/** Three slots move while they are pushed. */
const MOVE_EACH = 1000

describe('blocking pops of keys in several slots', () => {
  const slots = shareSlots('pops')

  const popped = (key: string, value: string): string =>
    `*2\r\n$${key.length}\r\n${key}\r\n$${value.length}\r\n${value}\r\n`

  async function push(key: string, value: string): Promise<void> {
    expect(String(await slots.other.request('RPUSH', key, value))).to.equal(':1\r\n')
  }

  /** A slot that moves to and fro may not be found in time: then nothing was pushed. */
  async function pushUntilDone(key: string, value: string): Promise<void> {
    let reply = ''
    do reply = String(await slots.other.request('RPUSH', key, value))
    while (reply.endsWith('(not executed)\r\n'))
    expect(reply, reply).to.match(/^:/)
  }

  /** Somebody waits for a key there. */
  async function isWatchedAt(server: ClusterServer): Promise<void> {
    await until(async () => /tracking_total_keys:[1-9]/.test(await server.text('INFO', 'stats')))
  }

  it('take the first that has something, and what comes later to any', async () => {
    const [A = '', B = '', C = ''] = slots.keys
    await push(C, 'c')
    await push(B, 'b')
    expect(String(await slots.client.request('BLPOP', A, B, C, '0'))).to.equal(popped(B, 'b'))
    expect(String(await slots.client.request('BRPOP', A, B, C, '0'))).to.equal(popped(C, 'c'))
    for (const key of slots.keys) {
      const reply = slots.client.request('BLPOP', A, B, C, '0')
      await isWatchedAt(await slots.cluster.ownerOfKey(key))
      await push(key, 'later')
      expect(String(await reply)).to.equal(popped(key, 'later'))
    }
    expect(String(await slots.client.request('BZPOPMIN', A, B, '0.01'))).to.equal('*-1\r\n')
  })

  it('are unblocked by CLIENT UNBLOCK', async () => {
    const id = (await slots.client.request('CLIENT', 'ID')).toString().slice(1).trim()
    const reply = slots.client.request('BLPOP', ...slots.keys, '0')
    await isWatchedAt(await slots.cluster.ownerOfKey(slots.keys[0] as string))
    expect(String(await slots.other.request('CLIENT', 'UNBLOCK', id))).to.equal(':1\r\n')
    expect(String(await reply)).to.equal('*-1\r\n')
  })

  it('wait on at the new owner of a slot', async () => {
    const [A = ''] = slots.keys
    const reply = slots.client.request('BLPOP', ...slots.keys, '0')
    await isWatchedAt(await slots.cluster.ownerOfKey(A))
    await slots.cluster.moveSlot(await slots.cluster.slotOf(A), await slots.elsewhere(A))
    await push(A, 'x')
    expect(String(await reply)).to.equal(popped(A, 'x'))
  })

  it('take what comes while a slot is open', async () => {
    const [A = ''] = slots.keys
    const reply = slots.client.request('BLPOP', ...slots.keys, '0')
    await isWatchedAt(await slots.cluster.ownerOfKey(A))
    const open = await slots.cluster.openSlot(
      await slots.cluster.slotOf(A),
      await slots.elsewhere(A),
    )
    await push(A, 'x')
    expect(String(await reply)).to.equal(popped(A, 'x'))
    await open.finish()
  })

  it('look into a slot that is open from the beginning', async () => {
    const [A = '', B = ''] = slots.keys
    const open = await slots.cluster.openSlot(
      await slots.cluster.slotOf(A),
      await slots.elsewhere(A),
    )
    await push(A, 'x')
    await push(B, 'y')
    expect(String(await slots.client.request('BLPOP', ...slots.keys, '0'))).to.equal(popped(A, 'x'))
    expect(String(await slots.client.request('BLPOP', A, B, '0'))).to.equal(popped(B, 'y'))
    const reply = slots.client.request('BLPOP', ...slots.keys, '0')
    await isWatchedAt(await slots.cluster.ownerOfKey(B))
    await push(A, 'z')
    expect(String(await reply)).to.equal(popped(A, 'z'))
    await open.finish()
  })

  it('wait no longer than they said, though a slot is open', async () => {
    const [A = ''] = slots.keys
    const open = await slots.cluster.openSlot(
      await slots.cluster.slotOf(A),
      await slots.elsewhere(A),
    )
    expect(String(await slots.client.request('BLPOP', ...slots.keys, '0.3'))).to.equal('*-1\r\n')
    await open.finish()
  })

  it('wait on at the heir of a master', async () => {
    const [A = ''] = slots.keys
    const reply = slots.client.request('BLPOP', ...slots.keys, '0')
    const owner = await slots.cluster.ownerOfKey(A)
    await isWatchedAt(owner)
    await slots.cluster.failOver(owner)
    await push(A, 'x')
    expect(String(await reply)).to.equal(popped(A, 'x'))
  })

  it('wait on at the heir of a master that dies', async () => {
    const [A = ''] = slots.keys
    const reply = slots.client.request('BLPOP', ...slots.keys, '0')
    const owner = await slots.cluster.ownerOfKey(A)
    const replicas = await slots.cluster.replicasOf(owner)
    await isWatchedAt(owner)
    await owner.kill()
    await slots.cluster.untilReplaced(owner, replicas)
    await push(A, 'x')
    expect(String(await reply)).to.equal(popped(A, 'x'))
    await owner.start()
  })

  it('get each element once, while slots move', async () => {
    const got: string[] = []
    const workers = await Promise.all([1, 2, 3].map(() => slots.ambassador.connect()))
    const work = workers.map(async (worker) => {
      for (;;) {
        const text = String(await worker.request('BLPOP', ...slots.keys, '0'))
        // Nothing was popped.
        if (text.endsWith('(not executed)\r\n')) continue
        const reply = text.split('\r\n')
        if (reply[4] === 'end') return
        got.push(`${reply[2]} ${reply[4]}`)
      }
    })
    const move = async (key: string): Promise<void> => {
      await slots.cluster.moveSlot(await slots.cluster.slotOf(key), await slots.elsewhere(key))
    }
    const pushed: string[] = []
    let moves = Promise.resolve()
    for (let at = 0; at < ELEMENTS; at++) {
      const key = slots.keys[at % slots.keys.length] as string
      // Each slot moves once: servers that move one to and fro may not agree any more on whose it is.
      if (at % MOVE_EACH === 0) moves = moves.then(() => move(slots.keys[at / MOVE_EACH] as string))
      await pushUntilDone(key, `${at}`)
      pushed.push(`${key} ${at}`)
    }
    await moves
    await until(() => got.length >= pushed.length)
    for (const _ of workers) await slots.other.request('RPUSH', slots.keys[0] as string, 'end')
    await Promise.all(work)
    expect(got.sort()).to.deep.equal(pushed.sort())
  })
})

it('a look that is lost with its connection is no news to who waits for keys in several slots', async () => {
  const isWatching = ({ connection }: FakeRequest): boolean =>
    connection.requests.some(({ text }) => text === 'CLIENT TRACKING ON')
  let isCut = false
  const cluster = await startFakeCluster(2, (request) => {
    const [name, key] = request.text.split(' ')
    if (name === 'LPOP') return '$1\r\nx\r\n'
    if (name !== 'LLEN') return '+OK\r\n'
    if (key !== 'hello') return ':0\r\n'
    if (isCut) return ':1\r\n'
    if (isWatching(request)) return '-CLUSTERDOWN The cluster is down\r\n'
    // It is asked again by the place, as any request for it is sent.
    isCut = true
    request.connection.close()
    return undefined
  })
  const ambassador = await startAmbassadorForCluster(cluster.seeds)
  const client = await ambassador.connect()
  // Slot 866 of the first node, and slot 12182 of the second.
  const reply = await client.request('BLPOP', 'hello', 'foo', '0')
  expect(String(reply)).to.equal('*2\r\n$5\r\nhello\r\n$1\r\nx\r\n')
  await ambassador.stop()
  await cluster.stop()
})
