/**
 * Finds which commands a shard lets us use. It tries the commands of clients and our own, each in a
 * form that changes nothing: a server checks rights before it looks at arguments.
 */
import { randomBytes } from 'node:crypto'
import { type Finding, note, problem, well } from './finding.ts'

/** Gives the error reply to a command, undefined when it is no error. */
export interface Attempts {
  /** Rejects when there is no reply. */
  attempt(command: string, ...words: string[]): Promise<string | undefined>
  /** As `attempt`, for a command that changes the connection: nothing can be tried after it. */
  attemptLast(command: string, ...words: string[]): Promise<string | undefined>
}

interface Trial {
  /** What does not work if it is refused, as the beginning of a sentence. */
  readonly fails: string
  readonly level: 'note' | 'problem'
  readonly advice: string
  /** One after the other, until one is refused. */
  readonly commands: readonly (readonly string[])[]
}

/** A random key, so that no client has it. */
const KEY = `ambassador-doctor:${randomBytes(16).toString('hex')}`
const NO_SCRIPT = '0'.repeat(40)

const TRIALS: readonly Trial[] = [
  {
    fails: 'reads fail',
    level: 'problem',
    advice: 'Allow the user what clients need: +@read.',
    commands: [['GET', KEY]],
  },
  {
    fails: 'writes fail',
    level: 'problem',
    advice: 'Allow the user what clients need: +@write.',
    // NX and XX contradict each other; a server refuses that after it has checked the right.
    commands: [['SET', KEY, '', 'NX', 'XX']],
  },
  {
    fails: 'iterating over keys fails',
    level: 'problem',
    advice: 'Allow the user +scan, or leave it if no client does so.',
    commands: [['SCAN', '0', 'COUNT', '1']],
  },
  {
    fails: 'commands that block fail',
    level: 'problem',
    advice: 'Allow the user +@blocking, or leave it if no client uses one.',
    commands: [['BLPOP', KEY, '0.001']],
  },
  {
    fails: 'scripts fail',
    level: 'problem',
    advice: 'Allow the user +@scripting, or leave it if no client runs any.',
    commands: [
      ['EVAL', '', '-1'],
      ['EVALSHA', NO_SCRIPT, '0'],
    ],
  },
  {
    fails: 'EVALSHA of a script that this shard does not have goes there as EVAL',
    level: 'note',
    advice: 'It costs the script each time, and fails in transactions. Allow the user +script.',
    // Not a script: it does not compile, so nothing is stored.
    commands: [['SCRIPT', 'LOAD', '(']],
  },
  {
    fails: 'WAIT fails',
    level: 'note',
    advice: 'Allow the user +wait, or leave it if no client uses it.',
    commands: [['WAIT', '0', '0']],
  },
  {
    fails: 'CLIENT UNBLOCK closes the connection on which the client waits',
    level: 'note',
    advice:
      'An element on its way just then is lost. Allow the user +client|id and +client|unblock.',
    commands: [
      ['CLIENT', 'ID'],
      ['CLIENT', 'UNBLOCK', '0'],
    ],
  },
  // Last, since a refusal in the middle leaves the connection inside a transaction.
  {
    fails: 'transactions fail',
    level: 'problem',
    advice: 'Allow the user +@transaction, or leave it if no client uses them.',
    commands: [['WATCH', KEY], ['MULTI'], ['EXEC']],
  },
]

const SUBSCRIBING: Trial = {
  fails: 'subscribing fails',
  level: 'problem',
  advice: 'Allow the user +@pubsub, or leave it if no client subscribes.',
  commands: [['SUBSCRIBE', KEY]],
}

/** Only with a near-cache. */
const TRACKING: Trial = {
  fails: 'its keys are not kept in memory (nearCacheKeys)',
  level: 'problem',
  advice:
    'Allow the user +client|tracking +client|trackinginfo +client|caching +client|id +hello +pttl.',
  commands: [
    ['HELLO'],
    ['CLIENT', 'ID'],
    ['CLIENT', 'TRACKING', 'OFF'],
    ['CLIENT', 'TRACKINGINFO'],
    ['CLIENT', 'CACHING', 'YES'],
    ['PTTL', KEY],
  ],
}

/** Only with a near-cache, of a cluster. */
const OWNING: Trial = {
  fails: TRACKING.fails,
  level: 'problem',
  advice: 'Allow the user +cluster|info +cluster|nodes.',
  commands: [
    ['CLUSTER', 'INFO'],
    ['CLUSTER', 'NODES'],
  ],
}

/** Only with a near-cache. */
const TOUCHING: Trial = {
  fails: 'keys that are read from memory look unused to it, and may be evicted',
  level: 'note',
  advice: 'Allow the user +touch, or leave it if the shard evicts nothing by use.',
  commands: [['TOUCH', KEY]],
}

/** Findings in the order of the trials, or one that all is well. Rejects as `attempts` do. */
export async function examineRights(
  { name, address }: { readonly name: string; readonly address: string },
  attempts: Attempts,
  keepsReplies: 'of a server' | 'of a node' | undefined,
): Promise<Finding[]> {
  const findings: Finding[] = []
  const owning = keepsReplies === 'of a node' ? [OWNING] : []
  const tracking = keepsReplies === undefined ? [] : [TRACKING, ...owning, TOUCHING]
  for (const trial of [...tracking, ...TRIALS, SUBSCRIBING]) {
    const refused = await refusedOf(trial, attempts)
    if (refused === undefined) continue
    const saw = `${address} refuses ${refused.command} (${refused.error}): `
    findings.push(
      isOfChannel(refused.error)
        ? note('rights', name, `${saw}subscribing to some channels fails`, CHANNELS_ADVICE)
        : { note, problem }[trial.level]('rights', name, `${saw}${trial.fails}`, trial.advice),
    )
  }
  return findings.length > 0 ? findings : [well('rights', name, 'all that clients do is allowed')]
}

const CHANNELS_ADVICE =
  'Redis 7 lets a new user subscribe to nothing. Allow the channels that clients use, or all: &*.'

/** The first command that is refused; undefined when the shard lets us use all of them. */
async function refusedOf(
  trial: Trial,
  attempts: Attempts,
): Promise<{ readonly command: string; readonly error: string } | undefined> {
  for (const [command = '', ...words] of trial.commands) {
    const error = await attempts[trial === SUBSCRIBING ? 'attemptLast' : 'attempt'](
      command,
      ...words,
    )
    if (error !== undefined && isRefusal(error)) return { command, error }
  }
  return undefined
}

/** A refusal because of our key is no finding: users may be allowed only the keys of clients. */
function isRefusal(error: string): boolean {
  if (/^NOPERM\b/.test(error)) return !/\bkeys?\b/.test(error)
  return /^ERR (?:unknown (?:sub)?command|Syntax error, try)/i.test(error)
}

function isOfChannel(error: string): boolean {
  return /^NOPERM\b.*\bchannels?\b/.test(error)
}
