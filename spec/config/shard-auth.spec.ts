/** Where the credentials of shards come from, if they expire: what goes together, and what does not. */
import { expect } from 'chai'
import { passwordText, settingTexts } from '../../lib/config/setting-texts.ts'
import { type ConfigInputs, loadConfig } from '../../lib/config/sources/load.ts'
import { ConfigError } from '../../lib/errors.ts'
import { temporaryFiles } from '../support/temporary-files.ts'

/** Nothing of the machine the spec runs on gets in. */
const NOWHERE = {
  AMBASSADOR_ENVIRONMENT_DIRECTORY: '/nonexistent',
  AMBASSADOR_NAMESPACE_FILE: '/nonexistent',
}
const SHARDS = { AMBASSADOR_SHARDS: 'a=10.0.0.1:6379,b=10.0.0.2:6379' }
const COMMAND = { ...SHARDS, AMBASSADOR_SHARD_AUTH_COMMAND: "token --for 'my app'" }
const FILE = { ...SHARDS, AMBASSADOR_SHARD_AUTH_FILE: '/run/token' }

function load(env: NodeJS.ProcessEnv, inputs: ConfigInputs = {}) {
  return loadConfig({ cwd: temporaryFiles({}), env: { ...NOWHERE, ...env }, ...inputs })
}

function poolOf(env: NodeJS.ProcessEnv) {
  return load(env).pools[0]
}

function problems(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    load(env)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

describe('shardAuthCommand and shardAuthFile', () => {
  it('say where credentials come from, and for how long', () => {
    expect(poolOf(SHARDS)).to.include({ shardAuthCommand: undefined, shardAuthFile: undefined })
    expect(poolOf(COMMAND)).to.deep.include({
      shardAuthCommand: ['token', '--for', 'my app'],
      shardAuthLifeMs: 900_000,
    })
    expect(poolOf({ ...FILE, AMBASSADOR_SHARD_AUTH_LIFE_MS: '60000' })).to.include({
      shardAuthFile: '/run/token',
      shardAuthLifeMs: 60_000,
    })
  })

  it('find the file from where it is named, and need not find it yet', () => {
    const cwd = temporaryFiles({ 'etc/c.yaml': 'shardAuthFile: token\nshards: [a=h:1]\n' })
    const config = load({}, { cwd, flags: { config: 'etc/c.yaml' } })
    expect(config.pools[0].shardAuthFile).to.equal(`${cwd}/etc/token`)
  })

  it('take a user name that has no password of its own', () => {
    const env = { ...COMMAND, AMBASSADOR_SHARDS: 'a=redis://app@h:1' }
    const [shard] = poolOf({ ...env, AMBASSADOR_SHARD_USERNAME: 'other' }).shards
    expect(shard).to.include({ username: 'app', password: undefined })
  })

  it('go with no other password for the same shards', () => {
    expect(problems({ ...COMMAND, ...FILE })).to.deep.equal([
      'AMBASSADOR_SHARD_AUTH_COMMAND: shardAuthCommand and shardAuthFile are both set; keep one of the two',
    ])
    for (const [env, variable, name] of [
      [COMMAND, 'AMBASSADOR_SHARD_AUTH_COMMAND', 'shardAuthCommand'],
      [FILE, 'AMBASSADOR_SHARD_AUTH_FILE', 'shardAuthFile'],
    ] as const) {
      expect(problems({ ...env, AMBASSADOR_SHARD_PASSWORD: 'secret' })).to.deep.equal([
        `${variable}: ${name} and shardPassword are both set; keep one of the two`,
      ])
    }
  })

  it('are noted where no shard uses them', () => {
    const config = load({ ...COMMAND, AMBASSADOR_SHARDS: 'a=redis://:secret@h:1' })
    expect(config.process.notes).to.include(
      'shardAuthCommand is not used: the URL of every shard has a password',
    )
  })

  it('stand where a password would be shown', () => {
    const texts = [SHARDS, COMMAND, FILE].map((env) => passwordText(undefined, poolOf(env)))
    expect(texts).to.deep.equal(['none', 'shardAuthCommand', 'shardAuthFile'])
    expect(passwordText('secret', poolOf(COMMAND))).to.equal('***')
  })

  it('are shown without arguments, which may hold a secret', () => {
    expect(settingTexts(load(COMMAND))['shardAuthCommand']).to.equal('token (and 2 arguments)')
    expect(settingTexts(load(FILE))).to.include({
      shardAuthCommand: 'none',
      shardAuthFile: '/run/token',
    })
  })
})
