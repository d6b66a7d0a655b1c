/** The configuration as a whole: precedence, sources, and every mistake with its place. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Config } from '../../../lib/config/config.ts'
import { type ConfigInputs, loadConfig } from '../../../lib/config/sources/load.ts'
import { ConfigError } from '../../../lib/errors.ts'
import { temporaryFiles } from '../../support/temporary-files.ts'

const SHARDS = { AMBASSADOR_SHARDS: 'a=10.0.0.1:6379,b=10.0.0.2:6379' }

/** Nothing of the machine the spec runs on gets in. */
const NOWHERE = {
  AMBASSADOR_ENVIRONMENT_DIRECTORY: '/nonexistent',
  AMBASSADOR_NAMESPACE_FILE: '/nonexistent',
}

/** Loads with a working directory that has these files. */
function load(
  files: Readonly<Record<string, string>>,
  env: NodeJS.ProcessEnv = {},
  flags: ConfigInputs['flags'] = {},
) {
  return loadConfig({ cwd: temporaryFiles(files), env: { ...NOWHERE, ...env }, flags })
}

function problems(
  files: Readonly<Record<string, string>>,
  env: NodeJS.ProcessEnv = {},
  flags: ConfigInputs['flags'] = {},
): readonly string[] {
  const cwd = temporaryFiles(files)
  try {
    loadConfig({ cwd, env: { ...NOWHERE, ...env }, flags })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map((problem) => problem.replaceAll(cwd, 'CWD'))
  }
  return []
}

/** Whatever part they are in. */
function optionsOf({ edge, pools: [pool], watch, process }: Config): Record<string, unknown> {
  return { ...edge, ...pool, ...watch, ...process }
}

