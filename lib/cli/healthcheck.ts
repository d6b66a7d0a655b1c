/**
 * `healthcheck`: whether the ambassador of this configuration lives. It asks as a client without password
 * and certificate, and any answer will do: an orchestrator restarts what fails this check, and an
 * ambassador that is full or asks for a password must not be restarted.
 */
import { createConnection, type NetConnectOpts } from 'node:net'
import { connect } from 'node:tls'
import type { ListenAddress } from '../config/config.ts'
import type { Addresses } from '../config/sources/load.ts'
import { addressText } from '../config/values/address.ts'
import { EXIT } from '../errors.ts'
import { HEALTHCHECK_MS_MAX } from '../limits.ts'
import { reachable } from './reachable.ts'

/** Answers with an exit code; what is wrong goes to `complain`. */
export async function runHealthcheck(
  { listen, adminListen }: Pick<Addresses, 'listen' | 'adminListen'>,
  complain: (text: string) => void,
): Promise<number> {
  // The plainest way in: TLS costs both sides a thousand times as much.
  const address = listen.find((each) => !('tls' in each)) ?? listen[0]
  if (address === undefined) throw new Error('a configuration without an address to listen on')
  let problem: Problem | undefined
  for (const where of reachable(address)) {
    const outcome = await ask(where, 'tls' in address)
    if (outcome === 'alive') return EXIT.ok
    if (problem === undefined || !outcome.isShut) problem = outcome
  }
  // While it drains it takes no clients, and its admin endpoint is the last to close.
  if (problem?.isShut && adminListen !== 'off' && (await isLive(adminListen))) return EXIT.ok
  complain(`${addressText(address)}: ${problem?.text}\n`)
  return EXIT.runtime
}

interface Problem {
  readonly text: string
  /** No connection was possible, although an ambassador may be there. */
  readonly isShut: boolean
}

type Outcome = 'alive' | Problem

/**
 * What an ambassador says to a PING: it answers, asks for a password, or has no place for one more
 * client. Other first words are somebody else's.
 */
const OURS = /^(?:\+PONG|-NOAUTH |-ERR max number of clients reached)/

const PING = '*1\r\n$4\r\nPING\r\n'

/** Longer than any answer to PING. */
const ANSWER_BYTES_MAX = 1024

function ask(where: NetConnectOpts, isTls: boolean): Promise<Outcome> {
  // The peer's certificate is not verified: the peer is on this machine, and without TLS nobody
  // could verify it either.
  const socket = isTls ? connect({ ...where, rejectUnauthorized: false }) : createConnection(where)
  let answer = ''
  return new Promise((resolve) => {
    const finish = (outcome: Outcome) => {
      resolve(outcome)
      socket.destroy()
    }
    const fail = (text: string) => finish({ text, isShut: false })
    socket.setTimeout(HEALTHCHECK_MS_MAX, () => fail(`no answer within ${HEALTHCHECK_MS_MAX} ms`))
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1')
      if (!answer.includes('\n') && answer.length < ANSWER_BYTES_MAX) return
      if (OURS.test(answer)) finish('alive')
      else fail(`unexpected answer ${JSON.stringify(answer.slice(0, ANSWER_BYTES_MAX))}`)
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (isClosedByPeer(error) && answer === '') finish('alive')
      else finish({ text: error.message, isShut: answer === '' })
    })
    // What somebody else would have begun to say.
    socket.on('end', () => (answer === '' ? finish('alive') : fail('closed within an answer')))
    socket.write(PING)
  })
}

/**
 * Whether the other side accepted the connection and then closed it, which proves that the process
 * runs. It does so in a flood of clients, when no descriptor is left, and where it wants a certificate.
 */
function isClosedByPeer({ code = '' }: NodeJS.ErrnoException): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE' || /^ERR_SSL_.*ALERT/.test(code)
}

async function isLive(address: ListenAddress): Promise<boolean> {
  // Loaded only now: it is seldom needed, and takes as long as all the rest.
  const { askAdmin } = await import('./ask-admin.ts')
  return (await askAdmin(address, '/livez'))?.status === 200
}
