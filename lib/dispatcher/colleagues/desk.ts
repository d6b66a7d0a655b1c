/** Answers what other workers ask about the clients of one entrance, by the configuration in use. */
import type { Lookout } from '../../stats/lookout/lookout.ts'
import { requestOfWords } from '../core/arguments.ts'
import type { ClientCommandOptions } from '../edge/client-commands.ts'
import { killedBy, linesOf, listedBy } from '../edge/client-commands.ts'
import { unblockClient } from '../edge/unblock.ts'
import { ambassadorFacts, type FactSources, type Identity } from '../reports/ambassador-facts.ts'
import type { Answers, Kind, Question } from './colleagues.ts'

export interface DeskOptions extends Pick<ClientCommandOptions, 'clients' | 'sender' | 'isUser'> {
  readonly facts: FactSources
  readonly identity: Identity
  readonly lookout: Lookout
}

type Handler<K extends Kind> = (question: Question<K>, done: (answer: Answers[K]) => void) => void

export class Desk {
  readonly #handlers: { readonly [K in Kind]: Handler<K> }

  constructor(options: DeskOptions) {
    const { clients, sender, facts, identity, lookout } = options
    this.#handlers = {
      list: ({ words }, done) => {
        const listed = listedBy(requestOfWords(words), clients)
        done(Buffer.isBuffer(listed) ? '' : linesOf(listed))
      },
      kill: ({ words }, done) => {
        const killed = killedBy(requestOfWords(words), options, undefined)
        if (!Buffer.isBuffer(killed)) for (const { session } of killed) session.destroy()
        done(Buffer.isBuffer(killed) ? 0 : killed.length)
      },
      unblock: ({ id, reason }, done) => {
        const target = clients.get(id)
        if (target === undefined) done(false)
        else {
          unblockClient(target, reason, { asking: target, sender }, (outcome) => {
            done(typeof outcome === 'boolean' ? outcome : undefined)
          })
        }
      },
      facts: (_, done) => done([...ambassadorFacts(facts, identity)]),
      shards: (_, done) => {
        done(
          sender.shards.map(({ name, up, inFlight, leased }) => ({ name, up, inFlight, leased })),
        )
      },
      lookout: (_, done) => done(lookout.part),
      forget: ({ log }, done) => {
        lookout[log].reset()
        done(true)
      },
    }
  }

  answer<K extends Kind>(question: Question<K>, done: (answer: Answers[K]) => void): void {
    const handler = this.#handlers[question.kind as K] as Handler<K>
    handler(question, done)
  }
}
