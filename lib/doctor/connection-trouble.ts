/** Explains why a connection could not be made, from what the socket, TLS or Redis said. Pure. */
import { errorText } from '../errors.ts'
import { type Finding, note, problem } from './finding.ts'

/** What a second attempt has shown, with TLS if the first had none, else without. */
export interface SecondLook {
  /** The shard answered the second attempt. */
  readonly otherWayWorks: boolean
}

interface Place {
  readonly shard: string
  /** As an operator writes it. */
  readonly address: string
  readonly tls: boolean
}

/** For each error `code` its meaning, and what to do. */
const REACH: Readonly<Record<string, readonly [saw: string, advice: string]>> = {
  ECONNREFUSED: [
    'refuses connections: nothing listens there',
    'Is that Redis running, is it the right port, and does it `bind` more than its own loopback?',
  ],
  ETIMEDOUT: [
    'does not answer a connection',
    'A firewall or NetworkPolicy that drops packets, or a machine that is gone. If it is only slow, raise connectTimeoutMs.',
  ],
  EHOSTUNREACH: ['cannot be reached: no route to the host', 'Look at routes and firewalls.'],
  ENETUNREACH: ['cannot be reached: no route to the network', 'Look at routes; is it IPv6 only?'],
  ENOENT: ['is a path where there is no socket', 'Is that Redis running, is its volume mounted?'],
  EACCES: ['may not be opened by this user', "Look at the socket's unixsocketperm, and the user."],
}

const UNTRUSTED: Readonly<Record<string, readonly [saw: string, advice: string]>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'has a certificate for another name',
    'Write the shard by a name in its certificate, or give that name as shardTlsServerName.',
  ],
  CERT_HAS_EXPIRED: ['has a certificate that has expired', 'It needs a new one.'],
  CERT_NOT_YET_VALID: [
    'has a certificate that is not valid yet',
    'Look at the clocks, here and where it was made.',
  ],
}

const UNKNOWN_AUTHORITY = [
  'has a certificate from an authority that is not trusted here',
  "Give the authority's certificate as shardTlsCa.",
] as const

const AUTHORITY_CODES: ReadonlySet<string> = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
])

/**
 * Why there is no usable connection. `error`: the first error; undefined when the connection was
 * closed without one.
 */
export function connectionTrouble(
  { shard, address, tls }: Place,
  error: NodeJS.ErrnoException | undefined,
  { otherWayWorks }: SecondLook,
): Finding {
  if (otherWayWorks) {
    return tls
      ? problem(
          'tls',
          shard,
          `${address} speaks no TLS, but is configured as rediss://`,
          'Write it without rediss:// (or tls: true), or switch TLS on in that Redis.',
        )
      : problem(
          'tls',
          shard,
          `${address} speaks TLS, but is configured in clear`,
          'Write it as rediss://, with shardTlsCa for its authority.',
        )
  }
  const code = error?.code ?? ''
  const distrust = UNTRUSTED[code] ?? (AUTHORITY_CODES.has(code) ? UNKNOWN_AUTHORITY : undefined)
  if (distrust !== undefined) return problem('tls', shard, `${address} ${distrust[0]}`, distrust[1])
  const reach = REACH[code]
  if (reach !== undefined) return problem('reach', shard, `${address} ${reach[0]}`, reach[1])
  return otherTrouble({ shard, address, tls }, error)
}

function otherTrouble(
  { shard, address, tls }: Place,
  error: NodeJS.ErrnoException | undefined,
): Finding {
  const words = errorText(reasonOf(error))
  if (tls && /certificate required|handshake failure|bad certificate|unknown ca/i.test(words)) {
    return problem(
      'tls',
      shard,
      `${address} does not accept us (${words})`,
      'It may want a certificate of its clients: give shardTlsCert and shardTlsKey.',
    )
  }
  if (/Protocol error|reply type byte|Unknown RESP type/.test(words)) {
    return problem(
      'reach',
      shard,
      `${address} does not speak Redis's protocol`,
      'Something else listens there. Is it the right port?',
    )
  }
  if (/timed out/i.test(words)) {
    return problem(
      'reach',
      shard,
      `${address} takes connections but does not answer`,
      'That Redis may be stopped, swapping or busy with one long command.',
    )
  }
  return problem(
    tls ? 'tls' : 'reach',
    shard,
    `${address} cannot be talked to (${words})`,
    'Look into the log of that Redis.',
  )
}

/** OpenSSL's own messages are lines of numbers and file names; `reason` has the words. */
function reasonOf(error: NodeJS.ErrnoException | undefined): string {
  if (error === undefined) return 'it closes the connection at once'
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message
}

/** What an error reply to AUTH, SELECT or PING means. */
export function refusalTrouble(
  { shard, address }: Omit<Place, 'tls'>,
  command: 'AUTH' | 'SELECT' | 'PING',
  reply: string,
): Finding {
  const told = `(${errorText(reply)})`
  for (const [pattern, check, saw, advice] of REFUSALS) {
    if (pattern.test(reply)) return problem(check, shard, `${address} ${saw} ${told}`, advice)
  }
  if (command === 'SELECT' && /^NOPERM|^ERR unknown command/.test(reply)) {
    return problem(
      'database',
      shard,
      `${address} does not let us select the database that is configured ${told}`,
      'Allow the user +select, or use its database 0.',
    )
  }
  if (command === 'SELECT') {
    return problem(
      'database',
      shard,
      `${address} does not have the database that is configured ${told}`,
      "Look at the shard's database, and at `databases` in that Redis.",
    )
  }
  if (command === 'AUTH') {
    return problem(
      'auth',
      shard,
      `${address} does not take our AUTH ${told}`,
      'Is a user name given to a Redis older than 6?',
    )
  }
  return note(
    'state',
    shard,
    `${address} answers PING with an error ${told}`,
    'Clients can do without, for we answer their PING. Is that intended?',
  )
}

const REFUSALS = [
  [
    /^WRONGPASS|^ERR invalid password/,
    'auth',
    'refuses the password or the user',
    "Set shardPassword (and shardUsername), or give them in the shard's URL.",
  ],
  [
    /without any password configured/,
    'auth',
    'has no password, but one is configured',
    'Take shardPassword away for it, or set requirepass in that Redis.',
  ],
  [
    /^NOAUTH/,
    'auth',
    'wants a password, and none is configured',
    "Set shardPassword, or give it in the shard's URL.",
  ],
  [
    /^DENIED/,
    'reach',
    'is in protected mode and takes nobody from another machine',
    'Set a password there, or `protected-mode no`.',
  ],
  [
    /^ERR max number of clients/,
    'clients',
    'is full and turns connections away',
    'Raise maxclients there, or find out who holds so many connections.',
  ],
  [
    /^LOADING/,
    'state',
    'is loading its data and answers nothing else',
    'Wait; if it does so often, find out why it restarts.',
  ],
  [
    /^MASTERDOWN/,
    'state',
    'is a replica without its master and answers nothing',
    'Point the shard at the master.',
  ],
  [
    /^BUSY/,
    'state',
    'is busy with a script',
    'Wait, or end it with SCRIPT KILL or FUNCTION KILL there.',
  ],
  [
    /^MISCONF/,
    'state',
    'refuses writes since it cannot save to its disk',
    'Look at the disk and the log of that Redis.',
  ],
] as const
