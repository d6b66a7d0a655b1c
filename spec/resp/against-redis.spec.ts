/** Holds the request scanner against the running Redis: what it takes, what it refuses, with which words. */
import { expect } from 'chai'
import { splitInline } from '../../lib/resp/scan/inline.ts'
import { encodeRequest, latin1 } from '../support/frames.ts'
import { createRandom, specSeed } from '../support/random.ts'
import { connectRaw } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { MALFORMED_REQUESTS } from './malformed-requests.ts'

/** Bytes of which the quoting rules are made. */
const INLINE_BYTES = latin1('ax41nq\\\\\\\'\'"" \t\v\f')

describe('RequestScanner, compared with Redis', () => {
  let open: RedisServer
  let closed: RedisServer
  before(async () => {
    ;[open, closed] = await Promise.all([
      startRedis(),
      startRedis({ args: ['--requirepass', 'secret'] }),
    ])
  })
  after(() => Promise.all([open.stop(), closed.stop()]))

  /** All that Redis answers until it closes the connection. */
  async function answerTo(server: RedisServer, ...bytes: readonly Buffer[]): Promise<string> {
    const client = await connectRaw(server.port)
    for (const piece of bytes) client.write(piece)
    const answer = await client.rest()
    await client.close()
    return answer.toString('latin1')
  }

  for (const { name, bytes, error, redis, unauthenticated } of MALFORMED_REQUESTS) {
    if (redis === undefined) {
      it(`refuses ${JSON.stringify(name)} with Redis's own words`, async () => {
        const server = unauthenticated === undefined ? open : closed
        // In an error line of Redis, too, CR and LF are spaces.
        const line = `-ERR Protocol error: ${error}`.replace('\r', ' ')
        expect(await answerTo(server, bytes)).to.equal(`${line}\r\n`)
      })
    } else {
      it(`is stricter than Redis: ${name}`, async () => {
        expect(await answerTo(open, bytes, latin1(redis.more))).to.equal(redis.reply)
      })
    }
  }

  it('splits inline requests as Redis does, for random lines', async () => {
    const random = createRandom(specSeed())
    const client = await connectRaw(open.port)
    for (let round = 0; round < 500; round += 1) {
      const bytes = Array.from({ length: random.integer(0, 12) }, () =>
        random.pick([...INLINE_BYTES]),
      )
      const line = Buffer.from(bytes)
      const message = `seed ${random.seed}, line ${JSON.stringify(line.toString('latin1'))}`
      const words = splitInline(line)
      const inline = Buffer.concat([latin1('EVAL "return ARGV" 0 '), line, latin1('\r\n')])
      if (words === undefined) {
        const error = '-ERR Protocol error: unbalanced quotes in request\r\n'
        expect(await answerTo(open, inline), message).to.equal(error)
      } else {
        client.write(inline)
        // An array of bulk strings looks the same in both directions.
        expect(await client.reply(), message).to.deep.equal(encodeRequest(...words))
      }
    }
    await client.close()
  })
})
