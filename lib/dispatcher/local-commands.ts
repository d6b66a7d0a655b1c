/** The smallest commands: answered here, without any shard. */
import { bulkFrame, OK, PONG } from '../resp/encode.ts'
import { argument } from './arguments.ts'
import type { SpecialCommand } from './dispatcher.ts'

export const LOCAL_COMMANDS: Readonly<Record<string, SpecialCommand>> = {
  ping: (client, request) => {
    client.session.answer(request.argc === 1 ? PONG : bulkFrame(argument(request, 1)))
  },
  echo: (client, request) => client.session.answer(bulkFrame(argument(request, 1))),
  quit: (client) => {
    client.session.answer(OK)
    client.session.closeAfterReplies()
  },
}
