/**
 * The request that brings a lease into the state in which a command leaves its client. In a transaction
 * both are executed at the same point, the command here and its twin on the lease.
 */
import type { CommandRow } from '../../commands/row.ts'
import { requestFrame } from '../../resp/encode.ts'
import type { Request } from '../../resp/request.ts'
import type { EdgeUsers } from './edge-users.ts'
import { parseHello } from './hello-request.ts'

/** A copy of the request, or another one, or nothing. */
export type LeaseTwin = (request: Request, row: CommandRow) => Buffer | undefined

/** `passAuthThrough`: shards judge logins; otherwise `users` do, and the lease hears of none. */
export function leaseTwins(users: EdgeUsers, passAuthThrough: boolean): LeaseTwin {
  return (request, row) => {
    switch (row.name) {
      case 'select':
        return bytesOf(request)
      case 'auth':
        return passAuthThrough ? bytesOf(request) : undefined
      case 'hello':
        return passAuthThrough ? bytesOf(request) : protocolChange(request, users)
      default:
        return undefined
    }
  }
}

function protocolChange(request: Request, users: EdgeUsers): Buffer | undefined {
  const parsed = parseHello(request)
  if (Buffer.isBuffer(parsed) || parsed.mistake !== undefined) return undefined
  const { protocol, steps } = parsed
  const isRefused = steps.some((step) => {
    return typeof step !== 'string' && !users.accepts(step.username, step.password)
  })
  return isRefused || protocol === undefined ? undefined : requestFrame(['HELLO', String(protocol)])
}

function bytesOf({ bytes, frameStart, frameEnd }: Request): Buffer {
  return Buffer.from(bytes.subarray(frameStart, frameEnd))
}
