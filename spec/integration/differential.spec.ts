/**
 * The proof that an app cannot tell: the same calls go to a Redis directly and then, through the
 * ambassador, to the same Redis; every reply must be the same, byte for byte. The same server, so
 * that its hash seed, which decides the order of sets and keys, is the same too.
 */
import { expect } from 'chai'
import { learnCommands } from '../../lib/commands/learning/learn.ts'
import { CommandTable } from '../../lib/commands/lookup.ts'
import type { CommandDefinition, CommandRow } from '../../lib/commands/row.ts'
import { builtInCommands } from '../../lib/commands/table.ts'
import { parseGreeting } from '../../lib/control/greeting.ts'
import { type AmbassadorUnderTest, startShards } from '../support/ambassador.ts'
import { openIoredis5 } from '../support/clients.ts'
import { encodeRequest } from '../support/frames.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { requestOf } from '../support/requests.ts'
import { startTopology } from '../support/shared-shards.ts'
import {
  CALLS,
  CALLS_OF_NEWER,
  EXCEPTIONS,
  EXCEPTIONS_OF_SEVERAL,
  FIXTURES,
  GENERIC_KEYS,
  NEVER_ANSWERED,
  NOT_COMPARED_WITH,
  parseCall,
  SEQUENCES,
} from './differential-calls.ts'

type Call = readonly Buffer[]

/** Calls that go over one connection, in one write. `excepted`: only the number of replies counts. */
interface Group {
  readonly name: string
  readonly calls: readonly Call[]
  readonly excepted: boolean
}

/** What a Redis is told so that it tells nothing about how fast it was. */
const REDIS_ARGS = ['--slowlog-log-slower-than', '-1', '--latency-tracking', 'no']

/** So that a slow machine is no difference. */
const FLAGS = { requestTimeoutMs: '20000' }

/** Makes the server forget whatever the calls before have left. */
const RESET = ['FLUSHALL', 'SCRIPT FLUSH', 'FUNCTION FLUSH', 'LATENCY RESET'].map(parseCall)

/** Redis resizes its table of keys when it likes, between two runs too: SCAN's order follows that. */
function sameLines(ours: string | undefined, theirs: string | undefined): boolean {
  return lines(ours).join() === lines(theirs).join()
}

function lines(reply: string | undefined): string[] {
  return (reply ?? '').split('\r\n').sort()
}

/** No reply for so long, milliseconds, means that there will be none. */
const SILENCE_MS = 5000

/** After EXEC, in case of MULTI, this shows that all replies have come. */
const SENTINEL = 'this is the last reply'

/** What else stands where a generic call has no key. */
const FILLERS = ['1', 'a', '', '-1']

/** A key that lives for a second or less would be gone now and then, and now and then not yet. */
const EXPIRES = new Set(['expire', 'pexpire', 'setex', 'psetex', 'restore', 'restore-asking'])

/** Generic keys on which a command is not tried: it draws by chance, or tells the time. */
const NOT_ON: Readonly<Record<string, string>> = {
  spop: 'i',
  srandmember: 'i',
  hrandfield: 'h',
  zrandmember: 'z',
  dump: 'x',
}

/** No generic calls: with chance arguments they wait for minutes, or connect to somewhere. */
const NO_GENERIC_CALLS = new Set(['migrate', 'wait', 'client|kill', 'client|reply'])

/** Their generic calls would name keys without the tag. */
function hasMovableKeys(definition: CommandDefinition): boolean {
  return definition.keySpecs.some(
    ({ begin, find }) => begin.type === 'keyword' || find.type === 'keynum',
  )
}

const table = new CommandTable(builtInCommands())

function rowOf(call: Call): CommandRow | undefined {
  return table.lookup(requestOf(...call))
}

/** Always an error, since the servers are no cluster. */
const IS_OF_CLUSTER = /^cluster|^asking$|^readonly$|^readwrite$/

/** In what HELLO answers; a number of the server's own, so it is no difference. */
const CLIENT_NUMBER = /(\$2\r\nid\r\n):\d+/g

/** Neither answered nor sent by us, whatever the arguments. */
function isRefused(row: CommandRow | undefined): boolean {
  return row?.handling === 'admin' || row?.handling === 'refuse'
}

function isContainer(name: string, definitions: readonly CommandDefinition[]): boolean {
  return definitions.some((other) => other.name.startsWith(`${name}|`))
}

function nameOf(call: Call): string {
  return rowOf(call)?.name ?? call[0]?.toString('latin1').toLowerCase() ?? ''
}

