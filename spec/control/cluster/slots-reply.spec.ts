import { expect } from 'chai'
import { readSlots } from '../../../lib/control/cluster/slots-reply.ts'

const ASKED = { host: '10.0.0.9', port: 6379 }
const NO_MAP = new Map()
const ID = 'a'.repeat(40)

function ownersIn(reply: unknown): string[] | undefined {
  return readSlots(reply, ASKED, NO_MAP)?.map(({ first, last, owner }) => {
    const replicas = owner.replicas.map(({ host, port }) => ` ${host}|${port}`).join('')
    return `${first}-${last} ${owner.address.host}|${owner.address.port}${replicas}`
  })
}

describe('CLUSTER SLOTS', () => {
  it('names masters and replicas, with ids and metadata or without', () => {
    const reply = [
      ['0', '5460', ['10.0.0.1', '6379', ID, []], ['10.0.0.2', '6380', 'b', []]],
      ['5461', '5461', ['a.example', '6379', 'c', ['ip', '10.0.0.3']]],
      [5462, 16_383, ['10.0.0.4', 6379]],
    ]
    expect(ownersIn(reply)).to.deep.equal([
      '0-5460 10.0.0.1|6379 10.0.0.2|6380',
      '5461-5461 a.example|6379',
      '5462-16383 10.0.0.4|6379',
    ])
    const ids = readSlots(reply, ASKED, NO_MAP)?.map(({ owner }) => owner.id)
    expect(ids).to.deep.equal([ID, 'c', '10.0.0.4:6379'])
  })

  it('takes null and an empty endpoint for the host that was asked', () => {
    const reply = [
      ['0', '1', [null, '7001', ID, []], ['', '7002', 'b', []]],
      ['2', '3', ['', '7003', 'c']],
    ]
    expect(ownersIn(reply)).to.deep.equal(['0-1 10.0.0.9|7001 10.0.0.9|7002', '2-3 10.0.0.9|7003'])
  })

  it('takes what else is told for an endpoint that the node does not know', () => {
    const reply = [
      ['0', '1', ['?', '7001', ID, ['ip', '10.0.0.1']]],
      ['2', '3', ['?', '7002', 'b', ['hostname', 'b.example']]],
      ['4', '5', ['?', '7003', 'c', []]],
    ]
    expect(ownersIn(reply)).to.deep.equal(['0-1 10.0.0.1|7001', '2-3 b.example|7002'])
  })

  it('takes addresses of IPv6 as they are', () => {
    expect(ownersIn([['0', '1', ['fe80::1', '7001', ID, []]]])).to.deep.equal(['0-1 fe80::1|7001'])
  })

  it('leaves out what is no slot, no server or no range', () => {
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
    expect(ownersIn(reply)).to.deep.equal([])
    expect(ownersIn('OK')).to.equal(undefined)
    expect(ownersIn(null)).to.equal(undefined)
  })

  it('goes through the address map, master and replica', () => {
    const map = new Map([
      ['10.0.0.1:6379', { host: '127.0.0.1', port: 16_379 }],
      ['[fe80::1]:1', { host: '127.0.0.1', port: 16_380 }],
    ])
    const reply = [['0', '1', ['10.0.0.1', '6379', ID, []], ['fe80::1', '1', 'b', []]]]
    const [range] = readSlots(reply, ASKED, map) ?? []
    expect(range?.owner.address).to.deep.equal({ host: '127.0.0.1', port: 16_379 })
    expect(range?.owner.replicas).to.deep.equal([{ host: '127.0.0.1', port: 16_380 }])
  })

  it('takes no more masters from one answer than a cluster has', () => {
    const reply = Array.from({ length: 2000 }, (_, slot) => {
      return [`${slot}`, `${slot}`, ['10.0.0.1', `${1000 + slot}`, `id${slot}`, []]]
    })
    expect(ownersIn(reply)).to.have.length(1024)
  })
})
