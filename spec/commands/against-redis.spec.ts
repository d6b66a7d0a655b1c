/** Holds the table, and what is learnt, against the running Redis's own COMMAND and COMMAND GETKEYS. */
import { expect } from 'chai'
import { findKeys, KeyPositions } from '../../lib/commands/keys.ts'
import { learnCommands } from '../../lib/commands/learning/learn.ts'
import { arityFits, CommandTable } from '../../lib/commands/lookup.ts'
import type { CommandDefinition } from '../../lib/commands/row.ts'
import { openIoredis5, openNodeRedis } from '../support/clients.ts'
import { decodeRequest, encodeRequest } from '../support/frames.ts'
import { createRandom, specSeed } from '../support/random.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { requestOf } from '../support/requests.ts'

/** The data is of a newer Redis, where these take more arguments (WITHSCORE) or fewer. */
const NEWER_ARITY = ['zrank', 'zrevrank', 'command|getkeys', 'command|getkeysandflags']

/** Flags that newer Redis versions gave to commands, or took from them; none changes a handling. */
const NEWER_FLAGS = ['loading', 'denyoom', 'script_runner', 'noscript', 'blocking']

/** For Redis their channels are no keys; for us they are routed as if. */
const CHANNELS = /^s?publish$|subscribe$/

/** Redis's specifications for them say "unknown" or "incomplete"; ours come from their parsers. */
const NOT_LEARNT = ['migrate', 'sort', 'sort_ro']

/** Of each command whose keys move, with its options. */
const MOVABLE = [
  'EVAL s 0',
  'EVAL s 0 a b',
  'EVAL s 2 a b c',
  'EVALSHA s 1 a',
  'EVAL_RO s 1 a',
  'FCALL f 2 a b',
  'FCALL_RO f 0 x',
  'BLMPOP 0 2 a b LEFT',
  'BZMPOP 0 1 a MIN COUNT 2',
  'LMPOP 1 a LEFT',
  'ZMPOP 2 a b MAX',
  'SINTERCARD 2 a b LIMIT 5',
  'ZINTERCARD 1 a',
  'ZUNION 2 a b WEIGHTS 1 2',
  'ZINTER 1 a',
  'ZDIFF 2 a b',
  'ZUNIONSTORE d 2 a b AGGREGATE MAX',
  'ZINTERSTORE d 1 a',
  'ZDIFFSTORE d 2 a b',
  'XREAD STREAMS a 0',
  'XREAD COUNT 1 BLOCK 2 STREAMS a b 0 0',
  'XREAD streams STREAMS STREAMS 0 0',
  'XREADGROUP GROUP g c STREAMS a b > >',
  'XREADGROUP GROUP g c BLOCK 1 STREAMS a >',
  'XREADGROUP GROUP g STREAMS COUNT 1 NOACK STREAMS a >',
  'SORT k',
  'SORT k BY w_* LIMIT 0 5 GET # GET d_* ASC ALPHA',
  'SORT k STORE d',
  'SORT k BY store STORE d',
  'SORT k STORE d DESC',
  'SORT k STORE d nosuch STORE e',
  'SORT_RO k BY w_* GET #',
  'SORT_RO k BY STORE GET x',
  'GEORADIUS k 1 2 3 m',
  'GEORADIUS k 1 2 3 m STORE d',
  'GEORADIUS k 1 2 3 m COUNT 1 ANY STOREDIST d',
  'GEORADIUSBYMEMBER k x 3 m STORE d',
  'GEORADIUSBYMEMBER k x 3 m WITHDIST',
  'MIGRATE h 1 k 0 10',
  'MIGRATE h 1 k 0 10 COPY REPLACE AUTH p',
  'MIGRATE h 1  0 10 KEYS a b',
  'MIGRATE h 1  0 10 AUTH keys KEYS a',
  'MIGRATE h 1  0 10 AUTH2 u keys KEYS a b c',
]

const table = new CommandTable()
const out = new KeyPositions()

function keysOf(table: CommandTable, args: readonly string[]): string[] {
  const request = requestOf(...args)
  const row = table.lookup(request)
  if (row === undefined || !arityFits(row, args.length)) return ['no command']
  const count = findKeys(row, request, out)
  return [...out.positions.subarray(0, count)].map((index) => args[index] ?? 'no argument')
}

