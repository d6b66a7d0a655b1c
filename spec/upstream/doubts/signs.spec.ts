import { expect } from 'chai'
import { signIn } from '../../../lib/upstream/doubts/signs.ts'

function sign(text: string): string | undefined {
  const bytes = Buffer.from(`before${text}after`, 'latin1')
  return signIn(bytes, 6, 6 + text.length)
}

describe('signIn', () => {
  const READ_ONLY = "READONLY You can't write against a read only replica."

  it('sees READONLY however it is wrapped', () => {
    for (const text of [
      `-${READ_ONLY}\r\n`,
      `!52\r\n${READ_ONLY}\r\n`,
      `-${READ_ONLY} script: 8b1a, on @user_script:1.\r\n`,
      `-ERR Error running script (call to f_8b1a): @user_script:1: -${READ_ONLY}\r\n`,
      `-EXECABORT Transaction discarded because of: ${READ_ONLY}\r\n`,
      `*2\r\n+OK\r\n-${READ_ONLY}\r\n`,
      '-UNBLOCKED force unblock from blocking operation, instance state changed\r\n',
      '-REDIRECT 10.0.0.1:6379\r\n',
    ]) {
      expect(sign(text), text).to.equal('readOnly')
    }
  })

  it('sees what a shard answers to everything for a while', () => {
    for (const text of [
      '-LOADING Redis is loading the dataset in memory\r\n',
      '-MASTERDOWN Link with MASTER is down\r\n',
      '-BUSY Redis is busy running a script.\r\n',
      '!47\r\nLOADING Redis is loading the dataset in memory\r\n',
    ]) {
      expect(sign(text), text).to.equal('notServing')
    }
  })

  it('sees nothing in what is about the request', () => {
    for (const text of [
      "-ERR unknown command 'READONLY'\r\n",
      '-BUSYKEY Target key name already exists.\r\n',
      '-BUSYGROUP Consumer Group name already exists\r\n',
      '-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n',
      '*1\r\n$9\r\n-READONLY\r\n',
      '*1\r\n-WRONGTYPE Operation against a key\r\n',
      '-\r\n',
    ]) {
      expect(sign(text), text).to.equal(undefined)
    }
  })

  it('looks at nothing beyond the reply', () => {
    const bytes = Buffer.from(`-ERR x\r\n-${READ_ONLY}\r\n`)
    expect(signIn(bytes, 0, 8)).to.equal(undefined)
    expect(signIn(bytes, 8, bytes.length)).to.equal('readOnly')
  })
})