function writtenGroups(definitions: readonly CommandDefinition[], shards: number): Group[] {
  const byName = new Map<string, Call[]>()
  const known = new Set(definitions.map(({ name }) => name))
  const newer = CALLS_OF_NEWER.filter((call) => known.has(nameOf(call)))
  for (const call of [...CALLS, ...newer]) {
    const name = nameOf(call)
    byName.set(name, [...(byName.get(name) ?? []), call])
  }
  const commands = [...byName].map(([name, calls]) => {
    return { name, calls, excepted: shards > 1 && EXCEPTIONS_OF_SEVERAL[name] !== undefined }
  })
  const sequences = Object.entries(SEQUENCES).map(([name, calls]) => {
    return { name, calls, excepted: false }
  })
  return [...commands, ...sequences]
}

/** Each command with too few arguments, with too many, and with each type of key. */
function genericGroups(definitions: readonly CommandDefinition[], shards: number): Group[] {
  const exceptions = shards > 1 ? { ...EXCEPTIONS, ...EXCEPTIONS_OF_SEVERAL } : EXCEPTIONS
  return definitions
    .filter(({ name }) => !isRefused(table.byName(name)) && !NO_GENERIC_CALLS.has(name))
    .map((definition) => {
      const { name, arity } = definition
      const path = name.split('|')
      const counts = Array.from({ length: Math.abs(arity) + 2 }, (_, count) => count)
      const wrongCounts = counts
        .filter((count) => count >= path.length && (arity > 0 ? count !== arity : count < -arity))
        .map((count) => [...path, ...new Array<string>(count - path.length).fill('{t}s')])
      const isFree =
        !definition.flags.has('blocking') && (shards === 1 || !hasMovableKeys(definition))
      const calls = [...wrongCounts, ...(isFree ? callsOnEachType(definition) : [])]
      return {
        name: `${name}, generic`,
        calls: calls.map((words) => words.map((word) => Buffer.from(word, 'latin1'))),
        excepted: exceptions[name] !== undefined,
      }
    })
}

function callsOnEachType({ name, arity, keySpecs }: CommandDefinition): string[][] {
  const path = name.split('|')
  const calls: string[][] = []
  for (const filler of FILLERS) {
    if (filler === '1' && EXPIRES.has(name)) continue
    for (const key of keySpecs.length === 0 ? ['none'] : GENERIC_KEYS) {
      if (NOT_ON[name] === key) continue
      const words = [...path, ...new Array<string>(Math.abs(arity) - path.length).fill(filler)]
      for (const { begin, find } of keySpecs) {
        if (begin.type !== 'index' || find.type !== 'range') continue
        const last = find.last < 0 ? words.length + find.last : begin.pos + find.last
        for (let at = begin.pos; at <= last; at += find.step) words[at] = `{t}${key}`
      }
      calls.push(words)
      // Options that no command knows, and keys of the same shard where it takes more of them.
      const unknown = '{t}nosuch'
      if (arity < 0) calls.push([...words, unknown], [...words, unknown, unknown, unknown])
    }
  }
  return calls
}

/** Runs a group on a connection of its own; one reply or push a frame, and then the end. */
async function run(port: number, protocol: 2 | 3, calls: readonly Call[]): Promise<string[]> {
  const client = await connectRaw(port)
  client.socket.setTimeout(SILENCE_MS, () => client.socket.destroy())
  if (protocol === 3) await client.request('HELLO', '3')
  const all = [
    ...RESET,
    ...FIXTURES,
    ...calls,
    parseCall('EXEC'),
    [Buffer.from('PING'), Buffer.from(SENTINEL)],
  ]
  client.write(Buffer.concat(all.map((call) => encodeRequest(...call))))
  const frames = await framesUntilSentinel(client)
  // Only when the other side has ended as well are the client's subscriptions gone, which PUBLISH counts.
  client.halfClose()
  await client.closed()
  return frames
}

async function framesUntilSentinel(client: RawClient): Promise<string[]> {
  const frames: string[] = []
  for (;;) {
    const frame = await client.reply().catch(() => undefined)
    if (frame === undefined) return [...frames, 'the connection ends']
    if (frame.includes(SENTINEL)) return frames
    frames.push(frame.toString('latin1').replace(CLIENT_NUMBER, '$1:0'))
  }
}

type Server = { readonly port: number }

const IN_CLUSTER = 'a cluster of three masters and tagged keys'

/** What a node of a cluster says and one plain Redis does not, which is what we are to clients. */
/** What only nodes are asked, and sharded channels, which are not followed to the owners of their slots. */
const NOT_COMPARED_IN_CLUSTER = /^(?:cluster|asking|readonly|readwrite|ssubscribe)\b/

const MODE_OF_A_NODE = /(\$4\r\nmode\r\n)\$7\r\ncluster/
const SAID_BY_A_NODE = /^-(?:MOVED|CROSSSLOT|CLUSTERDOWN)|in cluster mode/

function textOf(call: Call | undefined): string {
  return JSON.stringify(call?.map((word) => word.toString('latin1')).join(' ') ?? 'the end')
}

