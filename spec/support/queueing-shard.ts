/** What a fake shard answers to the requests of a transaction, and where it fails. */
import type { FakeRequest } from './fake-shard.ts'

/** For a node of a fake cluster, too. */
type Play = (request: FakeRequest) => string | undefined

/** Queues every command, and executes one. */
export const GOOD: Play = ({ text }) => {
  if (text === 'EXEC') return '*1\r\n+DONE\r\n'
  return /^(MULTI|DISCARD|WATCH|UNWATCH)\b/.test(text) ? '+OK\r\n' : '+QUEUED\r\n'
}

/** `reply` to requests like this, undefined: none; to all others what is good. */
export const but =
  (odd: RegExp, reply: string | undefined): Play =>
  (request) =>
    odd.test(request.text) ? reply : GOOD(request)

/** Dies in the place of this reply. */
export const diesAt =
  (odd: RegExp): Play =>
  (request) => {
    if (!odd.test(request.text)) return GOOD(request)
    request.connection.reset()
    return undefined
  }
