import { expect } from 'chai'
import { KnownSentinels } from '../../../lib/control/sentinel/known-sentinels.ts'

describe('KnownSentinels', () => {
  let known: KnownSentinels
  let reachable: Set<string>

  beforeEach(() => {
    known = new KnownSentinels()
    reachable = new Set()
  })

  function add(name: string, isConfigured: boolean, id?: string): void {
    const sentinel = {
      get reachable() {
        return reachable.has(name)
      },
      ask: () => {},
      hurry: () => {},
      close: () => {},
    }
    known.add({ name, id, isConfigured, sentinel, named: new Map() })
    reachable.add(name)
  }

  const names = (): string[] => known.all.map(({ name }) => name)
  const told = (...addresses: string[]) =>
    addresses.map((address) => {
      const [host = '', port = ''] = address.split(':')
      return { host, port, id: undefined }
    })

  it('keeps a configured address, and leaves the one that was named, when both are one sentinel', () => {
    add('s1.example:1', true)
    add('10.0.0.1:1', false, 'x')
    expect(known.states.map(({ address }) => address)).to.deep.equal(['s1.example:1', '10.0.0.1:1'])
    const { left, voices } = known.identify('s1.example:1', 'x')
    expect([left.length, voices, names()]).to.deep.equal([1, ['10.0.0.1:1'], ['s1.example:1']])
    expect(known.has('10.0.0.1:1', 'x')).to.equal(true)
  })

  it('takes the named address while the configured one is away, with the same voice', () => {
    add('s1.example:1', true, 'x')
    reachable.clear()
    expect(known.has('10.0.0.1:1', 'x')).to.equal(false)
    add('10.0.0.1:1', false, 'x')
    const { left, voices } = known.identify('10.0.0.1:1', 'x')
    expect([left, voices]).to.deep.equal([[], []])
    expect(known.voiceOf('10.0.0.1:1')).to.equal('s1.example:1')
    expect(known.states).to.deep.equal([{ address: 's1.example:1', reachable: true }])
    // Back where it is configured.
    reachable.add('s1.example:1')
    expect(known.identify('s1.example:1', 'x').left).to.have.lengthOf(1)
    expect(names()).to.deep.equal(['s1.example:1'])
  })

  it('follows a sentinel that was named to its new address', () => {
    add('10.0.0.1:1', false, 'x')
    reachable.clear()
    add('10.0.0.2:1', false)
    expect(known.identify('10.0.0.2:1', 'x').voices).to.deep.equal(['10.0.0.1:1'])
    expect(names()).to.deep.equal(['10.0.0.2:1'])
  })

  it('leaves two addresses that are configured, which count once', () => {
    add('s1.example:1', true)
    add('10.0.0.1:1', true)
    known.identify('s1.example:1', 'x')
    expect(known.identify('10.0.0.1:1', 'x').voices).to.deep.equal(['10.0.0.1:1'])
    expect(names()).to.have.lengthOf(2)
    expect(known.states).to.have.lengthOf(1)
  })

  it('does not take those for one that do not say who they are', () => {
    add('10.0.0.1:1', false)
    add('10.0.0.2:1', false)
    known.identify('10.0.0.1:1', undefined)
    known.identify('10.0.0.2:1', undefined)
    expect(known.states).to.have.lengthOf(2)
  })

  it('forgets those that are away and named by nobody who answers, and no others', () => {
    add('configured:1', true)
    for (const name of ['a:1', 'b:1', 'c:1', 'd:1']) add(name, false)
    known.named('a:1', 'm', told('b:1', 'c:1'))
    for (const away of ['configured:1', 'b:1', 'd:1']) reachable.delete(away)
    expect(known.named('c:1', 'm', told('a:1')).voices).to.deep.equal(['d:1'])
    expect(names()).to.deep.equal(['configured:1', 'a:1', 'b:1', 'c:1'])
    // What a sentinel that is away itself has named says nothing.
    reachable.delete('a:1')
    expect(known.named('c:1', 'm', told('a:1')).voices).to.deep.equal(['b:1'])
    // Nor what was named with a master that is followed no more.
    known.named('c:1', 'm', told())
    known.named('c:1', 'other', told('a:1'))
    expect(names()).to.not.include('a:1')
    add('e:1', false)
    reachable.delete('e:1')
    known.named('c:1', 'gone', told('e:1'))
    known.forgetMaster('gone')
    expect(known.named('c:1', 'm', told()).voices).to.deep.equal(['e:1'])
  })
})
