import { expect } from 'chai'
import { readCredentials, renewAfterMs } from '../../lib/credentials/credentials.ts'

describe('readCredentials', () => {
  const good: readonly [string, object][] = [
    ['app\ntoken\n', { username: 'app', password: 'token', lifeMs: undefined }],
    ['app\r\ntoken\r\n\r\n', { username: 'app', password: 'token', lifeMs: undefined }],
    ['token', { username: undefined, password: 'token', lifeMs: undefined }],
    ['a user\n with blanks ', { username: 'a user', password: ' with blanks ', lifeMs: undefined }],
    ['{"password":"p"}', { username: undefined, password: 'p', lifeMs: undefined }],
    [
      '{"username":"ü","password":"p","expiresInSeconds":0.5,"more":[]}\n',
      { username: 'ü', password: 'p', lifeMs: 500 },
    ],
    [
      '{"username":null,"password":"p","expiresInSeconds":null}',
      { username: undefined, password: 'p', lifeMs: undefined },
    ],
  ]
  for (const [text, credentials] of good) {
    it(`takes ${JSON.stringify(text)}`, () => {
      expect(readCredentials(text)).to.deep.equal(credentials)
    })
  }

  const bad: readonly [string, RegExp][] = [
    ['', /^is empty$/],
    ['\n \n', /^is empty$/],
    ['\ntoken', /^has an empty user name$/],
    ['app\n\n\ntoken', /^has 4 lines/],
    ['a\nb\nc\n', /^has 3 lines/],
    ['app\nto\u0007ken', /^holds a control character$/],
    ['{"password":"sesame"', /^begins like JSON but is not JSON$/],
    ['{"accessToken":"sesame"}', /^is JSON without a text "password"$/],
    ['{"password":7}', /^is JSON without a text "password"$/],
    ['{"password":""}', /^has an empty token$/],
    ['{"password":"sesame","username":[]}', /^is JSON whose "username" is not a text$/],
    ['{"password":"sesame","expiresInSeconds":"900"}', /is not a number above 0$/],
    ['{"password":"sesame","expiresInSeconds":-1}', /is not a number above 0$/],
    ['{"password":"sesame","expiresInSeconds":1e999}', /is not a number above 0$/],
  ]
  for (const [text, problem] of bad) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      const reading = readCredentials(text)
      expect(reading).to.have.property('problem').that.matches(problem)
      expect(JSON.stringify(reading)).to.not.include('sesame')
    })
  }
})

describe('renewAfterMs', () => {
  const minute = 60_000
  const cases: readonly [number, number][] = [
    [60 * minute, 42 * minute],
    [15 * minute, 10.5 * minute],
    // Entra ID wants the next one three minutes before the end.
    [8 * minute, 5 * minute],
    [4 * minute, 2 * minute],
    [2, 1],
  ]
  for (const [life, after] of cases) {
    it(`is ${after} ms of ${life}`, () => expect(renewAfterMs(life)).to.equal(after))
  }
})
