import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { HASH_NAMES } from '../../../lib/config/values/types.ts'
import { type HashName, keyHash } from '../../../lib/routing/placement/key-hash.ts'
import { createRandom, specSeed } from '../../support/random.ts'

const KEYS = [
  'apple',
  'a',
  'ab',
  'abc',
  'abcd',
  'user:{user1}:ids',
  'café',
  Buffer.of(0xff, 0xfe, 0xfd),
  'abcdefghijklmnop',
].map((key) => Buffer.from(key))
const [CAFE, HIGH_BYTES] = [6, 7]

/** What twemproxy's hashkit, compiled for x86, gives for KEYS. */
// biome-ignore format: a table.
const SIGNED: Record<HashName, readonly number[]> = {
  one_at_a_time: [2297466611, 3392050242, 1172708952, 3977453403, 3448463878, 477504203, 3650908318, 1196771768, 2879070911],
  md5: [3195025439, 3111502092, 1140096536, 2555380112, 1282538722, 2850667366, 3833532679, 3259918217, 3806094365],
  crc16: [3662830516, 31879, 8156415, 2088017366, 1956489270, 1589576128, 4129724007, 504217887, 1762978338],
  crc32: [10542, 26807, 7811, 13604, 28034, 19381, 6317, 2282, 5178],
  crc32a: [2838417488, 3904355907, 2659403885, 891568578, 3984772369, 1270218494, 2561491637, 149598061, 2486878355],
  fnv1_64: [473199127, 2248259518, 3035314104, 1806675403, 4219752341, 3321868582, 2315714289, 2481844359, 121669349],
  fnv1a_64: [1488911807, 2248273036, 3041237098, 88168267, 3993445597, 2042957112, 3472276361, 2400096983, 84437077],
  fnv1_32: [67176023, 84696446, 1886858552, 1134309195, 3118363509, 2390921830, 3598905713, 2437714183, 763224965],
  fnv1a_32: [280767167, 3826002220, 1294271946, 440920331, 3459545533, 3295280664, 1970454601, 3211609367, 109818357],
  hsieh: [3738850110, 2472816263, 1535905475, 3843582778, 984896216, 3507360545, 3728705621, 3649655134, 1988239148],
  murmur: [4142305122, 1262581116, 3820310011, 2064434216, 4016735919, 2254140780, 3658586143, 3269769215, 3741844738],
  jenkins: [1442444624, 3768813200, 3249891675, 2403423744, 3574732058, 1617278409, 3412207021, 573299006, 3358681140],
}

/** The same hashkit with unsigned `char`, where it differs: for `café` and for the high bytes. */
const UNSIGNED: Partial<Record<HashName, readonly [number, number]>> = {
  one_at_a_time: [2425794034, 613764097],
  fnv1_64: [2315665649, 1776819591],
  fnv1a_64: [3483635081, 3833053655],
  fnv1_32: [1719915377, 2962151431],
  fnv1a_32: [2821410889, 2371999255],
  hsieh: [3728705621, 2568680506],
}

const NAMES = Object.keys(SIGNED) as HashName[]

function hash(name: HashName, key: Uint8Array): number {
  return keyHash(name, 'signed')(key, 0, key.length) >>> 0
}

describe('keyHash', () => {
  it('knows exactly the hashes that can be configured', () => {
    expect(NAMES).to.have.members([...HASH_NAMES])
  })

  for (const name of NAMES) {
    describe(name, () => {
      it("gives twemproxy's values as built for x86", () => {
        expect(KEYS.map((key) => hash(name, key))).to.deep.equal(SIGNED[name])
      })

      it("gives twemproxy's values as built for ARM", () => {
        const expected = [...SIGNED[name]]
        const [cafe, highBytes] = UNSIGNED[name] ?? []
        if (cafe !== undefined) expected[CAFE] = cafe
        if (highBytes !== undefined) expected[HIGH_BYTES] = highBytes
        const unsigned = keyHash(name, 'unsigned')
        expect(KEYS.map((key) => unsigned(key, 0, key.length) >>> 0)).to.deep.equal(expected)
      })

      it('reads the key where it lies and no byte beside it', () => {
        const random = createRandom(specSeed())
        for (let length = 1; length <= 40; length++) {
          const key = random.bytes(length)
          const start = random.integer(0, 9)
          const around = Buffer.concat([random.bytes(start), key, random.bytes(9)])
          const inPlace = keyHash(name, 'signed')(around, start, start + length) >>> 0
          expect(inPlace, `seed ${random.seed}`).to.equal(hash(name, key))
        }
      })

      it('gives an int32 for no bytes and for 20 KB', () => {
        const random = createRandom(specSeed())
        for (const key of [Buffer.alloc(0), random.bytes(20_000)]) {
          const value = keyHash(name, 'signed')(key, 0, key.length)
          expect(value, `seed ${random.seed}`).to.equal(value | 0)
        }
      })
    })
  }

  describe('against definitions that share no code with it', () => {
    const random = createRandom(specSeed())
    const keys = Array.from({ length: 200 }, (_, length) => random.bytes(length))

    it('md5 is the little-endian start of the digest', () => {
      for (const key of keys) {
        const expected = createHash('md5').update(key).digest().readUInt32LE(0)
        expect(hash('md5', key), `seed ${random.seed}`).to.equal(expected)
      }
    })

    it('fnv1a_64 and fnv1_64 are the low halves of the hashes with 64 bits', () => {
      const prime = 0x100000001b3n
      const cut = (value: bigint): bigint => BigInt.asUintN(64, value)
      for (const key of keys) {
        let fnv1 = 0xcbf29ce484222325n
        let fnv1a = fnv1
        for (const char of Int8Array.from(key)) {
          fnv1 = cut(fnv1 * prime) ^ cut(BigInt(char))
          fnv1a = cut((fnv1a ^ cut(BigInt(char))) * prime)
        }
        const expected = [fnv1, fnv1a].map((value) => Number(BigInt.asUintN(32, value)))
        const ours = [hash('fnv1_64', key), hash('fnv1a_64', key)]
        expect(ours, `seed ${random.seed}`).to.deep.equal(expected)
      }
    })

    it("the check value of both CRCs is their catalogue's", () => {
      const check = Buffer.from('123456789')
      expect(hash('crc32a', check)).to.equal(0xcbf43926)
      expect(hash('crc16', check) & 0xffff).to.equal(0x31c3)
    })
  })
})
