/**
 * Asks the admin endpoint of an ambassador on this machine. Another program may listen on its port.
 */
import type { NetConnectOpts } from 'node:net'
import type { ListenAddress } from '../config/config.ts'
import { HEALTHCHECK_MS_MAX } from '../limits.ts'
import { reachable } from './reachable.ts'

/** Longer than the first line of any answer. */
const LINE_BYTES_MAX = 128

/** Status and first line of the answer; status 0 and the reason without an answer; undefined when nobody listens. */
export async function askAdmin(address: ListenAddress, path: string): Promise<Told | undefined> {
  let told: Told | undefined
  for (const where of reachable(address)) told ??= await askAt(where, path)
  return told
}

interface Told {
  readonly status: number
  readonly text: string
}

function askAt(where: NetConnectOpts, path: string): Promise<Told | undefined> {
  return new Promise((resolve) => {
    const target = 'path' in where ? { socketPath: String(where.path) } : where
    // Not imported, for the reason that admin-server.ts gives.
    const asked = process
      .getBuiltinModule('node:http')
      .request({ ...target, path, timeout: HEALTHCHECK_MS_MAX, agent: false }, (response) => {
        let text = ''
        response.setEncoding('latin1')
        const done = (): void => {
          resolve({ status: response.statusCode ?? 0, text: text.split('\n', 1)[0] ?? '' })
        }
        response.on('data', (chunk: string) => {
          text = `${text}${chunk}`.slice(0, LINE_BYTES_MAX)
          if (text.length < LINE_BYTES_MAX) return
          // A server that is not ours may go on for ever.
          done()
          response.destroy()
        })
        response.on('close', done)
      })
    asked.on('timeout', () => asked.destroy(new Error('no answer')))
    asked.on('error', (error: NodeJS.ErrnoException) => {
      const isNobody = NOBODY.has(error.code ?? '')
      resolve(isNobody ? undefined : { status: 0, text: error.message })
    })
    asked.end()
  })
}

/** The last three: this machine lacks the address, or its family. */
const NOBODY: ReadonlySet<string> = new Set([
  ...['ECONNREFUSED', 'ENOENT', 'EADDRNOTAVAIL', 'EAFNOSUPPORT', 'ENETUNREACH'],
])