function shown(frame: string | undefined): string {
  return JSON.stringify(frame ?? 'nothing').slice(0, 300)
}

describe('one Redis directly and through the ambassador', () => {
  let definitions: CommandDefinition[]
  /** Names of groups, with the reason. */
  let notCompared: Readonly<Record<string, string>>

  for (const [title, shards, start] of [
    ['one shard', 1, () => startShards(1, FLAGS, REDIS_ARGS)],
    ['three shards and tagged keys', 3, () => startShards(3, FLAGS, REDIS_ARGS)],
    [IN_CLUSTER, 3, () => startTopology('a cluster of three masters', FLAGS, REDIS_ARGS)],
  ] as const) {
    describe(title, () => {
      let redises: readonly Server[]
      let ambassador: AmbassadorUnderTest
      let stop: () => Promise<void>
      /** The shard of the tag. */
      let owner: Server

      before(async () => {
        ;({ redises, ambassador, stop } = await start())
        owner = await ownerOfTag()
        const client = openIoredis5(owner.port)
        const { server, version } = parseGreeting(await client.call('HELLO', '2'))
        notCompared = NOT_COMPARED_WITH[`${server} ${version?.split('.')[0]}`] ?? {}
        const commands = learnCommands(await client.call('COMMAND'))
        for (const command of commands) table.add(command)
        definitions = commands.flatMap((command) => [command, ...(command.subcommands ?? [])])
        client.disconnect()
      })

      after(() => stop())

      async function ownerOfTag(): Promise<Server> {
        const client = await ambassador.connect()
        await client.request('SET', '{t}', 'v')
        await client.close()
        for (const redis of redises) {
          const direct = await connectRaw(redis.port)
          const found = await direct.request('EXISTS', '{t}')
          await direct.close()
          if (found.toString() === ':1\r\n') return redis
        }
        throw new Error('no shard has the key')
      }

      async function differences(groups: readonly Group[], protocol: 2 | 3): Promise<string> {
        const found: string[] = []
        for (const { name, calls, excepted } of groups) {
          if (name in notCompared || (title === IN_CLUSTER && NOT_COMPARED_IN_CLUSTER.test(name)))
            continue
          const theirs = await run(owner.port, protocol, calls)
          const ours = await run(ambassador.port, protocol, calls)
          if (excepted && ours.length === theirs.length) continue
          for (let i = 0; i < Math.max(ours.length, theirs.length); i++) {
            if (ours[i] === theirs[i]?.replace(MODE_OF_A_NODE, '$1$$10\r\nstandalone')) continue
            const call = textOf(calls[i - RESET.length - FIXTURES.length])
            if (/^"(SCAN|KEYS) /.test(call) && sameLines(ours[i], theirs[i])) continue
            if (title === IN_CLUSTER && SAID_BY_A_NODE.test(theirs[i] ?? '')) continue
            found.push(`${name}: ${call}: Redis ${shown(theirs[i])}, we ${shown(ours[i])}`)
          }
        }
        return found.join('\n')
      }

      if (shards === 1) {
        it('leave no command out', async () => {
          const answered = new Set<string>()
          const groups = [...writtenGroups(definitions, 1), ...genericGroups(definitions, 1)]
          for (const { calls } of groups) {
            const frames = await run(owner.port, 3, calls)
            for (const [index, call] of calls.entries()) {
              const frame = frames[index + RESET.length + FIXTURES.length]
              if (frame !== undefined && !frame.startsWith('-')) answered.add(nameOf(call))
            }
          }
          const unanswered = definitions
            .map(({ name }) => name)
            .filter((name) => !answered.has(name) && !isContainer(name, definitions))
            .filter((name) => !isRefused(table.byName(name)) && !IS_OF_CLUSTER.test(name))
          const never = Object.keys(NEVER_ANSWERED).filter((name) => {
            return definitions.some((definition) => definition.name === name)
          })
          expect(unanswered).to.have.members(never)
        })

        it('differ in the commands that are refused, which say why', async () => {
          const client = await ambassador.connect()
          for (const { name, arity } of definitions) {
            if (isContainer(name, definitions) || !isRefused(table.byName(name))) continue
            const path = name.split('|')
            const fill = new Array<string>(Math.abs(arity) - path.length).fill('1')
            const reply = await client.request(...path, ...fill)
            expect(reply.toString()).to.match(
              /^-ERR ambassador: command '.*' is not supported because (?!undefined)/,
            )
          }
        })
      }

      for (const protocol of [2, 3] as const) {
        it(`answer alike what commands are for, in RESP${protocol}`, async () => {
          expect(await differences(writtenGroups(definitions, shards), protocol)).to.equal('')
        })

        it(`answer alike what makes no sense, in RESP${protocol}`, async () => {
          expect(await differences(genericGroups(definitions, shards), protocol)).to.equal('')
        })
      }
    })
  }
})
