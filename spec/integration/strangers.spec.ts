/** Row 63: what a client can do before it has logged in, and how often it may guess. */
import { expect } from 'chai'
import { AUTH_FAILURES_MAX } from '../../lib/limits.ts'
import { type AmbassadorUnderTest, startAmbassadorFor } from '../support/ambassador.ts'
import { encodeRequest } from '../support/frames.ts'
import type { RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'

describe('row 63: strangers', () => {
  let redis: RedisServer
  let ambassador: AmbassadorUnderTest

  before(async () => {
    redis = await startRedis()
    ambassador = await startAmbassadorFor([redis], { password: 'open sesame' })
  })

  after(async () => {
    await ambassador.stop()
    await redis.stop()
  })

  async function answerAndEnd(bytes: string | Buffer): Promise<string> {
    const client = await ambassador.connect()
    client.write(bytes)
    return (await client.rest()).toString()
  }

  it('may send ten arguments of 16 KB and no more', async () => {
    const client = await ambassador.connect()
    const ten = Array.from({ length: 10 }, () => 'x'.repeat(16_384))
    expect((await client.request('SET', ...ten.slice(1))).toString()).to.match(/^-NOAUTH/)
    expect(await answerAndEnd('*11\r\n')).to.equal(
      '-ERR Protocol error: unauthenticated multibulk length\r\n',
    )
    expect(await answerAndEnd('*1\r\n$16385\r\n')).to.equal(
      '-ERR Protocol error: unauthenticated bulk length\r\n',
    )
  })

  it('are held to nothing of this once they have logged in', async () => {
    const client = await ambassador.connect()
    expect((await client.request('AUTH', 'open sesame')).toString()).to.equal('+OK\r\n')
    const value = 'x'.repeat(100_000)
    expect((await client.request('SET', 'a', value)).toString()).to.equal('+OK\r\n')
    const many = Array.from({ length: 40 }, () => 'a')
    expect((await client.request('EXISTS', ...many)).toString()).to.equal(':40\r\n')
  })

  it('may do nothing but log in and leave', async () => {
    const client = await ambassador.connect()
    for (const command of [
      'PING',
      'INFO',
      'COMMAND',
      'GET a',
      'SUBSCRIBE a',
      'MULTI',
      'SELECT 1',
    ]) {
      const reply = await client.request(...command.split(' '))
      expect(reply.toString(), command).to.equal('-NOAUTH Authentication required.\r\n')
    }
    expect((await client.request('HELLO', '3')).toString()).to.match(/^-NOAUTH HELLO/)
    expect((await client.request('QUIT')).toString()).to.equal('+OK\r\n')
    await client.closed()
  })

  it('are closed after so many wrong passwords, however they are sent', async () => {
    const guess = encodeRequest('AUTH', 'wrong')
    const replies = await answerAndEnd(Buffer.concat(Array.from({ length: 100 }, () => guess)))
    const wrong = '-WRONGPASS invalid username-password pair or user is disabled.\r\n'
    expect(replies).to.equal(wrong.repeat(AUTH_FAILURES_MAX))
    const hello = encodeRequest('HELLO', '3', 'AUTH', 'default', 'wrong')
    expect(await answerAndEnd(Buffer.concat(Array.from({ length: 100 }, () => hello)))).to.equal(
      wrong.repeat(AUTH_FAILURES_MAX),
    )
  })

  it('are read from no more when they do not read what they are told (CVE-2025-21605)', async () => {
    const client = await ambassador.connect()
    client.pause()
    const request = Buffer.concat(Array.from({ length: 4096 }, () => encodeRequest('GET', 'a')))
    // 30 MB of requests would make 50 MB of answers.
    await writeUntilStuck(client, request, 300)
    const other = await ambassador.connect()
    const before = process.memoryUsage().rss
    for (let i = 0; i < 100; i++) await other.request('AUTH', 'open sesame')
    expect(process.memoryUsage().rss - before).to.be.below(32 * 1024 * 1024)
    expect(client.socket.writableLength).to.be.above(0)
    await client.close()
  })
})

/** Writes `times` times, or fewer if the other side takes nothing more. */
async function writeUntilStuck(client: RawClient, bytes: Buffer, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    client.write(bytes)
    // Three turns without a byte leaving are enough: both sides are in this process.
    for (let turn = 0; turn < 3 && client.socket.writableLength > 0; turn++) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    if (client.socket.writableLength > 4 * 1024 * 1024) return
  }
}
