/** HyperLogLogs against PFCOUNT of the redis-server of this machine. */
import { expect } from 'chai'
import { HyperLogLog } from '../../../lib/routing/reads/hyperloglog.ts'
import { createRandom, type Random, specSeed } from '../../support/random.ts'
import { connectRaw, type RawClient } from '../../support/raw-client.ts'
import { type RedisServer, startRedis } from '../../support/redis-server.ts'

const HEADER = Buffer.from('HYLL\0\0\0\0\0\0\0\0\0\0\0\0', 'latin1')
const REGISTERS = 16_384
const DENSE_BYTES = 16 + (REGISTERS * 6) / 8

const dense = (body: Buffer): Buffer => Buffer.concat([HEADER, body])

function sparse(...codes: number[]): Buffer {
  const header = Buffer.from(HEADER)
  header[4] = 1
  return Buffer.concat([header, Buffer.from(codes)])
}

/** What Redis says of the union of `values`, by the code for several keys. */
async function pfcount(client: RawClient, values: readonly Buffer[]): Promise<string> {
  for (const [i, value] of values.entries()) await client.request('SET', `key${i}`, value)
  const keys = values.map((_, i) => `key${i}`)
  return String(await client.request('PFCOUNT', ...keys, 'missing'))
}

function ours(values: readonly Buffer[]): string {
  const union = new HyperLogLog()
  for (const value of values) {
    const error = union.merge(value)
    if (error !== undefined) return String(error)
  }
  return `:${union.count()}\r\n`
}

/** Opcodes that make up all registers, at random. */
function randomSparse(random: Random): Buffer {
  const codes: number[] = []
  let left = REGISTERS
  while (left > 0) {
    const length = Math.min(left, random.integer(1, random.pick([5, 65, 16_385])))
    left -= length
    if (length <= 4 && random.next() < 0.9)
      codes.push(0x80 | (random.integer(0, 32) << 2) | (length - 1))
    else if (length <= 64) codes.push(length - 1)
    else codes.push(0x40 | ((length - 1) >> 8), (length - 1) & 0xff)
  }
  return sparse(...codes)
}

describe('HyperLogLog', () => {
  const seed = specSeed()
  let redis: RedisServer
  let client: RawClient

  before(async () => {
    redis = await startRedis()
    client = await connectRaw(redis.port)
  })

  after(async () => {
    await client.close()
    await redis.stop()
  })

  async function added(key: string, count: number, random: Random): Promise<Buffer> {
    await client.request('DEL', key)
    for (let left = count; left > 0; left -= 20_000) {
      const elements = Array.from({ length: Math.min(left, 20_000) }, () => `${random.next()}`)
      await client.request('PFADD', key, ...elements)
    }
    const frame = await client.request('GET', key)
    return Buffer.from(frame.subarray(frame.indexOf('\n') + 1, -2))
  }

  it(`counts what PFADD added as PFCOUNT does, sparse, dense and merged (seed ${seed})`, async () => {
    const random = createRandom(seed)
    const values: Buffer[] = []
    for (const count of [1, 2, 10, 100, 1000, 5000, 30_000, 300_000]) {
      const value = await added('added', count, random)
      values.push(value)
      expect(ours([value]), `${count}`).to.equal(await pfcount(client, [value]))
      expect(ours(values), `up to ${count}`).to.equal(await pfcount(client, values))
    }
    expect(new Set(values.map((value) => value[4]))).to.deep.equal(new Set([0, 1]))
  })

  it(`counts any registers as PFCOUNT does (seed ${seed})`, async () => {
    const random = createRandom(seed)
    for (let i = 0; i < 300; i++) {
      const body = random.bytes(DENSE_BYTES - 16)
      // Registers of which some bits are always 0 or always 1: small, large and huge counts.
      const mask = random.integer(0, 256)
      const raised = random.next() < 0.3
      for (const [at, byte] of body.entries()) body[at] = raised ? byte | mask : byte & mask
      const values = [dense(body), randomSparse(random)]
      expect(ours(values)).to.equal(await pfcount(client, values))
      const second = values.slice(1)
      expect(ours(second)).to.equal(await pfcount(client, second))
    }
  })

  it('counts nothing in none', () => {
    expect(new HyperLogLog().count()).to.equal(0n)
  })

  it('counts registers beyond all hashes as PFCOUNT does', async () => {
    for (const byte of [0, 0xff]) {
      const value = dense(Buffer.alloc(DENSE_BYTES - 16, byte))
      expect(ours([value])).to.equal(await pfcount(client, [value]))
    }
  })

  it('refuses what PFCOUNT refuses, in the same words', async () => {
    const tooLong = Buffer.alloc(DENSE_BYTES - 15)
    const encoding2 = Buffer.from(HEADER)
    encoding2[4] = 2
    const refused = [
      Buffer.alloc(0),
      Buffer.from('HYLL'),
      Buffer.from('hyll\0\0\0\0\0\0\0\0\0\0\0\0'),
      dense(tooLong),
      encoding2,
      sparse(),
      sparse(0x00),
      sparse(0x7f, 0xff, 0x00),
      sparse(0x7f, 0xfe, 0x81),
      sparse(0x7f, 0xfe, 0x7f),
      sparse(0x7f),
    ]
    for (const value of refused) {
      const expected = await pfcount(client, [value])
      expect(expected).to.match(/^-/)
      expect(ours([value]), value.toString('hex')).to.equal(expected)
    }
  })

  it('takes runs that end exactly at the last register', async () => {
    for (const value of [sparse(0x7f, 0xff), sparse(0x7f, 0xfe, 0x80), sparse(0x7f, 0xfe, 0x00)]) {
      expect(ours([value])).to.equal(await pfcount(client, [value]))
    }
  })
})
