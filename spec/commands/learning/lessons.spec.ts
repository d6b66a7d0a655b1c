import { expect } from 'chai'
import { Lessons } from '../../../lib/commands/learning/lessons.ts'
import { encodeValue } from '../../../lib/resp/encode.ts'

describe('Lessons', () => {
  const reply = (name: string) => encodeValue([[name, -2, ['readonly'], 1, 1, 1]], 2)

  it('are the same for shards that say the same, until they are forgotten', () => {
    const lessons = new Lessons()
    const first = lessons.of(reply('foo.get'))
    expect(first.map(({ name }) => name)).to.deep.equal(['foo.get'])
    expect(lessons.of(reply('foo.set'))).not.to.equal(first)
    expect(lessons.of(reply('foo.get'))).to.equal(first)
    lessons.forget()
    expect(lessons.of(reply('foo.get'))).not.to.equal(first)
  })

  it('have nothing to say of a shard that has answered otherwise', () => {
    expect(new Lessons().of(Buffer.alloc(0))).to.deep.equal([])
    const deep = Buffer.from(`${'*1\r\n'.repeat(20)}:1\r\n`)
    expect(() => new Lessons().of(deep)).to.throw('its reply to COMMAND nests too deep')
  })
})
