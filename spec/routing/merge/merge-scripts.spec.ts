import { expect } from 'chai'
import { mergeExists, mergeKill } from '../../../lib/routing/merge/merge-scripts.ts'

const frames = (...texts: string[]): Buffer[] => texts.map((text) => Buffer.from(text, 'latin1'))
const NOTBUSY = '-NOTBUSY No scripts in execution right now.\r\n'

describe('mergeExists', () => {
  it('asks about the scripts that not all shards have', () => {
    const asked: [number, boolean][] = []
    const replies = frames('*3\r\n:1\r\n:1\r\n:0\r\n', '*3\r\n:1\r\n:0\r\n:0\r\n')
    const merged = mergeExists(replies, (script, some) => {
      asked.push([script, some])
      return some
    })
    expect(String(merged)).to.equal('*3\r\n:1\r\n:1\r\n:0\r\n')
    expect(asked).to.deep.equal([
      [1, true],
      [2, false],
    ])
  })

  it('gives the first error, and nothing for lists that do not match', () => {
    const never = () => false
    expect(String(mergeExists(frames('*0\r\n', '-ERR x\r\n'), never))).to.equal('-ERR x\r\n')
    expect(mergeExists(frames('*1\r\n:1\r\n', '*0\r\n'), never)).to.equal(undefined)
  })
})

describe('mergeKill', () => {
  it('is OK when one was killed', () => {
    expect(String(mergeKill(frames(NOTBUSY, '+OK\r\n')))).to.equal('+OK\r\n')
  })

  it('prefers the error that tells more', () => {
    const unkillable = '-UNKILLABLE Sorry the script already executed write commands\r\n'
    expect(String(mergeKill(frames(NOTBUSY, unkillable)))).to.equal(unkillable)
    expect(String(mergeKill(frames(NOTBUSY, NOTBUSY)))).to.equal(NOTBUSY)
  })
})
