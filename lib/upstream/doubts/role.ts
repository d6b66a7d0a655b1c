/** Asks a server whether it is a master. */
import { requestFrame } from '../../resp/encode.ts'
import type { ShardConnection } from '../connection/connection.ts'
import type { ReplySink } from '../reply-sink.ts'

/** Undefined: it cannot be reached. `unknown`: it is there and does not tell. */
export type Role = 'master' | 'replica' | 'unknown' | undefined

/**
 * Every user may say HELLO, which changes nothing in a connection that speaks that protocol already.
 * Servers before Redis 6 do not know it; they have no ACL against ROLE.
 */
const ROLE = requestFrame(['ROLE'])
const QUESTIONS = {
  2: [requestFrame(['HELLO', '2']), ROLE],
  3: [requestFrame(['HELLO', '3']), ROLE],
}

const IN_HELLO = /\$4\r\nrole\r\n\$\d+\r\n(master|replica)\r\n/
const IN_ROLE = /^\*\d+\r\n\$\d+\r\n(master|slave)\r\n/

/** Calls back once. `protocol`: the one that the connection speaks. */
export function askRole(
  connection: ShardConnection,
  protocol: 2 | 3,
  done: (role: Role) => void,
): void {
  connection.onceSettled(() => {
    if (connection.state !== 'ready') {
      done(undefined)
      return
    }
    const questions = QUESTIONS[protocol]
    const answers = new RoleAnswers(questions.length, done)
    for (const question of questions) {
      connection.send(answers, 0, question, 0, question.length, true)
    }
  })
}

class RoleAnswers implements ReplySink {
  readonly #done: (role: Role) => void
  #role: Role = 'unknown'
  #missing: number
  #isOver = false

  constructor(questions: number, done: (role: Role) => void) {
    this.#missing = questions
    this.#done = done
  }

  reply(_ticket: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    const text = bytes.toString('latin1', start, end)
    const [, role] = IN_HELLO.exec(text) ?? IN_ROLE.exec(text) ?? []
    if (role !== undefined) this.#role = role === 'master' ? 'master' : 'replica'
    if (last && --this.#missing === 0) this.#end(this.#role)
  }

  failed(): void {
    this.#end(undefined)
  }

  #end(role: Role): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#done(role)
  }
}
