import { expect } from 'chai'
import { changesOf } from '../../lib/config/changes.ts'
import { configFor } from '../support/ambassador.ts'

const BEFORE = configFor([{ port: 1 }])

describe('changesOf', () => {
  it('is nothing for two configurations that say the same', () => {
    const same = configFor([{ port: 1 }])
    expect(changesOf(same, BEFORE)).to.deep.equal({ changed: [], afterRestart: [] })
  })

  it('names options of every part, and apart from them those that are read at the start', () => {
    const next = configFor([{ port: 2 }], {
      maxClients: '5',
      slowRequestMs: '77',
      listen: '127.0.0.1:9',
    })
    const { changed, afterRestart } = changesOf(next, BEFORE)
    expect([...changed].sort()).to.deep.equal(['maxClients', 'shards', 'slowRequestMs'])
    expect(afterRestart).to.deep.equal(['listen'])
  })

  it('names further pools, mirrors among them', () => {
    const withMirrorAt = (port: number) => {
      const configInline = `mirror: next\npools: { next: { shards: h:${port} } }`
      return configFor([{ port: 1 }], { configInline })
    }
    const { changed } = changesOf(withMirrorAt(2), withMirrorAt(3))
    expect(changed).to.deep.equal(['pools.next'])
  })
})
