import { expect } from 'chai'
import { addressKey, type ServerAddress } from '../../../lib/control/server-address.ts'
import { type MasterAnswer, MasterView } from '../../../lib/topology/locators/master-view.ts'

const at = (port: number): ServerAddress => ({ host: '10.0.0.1', port })
const A = at(1)
const B = at(2)
const C = at(3)
const STRANGER = at(9)

function says(master: ServerAddress, epoch: number, ...replicas: ServerAddress[]): MasterAnswer {
  return { address: master, epoch, replicas }
}

function viewOf(answers: Readonly<Record<string, MasterAnswer>>): MasterView {
  const view = new MasterView()
  for (const [sentinel, answer] of Object.entries(answers)) view.answered(sentinel, answer)
  return view
}

function heirs(view: MasterView, sentinels = 3): string[] {
  return view.heirs(sentinels).map(addressKey)
}

function following(
  present: ServerAddress,
  answers: Readonly<Record<string, MasterAnswer>>,
): MasterView {
  const view = new MasterView()
  view.settled(present)
  for (const [sentinel, answer] of Object.entries(answers)) view.answered(sentinel, answer)
  return view
}

const KEY = { a: '10.0.0.1:1', b: '10.0.0.1:2', c: '10.0.0.1:3', stranger: '10.0.0.1:9' }

describe('MasterView at the start', () => {
  it('believes nobody while nobody has answered', () => {
    expect(heirs(new MasterView())).to.deep.equal([])
  })

  it('believes the only sentinel there is', () => {
    expect(heirs(viewOf({ s1: says(A, 0) }), 1)).to.deep.equal([KEY.a])
  })

  it('waits for most, or until all have answered or cannot', () => {
    const view = viewOf({ s1: says(A, 4, B) })
    expect(heirs(view)).to.deep.equal([])
    view.answered('s2', says(A, 4, B))
    expect(heirs(view)).to.deep.equal([KEY.a])
    const alone = viewOf({ s1: says(A, 4, B) })
    alone.lost('s2')
    expect(heirs(alone)).to.deep.equal([])
    alone.lost('s3')
    expect(heirs(alone)).to.deep.equal([KEY.a])
  })

  it('prefers the highest epoch, though most are behind', () => {
    const view = viewOf({ s1: says(A, 4, B), s2: says(A, 4, B), s3: says(B, 5, A) })
    expect(heirs(view)).to.deep.equal([KEY.b, KEY.a])
    expect(view.differs).to.equal(true)
  })

  it('does not believe one sentinel that names a server no other knows, whatever epoch it claims', () => {
    for (const epoch of [3, 4, 99]) {
      const view = viewOf({ s1: says(STRANGER, epoch), s2: says(A, 4, B), s3: says(A, 4, B) })
      expect(heirs(view), String(epoch)).to.deep.equal([KEY.a])
    }
  })

  it('does not count sentinels that know no such master', () => {
    const view = viewOf({ s1: says(A, 4) })
    for (const sentinel of ['s2', 's3', 's4']) view.answered(sentinel, undefined)
    expect(heirs(view, 4)).to.deep.equal([KEY.a])
    view.answered('s1', undefined)
    expect(heirs(view, 4)).to.deep.equal([])
  })
})

