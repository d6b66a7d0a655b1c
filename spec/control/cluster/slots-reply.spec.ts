import { expect } from 'chai'
import { readSlots as readFrame } from '../../../lib/control/cluster/slots-reply.ts'
import type { NodeAddress } from '../../../lib/control/cluster/view.ts'

const ASKED = { host: '10.0.0.9', port: 6379 }
const NO_MAP = new Map()
const ID = 'a'.repeat(40)

/** As a server answers: numbers are numbers, wherever they stand. */
function frameOf(value: unknown): string {
  if (Array.isArray(value)) return `*${value.length}\r\n${value.map(frameOf).join('')}`
  if (value === null) return '$-1\r\n'
  const text = String(value)
  return /^-?\d+$/.test(text) ? `:${text}\r\n` : `$${text.length}\r\n${text}\r\n`
}

function readSlots(
  reply: unknown,
  asked: NodeAddress,
  map: ReadonlyMap<string, NodeAddress>,
  pause?: () => Promise<unknown>,
) {
  return readFrame(Buffer.from(frameOf(reply), 'latin1'), asked, map, pause)
}

async function ownersIn(reply: unknown): Promise<string[] | undefined> {
  return (await readSlots(reply, ASKED, NO_MAP))?.map(({ first, last, owner }) => {
    const replicas = owner.replicas.map(({ host, port }) => ` ${host}|${port}`).join('')
    return `${first}-${last} ${owner.address.host}|${owner.address.port}${replicas}`
  })
}

describe('CLUSTER SLOTS', () => {
  it('names masters and replicas, with ids and metadata or without', async () => {
    const reply = [
      ['0', '5460', ['10.0.0.1', '6379', ID, []], ['10.0.0.2', '6380', 'b', []]],
      ['5461', '5461', ['a.example', '6379', 'c', ['ip', '10.0.0.3']]],
      [5462, 16_383, ['10.0.0.4', 6379]],
    ]
    expect(await ownersIn(reply)).to.deep.equal([
      '0-5460 10.0.0.1|6379 10.0.0.2|6380',
      '5461-5461 a.example|6379',
      '5462-16383 10.0.0.4|6379',
    ])
    const ids = (await readSlots(reply, ASKED, NO_MAP))?.map(({ owner }) => owner.id)
    expect(ids).to.deep.equal([ID, 'c', '10.0.0.4:6379'])
  })

  it('takes null and an empty endpoint for the host that was asked', async () => {
    const reply = [
      ['0', '1', [null, '7001', ID, []], ['', '7002', 'b', []]],
      ['2', '3', ['', '7003', 'c']],
    ]
    expect(await ownersIn(reply)).to.deep.equal([
      '0-1 10.0.0.9|7001 10.0.0.9|7002',
      '2-3 10.0.0.9|7003',
    ])
  })

  it('takes what else is told for an endpoint that the node does not know', async () => {
    const reply = [
      ['0', '1', ['?', '7001', ID, ['ip', '10.0.0.1']]],
      ['2', '3', ['?', '7002', 'b', ['hostname', 'b.example']]],
      ['4', '5', ['?', '7003', 'c', []]],
    ]
    expect(await ownersIn(reply)).to.deep.equal(['0-1 10.0.0.1|7001', '2-3 b.example|7002'])
  })

  it('takes addresses of IPv6 as they are', async () => {
    expect(await ownersIn([['0', '1', ['fe80::1', '7001', ID, []]]])).to.deep.equal([
      '0-1 fe80::1|7001',
    ])
  })

  it('leaves out what is no slot, no server or no range', async () => {
    const node = ['10.0.0.1', '6379', ID, []]
    const reply = [
      ['0', '16384', node],
      ['-1', '5', node],
      ['9', '8', node],
      ['1.5', '2', node],
      ['__proto__', '2', node],
      ['0', '1'],
      ['0', '1', 'x'],
      ['0', '1', ['10.0.0.1', '0', ID]],
      ['0', '1', ['10.0.0.1\r\n', '1', ID]],
      ['0', '1', [['x'], '1', ID]],
      'x',
      null,
    ]
    expect(await ownersIn(reply)).to.deep.equal([])
    expect(await ownersIn('OK')).to.equal(undefined)
    expect(await ownersIn(null)).to.equal(undefined)
    expect(await readFrame(Buffer.from('*-1\r\n'), ASKED, NO_MAP)).to.equal(undefined)
    expect(await readFrame(undefined, ASKED, NO_MAP)).to.equal(undefined)
  })

  it('goes through the address map, master and replica', async () => {
    const map = new Map([
      ['10.0.0.1:6379', { host: '127.0.0.1', port: 16_379 }],
      ['[fe80::1]:1', { host: '127.0.0.1', port: 16_380 }],
    ])
    const reply = [['0', '1', ['10.0.0.1', '6379', ID, []], ['fe80::1', '1', 'b', []]]]
    const [range] = (await readSlots(reply, ASKED, map)) ?? []
    expect(range?.owner.address).to.deep.equal({ host: '127.0.0.1', port: 16_379 })
    expect(range?.owner.replicas).to.deep.equal([{ host: '127.0.0.1', port: 16_380 }])
  })

  it('takes no more masters from one answer than a cluster has', async () => {
    const reply = Array.from({ length: 2000 }, (_, slot) => {
      return [`${slot}`, `${slot}`, ['10.0.0.1', `${1000 + slot}`, `id${slot}`, []]]
    })
    expect(await ownersIn(reply)).to.have.length(1024)
  })

  it('is read in slices when it is long, between which others have their turn', async () => {
    const reply = Array.from({ length: 16_384 }, (_, slot) => {
      return [`${slot}`, `${slot}`, ['10.0.0.1', `${7000 + (slot % 64)}`, `id${slot % 64}`, []]]
    })
    let pauses = 0
    const pause = async (): Promise<void> => {
      pauses++
    }
    expect(await readSlots(reply, ASKED, NO_MAP, pause)).to.have.length(16_384)
    expect(pauses).to.equal(64)
    await readSlots(reply.slice(0, 256), ASKED, NO_MAP, pause)
    expect(pauses).to.equal(64)
  })
})
