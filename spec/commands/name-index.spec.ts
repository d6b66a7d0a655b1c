import { expect } from 'chai'
import { NameIndex } from '../../lib/commands/name-index.ts'
import { createRandom, specSeed } from '../support/random.ts'

function find<T>(index: NameIndex<T>, name: string): T | undefined {
  const bytes = Buffer.from(`>${name}<`, 'latin1')
  return index.find(bytes, 1, bytes.length - 1)
}

describe('NameIndex', () => {
  it('finds a name in any case', () => {
    const index = new NameIndex<number>()
    index.set('restore-asking', 1)
    for (const name of ['restore-asking', 'RESTORE-ASKING', 'Restore-Asking']) {
      expect(find(index, name)).to.equal(1)
    }
  })

  it('folds the case of letters only', () => {
    const index = new NameIndex<number>()
    index.set('a@[b', 1)
    // 0x20 apart like letters, but no letters.
    expect(find(index, 'a`{b')).to.equal(undefined)
    expect(find(index, 'A@[B')).to.equal(1)
  })

  it('finds nothing when empty, and no empty name', () => {
    const index = new NameIndex<number>()
    expect(find(index, '')).to.equal(undefined)
    index.set('get', 1)
    expect(find(index, '')).to.equal(undefined)
    expect(find(index, 'ge')).to.equal(undefined)
    expect(find(index, 'gets')).to.equal(undefined)
  })

  it('takes the new value of a name that is there', () => {
    const index = new NameIndex<number>()
    index.set('get', 1)
    index.set('GET', 2)
    expect(find(index, 'get')).to.equal(2)
  })

  it('equals a Map over thousands of random names', () => {
    const seed = specSeed()
    const random = createRandom(seed)
    const index = new NameIndex<number>()
    const map = new Map<string, number>()
    const name = (): string => {
      const letters = Array.from({ length: random.integer(1, 5) }, () =>
        random.pick([...'abcXYZ|-']),
      )
      return letters.join('')
    }
    for (let i = 0; i < 3000; i++) {
      const added = name()
      index.set(added, i)
      map.set(added.toLowerCase(), i)
    }
    for (let i = 0; i < 3000; i++) {
      const asked = name()
      expect(find(index, asked), `seed ${seed}, ${asked}`).to.equal(map.get(asked.toLowerCase()))
    }
  })
})
