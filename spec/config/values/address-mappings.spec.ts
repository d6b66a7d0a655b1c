import { expect } from 'chai'
import { addressMappings } from '../../../lib/config/values/address-mappings.ts'

function problem(raw: string | readonly string[]): string {
  const parsed = addressMappings.parse(raw)
  return 'problems' in parsed ? parsed.problems.map(({ text }) => text).join('; ') : ''
}

describe('addressMappings', () => {
  const pairs = [
    { announced: { host: '10.0.0.5', port: 6379 }, reached: { host: '127.0.0.1', port: 16_379 } },
    { announced: { host: '::1', port: 1 }, reached: { host: 'a', port: 2 } },
  ]

  it('reads pairs from a text and from a list, and shows them again', () => {
    const text = '10.0.0.5:6379=127.0.0.1:16379,[::1]:1=a:2'
    expect(addressMappings.parse(text.replace(',', ', '))).to.deep.equal({ value: pairs })
    expect(addressMappings.parse(text.split(','))).to.deep.equal({ value: pairs })
    expect(addressMappings.text(pairs)).to.equal(text)
  })

  it('says what is wrong', () => {
    expect(problem('a:1')).to.equal('"a:1" is not host:port')
    expect(problem('a:1=b:0')).to.equal('"a:1=b:0" has no port from 1 to 65535')
    expect(problem('a:1=b:2=c:3')).to.equal('"a:1=b:2=c:3" is not host:port=host:port')
    expect(problem(['a:1=b:2', 'a:1=c:3'])).to.equal('has "a:1" twice')
    expect(problem(Array.from({ length: 5000 }, (_, i) => `a${i}:1=b:2`))).to.match(
      /more than 4096/,
    )
  })
})
