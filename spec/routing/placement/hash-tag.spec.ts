import { expect } from 'chai'
import { HashTag } from '../../../lib/routing/placement/hash-tag.ts'

/** The hashed part of a key that lies between bytes which would be found if they were looked at. */
function hashedPart(characters: string, key: string): string {
  const tag = new HashTag(characters)
  const bytes = Buffer.from(`{x}${key}{y}`, 'latin1')
  tag.find(bytes, 3, bytes.length - 3)
  return bytes.toString('latin1', tag.start, tag.end)
}

describe('HashTag', () => {
  const cases = [
    ['{}', 'user:{42}:name', '42'],
    ['{}', '{42}', '42'],
    ['{}', 'a{b}c{d}', 'b'],
    ['{}', 'plain', 'plain'],
    ['{}', '', ''],
    ['{}', '{', '{'],
    ['{}', '}', '}'],
    ['{}', '{}', '{}'],
    ['{}', '{}{a}', '{}{a}'],
    ['{}', 'a{b', 'a{b'],
    ['{}', 'a}b{c', 'a}b{c'],
    ['{}', 'a}b{c}', 'c'],
    ['{}', 'a{{b}}', '{b'],
    ['{}', '{\xff\x00}', '\xff\x00'],
    ['$$', 'a$b$c$d$', 'b'],
    ['$$', 'a$b', 'a$b'],
    ['$$', '$$b$', '$$b$'],
    ['\xc3\xa9', 'caf\xc3-\xa9', '-'],
    ['', 'a{b}c', 'a{b}c'],
    ['', '', ''],
  ] as const
  for (const [characters, key, part] of cases) {
    const named = characters === '' ? 'no tag' : `tag ${JSON.stringify(characters)}`
    it(`with ${named} hashes ${JSON.stringify(part)} of ${JSON.stringify(key)}`, () => {
      expect(hashedPart(characters, key)).to.equal(part)
    })
  }

  it('forgets the previous key', () => {
    const tag = new HashTag('{}')
    tag.find(Buffer.from('a{b}'), 0, 4)
    tag.find(Buffer.from('long plain key'), 0, 14)
    expect([tag.start, tag.end]).to.deep.equal([0, 14])
  })

  it('takes two bytes or nothing', () => {
    for (const characters of ['{', '{}}', '{\u20ac']) {
      expect(() => new HashTag(characters), characters).to.throw('a hash tag is two bytes')
    }
  })
})
