import { expect } from 'chai'
import { sentinelList } from '../../../../lib/config/values/lists/sentinel-list.ts'

function problems(raw: string | readonly string[]): string {
  const parsed = sentinelList.parse(raw)
  return 'problems' in parsed ? parsed.problems.map(({ text }) => text).join('; ') : ''
}

describe('sentinelList', () => {
  it('reads hosts with and without a port, in clear and with TLS', () => {
    expect(sentinelList.parse('a, b:1,rediss://c,[::1]:2')).to.deep.equal({
      value: [
        { host: 'a', port: 26_379, tls: false },
        { host: 'b', port: 1, tls: false },
        { host: 'c', port: 26_379, tls: true },
        { host: '::1', port: 2, tls: false },
      ],
    })
    expect(sentinelList.parse(['a'])).to.deep.equal({
      value: [{ host: 'a', port: 26_379, tls: false }],
    })
  })

  it('says what is wrong, and shows no password', () => {
    expect(problems('a:0')).to.match(/"a:0".*port from 1 to 65535/)
    expect(problems('a,,b')).to.match(/no valid host/)
    expect(problems('redis://:secret@a:1'))
      .to.match(/sentinelPassword/)
      .and.not.match(/secret@/)
    expect(problems([])).to.equal('is not a list of sentinels')
  })
})
