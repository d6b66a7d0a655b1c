import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { md5 } from '../../../lib/routing/placement/md5.ts'
import { createRandom, specSeed } from '../../support/random.ts'

function hexDigest(bytes: Buffer, start: number, end: number): string {
  const words = new Int32Array(4)
  md5(bytes, start, end, words)
  const digest = Buffer.alloc(16)
  for (const [index, word] of words.entries()) digest.writeInt32LE(word, 4 * index)
  return digest.toString('hex')
}

describe('md5', () => {
  // RFC 1321, appendix A.5.
  const vectors = [
    ['', 'd41d8cd98f00b204e9800998ecf8427e'],
    ['a', '0cc175b9c0f1b6a831c399e269772661'],
    ['abc', '900150983cd24fb0d6963f7d28e17f72'],
    ['message digest', 'f96b697d7cb7938d525a2f31aaf161d0'],
    ['abcdefghijklmnopqrstuvwxyz', 'c3fcd3d76192e4007dfb496cca67e13b'],
    ['1234567890'.repeat(8), '57edf4a22be3c955ac49da2e2107b67a'],
  ] as const
  for (const [text, expected] of vectors) {
    it(`digests ${JSON.stringify(text)} as RFC 1321 does`, () => {
      expect(hexDigest(Buffer.from(text), 0, text.length)).to.equal(expected)
    })
  }

  it('agrees with OpenSSL for every length over three blocks, wherever the bytes lie', () => {
    const random = createRandom(specSeed())
    for (let length = 0; length <= 3 * 64; length++) {
      const start = random.integer(0, 5)
      const bytes = random.bytes(start + length + 3)
      const part = bytes.subarray(start, start + length)
      const expected = createHash('md5').update(part).digest('hex')
      expect(hexDigest(bytes, start, start + length), `seed ${random.seed}`).to.equal(expected)
    }
  })
})
