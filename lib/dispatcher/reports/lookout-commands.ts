/** AMBASSADOR SLOWLOG, HOTKEYS and BIGREPLIES: the same over RESP as the admin endpoint's pages. */
import type { ScannedRequest } from '../../downstream/session.ts'
import { errorFrame, errorText } from '../../errors.ts'
import { SLOW_LOG_LENGTH } from '../../limits.ts'
import { parseInteger } from '../../resp/bytes.ts'
import { Double, encodeValue, OK, type Value } from '../../resp/encode.ts'
import type { BigReply } from '../../stats/lookout/big-replies.ts'
import type { ShownHotKey } from '../../stats/lookout/hot-keys.ts'
import type { Lookout } from '../../stats/lookout/lookout.ts'
import { joinParts, type LookoutPart } from '../../stats/lookout/lookout-part.ts'
import type { SlowRequest } from '../../stats/lookout/slow-log.ts'
import { answerWith, type Others } from '../colleagues/colleagues.ts'
import { argumentText, argumentWord } from '../core/arguments.ts'
import type { Client } from '../core/client.ts'
import type { SpecialCommand } from '../core/dispatcher.ts'

/** What Redis's own SLOWLOG GET shows without a count. */
const SLOW_REQUESTS_SHOWN = 10

const COUNT_TOO_SMALL = errorFrame('ERR count should be greater than or equal to -1')
const NO_INTEGER = errorFrame('ERR value is not an integer or out of range')

export interface LookoutCommandOptions {
  readonly lookout: Lookout
  /**
   * Every client that has logged in may know of every key. If false, neither keys nor their hashes
   * are told.
   */
  readonly tellsKeys: boolean
  readonly others: Others
}

export function lookoutCommands(options: LookoutCommandOptions): Record<string, SpecialCommand> {
  const { lookout, tellsKeys } = options
  const shown: ShownKey = (noted) => {
    return tellsKeys ? lookout.shown(noted.keyHash, noted.key) : null
  }
  return {
    'ambassador|slowlog': (client, request) => slowLog(client, request, options, shown),
    'ambassador|hotkeys': (client) => {
      answer(client, options, ({ hot }) => hotKeys(hot, tellsKeys))
    },
    'ambassador|bigreplies': (client, request) => bigReplies(client, request, options, shown),
  }
}

/** The key of an entry as this protocol tells it; null: not at all. */
type ShownKey = (noted: {
  readonly keyHash: number
  readonly key: string | undefined
}) => string | null

/** `valueFrom`: of what all workers have noted. */
function answer(
  client: Client,
  { lookout, others }: LookoutCommandOptions,
  valueFrom: (noted: LookoutPart) => Value,
): void {
  const own = lookout.part
  answerWith(others, client, { kind: 'lookout' }, (parts) => {
    return encodeValue(valueFrom(joinParts(own, parts)), client.lane.protocol)
  })
}

function forget(
  client: Client,
  { lookout, others }: LookoutCommandOptions,
  log: 'slowLog' | 'bigReplies',
): void {
  lookout[log].reset()
  answerWith(others, client, { kind: 'forget', log }, () => OK)
}

function slowLog(
  client: Client,
  request: ScannedRequest,
  options: LookoutCommandOptions,
  shown: ShownKey,
): void {
  const word = request.argc === 2 ? 'GET' : argumentWord(request, 2)
  if (word === 'GET' && request.argc <= 4) {
    const count = request.argc === 4 ? countOf(request) : SLOW_REQUESTS_SHOWN
    if (Buffer.isBuffer(count)) client.session.answer(count)
    else answer(client, options, ({ slow }) => slowRequests(slow.slice(0, count), shown))
  } else if (word === 'LEN' && request.argc === 3) {
    answer(client, options, ({ slow }) => slow.length)
  } else if (word === 'RESET' && request.argc === 3) {
    forget(client, options, 'slowLog')
  } else {
    client.session.answer(unknown(request))
  }
}

function bigReplies(
  client: Client,
  request: ScannedRequest,
  options: LookoutCommandOptions,
  shown: ShownKey,
): void {
  const word = request.argc === 2 ? 'GET' : argumentWord(request, 2)
  if (request.argc > 3) {
    client.session.answer(unknown(request))
  } else if (word === 'GET') {
    answer(client, options, ({ big }) => largestReplies(big, shown))
  } else if (word === 'LEN') {
    answer(client, options, ({ big }) => big.length)
  } else if (word === 'RESET') {
    forget(client, options, 'bigReplies')
  } else {
    client.session.answer(unknown(request))
  }
}

/** The count of SLOWLOG GET, or the error that Redis gives for it. */
function countOf({ bytes, offsets }: ScannedRequest): number | Buffer {
  const count = parseInteger(bytes, offsets[6] as number, offsets[7] as number)
  if (count === undefined) return NO_INTEGER
  if (count < -1) return COUNT_TOO_SMALL
  return count === -1 ? SLOW_LOG_LENGTH : count
}

/** As Redis's own SLOWLOG says it. */
function unknown(request: ScannedRequest): Buffer {
  const word = errorText(argumentText(request, 2))
  return errorFrame(
    `ERR unknown subcommand or wrong number of arguments for '${word}'. Try AMBASSADOR HELP.`,
  )
}

function slowRequests(slow: readonly SlowRequest[], shown: ShownKey): Value {
  return slow.map((entry) => {
    return new Map<string, Value>([
      ['id', entry.id],
      ['unix-time-milliseconds', entry.atMs],
      ['command', entry.command],
      ['key', shown(entry)],
      ['shard', entry.shard],
      ['total-microseconds', Math.round(entry.totalMs * 1000)],
      ['shard-microseconds', Math.round(entry.shardMs * 1000)],
      ['ending', entry.ending],
    ])
  })
}

function hotKeys(hot: readonly ShownHotKey[], tellsKeys: boolean): Value {
  return hot.map(({ key, shard, share, requestsPerSecond }) => {
    return new Map<string, Value>([
      ['key', tellsKeys ? key : null],
      ['shard', shard],
      ['share', new Double(share.toFixed(6))],
      ['requests-per-second', Math.round(requestsPerSecond)],
    ])
  })
}

function largestReplies(big: readonly BigReply[], shown: ShownKey): Value {
  return big.map((entry) => {
    return new Map<string, Value>([
      ['id', entry.id],
      ['unix-time-milliseconds', entry.atMs],
      ['command', entry.command],
      ['key', shown(entry)],
      ['shard', entry.shard],
      ['bytes', entry.bytes],
      ['times', entry.times],
    ])
  })
}
