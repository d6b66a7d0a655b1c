import { expect } from 'chai'
import { mergeCounts, mergeDistinct } from '../../../lib/routing/merge/merge-pubsub.ts'

const frames = (...texts: string[]): Buffer[] => texts.map((text) => Buffer.from(text, 'latin1'))
const A = '$1\r\na\r\n'
const B = '$1\r\nb\r\n'
const C = '$1\r\nc\r\n'

describe('mergeDistinct', () => {
  it('keeps every element once', () => {
    const merged = mergeDistinct(frames(`*2\r\n${A}${B}`, '*0\r\n', `*2\r\n${B}${C}`))
    expect(String(merged)).to.equal(`*3\r\n${A}${B}${C}`)
  })

  it('gives the first error, and nothing for what is no array', () => {
    expect(String(mergeDistinct(frames('*0\r\n', '-NOPERM x\r\n')))).to.equal('-NOPERM x\r\n')
    expect(mergeDistinct(frames('*0\r\n', ':1\r\n'))).to.equal(undefined)
  })
})

describe('mergeCounts', () => {
  it('adds up the counts of each channel', () => {
    const one = `*4\r\n${A}:1\r\n${B}:0\r\n`
    const other = `*4\r\n${A}:2\r\n${B}:9007199254740993\r\n`
    const correct = (channel: number) => [-1, 5][channel] ?? 0
    expect(String(mergeCounts(frames(one, other), correct))).to.equal(
      `*4\r\n${A}:2\r\n${B}:9007199254740998\r\n`,
    )
    expect(String(mergeCounts(frames(one, other), () => 0))).to.equal(
      `*4\r\n${A}:3\r\n${B}:9007199254740993\r\n`,
    )
    expect(String(mergeCounts(frames('*0\r\n', '*0\r\n'), () => 1))).to.equal('*0\r\n')
  })

  it('gives the first error, and nothing for lists that do not match', () => {
    expect(String(mergeCounts(frames('-ERR x\r\n', '*0\r\n'), () => 0))).to.equal('-ERR x\r\n')
    expect(mergeCounts(frames(`*2\r\n${A}:1\r\n`, '*0\r\n'), () => 0)).to.equal(undefined)
    expect(mergeCounts(frames(`*2\r\n${A}${B}`, `*2\r\n${A}${B}`), () => 0)).to.equal(undefined)
  })
})