describe('MasterView of a known master', () => {
  const inAgreement = () =>
    following(A, { s1: says(A, 4, B, C), s2: says(A, 4, B, C), s3: says(A, 4, B, C) })

  it('believes the first +switch-master at once, if others know the heir as a replica', () => {
    const view = inAgreement()
    expect(heirs(view)).to.deep.equal([])
    view.switched('s2', B)
    expect(heirs(view)).to.deep.equal([KEY.b])
    view.switched('s2', STRANGER)
    expect(heirs(view)).to.deep.equal([])
  })

  it('does not go back to what sentinels say that are behind', () => {
    const view = inAgreement()
    view.switched('s2', B)
    view.settled(B)
    expect(heirs(view)).to.deep.equal([])
  })

  it('takes a deposed master back only on the word of most', () => {
    const view = inAgreement()
    view.settled(B)
    for (const sentinel of ['s1', 's2', 's3']) view.answered(sentinel, says(B, 5, A))
    for (const epoch of [4, 5, 99]) {
      view.answered('s1', says(A, epoch, B))
      expect(heirs(view), String(epoch)).to.deep.equal([])
    }
    view.answered('s3', says(A, 6, B))
    expect(heirs(view)).to.deep.equal([KEY.a])
  })

  it('remembers the masters before the one before', () => {
    const view = inAgreement()
    for (const [epoch, master] of [B, C].entries()) {
      view.settled(master)
      for (const sentinel of ['s1', 's2', 's3']) {
        view.answered(sentinel, says(master, 5 + epoch, A, B))
      }
    }
    view.answered('s1', says(A, 99))
    expect(heirs(view)).to.deep.equal([])
  })

  it('does not take silence for consent', () => {
    const view = inAgreement()
    view.lost('s2')
    view.lost('s3')
    view.answered('s1', says(STRANGER, 9))
    expect(heirs(view)).to.deep.equal([])
    // What the silent ones have said of replicas is still good.
    view.answered('s1', says(B, 5))
    expect(heirs(view)).to.deep.equal([KEY.b])
  })

  it('is not kept from following by a sentinel that claims a higher epoch for another server', () => {
    for (const claimed of [A, C, STRANGER]) {
      const view = inAgreement()
      view.answered('s1', says(claimed, 99, B))
      view.switched('s2', B)
      view.switched('s3', B)
      expect(heirs(view), addressKey(claimed)).to.include(KEY.b)
    }
  })

  it('follows where most lead, though to a lower epoch: sentinels were set up anew', () => {
    const view = inAgreement()
    view.answered('s1', says(STRANGER, 0))
    expect(heirs(view)).to.deep.equal([])
    view.answered('s2', says(STRANGER, 0))
    expect(heirs(view)).to.deep.equal([KEY.stranger])
  })

  it('knows a replica by the word of another sentinel than the one that chose it', () => {
    const view = viewOf({ s1: says(A, 4, B, STRANGER), s2: says(A, 4, B) })
    expect(view.isReplica(B, 's1')).to.equal(true)
    expect(view.isReplica(STRANGER, 's1')).to.equal(false)
    expect(viewOf({ s1: says(A, 4) }).isReplica(B, 's1')).to.equal(true)
    view.lost('s2')
    expect(view.isReplica(B, 's1')).to.equal(true)
  })

  it('remembers the latest of very many former masters', () => {
    const view = new MasterView()
    for (let port = 1; port <= 200; port++) view.settled(at(port))
    for (const sentinel of ['s1', 's2', 's3']) view.answered(sentinel, says(at(200), 5, at(199)))
    view.answered('s1', says(at(199), 9))
    view.answered('s2', says(at(200), 5, at(199)))
    expect(heirs(view)).to.deep.equal([])
  })

  it('forgets a sentinel that is there no more, and all that it said', () => {
    const view = inAgreement()
    view.answered('s1', says(B, 5))
    expect(heirs(view)).to.deep.equal([KEY.b])
    view.forget('s1')
    expect([heirs(view), view.voices, view.differs]).to.deep.equal([[], 2, false])
  })
})

describe('MasterView of servers that are told by name and by IP', () => {
  const NAME = { host: 'a.example', port: 1 }
  const isOne = (one: ServerAddress, other: ServerAddress): boolean => {
    const key = ({ host, port }: ServerAddress) =>
      `${host.replace('a.example', '10.0.0.1')}:${port}`
    return key(one) === key(other)
  }

  it('counts the voices for one server together, and takes it by its name', () => {
    for (const [first, second] of [
      [NAME, A],
      [A, NAME],
    ] as const) {
      const view = new MasterView(isOne)
      view.settled(B)
      view.answered('s1', says(first, 5))
      expect(heirs(view)).to.deep.equal([])
      view.answered('s2', says(second, 5))
      expect([heirs(view), view.differs]).to.deep.equal([['a.example:1'], false])
    }
  })

  it('does not move a master whose name it comes to know', () => {
    const view = new MasterView(isOne)
    view.settled(A)
    for (const sentinel of ['s1', 's2', 's3']) view.answered(sentinel, says(NAME, 5, B))
    expect(heirs(view)).to.deep.equal([])
    expect(view.replicas()).to.deep.equal([B])
  })

  it('has each replica once, and the master not among them', () => {
    const view = new MasterView(isOne)
    view.settled(B)
    view.answered('s1', says(B, 5, A, C))
    view.answered('s2', says(B, 5, NAME, C))
    expect(view.replicas()).to.deep.equal([NAME, C])
    view.settled(NAME)
    expect(view.replicas()).to.deep.equal([C])
  })

  it('takes a deposed master for one under its other address as well', () => {
    const view = new MasterView(isOne)
    view.settled(NAME)
    view.settled(B)
    for (const sentinel of ['s1', 's2', 's3']) view.answered(sentinel, says(B, 5, A))
    view.answered('s1', says(A, 9))
    expect(heirs(view)).to.deep.equal([])
  })

  it('knows an heir under either address for a replica', () => {
    const view = new MasterView(isOne)
    view.settled(B)
    for (const sentinel of ['s1', 's2']) view.answered(sentinel, says(B, 5, A))
    expect(view.isReplica(NAME, 's1')).to.equal(true)
  })
})
