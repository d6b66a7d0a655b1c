import { expect } from 'chai'
import { isRefusal } from '../../lib/resp/refusal.ts'
import { latin1 } from '../support/frames.ts'

describe('isRefusal', () => {
  it('knows the words in which servers of all ages refuse a command', () => {
    for (const error of [
      "NOPERM this user has no permissions to run the 'ping' command",
      "NOPERM User app has no permissions to run the 'ping' command",
      "ERR unknown command 'PING', with args beginning with: ",
      'ERR unknown command `PING`, with args beginning with: ',
      "ERR unknown subcommand 'ID'. Try CLIENT HELP.",
      "ERR Unknown subcommand or wrong number of arguments for 'ID'. Try CLIENT HELP.",
      'ERR Syntax error, try CLIENT (LIST | KILL | GETNAME | SETNAME | PAUSE | REPLY)',
    ]) {
      expect(isRefusal(latin1(`+x\r\n-${error}\r\n`), 4), error).to.equal(true)
    }
  })

  it('takes nothing else for one', () => {
    for (const reply of [
      '+PONG',
      '$40',
      '-ERR max number of clients reached',
      '-NOAUTH Authentication required.',
      '-LOADING Redis is loading the dataset in memory',
      '-ERR syntax error',
      "-ERR wrong number of arguments for 'ping' command",
    ]) {
      expect(isRefusal(latin1(`${reply}\r\n`), 0), reply).to.equal(false)
    }
  })
})
