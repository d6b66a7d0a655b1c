/** AMBASSADOR: what the ambassador tells about itself to anyone with a Redis client; and ACL WHOAMI. */
import { SLOT_COUNT } from '../../control/cluster/view.ts'
import type { ScannedRequest } from '../../downstream/session.ts'
import { errorFrame } from '../../errors.ts'
import { bulkFrame, encodeValue, OK, SimpleString, type Value } from '../../resp/encode.ts'
import type { Lookout } from '../../stats/lookout/lookout.ts'
import type { PreflightReport } from '../../stats/preflight/rehearsal.ts'
import type { ReplicaView } from '../../upstream/replicas/replicas-view.ts'
import { answerWith, type Others, type ShardFigures } from '../colleagues/colleagues.ts'
import { argument, argumentWord } from '../core/arguments.ts'
import type { Client } from '../core/client.ts'
import type { SpecialCommand } from '../core/dispatcher.ts'
import type { Sender } from '../core/sender.ts'
import { bounded } from '../edge/local-commands.ts'
import { ambassadorFacts, type FactSources, type Identity, sumFacts } from './ambassador-facts.ts'
import { lookoutCommands } from './lookout-commands.ts'
import { preflightValue } from './preflight-value.ts'

export interface AmbassadorCommandOptions {
  readonly sender: Sender
  readonly facts: FactSources
  /** Of the entrance. */
  readonly pool: string | undefined
  readonly others: Others
  readonly lookout: Lookout
  readonly identity: Identity
  /** Options as text, secrets masked. */
  readonly settings: Readonly<Record<string, string>>
  /** Keys may be told to all clients: they share one user of the shards. */
  readonly tellsKeys: boolean
  /** Undefined: nothing is rehearsed. */
  readonly preflight: () => PreflightReport | undefined
}

const SYNTAX_ERROR = errorFrame('ERR syntax error')

const HELP = [
  'AMBASSADOR <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
  'BIGREPLIES [GET|LEN|RESET]',
  '    Return the largest replies of the last hour, how many there are, or forget them.',
  'CONFIG',
  '    Return the options in use, secrets masked.',
  'HOTKEYS',
  '    Return the keys asked for most in the last minute, if option hotKeys is on.',
  'NEARCACHE CLEAR',
  '    Forget all replies that are kept in memory.',
  'PREFLIGHT',
  '    Return what the configuration that option whatIf names would do with the requests so far.',
  'ROUTE <key> [<key> ...]',
  '    Return the shard that owns each key, and what was hashed to find it.',
  'SHARDS',
  '    Return name, address and state of each shard, since when it has its server, and its replicas.',
  'SLOWLOG [GET [<count>]|LEN|RESET]',
  '    Return the newest slow requests (default: 10, -1: all), how many there are, or forget them.',
  'STATS',
  '    Return what the ambassador counts.',
  'HELP',
  '    Print this help.',
].map((line) => new SimpleString(line))

export function ambassadorCommands(
  options: AmbassadorCommandOptions,
): Record<string, SpecialCommand> {
  const { sender, facts, lookout, identity, settings, tellsKeys, preflight, pool, others } = options
  const answer = (client: Client, value: Value): void => {
    client.session.answer(encodeValue(value, client.lane.protocol))
  }
  return {
    'ambassador|help': (client) => answer(client, HELP),
    'ambassador|config': (client) => answer(client, new Map(Object.entries(settings))),
    'ambassador|stats': (client) => {
      const own = ambassadorFacts(facts, identity)
      answerWith(others, client, { kind: 'facts', pool }, (parts) => {
        return encodeValue(sumFacts(own, parts), client.lane.protocol)
      })
    },
    'ambassador|shards': (client) => {
      answerWith(others, client, { kind: 'shards', pool }, (parts) => {
        return encodeValue(describeShards(sender, parts.flat()), client.lane.protocol)
      })
    },
    'ambassador|nearcache': (client, request) => clearNearCache(client, request, facts.near),
    'ambassador|route': bounded((client, request) => {
      answer(client, routes(request, sender))
    }),
    'ambassador|preflight': (client) => answer(client, preflightValue(preflight())),
    ...lookoutCommands({ lookout, tellsKeys, others }),
    'acl|whoami': (client) => client.session.answer(bulkFrame(Buffer.from(client.user))),
  }
}

function clearNearCache(
  { session }: Client,
  request: ScannedRequest,
  near: FactSources['near'],
): void {
  if (argumentWord(request, 2) !== 'CLEAR') session.answer(SYNTAX_ERROR)
  else {
    near?.clear()
    session.answer(OK)
  }
}

/** `others`: what other workers say of shards by these names. */
function describeShards({ shards, topology }: Sender, others: readonly ShardFigures[]): Value {
  const shares = topology.view.shares()
  // The shards of a ring are its places; those of a cluster are slots.
  const isCluster = topology.placeCount === SLOT_COUNT
  return shards.map((shard, at) => {
    const share = shares[at] ?? 0
    const all = [shard, ...others.filter(({ name }) => name === shard.name)]
    const sum = (of: (figures: ShardFigures) => number) => {
      return all.reduce((total, each) => total + of(each), 0)
    }
    return new Map<string, Value>([
      ['name', shard.name],
      ['address', shard.address],
      ['state', all.every(({ up }) => up) ? 'up' : 'down'],
      ['requests-in-flight', sum(({ inFlight }) => inFlight)],
      ['leases', sum(({ leased }) => leased)],
      ...(isCluster ? [['slots', Math.round(share * SLOT_COUNT)] as [string, Value]] : []),
      ['since', new Date(shard.history.sinceMs).toISOString()],
      ['replicas', (shard.replicas?.list ?? []).map(describeReplica)],
    ])
  })
}

function describeReplica({ address, serves, ailment, lagBytes, sinceMs }: ReplicaView): Value {
  return new Map<string, Value>([
    ['address', address],
    ['state', serves ? 'read' : (ailment ?? 'not read')],
    ['lag-bytes', lagBytes ?? null],
    ['since', new Date(sinceMs).toISOString()],
  ])
}

function routes(request: ScannedRequest, { topology, shards }: Sender): Value {
  return Array.from({ length: request.argc - 2 }, (_, i) => {
    const key = argument(request, i + 2)
    const { shard, hashedStart, hashedEnd, hash } = topology.view.explain(key)
    return new Map<string, Value>([
      ['key', key],
      // With distribution `random` each request draws another.
      ['shard', shard === undefined ? null : (shards[shard]?.name ?? null)],
      ['hashed', key.subarray(hashedStart, hashedEnd)],
      ['hash', hash],
    ])
  })
}
