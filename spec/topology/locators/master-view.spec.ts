import { expect } from 'chai'
import { addressKey, type ServerAddress } from '../../../lib/control/server-address.ts'
import { type MasterAnswer, MasterView } from '../../../lib/topology/locators/master-view.ts'

const at = (port: number): ServerAddress => ({ host: '10.0.0.1', port })
const A = at(1)
const B = at(2)
const STRANGER = at(9)

function says(master: ServerAddress, epoch: number, ...replicas: ServerAddress[]): MasterAnswer {
  return { address: master, epoch, replicas }
}

function viewOf(answers: Readonly<Record<string, MasterAnswer>>): MasterView {
  const view = new MasterView()
  for (const [sentinel, answer] of Object.entries(answers)) view.answered(sentinel, answer)
  return view
}

function believed(view: MasterView, deposed?: ServerAddress): string | undefined {
  const address = view.believed(deposed)
  return address && addressKey(address)
}

describe('MasterView', () => {
  it('believes nobody while nobody has answered', () => {
    expect(believed(new MasterView())).to.equal(undefined)
  })

  it('believes the only sentinel there is', () => {
    expect(believed(viewOf({ s1: says(A, 0) }))).to.equal('10.0.0.1:1')
  })

  it('believes the highest epoch, though most are behind', () => {
    const view = viewOf({ s1: says(A, 4, B), s2: says(A, 4, B), s3: says(B, 5, A) })
    expect(believed(view)).to.equal('10.0.0.1:2')
    expect(view.differs).to.equal(true)
  })

  it('believes the most voices on equal epochs', () => {
    const view = viewOf({ s1: says(STRANGER, 4), s2: says(A, 4, B), s3: says(A, 4, B) })
    expect(believed(view)).to.equal('10.0.0.1:1')
  })

  it('does not believe one sentinel that names a server no other knows, whatever epoch it claims', () => {
    const view = viewOf({ s1: says(STRANGER, 99), s2: says(A, 4, B), s3: says(A, 4, B) })
    expect(believed(view)).to.equal('10.0.0.1:1')
  })

  it('believes the first +switch-master at once, if others know the heir as a replica', () => {
    const view = viewOf({ s1: says(A, 4, B), s2: says(A, 4, B), s3: says(A, 4, B) })
    view.switched('s2', B)
    expect(believed(view)).to.equal('10.0.0.1:2')
    view.switched('s2', STRANGER)
    expect(believed(view)).to.equal('10.0.0.1:1')
  })

  it('takes a deposed master back only on the word of most', () => {
    const view = viewOf({ s1: says(B, 5, A), s2: says(B, 5, A), s3: says(B, 5, A) })
    view.switched('s1', A)
    expect(believed(view, A)).to.equal('10.0.0.1:2')
    view.switched('s3', A)
    expect(believed(view, A)).to.equal('10.0.0.1:1')
  })

  it('forgets sentinels that are gone or know the master no more', () => {
    const view = viewOf({ s1: says(A, 4), s2: says(B, 5, A) })
    view.forget('s2')
    expect(believed(view)).to.equal('10.0.0.1:1')
    view.answered('s1', undefined)
    expect(believed(view)).to.equal(undefined)
  })

  it('knows a replica by the word of another sentinel than the one that chose it', () => {
    const view = viewOf({ s1: says(A, 4, B, STRANGER), s2: says(A, 4, B) })
    expect(view.isReplica(B, 's1')).to.equal(true)
    expect(view.isReplica(STRANGER, 's1')).to.equal(false)
    expect(viewOf({ s1: says(A, 4) }).isReplica(B, 's1')).to.equal(true)
    expect(view.replicas().map(addressKey)).to.deep.equal(['10.0.0.1:2', '10.0.0.1:9'])
  })
})
