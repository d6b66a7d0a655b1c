/** What a RESP2 client that is subscribed to something is told instead of replies (server.c, processCommand). */
import { rejected, wrongArity } from '../../commands/errors.ts'
import type { CommandRow } from '../../commands/row.ts'
import { pongMessage } from '../../resp/pubsub.ts'
import type { Request } from '../../resp/request.ts'
import { argument } from '../core/arguments.ts'

/** PING is answered in the form of a message; the rest is refused. */
export function answerToSubscriber(request: Request, row: CommandRow): Buffer {
  return row.name === 'ping' ? pong(request, row) : notNow(row)
}

function pong(request: Request, row: CommandRow): Buffer {
  if (request.argc > 2) return wrongArity(row)
  return pongMessage(request.argc === 2 ? argument(request, 1) : EMPTY)
}

const EMPTY = Buffer.alloc(0)

function notNow(row: CommandRow): Buffer {
  return rejected(
    row,
    `Can't execute '${row.name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET ` +
      'are allowed in this context',
  )
}
