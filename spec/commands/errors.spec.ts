import { expect } from 'chai'
import { notFound, wrongArity } from '../../lib/commands/errors.ts'
import { arityFits, CommandTable } from '../../lib/commands/lookup.ts'
import { createRandom, specSeed } from '../support/random.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { requestOf } from '../support/requests.ts'

const table = new CommandTable()

/** Our answer to a request that names no command or miscounts. */
function answer(args: readonly (string | Buffer)[]): string {
  const request = requestOf(...args)
  const row = table.lookup(request)
  if (row === undefined) return notFound(table, request).toString('latin1')
  return arityFits(row, args.length) ? 'no error' : wrongArity(row).toString('latin1')
}

describe('errors of commands', () => {
  let server: RedisServer
  let client: RawClient

  before(async () => {
    server = await startRedis()
    client = await connectRaw(server.port)
  })

  after(async () => {
    await client.close()
    await server.stop()
  })

  async function expectSame(...args: readonly (string | Buffer)[]): Promise<void> {
    const reply = await client.request(...args)
    expect(answer(args)).to.equal(reply.toString('latin1'))
  }

  describe('unknown commands are refused as Redis refuses them', () => {
    const names = [
      'foo',
      'FOO',
      '',
      ' ',
      "it's",
      'a\r\nb',
      '\r\n+OK\r\n',
      'a\nb',
      'a\0b',
      '\0',
      'é',
    ]
    const lengths = [127, 128, 129, 10_000]
    const odd = [...names, ...lengths.map((length) => 'n'.repeat(length)), `${'x'.repeat(127)}\r\n`]
    for (const name of [...odd, '\x01\x1f\x7f\x80\xff', '__proto__', 'constructor']) {
      it(`with the name ${JSON.stringify(name.slice(0, 20))} of ${name.length} bytes`, async () => {
        await expectSame(name)
        await expectSame(name, 'a', 'b')
        await expectSame(name, name, name)
      })
    }

    it('with arguments that fill 128 bytes and more', async () => {
      for (const length of [0, 1, 61, 62, 63, 64, 122, 123, 124, 125, 126, 127, 128, 129, 5000]) {
        const arg = 'a'.repeat(length)
        await expectSame('foo', arg)
        await expectSame('foo', arg, arg, 'end')
      }
    })

    it('with arguments that hold NUL, CR and LF at the cut', async () => {
      for (const end of ['\0tail', '\r\n', "'", '\xff']) {
        for (const length of [0, 120, 125, 126, 127, 128]) {
          await expectSame('foo', 'a'.repeat(length) + end, 'b')
        }
      }
    })

    it('with any number of arguments', async () => {
      for (const count of [1, 31, 32, 33, 200]) await expectSame('foo', ...Array(count).fill('a'))
      for (const count of [1, 42, 43, 200]) await expectSame('foo', ...Array(count).fill(''))
    })

    it('with random bytes', async () => {
      const seed = specSeed()
      const random = createRandom(seed)
      for (let i = 0; i < 300; i++) {
        const count = random.integer(1, 6)
        const args = Array.from({ length: count }, () => random.bytes(random.integer(0, 150)))
        const reply = (await client.request('n', ...args)).toString('latin1')
        expect(answer(['n', ...args]), `seed ${seed}`).to.equal(reply)
      }
    })
  })

  describe('unknown subcommands are refused as Redis refuses them', () => {
    for (const container of ['config', 'CONFIG', 'oBjEcT', 'client', 'xinfo', 'command']) {
      it(`of ${container}`, async () => {
        const names = ['bogus', '', "it's", 'a\r\nb', 'a\0b', '__proto__', 'n'.repeat(128)]
        for (const name of [...names, 'n'.repeat(129), '\r\n+OK\r\n', 'GET\r\n']) {
          await expectSame(container, name)
          await expectSame(container, name, 'a')
        }
      })
    }
  })

  it('miscounted arguments are refused as Redis refuses them, with the name as Redis writes it', async () => {
    await expectSame('GET')
    await expectSame('gEt', 'a', 'b')
    await expectSame('MSET', 'a', '1', 'b')
    await expectSame('CONFIG')
    await expectSame('Config', 'Get')
    await expectSame('config', 'RESETSTAT', 'x')
    await expectSame('EVAL', 's')
    await expectSame('client', 'no-evict')
    await expectSame('restore-asking', 'a')
  })

  it('the reply stays one line, whatever the client sent', () => {
    const texts = [answer(['\r\n+OK\r\n', '\r\n+OK\r\n']), answer(['config', '\r\n+OK\r\n'])]
    for (const text of texts) expect(text).to.match(/^-[^\r\n]*\r\n$/)
  })
})
