import { expect } from 'chai'
import { type ClusterView, viewOf } from '../../../lib/control/cluster/view.ts'
import type { ServerAddress } from '../../../lib/control/server-address.ts'
import { HANDOVER_MS, MASTER_SILENT_MS } from '../../../lib/limits.ts'
import { ClusterNodes } from '../../../lib/pool/cluster/cluster-nodes.ts'
import type { Member } from '../../../lib/pool/member.ts'
import type { ShardObserver } from '../../../lib/upstream/shard-observer.ts'
import { until } from '../../support/until.ts'

const HOST = '10.0.0.1'

/** Masters by port, in equal runs of slots; and whose replicas are where. */
function view(
  masters: readonly number[],
  replicas: Record<number, readonly number[]> = {},
): ClusterView {
  const at = (port: number): ServerAddress => ({ host: HOST, port })
  return viewOf(
    masters.map((port, index) => ({
      first: index * 100,
      last: index * 100 + 99,
      owner: { id: `${port}`, address: at(port), replicas: (replicas[port] ?? []).map(at) },
    })),
  )
}

describe('ClusterNodes', () => {
  let opened: number[]
  let retired: (readonly [number, number | undefined])[]
  let unblocked: number[]
  let troubles: number[]
  /** The port of a master that keeps silent. */
  let silent: number | undefined
  let observers: Map<number, ShardObserver>
  let nodes: ClusterNodes

  beforeEach(() => {
    opened = []
    retired = []
    unblocked = []
    troubles = []
    silent = undefined
    observers = new Map()
    nodes = new ClusterNodes({
      open: ({ port }) => {
        opened.push(port)
        const observe = (observer: ShardObserver) => {
          observers.set(port, observer)
          return () => observers.delete(port)
        }
        const shard = {
          ...{ name: `${port}`, observe, stopListening: () => {}, listen: () => {} },
          unblock: () => unblocked.push(port),
          get silentSinceMs() {
            return port === silent ? 0 : Number.POSITIVE_INFINITY
          },
        }
        return { shard } as unknown as Member
      },
      onOthers: () => {},
      retire: ({ shard }, withinMs) => retired.push([Number(shard.name), withinMs]),
      onTrouble: ({ port }) => troubles.push(port),
      now: () => MASTER_SILENT_MS,
    })
  })

  afterEach(() => nodes.close())

  /** `failed`: ports. */
  function follow(next: ClusterView, ...failed: readonly number[]): void {
    nodes.follow(next)
    nodes.leaveOthers(new Set(failed.map((port) => `${HOST}:${port}`)))
  }

  it('opens masters once, in the order of the map', () => {
    follow(view([1, 2]))
    follow(view([1, 2, 3]))
    expect(opened).to.deep.equal([1, 2, 3])
    expect(nodes.masters.map(({ shard }) => shard.name)).to.deep.equal(['1', '2', '3'])
    expect(retired).to.deep.equal([])
  })

  it('leaves a failed master at once whose replica has its place', () => {
    follow(view([1, 2], { 1: [3] }))
    follow(view([2, 3], { 3: [1] }), 1)
    expect(retired).to.deep.equal([[1, 0]])
    // What it took for them nobody can tell.
    expect(unblocked).to.deep.equal([])
    expect([...observers.keys()]).to.deep.equal([2, 3])
  })

  it('lets one finish whose replica has its place, for a while, and lets nobody block there', () => {
    follow(view([1, 2], { 1: [3] }))
    follow(view([2, 3], { 3: [1] }))
    expect(retired).to.deep.equal([[1, HANDOVER_MS]])
    expect(unblocked).to.deep.equal([1])
  })

  it('leaves one at once that has kept silent', async () => {
    follow(view([1, 2], { 1: [3] }))
    silent = 1
    await until(() => troubles.includes(1))
    follow(view([2, 3], { 3: [1] }))
    expect(retired).to.deep.equal([[1, 0]])
  })

  it('lets one finish that has handed over itself, whatever the nodes call it', () => {
    follow(view([1, 2], { 1: [3] }))
    nodes.handsOver(
      nodes.find({ host: HOST, port: 1 }) as NonNullable<ReturnType<typeof nodes.find>>,
    )
    follow(view([2, 3], { 3: [1] }), 1)
    expect(retired).to.deep.equal([[1, HANDOVER_MS]])
  })

  it('lets one end what it has begun whose slots have merely moved', () => {
    follow(view([1, 2]))
    follow(view([1]))
    expect(retired).to.deep.equal([[2, undefined]])
    expect(unblocked).to.deep.equal([])
  })

  it('lets one end what it has begun that has become a replica of the master its slots moved to', () => {
    follow(view([1, 2], { 2: [4] }))
    follow(view([1], { 1: [2, 4] }))
    expect(retired).to.deep.equal([[2, undefined]])
  })

  it('leaves a failed master at once that is a replica of one which was no master', () => {
    follow(view([1, 2]))
    follow(view([1, 3], { 3: [2] }), 2)
    expect(retired).to.deep.equal([[2, 0]])
  })

  it('opens a replica that somebody names, and no stranger', () => {
    follow(view([1, 2], { 1: [3] }))
    expect(nodes.find({ host: HOST, port: 3 })?.name).to.equal('3')
    expect(nodes.find({ host: HOST, port: 9 })).to.equal(undefined)
    expect(nodes.invite({ host: HOST, port: 9 })?.name).to.equal('9')
  })

  it('has no more guests than it may, and sends those away that stay guests', () => {
    follow(view([1]))
    for (let port = 100; port < 164; port++) nodes.invite({ host: HOST, port })
    expect(nodes.invite({ host: HOST, port: 164 })).to.equal(undefined)
    for (let map = 0; map < 20; map++) follow(view([1]))
    expect(retired).to.have.length(64)
    expect(nodes.invite({ host: HOST, port: 164 })?.name).to.equal('164')
  })

  it('tells whose connections fail', () => {
    follow(view([1, 2]))
    observers.get(2)?.changed?.(false)
    observers.get(1)?.changed?.(true)
    observers.get(1)?.failed?.(false)
    expect(troubles).to.deep.equal([2, 1])
  })
})