describe('precedence', () => {
  const files = {
    'config/default.yaml': 'maxClients: 1\nlogLevel: error\nhash: md5\nlisten: a:1\n',
    'config/staging.yml': 'maxClients: 2\nlogLevel: warn\nhash: crc16\n',
  }
  const env = { ...SHARDS, AMBASSADOR_ENV: 'staging', AMBASSADOR_LOG_LEVEL: 'debug' }

  it('is flag, variable, environment’s file, default file, built-in default', () => {
    const config = load(files, { ...env, AMBASSADOR_MAX_CLIENTS: '3' }, { maxClients: '4' })
    expect(optionsOf(config)).to.deep.include({
      maxClients: 4,
      logLevel: 'debug',
      hash: 'crc16',
      listen: [{ host: 'a', port: 1 }],
      distribution: 'ketama',
    })
    expect(config.process.sources).to.include({
      maxClients: '--max-clients',
      logLevel: 'AMBASSADOR_LOG_LEVEL',
      hash: 'config/staging.yml:3',
      listen: 'config/default.yaml:4',
      distribution: 'built-in default',
      shards: 'AMBASSADOR_SHARDS',
    })
    expect(config.process.environment).to.deep.equal({ name: 'staging', source: 'AMBASSADOR_ENV' })
  })

  it('takes an empty variable, and an empty value in a file, as not set', () => {
    const config = load(
      { 'config/default.yaml': 'maxClients: 5\nhash:\n' },
      { ...SHARDS, AMBASSADOR_MAX_CLIENTS: '', AMBASSADOR_NO_SUCH: '' },
    )
    expect(optionsOf(config)).to.include({ maxClients: 5, hash: 'murmur' })
  })

  it('takes an empty hash tag as none', () => {
    expect(load({}, { ...SHARDS, AMBASSADOR_HASH_TAG: '' }).pools[0].hashTag).to.equal('')
    expect(load({ 'config/default.yaml': 'hashTag: ""\n' }, SHARDS).pools[0].hashTag).to.equal('')
    expect(load({}, SHARDS, { hashTag: '' }).pools[0].hashTag).to.equal('')
  })

  it('reads the file or directory that --config names, and no other', () => {
    const cwd = {
      ...files,
      'my.json': '{"maxClients": 9}',
      'dir/default.json': '{"hash": "md5"}',
    }
    expect(optionsOf(load(cwd, SHARDS, { config: 'my.json' }))).to.include({
      maxClients: 9,
      hash: 'murmur',
    })
    const config = load(cwd, { ...SHARDS, AMBASSADOR_CONFIG: 'dir' })
    expect(optionsOf(config)).to.include({ maxClients: 10000, hash: 'md5' })
    expect(config.process.notes).to.deep.equal([
      'there is no development.yaml in "dir"; only default.yaml applies',
    ])
  })

  it('falls back to the package’s own layers, for every environment that has one', () => {
    for (const name of ['development', 'staging', 'production', 'test']) {
      const config = load({}, { ...SHARDS, NODE_ENV: name })
      expect(config.process.environment).to.deep.equal({ name, source: 'NODE_ENV' })
      expect(config.process.notes).to.deep.equal([])
      expect(config.process.sources['logLevel']).to.match(
        new RegExp(`config/${name}\\.yaml:[0-9]+$`),
      )
    }
    expect(load({}, { ...SHARDS, AMBASSADOR_ENV: 'qa' }).process.notes[0]).to.match(/no qa\.yaml/)
  })

  it('passes over a ./config that has no layer of ours', () => {
    const config = load({ 'config/webpack.js': '', 'config/readme.yaml': 'x' }, SHARDS)
    expect(config.process.sources['listen']).to.match(/config\/default\.yaml:[0-9]+$/)
    const local = load(
      { 'config/production.yaml': 'maxClients: 3' },
      { ...SHARDS, NODE_ENV: 'prod' },
    )
    expect(local.edge.maxClients).to.equal(3)
  })

  it('lets our own layer stand on a nutcracker.yml', () => {
    const nutcracker = 'p:\n  listen: a:1\n  redis: true\n  servers:\n   - b:2:1\n'
    const files = { 'config/default.yaml': nutcracker, 'config/test.yaml': 'maxClients: 3' }
    const config = load(files, { NODE_ENV: 'test' }, { pool: 'p' })
    expect(optionsOf(config)).to.deep.include({ maxClients: 3, listen: [{ host: 'a', port: 1 }] })
  })

  it('is remembered in a frozen, plain object', () => {
    const config = load({}, SHARDS)
    expect(Object.isFrozen(config)).to.equal(true)
    for (const part of [
      config.pools[0].shards,
      config.pools[0].shards[0],
      config.edge.listen,
      config.process.sources,
    ]) {
      expect(Object.isFrozen(part)).to.equal(true)
    }
  })
})

