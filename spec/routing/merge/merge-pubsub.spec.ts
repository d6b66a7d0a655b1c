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
  const nobody = () => ({ clients: 0, byShard: [0, 0] })

  const counts = (...numbers: number[]): Buffer[] =>
    frames(...numbers.map((number) => `*2\r\n${A}:${number}\r\n`))
  const counted = (numbers: number[], own = { clients: 0, byShard: [0, 0, 0] }): string => {
    const merged = mergeCounts(counts(...numbers), () => own)
    return String(merged).slice(`*2\r\n${A}`.length)
  }

  it('counts our clients, and takes out of each count what we are there', () => {
    expect(counted([1, 1, 1], { clients: 7, byShard: [1, 1, 1] })).to.equal(':7\r\n')
    expect(counted([1, 0, 2], { clients: 7, byShard: [1, 0, 2] })).to.equal(':7\r\n')
  })

  it('counts others that are on every shard once, for each is another ambassador', () => {
    expect(counted([2, 2, 2])).to.equal(':2\r\n')
    expect(counted([3, 3, 3], { clients: 1, byShard: [1, 1, 1] })).to.equal(':3\r\n')
  })

  it('adds up those that are on some', () => {
    expect(counted([0, 1, 0])).to.equal(':1\r\n')
    expect(counted([2, 1, 4])).to.equal(':5\r\n')
    expect(counted([0, 0, Number.MAX_SAFE_INTEGER])).to.equal(`:${Number.MAX_SAFE_INTEGER}\r\n`)
  })

  it('keeps channels apart', () => {
    const reply = `*4\r\n${A}:1\r\n${B}:2\r\n`
    const own = (channel: number) => ({ clients: 10 * channel, byShard: [1] })
    expect(String(mergeCounts(frames(reply), own))).to.equal(`*4\r\n${A}:0\r\n${B}:11\r\n`)
    expect(String(mergeCounts(frames('*0\r\n', '*0\r\n'), own))).to.equal('*0\r\n')
  })

  it('counts nobody twice whom a shard has not seen yet', () => {
    expect(counted([0, 1, 1], { clients: 1, byShard: [1, 1, 1] })).to.equal(':1\r\n')
  })

  it('gives the first error, and nothing for lists that do not match', () => {
    expect(String(mergeCounts(frames('-ERR x\r\n', '*0\r\n'), nobody))).to.equal('-ERR x\r\n')
    expect(mergeCounts(frames(`*2\r\n${A}:1\r\n`, '*0\r\n'), nobody)).to.equal(undefined)
    expect(mergeCounts(frames(`*2\r\n${A}${B}`, `*2\r\n${A}${B}`), nobody)).to.equal(undefined)
  })
})
