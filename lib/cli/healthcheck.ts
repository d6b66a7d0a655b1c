/** `healthcheck`: is the ambassador of this configuration alive? One connection, one PING. */
import { createConnection, type NetConnectOpts, type Socket } from 'node:net'
import { connect } from 'node:tls'
import type { Config, ListenAddress } from '../config/config.ts'
import { addressText } from '../config/values/address.ts'
import { EXIT } from '../errors.ts'
import { HEALTHCHECK_MS_MAX } from '../limits.ts'

/** Answers with an exit code; what is wrong goes to `complain`. */
export async function runHealthcheck(
  config: Config,
  complain: (text: string) => void,
): Promise<number> {
  // The plainest way in: with TLS, clients may need a certificate that we do not have.
  const address = config.listen.find((each) => !('tls' in each)) ?? config.listen[0]
  if (address === undefined) throw new Error('a configuration without an address to listen on')
  const problem = await ping(address, config.password)
  if (problem === undefined) return EXIT.ok
  complain(`${addressText(address)}: ${problem}\n`)
  return EXIT.runtime
}

/** undefined when the answer is PONG, else what happened. */
async function ping(
  address: ListenAddress,
  password: string | undefined,
): Promise<string | undefined> {
  const wanted = password === undefined ? '+PONG\r\n' : '+OK\r\n+PONG\r\n'
  const socket = open(address)
  let answer = ''
  return await new Promise((resolve) => {
    const finish = (problem: string | undefined) => {
      socket.destroy()
      resolve(problem)
    }
    socket.setTimeout(HEALTHCHECK_MS_MAX, () => {
      finish(`no answer within ${HEALTHCHECK_MS_MAX} ms`)
    })
    socket.on('error', (error) => finish(error.message))
    socket.on('end', () => finish('closed the connection without an answer'))
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1')
      if (answer === wanted) finish(undefined)
      else if (!wanted.startsWith(answer)) finish(`unexpected answer ${JSON.stringify(answer)}`)
    })
    if (password !== undefined) socket.write(command('AUTH', password))
    socket.write(command('PING'))
  })
}

/** Who answers is not asked for his name: in clear nobody could be, and it is this machine. */
function open(address: ListenAddress): Socket {
  const where = reachable(address)
  return 'tls' in address
    ? connect({ ...where, rejectUnauthorized: false })
    : createConnection(where)
}

/** A wildcard address is none to connect to. */
export function reachable(address: ListenAddress): NetConnectOpts {
  if ('path' in address) return { path: address.path }
  const { host, port } = address
  return { host: host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host, port }
}

function command(...words: readonly string[]): string {
  const bulks = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
  return `*${words.length}\r\n${bulks.join('')}`
}