describe('shards', () => {
  it('come from REDIS_URL when nothing else names any', () => {
    const REDIS_URL = 'redis://user:pass@10.0.0.9'
    const config = load({}, { REDIS_URL })
    expect(config.pools[0].shards).to.have.lengthOf(1)
    expect(config.pools[0].shards[0]).to.include({
      name: '10.0.0.9:6379',
      username: 'user',
      password: 'pass',
    })
    expect(config.process.sources['shards']).to.equal('REDIS_URL')
    expect(load({}, { ...SHARDS, REDIS_URL }).pools[0].shards).to.have.lengthOf(2)
  })

  it('get the common credentials unless they have their own', () => {
    const {
      pools: [{ shards }],
    } = load(
      {},
      {
        AMBASSADOR_SHARDS: 'a=h:1,redis://own:pw@h:2,redis://:pw@h:3,redis://only@h:4',
        AMBASSADOR_SHARD_USERNAME: 'proxy',
        AMBASSADOR_SHARD_PASSWORD: 'common',
      },
    )
    expect(shards.map(({ username, password }) => [username, password])).to.deep.equal([
      ['proxy', 'common'],
      ['own', 'pw'],
      [undefined, 'pw'],
      ['only', 'common'],
    ])
  })

  it('are objects in a file', () => {
    const text = 'shards:\n  - { name: a, url: redis://h:1, weight: 2 }\n  - h:2\n'
    const {
      pools: [{ shards }],
      process: { sources },
    } = load({ 'config/default.yaml': text })
    expect(shards.map(({ name, weight }) => [name, weight])).to.deep.equal([
      ['a', 2],
      ['h:2', 1],
    ])
    expect(sources['shards']).to.equal('config/default.yaml:1')
  })

  for (const [listen, shard] of [
    ['127.0.0.1:6379', 'localhost:6379'],
    ['0.0.0.0:6379', '127.0.0.1:6379'],
    ['[::]:6379', '[::1]:6379'],
    ['redis:6379', 'redis:6379'],
    ['unix:/a.sock', 'unix:///a.sock'],
  ] as const) {
    it(`cannot be the ambassador itself: ${shard} when it listens on ${listen}`, () => {
      const env = { AMBASSADOR_LISTEN: listen, AMBASSADOR_SHARDS: `x=${shard}` }
      expect(problems({}, env)[0]).to.match(
        /^AMBASSADOR_SHARDS: shard "x" is at .*, where the ambassador itself listens/,
      )
    })
  }

  it('may have another port, or another address, on the same machine', () => {
    const env = { AMBASSADOR_LISTEN: '127.0.0.1:6379' }
    const AMBASSADOR_SHARDS = '127.0.0.1:6380,10.0.0.1:6379,unix:///6379'
    expect(load({}, { ...env, AMBASSADOR_SHARDS }).pools[0].shards).to.have.lengthOf(3)
  })
})

describe('nutcracker.yml', () => {
  const text = `
alpha:
  listen: 127.0.0.1:22121
  redis: true
  backlog: 1024
  redis_auth: hunter2
  servers:
   - 10.0.0.1:6379:1
   - 10.0.0.2:6379:1 two
beta:
  listen: 127.0.0.1:22122
  redis: true
  servers:
   - 10.0.0.1:6379:1
`
  const files = { 'nutcracker.yml': text }

  it('is taken as it is, with the pool that --pool names', () => {
    const config = load(files, {}, { config: 'nutcracker.yml', pool: 'alpha' })
    expect(config.pools[0].shards.map(({ name, password }) => [name, password])).to.deep.equal([
      ['10.0.0.1:6379', 'hunter2'],
      ['two', 'hunter2'],
    ])
    expect(optionsOf(config)).to.deep.include({
      password: 'hunter2',
      hashTag: '',
      requestTimeoutMs: 0,
    })
    expect(config.process.sources).to.include({
      listen: 'nutcracker.yml:3',
      shards: 'nutcracker.yml:7',
      hashTag: "nutcracker's default",
      maxClients: 'built-in default',
    })
    expect(config.process.notes).to.deep.equal([
      'nutcracker.yml:5: backlog has no effect: the listen backlog is fixed',
    ])
  })

  it('is weaker than variables and flags', () => {
    const env = { AMBASSADOR_HASH: 'murmur', AMBASSADOR_POOL: 'beta' }
    const config = load(files, env, { config: 'nutcracker.yml', listen: 'h:1' })
    expect(optionsOf(config)).to.deep.include({ hash: 'murmur', listen: [{ host: 'h', port: 1 }] })
  })

  it('says its mistakes with their lines, and not that there are no shards', () => {
    const wrong = text.replace('two', 'two three').replace('backlog', 'bakclog')
    expect(problems({ 'n.yml': wrong }, {}, { config: 'n.yml', pool: 'alpha' })).to.deep.equal([
      'n.yml:5: nutcracker knows no key "bakclog"; did you mean "backlog"?',
      'n.yml:9: servers: "10.0.0.2:6379:1 two three" has no weight from 1 to 1000000',
    ])
  })

  it('is what --pool needs', () => {
    expect(problems({}, SHARDS, { pool: 'alpha' })).to.deep.equal([
      '--pool: there is no nutcracker.yml to choose a pool from',
    ])
  })
})