describe('the command table against the running Redis', () => {
  let server: RedisServer
  let client: RawClient
  /** Every command and subcommand, as learnt in RESP2. */
  let learnt: CommandDefinition[]
  let learntInResp3: CommandDefinition[]

  before(async () => {
    server = await startRedis()
    client = await connectRaw(server.port)
    const resp2 = openIoredis5(server.port)
    learnt = learnCommands(await resp2.call('COMMAND'))
    resp2.disconnect()
    const resp3 = await openNodeRedis(server.port)
    learntInResp3 = learnCommands(await resp3.sendCommand(['COMMAND']))
    resp3.destroy()
  })

  after(async () => {
    await client.close()
    await server.stop()
  })

  function everything(): CommandDefinition[] {
    return learnt.flatMap((command) => [command, ...(command.subcommands ?? [])])
  }

  /** What COMMAND GETKEYS says of each request; undefined where it refuses. */
  async function askForKeys(
    requests: readonly (readonly string[])[],
  ): Promise<(string[] | undefined)[]> {
    client.write(
      Buffer.concat(requests.map((args) => encodeRequest('COMMAND', 'GETKEYS', ...args))),
    )
    const replies = await client.replies(requests.length)
    return replies.map((reply) => {
      if (reply[0] !== 0x2a) return undefined
      return decodeRequest(reply).map((key) => key.toString('latin1'))
    })
  }

  it('has a row with a handling for every command and subcommand', () => {
    expect(everything().length).to.be.greaterThan(360)
    for (const { name } of everything())
      expect(table.byName(name)?.handling, name).to.be.a('string')
  })

  it('has the same arity', () => {
    for (const { name, arity } of everything()) {
      if (!NEWER_ARITY.includes(name)) expect(table.byName(name)?.arity, name).to.equal(arity)
    }
  })

  it('has the same flags', () => {
    for (const { name, flags } of everything()) {
      const ours = table.byName(name)?.flags ?? new Set()
      const differing = [...flags, ...ours].filter((flag) => flags.has(flag) !== ours.has(flag))
      expect(NEWER_FLAGS, name).to.include.members(differing)
    }
  })

  it('finds the keys that COMMAND GETKEYS finds, whatever the arguments', async () => {
    const seed = specSeed()
    const shapes = everything().flatMap((command) => {
      return CHANNELS.test(command.name) ? [] : shapesOf(command.name, seed)
    })
    shapes.push(...MOVABLE.map((text) => text.split(' ')))
    const answers = await askForKeys(shapes)
    const accepted = new Map<string, number>()
    answers.forEach((keys, i) => {
      const args = shapes[i] ?? []
      if (keys === undefined) return
      expect(keysOf(table, args), `seed ${seed}: ${args.join(' ')}`).to.deep.equal(keys)
      const name = table.lookup(requestOf(...args))?.name ?? ''
      accepted.set(name, (accepted.get(name) ?? 0) + 1)
    })
    for (const { name, keySpecs } of table.rows()) {
      if (keySpecs.length === 0 || CHANNELS.test(name)) continue
      const known = everything().some((command) => command.name === name)
      if (known) expect(accepted.get(name) ?? 0, `${name}: shapes accepted`).to.be.at.least(3)
    }
  })

  for (const text of MOVABLE) {
    it(`finds the keys of ${text}`, async () => {
      const args = text.split(' ')
      const [keys] = await askForKeys([args])
      expect(keysOf(table, args)).to.deep.equal(keys)
    })
  }

  it('finds the keys that Redis uses where COMMAND GETKEYS is wrong about them', async () => {
    // GETKEYS takes the group's name for the keyword: it says `c` and `STREAMS`.
    const read = 'XREADGROUP COUNT 1 GROUP STREAMS c STREAMS k >'.split(' ')
    await client.request(...'XGROUP CREATE k STREAMS 0 MKSTREAM'.split(' '))
    expect((await client.request(...read)).toString()).to.equal('*-1\r\n')
    expect((await askForKeys([read]))[0]).not.to.deep.equal(['k'])
    expect(keysOf(table, read)).to.deep.equal(['k'])
    // Redis stores in the last of several destinations and GETKEYS says the first.
    await client.request('GEOADD', 'geo', '1', '2', 'member')
    const store = 'GEORADIUS geo 1 2 3 m STORE first STORE last'.split(' ')
    expect((await client.request(...store)).toString()).to.equal(':1\r\n')
    expect((await client.request('EXISTS', 'first')).toString()).to.equal(':0\r\n')
    expect((await client.request('EXISTS', 'last')).toString()).to.equal(':1\r\n')
    expect((await askForKeys([store]))[0]).to.deep.equal(['geo', 'first'])
    expect(keysOf(table, store)).to.include('last')
  })

  it('lets Redis refuse what has no keys to go by', async () => {
    const refused = [
      'EVAL s 3 a b',
      'EVAL s -1',
      'EVAL s 01 a',
      'EVAL s x',
      'ZUNION 3 a b',
      'ZUNION 01 a',
    ]
    const more = ['LMPOP 0 a LEFT', 'XREAD COUNT 1 a 0', 'SINTERCARD 5 a b', 'BZMPOP 0 x a MIN']
    for (const text of [...refused, ...more]) {
      const args = text.split(' ')
      expect(keysOf(table, args), text).to.deep.equal([])
      expect((await client.request(...args)).toString(), text).to.match(/^-/)
    }
  })

  it('learns the same in RESP2 and RESP3', () => {
    const byName = (a: CommandDefinition, b: CommandDefinition): number =>
      a.name < b.name ? -1 : 1
    const sorted = (commands: CommandDefinition[]): CommandDefinition[] => {
      return commands.sort(byName).map((command) => {
        return { ...command, subcommands: command.subcommands?.toSorted(byName) }
      })
    }
    expect(sorted(learntInResp3)).to.deep.equal(sorted(learnt))
  })

  it('learns from scratch what the table knows: the same keys for every command', () => {
    const fresh = new CommandTable(learnt)
    const seed = specSeed()
    for (const command of everything()) {
      if (CHANNELS.test(command.name) || NEWER_ARITY.includes(command.name)) continue
      if (NOT_LEARNT.includes(command.name)) {
        expect(command.handling, command.name).to.equal('refuse')
        continue
      }
      for (const args of shapesOf(command.name, seed)) {
        const text = `seed ${seed}: ${args.join(' ')}`
        expect(keysOf(fresh, args), text).to.deep.equal(keysOf(table, args))
      }
    }
  })

  it('learns from scratch no handling that is laxer than the table’s', () => {
    const fresh = new CommandTable(learnt)
    const lax = fresh.rows().filter(({ name, handling, subcommands }) => {
      const ours = table.byName(name)?.handling
      return (
        subcommands === undefined &&
        handling !== ours &&
        (handling === 'single' || handling === 'broadcast')
      )
    })
    expect(lax.map(({ name, handling }) => `${name} ${handling}`)).to.have.members([
      // Split here; Redis's policies alone do not make a split safe, see MSETNX.
      ...['del', 'exists', 'mget', 'mset', 'touch', 'unlink'].map((name) => `${name} single`),
      // They belong to the connection, and nothing in their description says so.
      ...['asking', 'echo', 'readonly', 'readwrite', 'select', 'watch'].map(
        (name) => `${name} single`,
      ),
      ...['ping broadcast', 'lastsave single', 'wait broadcast'],
      // Keyless and harmless, but answered here or kept back.
      ...['count', 'getkeys', 'info', 'list'].map((name) => `command|${name} single`),
      ...[
        'countkeysinslot',
        'getkeysinslot',
        'help',
        'info',
        'keyslot',
        'links',
        'myid',
        'nodes',
        'shards',
        'slots',
      ].map((name) => `cluster|${name} single`),
    ])
  })

  it('learns from a Redis 6, which tells positions alone, the same keys or none', async () => {
    const resp2 = openIoredis5(server.port)
    const reply = await resp2.call('COMMAND')
    resp2.disconnect()
    const old = (Array.isArray(reply) ? reply : []).map((entry) =>
      Array.isArray(entry) ? entry.slice(0, 7) : entry,
    )
    const fresh = new CommandTable(learnCommands(old))
    expect(fresh.rows().length).to.be.greaterThan(200)
    for (const row of fresh.rows()) {
      if (row.flags.has('movablekeys')) expect(row.handling, row.name).to.equal('refuse')
      const members = table.byName(row.name)?.subcommands
      if (row.handling === 'refuse' || members !== undefined) continue
      if (CHANNELS.test(row.name) || NEWER_ARITY.includes(row.name)) continue
      for (const args of shapesOf(row.name, 1)) {
        expect(keysOf(fresh, args), args.join(' ')).to.deep.equal(keysOf(table, args))
      }
    }
  })
})

/**
 * Requests of a command, as short as allowed and longer. None holds a word that is an option, and
 * none a number like 1.5 or 01, which GETKEYS takes (by atoi) and the commands themselves refuse.
 */
function shapesOf(name: string, seed: number): string[][] {
  const row = table.byName(name)
  if (row === undefined) throw new Error(`no ${name}`)
  const random = createRandom(seed)
  const start = name.toUpperCase().split('|')
  const lengths = (row.arity < 0 ? [0, 1, 2, 3, 4, 5, 6] : [0])
    .map((more) => Math.abs(row.arity) + more)
    .filter((length) => arityFits(row, length))
  return Array.from({ length: 98 }, (_, i) => {
    const length = lengths[i % lengths.length] ?? 0
    const rest = Array.from({ length: length - start.length }, () => {
      return random.pick(['a', 'b', '{t}c', '', '0', '1', '2', '3', '-1', '*'])
    })
    return [...start, ...rest]
  })
}
