import { expect } from 'chai'
import { refusalOf, refusalOfInfo } from '../../../lib/nearcache/tracking/tracking-support.ts'

function hello(version: string): string {
  return `%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$${version.length}\r\n${version}\r\n$5\r\nproto\r\n:3\r\n`
}

describe('refusalOf', () => {
  it('takes versions that are known to announce every change', () => {
    for (const version of [
      '6.2.11',
      '6.2.16',
      '7.0.9',
      '7.0.15',
      '7.2.0',
      '8.0.6',
      '9.1.2',
      '10.0.0',
    ]) {
      expect(refusalOf(hello(version)), version).to.equal(undefined)
    }
  })

  it('refuses those that do not, or may crash', () => {
    for (const version of ['5.0.14', '6.0.20', '6.2.10', '7.0.0', '7.0.8']) {
      expect(refusalOf(hello(version))).to.equal(
        `Redis ${version} is not relied on to announce changes; 6.2.11, 7.0.9 and later are`,
      )
    }
  })

  it('refuses a server that does not tell', () => {
    expect(refusalOf('-NOPERM no\r\n')).to.include('does not tell its version')
  })
})

describe('refusalOfInfo', () => {
  const info = (flags: string, redirect: number) => {
    const names = flags.split(' ').map((flag) => `$${flag.length}\r\n${flag}\r\n`)
    return `*6\r\n$5\r\nflags\r\n*${names.length}\r\n${names.join('')}$8\r\nredirect\r\n:${redirect}\r\n`
  }

  it('takes a connection that is tracked and tells the one that is to hear of it', () => {
    expect(refusalOfInfo(info('on optin', 0), undefined)).to.equal(undefined)
    expect(refusalOfInfo(info('on optin', 17), '17')).to.equal(undefined)
  })

  it('refuses one that is not, or tells somebody else', () => {
    const answers = [info('off', -1), info('on', 0), info('on optin', 16), info('on optin', 0)]
    for (const answer of [...answers, info('on optin broken_redirect', 17)]) {
      expect(refusalOfInfo(answer, '17')).to.include('CLIENT TRACKINGINFO says that it does not')
    }
    expect(refusalOfInfo('-NOPERM no\r\n', '17')).to.equal('NOPERM no')
  })
})