describe('secrets', () => {
  it('come from files, without the line end', () => {
    for (const text of ['hunter2', 'hunter2\n', 'hunter2\r\n']) {
      const cwd = temporaryFiles({ pw: text })
      chmodSync(join(cwd, 'pw'), 0o600)
      const env = { ...NOWHERE, ...SHARDS, AMBASSADOR_PASSWORD_FILE: 'pw' }
      const config = loadConfig({ cwd, env, flags: { shardPasswordFile: join(cwd, 'pw') } })
      expect(config.edge.password).to.equal('hunter2')
      expect(config.pools[0].shards[0]?.password).to.equal('hunter2')
      expect(config.process.notes).to.deep.equal([])
      expect(config.process.sources['password']).to.equal('AMBASSADOR_PASSWORD_FILE (pw)')
    }
  })

  it('in a configuration file’s directory are found from there', () => {
    const cwd = temporaryFiles({ 'conf/a.yaml': 'passwordFile: pw\n', 'conf/pw': 'hunter2' })
    const env = { ...NOWHERE, ...SHARDS }
    expect(loadConfig({ cwd, env, flags: { config: 'conf/a.yaml' } }).edge.password).to.equal(
      'hunter2',
    )
  })

  it('that every user can read are worth a note', () => {
    const cwd = temporaryFiles({ pw: 'hunter2' })
    chmodSync(join(cwd, 'pw'), 0o644)
    const env = { ...NOWHERE, ...SHARDS, AMBASSADOR_PASSWORD_FILE: 'pw' }
    expect(loadConfig({ cwd, env }).process.notes).to.deep.equal([
      `${join(cwd, 'pw')} holds a secret and is readable by every user (mode 0644)`,
    ])
  })

  it('are refused from a file that is absent, empty, has two lines, or beside the secret itself', () => {
    const files = { empty: '\n', two: 'hunter2\nhunter3\n' }
    const ofFile = (file: string) => problems(files, { ...SHARDS, AMBASSADOR_PASSWORD_FILE: file })
    expect(ofFile('none')).to.deep.equal(['AMBASSADOR_PASSWORD_FILE: "CWD/none" does not exist'])
    const refusal = 'is empty, not text, or holds a line break or another control character'
    expect(ofFile('empty')).to.deep.equal([`AMBASSADOR_PASSWORD_FILE: ${refusal}`])
    expect(ofFile('two')).to.deep.equal([`AMBASSADOR_PASSWORD_FILE: ${refusal}`])
    const both = { ...SHARDS, AMBASSADOR_PASSWORD: 'hunter2', AMBASSADOR_PASSWORD_FILE: 'two' }
    expect(problems(files, both)).to.deep.equal([
      'AMBASSADOR_PASSWORD_FILE: password is already set by AMBASSADOR_PASSWORD; keep one of the two',
    ])
    expect(
      problems({ 'c.yaml': 'passwordFile: [a]\n' }, SHARDS, { config: 'c.yaml' }),
    ).to.deep.equal(['c.yaml:1: a list is not the path of a file'])
  })

  it('stay out of every message', () => {
    const found = problems(
      { 'c.yaml': 'password: "hunter2\\n"\nshards:\n  - redis://:hunter2@h:0\n' },
      {
        AMBASSADOR_PASSWORD: 'hunter2\u0007',
        AMBASSADOR_SHARD_PASSWORD: 'hunter2\n',
        AMBASSADOR_SHARDS: 'redis://user:hunter2@h:x',
        AMBASSADOR_PASWORD: 'hunter2',
      },
      { config: 'c.yaml' },
    )
    expect(found).to.have.lengthOf(6)
    expect(found.join('\n')).not.to.include('hunter2')
    expect(problems({}, { REDIS_URL: 'redis://:hunter2@h:0' }).join()).not.to.include('hunter2')
  })
})

