/** Users as they stand in a variable, a secret's file or a list. */
import { expect } from 'chai'
import { loadConfig } from '../../../../lib/config/sources/load.ts'
import { userList } from '../../../../lib/config/values/lists/user-list.ts'
import { ConfigError } from '../../../../lib/errors.ts'

function problems(env: NodeJS.ProcessEnv): readonly string[] {
  const flags = { environmentDirectory: '/nonexistent', namespaceFile: '/nonexistent' }
  try {
    loadConfig({ env: { AMBASSADOR_SHARDS: 'a:1', ...env }, flags })
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

describe('userList', () => {
  const ann = { name: 'ann', password: 'a:b' }
  const ben = { name: 'ben', password: 'b' }

  it('takes entries between spaces and line breaks', () => {
    expect(userList.parse(' ann:a:b\nben:b\n')).to.deep.equal({ value: [ann, ben] })
  })

  it('takes a list of entries, whose passwords may have spaces', () => {
    const value = [ann, { name: 'ben', password: 'b c' }]
    expect(userList.parse(['ann:a:b', 'ben:b c'])).to.deep.equal({ value })
  })

  it('refuses what is no list', () => {
    for (const raw of ['', ' ', [], {}, null]) {
      expect(userList.parse(raw)).to.deep.equal({
        problems: [{ at: [], text: 'is not a list of name:password' }],
      })
    }
  })

  it('says what is wrong with which entry, and shows no password', () => {
    const text = 'ann secret: :secret default:secret ben:secret ben:secret'
    expect(problems({ AMBASSADOR_USERS: text })).to.deep.equal([
      'AMBASSADOR_USERS: entry 1 is not name:password',
      'AMBASSADOR_USERS: entry 2 is not name:password',
      'AMBASSADOR_USERS: entry 3 is not name:password',
      "AMBASSADOR_USERS: entry 4 is for the default user, whose password is the option 'password'",
      'AMBASSADOR_USERS: entry 6 names a user that is there already',
    ])
    expect(userList.parse(['ben:b', null])).to.deep.equal({
      problems: [{ at: [1], text: 'is not name:password' }],
    })
  })

  it('does not go with AUTH passed through', () => {
    const text =
      'AMBASSADOR_AUTH_PASSTHROUGH: authPassthrough leaves AUTH to the shards: password and users cannot be set with it'
    const passthrough = { AMBASSADOR_AUTH_PASSTHROUGH: 'yes' }
    expect(problems({ ...passthrough, AMBASSADOR_USERS: 'ann:a' })).to.deep.equal([text])
    expect(problems({ ...passthrough, AMBASSADOR_PASSWORD: 'p' })).to.deep.equal([text])
    expect(problems(passthrough)).to.deep.equal([])
  })
})
