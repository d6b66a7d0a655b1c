import { expect } from 'chai'
import {
  type Answers,
  answerWith,
  type Colleagues,
  type Kind,
} from '../../../lib/dispatcher/colleagues/colleagues.ts'
import { argumentText, requestOfWords, wordsOf } from '../../../lib/dispatcher/core/arguments.ts'
import type { Client } from '../../../lib/dispatcher/core/client.ts'
import { NO_ANSWER } from '../../../lib/failures.ts'

/** Others whose answers the spec gives. */
class FakeColleagues implements Colleagues {
  answered: (answers: readonly never[] | undefined) => void = () => {}

  ask<K extends Kind>(
    _question: object,
    done: (answers: readonly Answers[K][] | undefined) => void,
  ): void {
    this.answered = done
  }
}

describe('answerWith', () => {
  const question = { kind: 'lookout' } as const
  let log: unknown[]
  let client: Client

  beforeEach(() => {
    log = []
    const session = {
      answer: (frame: Buffer) => log.push(['answer', `${frame}`]),
      open: () => log.push('open'),
      settle: (ticket: number, frame: Buffer) => log.push(['settle', ticket, `${frame}`]),
      failed: (ticket: number, failure: unknown) => log.push(['failed', ticket, failure]),
    }
    client = { session } as unknown as Client
  })

  it('answers at once if there is nobody to ask', () => {
    answerWith(undefined, client, question, (answers) => Buffer.from(`${answers.length}`))
    expect(log).to.deep.equal([['answer', '0']])
  })

  it('takes its place in the order of replies before the others are asked', () => {
    const others = new FakeColleagues()
    answerWith(others, client, question, (answers) => Buffer.from(`${answers.length}`))
    expect(log).to.deep.equal(['open'])
    others.answered([])
    expect(log.slice(1)).to.deep.equal([['settle', 1, '0']])
  })

  it('fails rather than leave out one that lives and is silent', () => {
    const others = new FakeColleagues()
    answerWith(others, client, question, () => Buffer.from('never'))
    others.answered(undefined)
    expect(log.slice(1)).to.deep.equal([['failed', 1, NO_ANSWER]])
  })
})

describe('requestOfWords', () => {
  it('has the words that a request had, whatever their bytes', () => {
    const words = ['CLIENT', 'KILL', 'ADDR', '', 'a\r\nb', '\x00\xff', '$3\r\n']
    const request = requestOfWords(words)
    expect(wordsOf(request)).to.deep.equal(words)
    expect(argumentText(request, 4)).to.equal('a\r\nb')
    expect(request.frameEnd).to.equal(request.bytes.length)
  })
})