describe('notes', () => {
  it('tell of an address that is open without a password', () => {
    const env = { ...SHARDS, AMBASSADOR_LISTEN: '0.0.0.0:6379,127.0.0.1:6380,unix:/a' }
    const note =
      'INSECURE: 0.0.0.0:6379 is open to the network and no password is asked for; ' +
      'whoever connects can read and delete everything (if that is meant: trustNetwork)'
    expect(load({}, env).process.notes).to.deep.equal([note])
    expect(load({}, { ...env, AMBASSADOR_PASSWORD: 'x' }).process.notes).to.deep.equal([])
    expect(load({}, env, { trustNetwork: 'yes' }).process.notes).to.deep.equal([])
  })
})

describe('readFrom', () => {
  const bare = { AMBASSADOR_SHARDS: 'a=h:1,b=redis://h:2?replica=r' }
  const alone = { AMBASSADOR_SHARDS: 'a=h:1' }

  it('is refused where only replicas may be read and none is known', () => {
    expect(problems({}, { ...bare, AMBASSADOR_READ_FROM: 'replica' })).to.deep.equal([
      'AMBASSADOR_READ_FROM: readFrom is replica and no replica is known of "a"; name them with ' +
        'redis://host:port?replica=host:port, or choose prefer-replica',
    ])
    expect(problems({}, { ...bare, AMBASSADOR_READ_FROM: 'slaves' }).join()).to.match(
      /AMBASSADOR_READ_FROM: "slaves" .*master, prefer-master, prefer-replica, replica/,
    )
  })

  it('is taken note of where it changes nothing', () => {
    const notes = (env: NodeJS.ProcessEnv) => load({}, env).process.notes
    expect(notes(bare)).to.deep.equal([
      'replicas are named and nothing is read from them: readFrom is master',
    ])
    expect(notes({ ...bare, AMBASSADOR_READ_FROM: 'nearest' })).to.deep.equal([])
    expect(notes({ ...alone, AMBASSADOR_READ_FROM: 'nearest' })).to.deep.equal([
      'readFrom is nearest and no shard has a replica: all is read from the masters',
    ])
    const zoned = { ...bare, AMBASSADOR_READ_FROM: 'prefer-replica', AMBASSADOR_ZONE: 'z1' }
    expect(notes(zoned)).to.deep.equal([
      'zone says what is near, and readFrom is prefer-replica: only nearest asks for it',
    ])
  })
})

/** What is wrong, and the lines it gives. */
const MISTAKES: readonly {
  it: string
  files?: Readonly<Record<string, string>>
  env?: NodeJS.ProcessEnv
  flags?: Readonly<Record<string, string>>
  says: readonly string[]
}[] = [
  {
    it: 'no shards',
    says: [
      'there are no shards; name them with --shards a=10.0.0.1:6379,b=10.0.0.2:6379, with ' +
        'AMBASSADOR_SHARDS, or in a file given by --config; `redis-ambassador demo` needs none',
    ],
  },
  {
    it: 'mistakes everywhere, all told at once',
    files: { 'c.yaml': '# mine\nrequestTimeoutMs: 1e3\n\nshards:\n  - a:1\n  - b:0\n' },
    env: { AMBASSADOR_CONNECTIONS_PER_SHARD: '0x10', AMBASSADOR_HASH: 'fnv1a64' },
    flags: { config: 'c.yaml', maxClients: '12abc', listen: '6379' },
    says: [
      'AMBASSADOR_CONNECTIONS_PER_SHARD: "0x10" is not a whole number from 1 to 64',
      'AMBASSADOR_HASH: "fnv1a64" is not one of one_at_a_time, md5, crc16, crc32, crc32a, ' +
        'fnv1_64, fnv1a_64, fnv1_32, fnv1a_32, hsieh, murmur, jenkins; did you mean "fnv1a_64"?',
      '--max-clients: "12abc" is not a whole number from 1 to 1000000',
      '--listen: "6379" is not host:port',
      'c.yaml:2: requestTimeoutMs: "1e3" is not a whole number of milliseconds ' +
        'from 0 to 2147483647 (0: never)',
      'c.yaml:6: shards: "b:0" has no port from 1 to 65535',
    ],
  },
  {
    it: 'a value that a stronger layer overrides',
    files: { 'c.yaml': 'maxClients: 6379.5\n' },
    env: SHARDS,
    flags: { config: 'c.yaml', maxClients: '5' },
    says: ['c.yaml:1: maxClients: "6379.5" is not a whole number from 1 to 1000000'],
  },
  {
    it: 'a mistyped variable',
    env: { ...SHARDS, AMBASSADOR_LISTNE: 'a:1', AMBASSADOR_QUITE_UNLIKE_ANYTHING: 'x' },
    says: [
      'AMBASSADOR_LISTNE: there is no such variable; did you mean "AMBASSADOR_LISTEN"?',
      'AMBASSADOR_QUITE_UNLIKE_ANYTHING: there is no such variable',
    ],
  },
  {
    it: 'a mistyped option in a file',
    files: { 'c.yaml': 'hash: md5\nshrads: [a:1]\n__proto__: x\n' },
    env: SHARDS,
    flags: { config: 'c.yaml' },
    says: [
      'c.yaml:2: there is no option "shrads"; did you mean "shards"?',
      'c.yaml:3: there is no option "__proto__"',
    ],
  },
  {
    it: 'an option that chooses the files, in a file',
    files: { 'c.yaml': 'env: production\n' },
    env: SHARDS,
    flags: { config: 'c.yaml' },
    says: ['c.yaml:1: env cannot be set in a file; use --env or AMBASSADOR_ENV'],
  },
  {
    it: 'an unquoted hash tag, which is an empty map in YAML',
    files: { 'c.yaml': 'hashTag: {}\n' },
    env: SHARDS,
    flags: { config: 'c.yaml' },
    says: ['c.yaml:1: hashTag: a map is not two ASCII characters such as {}, or empty for none'],
  },
  {
    it: 'a file that is not there',
    flags: { config: 'none.yaml' },
    says: ['--config: "none.yaml" does not exist'],
  },
  {
    it: 'a file that is not there, named by the variable',
    env: { AMBASSADOR_CONFIG: '/nowhere/ambassador.yaml' },
    says: ['AMBASSADOR_CONFIG: "/nowhere/ambassador.yaml" does not exist'],
  },
  {
    it: 'a directory that is not there, named by the variable, with an environment',
    env: { AMBASSADOR_CONFIG: 'nowhere', AMBASSADOR_ENV: 'staging' },
    says: ['AMBASSADOR_CONFIG: "nowhere" does not exist'],
  },
  {
    it: 'a file that is no YAML',
    files: { 'c.yaml': 'a: [\n' },
    flags: { config: 'c.yaml' },
    says: [
      'c.yaml:2: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
  },
  {
    it: 'a file that is a list',
    files: { 'c.yaml': '- a\n' },
    env: SHARDS,
    flags: { config: 'c.yaml' },
    says: ['c.yaml: a list is not a map of options'],
  },
  {
    it: 'a directory without layers',
    files: { 'dir/readme': '' },
    env: SHARDS,
    flags: { config: 'dir' },
    says: ['--config: "dir" has neither default.yaml nor development.yaml'],
  },
  {
    it: 'an environment given by hand without its file',
    files: { 'dir/default.yaml': '', 'dir/production.yaml': '' },
    env: SHARDS,
    flags: { config: 'dir', env: 'prodction' },
    says: ['--env: "dir" has no prodction.yaml; did you mean "production"?'],
  },
  {
    it: 'a name that no environment can have, once',
    files: { 'dir/default.yaml': '' },
    env: SHARDS,
    flags: { config: 'dir', env: '../x' },
    says: [
      '--env: "../x" is not an environment\'s name (letters, digits, ".", "_" and "-", at most 63)',
    ],
  },
  {
    it: 'two files for one layer',
    files: { 'dir/default.yaml': '', 'dir/default.json': '', 'dir/development.yml': '' },
    env: SHARDS,
    flags: { config: 'dir' },
    says: ['dir/default.yaml and dir/default.json are the same layer; keep one'],
  },
  {
    it: 'a ./config that belongs to somebody else',
    files: { 'config/default.json': '{"db": {"host": "x"}, "port": 8080}' },
    env: SHARDS,
    says: [
      'config/default.json:1: there is no option "db"',
      'config/default.json:1: there is no option "port"',
      './config is read because it is there; --config chooses another',
    ],
  },
  {
    it: 'an environment’s name that is a path',
    env: { ...SHARDS, AMBASSADOR_ENV: '../../etc/x' },
    says: [
      'AMBASSADOR_ENV: "../../etc/x" is not an environment\'s name ' +
        '(letters, digits, ".", "_" and "-", at most 63)',
    ],
  },
  {
    it: 'an address that needs a certificate',
    env: { ...SHARDS, AMBASSADOR_LISTEN: 'tls://127.0.0.1:6380' },
    says: ['AMBASSADOR_LISTEN: tls://127.0.0.1:6380 needs a certificate: tlsCert and tlsKey'],
  },
  {
    it: 'files that are no certificate and no key',
    files: { 'cert.pem': 'x', 'key.pem': 'y' },
    env: { ...SHARDS },
    flags: { tlsCert: 'cert.pem', shardTlsKey: 'key.pem', tlsCa: 'nowhere.pem' },
    says: [
      '--tls-cert: "CWD/cert.pem" holds no certificate in PEM form',
      '--shard-tls-key: "CWD/key.pem" holds no private key in PEM form',
      '--tls-ca: "CWD/nowhere.pem" does not exist',
    ],
  },
  {
    it: 'an admin endpoint or a name that TLS cannot have',
    env: { ...SHARDS, AMBASSADOR_ADMIN_LISTEN: 'tls://h:1' },
    flags: { shardTlsServerName: '10.0.0.1' },
    says: [
      'AMBASSADOR_ADMIN_LISTEN: "tls://h:1" is tls://, which only clients\' addresses can be',
      '--shard-tls-server-name: "10.0.0.1" is not a host name, not an address',
    ],
  },
  {
    it: 'a user without a password',
    env: { AMBASSADOR_SHARDS: 'a=redis://user@h' },
    says: ['AMBASSADOR_SHARDS: shard "a" has a user name and no password'],
  },
  {
    it: 'several workers where one is needed',
    env: { ...SHARDS, AMBASSADOR_WORKERS: '2' },
    flags: { nearCacheKeys: 'x:' },
    says: ['AMBASSADOR_WORKERS: nearCacheKeys needs one worker, and there are 2'],
  },
  {
    it: 'two URLs in REDIS_URL',
    env: { REDIS_URL: 'redis://a,redis://b' },
    says: ['REDIS_URL: names several shards; several go into AMBASSADOR_SHARDS'],
  },
]

describe('mistakes', () => {
  for (const { it: what, files = {}, env = {}, flags = {}, says } of MISTAKES) {
    it(`are told: ${what}`, () => {
      expect(problems(files, env, flags)).to.deep.equal(says)
    })
  }

  it('are not what Kubernetes says about a service called ambassador', () => {
    const links = {
      AMBASSADOR_SERVICE_HOST: '10.1.2.3',
      AMBASSADOR_SERVICE_PORT: '6379',
      AMBASSADOR_SERVICE_PORT_REDIS: '6379',
      AMBASSADOR_PORT: 'tcp://10.1.2.3:6379',
      AMBASSADOR_PORT_6379_TCP: 'tcp://10.1.2.3:6379',
      AMBASSADOR_PORT_6379_TCP_PROTO: 'tcp',
      AMBASSADOR_PORT_6379_TCP_PORT: '6379',
      AMBASSADOR_PORT_6379_TCP_ADDR: '10.1.2.3',
      AMBASSADOR_TEAM_A_SERVICE_HOST: '10.1.2.4',
    }
    expect(load({}, { ...SHARDS, ...links }).pools[0].shards).to.have.lengthOf(2)
  })

  it('are found in a pod’s labels that cannot be read', () => {
    const cwd = temporaryFiles()
    mkdirSync(join(cwd, 'labels'))
    writeFileSync(join(cwd, 'namespace'), 'production')
    const env = { ...SHARDS, AMBASSADOR_ENVIRONMENT_DIRECTORY: cwd }
    expect(() => loadConfig({ cwd, env })).to.throw(ConfigError, 'labels: is a directory')
  })

  it('are looked for in the process’s own environment and directory', () => {
    process.env['AMBASSADOR_SHARDS'] = 'own=h:0'
    try {
      expect(() => loadConfig()).to.throw(ConfigError, 'AMBASSADOR_SHARDS: "own=h:0" has no port')
    } finally {
      Reflect.deleteProperty(process.env, 'AMBASSADOR_SHARDS')
    }
  })
})

describe('readyMinShards', () => {
  it('is a number, or all that there are', () => {
    const minimum = (text: string) =>
      load({}, { ...SHARDS, AMBASSADOR_READY_MIN_SHARDS: text }).watch.readyMinShards
    expect([load({}, SHARDS).watch.readyMinShards, minimum('2'), minimum('all')]).to.deep.equal([
      1,
      2,
      'all',
    ])
  })

  it('cannot be more than there are', () => {
    expect(problems({}, { ...SHARDS, AMBASSADOR_READY_MIN_SHARDS: '3' })).to.deep.equal([
      'AMBASSADOR_READY_MIN_SHARDS: readyMinShards asks for more than all shards (3 of 2): it would never be ready; "all" fits any number',
    ])
  })
})

describe('maxClientMemoryMb and the memory limit', () => {
  const MB = 1024 * 1024

  function loaded(memoryMb: number, flags: ConfigInputs['flags'] = {}) {
    const env = { ...NOWHERE, ...SHARDS }
    return loadConfig({ cwd: temporaryFiles({}), env, flags, memoryBytes: memoryMb * MB })
  }

  it('is 256 where the limit leaves as much beside 128, and says so', () => {
    for (const memoryMb of [Number.POSITIVE_INFINITY, 2048, 384]) {
      const {
        edge: { maxClientMemoryMb },
        process: { sources, notes },
      } = loaded(memoryMb)
      expect([maxClientMemoryMb, sources['maxClientMemoryMb'], notes]).to.deep.equal([
        256,
        'built-in default',
        [],
      ])
    }
  })

  it('is what a smaller limit leaves', () => {
    const {
      edge: { maxClientMemoryMb },
      process: { sources, notes },
    } = loaded(200)
    expect([maxClientMemoryMb, sources['maxClientMemoryMb'], notes]).to.deep.equal([
      72,
      'memory limit of 200 MB',
      [],
    ])
  })

  it('is 16 at least, with a note where not even that fits', () => {
    const {
      edge: { maxClientMemoryMb },
      process: { notes },
    } = loaded(128)
    expect(maxClientMemoryMb).to.equal(16)
    expect(notes).to.deep.equal([
      'maxClientMemoryMb is 16 and the process takes up to 128 MB besides: ' +
        'more than the memory limit of 128 MB, beyond which it is killed',
    ])
  })

  it('is kept where it was set, with a note if it cannot fit', () => {
    const {
      edge: { maxClientMemoryMb },
      process: { notes },
    } = loaded(384, { maxClientMemoryMb: '257' })
    expect(maxClientMemoryMb).to.equal(257)
    expect(notes).to.deep.equal([
      'maxClientMemoryMb is 257 and the process takes up to 128 MB besides: ' +
        'more than the memory limit of 384 MB, beyond which it is killed',
    ])
  })
})
