/** nutcracker.yml: what it means here, and that the same files are accepted as by nutcracker. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  isNutcracker,
  type NutcrackerPool,
  readNutcracker,
} from '../../../lib/config/sources/nutcracker.ts'
import { parseYaml } from '../../../lib/config/sources/yaml.ts'
import type { RawMap } from '../../../lib/config/values/formats.ts'
import { runChild } from '../../support/child.ts'
import { temporaryFiles } from '../../support/temporary-files.ts'

/** twemproxy's own example, as in its README and conf/nutcracker.yml. */
const EXAMPLE = `
alpha:
  listen: 127.0.0.1:22121
  hash: fnv1a_64
  distribution: ketama
  auto_eject_hosts: true
  redis: true
  server_retry_timeout: 2000
  server_failure_limit: 1
  servers:
   - 127.0.0.1:6379:1

beta:
  listen: 127.0.0.1:22122
  hash: fnv1a_64
  hash_tag: "{}"
  distribution: ketama
  auto_eject_hosts: false
  timeout: 400
  redis: true
  servers:
   - 127.0.0.1:6380:1 server1
   - 127.0.0.1:6381:1 server2
   - 127.0.0.1:6382:1 server3
   - 127.0.0.1:6383:1 server4

gamma:
  listen: 127.0.0.1:22123
  hash: fnv1a_64
  distribution: ketama
  timeout: 400
  backlog: 1024
  preconnect: true
  auto_eject_hosts: true
  server_retry_timeout: 2000
  server_failure_limit: 3
  servers:
   - 127.0.0.1:11212:1
   - 127.0.0.1:11213:1

omega:
  listen: /tmp/gamma 0666
  hash: hsieh
  distribution: ketama
  auto_eject_hosts: false
  servers:
   - 127.0.0.1:11214:100000
   - 127.0.0.1:11215:1
`

function pools(text: string): RawMap {
  const { value } = parseYaml(text, 'f')
  if (value === undefined || !isNutcracker(value)) throw new Error('not a nutcracker.yml')
  return value
}

function layer(text: string, pool?: string): NutcrackerPool {
  const parsed = readNutcracker(pools(text), pool)
  if ('value' in parsed) return parsed.value[0] as NutcrackerPool
  throw new Error(parsed.problems.map(({ text: problem }) => problem).join('\n'))
}

function problems(text: string, pool?: string): string[] {
  const parsed = readNutcracker(pools(text), pool)
  if ('value' in parsed) return []
  return parsed.problems.map(({ at, text: problem }) => `${at.join('.')}: ${problem}`)
}

/** A pool with these lines besides what every pool needs. */
function pool(lines: string, servers = ' - 127.0.0.1:6379:1'): string {
  const body = lines === '' ? '' : `  ${lines}\n`
  return `p:\n  listen: 127.0.0.1:22121\n  redis: true\n${body}  servers:\n  ${servers}\n`
}

function server(text: string) {
  const [first] = layer(pool('', ` - ${text}`)).values.shards?.shards ?? []
  return first
}

describe('isNutcracker', () => {
  it('knows the shape: named pools', () => {
    expect(isNutcracker(parseYaml(EXAMPLE, 'f').value ?? null)).to.equal(true)
    expect(isNutcracker({ p: { listen: 'x' } })).to.equal(true)
  })

  it('does not take our own files for one', () => {
    for (const value of [
      {},
      [],
      null,
      'text',
      { listen: '127.0.0.1:6379' },
      { listen: 'a:1', shards: [{ url: 'b:1' }] },
      { redis: { url: 'x' } },
    ]) {
      expect(isNutcracker(value)).to.equal(false)
    }
  })
})

describe('a pool of twemproxy’s own example', () => {
  it('becomes a layer of options', () => {
    const { values, paths, notes } = layer(EXAMPLE, 'beta')
    expect(values).to.deep.include({
      listen: [{ host: '127.0.0.1', port: 22122 }],
      hash: 'fnv1a_64',
      distribution: 'ketama',
      hashTag: '{}',
      connectionsPerShard: 1,
      requestTimeoutMs: 400,
      connectTimeoutMs: 400,
    })
    expect(
      values.shards?.shards.map(({ name, host, port, weight }) => [name, host, port, weight]),
    ).to.deep.equal([
      ['server1', '127.0.0.1', 6380, 1],
      ['server2', '127.0.0.1', 6381, 1],
      ['server3', '127.0.0.1', 6382, 1],
      ['server4', '127.0.0.1', 6383, 1],
    ])
    expect(values).not.to.have.any.keys('password', 'shardPassword', 'byteSign', 'maxClients')
    expect(paths.get('listen')).to.deep.equal(['beta', 'listen'])
    expect(paths.get('connectionsPerShard')).to.deep.equal(['beta'])
    expect(notes).to.deep.equal([])
  })

  it('has nutcracker’s defaults where it says nothing: no hash tag, no timeout', () => {
    const { values, notes } = layer(EXAMPLE, 'alpha')
    expect(values).to.include({ hashTag: '', requestTimeoutMs: 0 })
    expect(values).not.to.have.any.keys('connectTimeoutMs')
    expect(values).to.include({ ejectShards: true, ejectAfterFailures: 1, ejectRetryMs: 2000 })
    expect(notes).to.deep.equal([])
  })

  it('is refused when it speaks memcached', () => {
    expect(problems(EXAMPLE, 'gamma')).to.deep.equal([
      'gamma: pool "gamma" speaks memcached (redis is not given, which means false); ' +
        'only Redis is served here',
    ])
    expect(problems(pool('').replace('redis: true', 'redis: false'))[0]).to.match(
      /^p\.redis: pool "p" speaks memcached \(redis is false\)/,
    )
  })

  it('is one of several that are served, unless it is chosen, and then it has to be there', () => {
    expect(problems(EXAMPLE)).to.deep.equal([
      'gamma: pool "gamma" speaks memcached (redis is not given, which means false); ' +
        'only Redis is served here; --pool NAME serves one pool of the file',
      'omega: pool "omega" speaks memcached (redis is not given, which means false); ' +
        'only Redis is served here; --pool NAME serves one pool of the file',
    ])
    expect(problems(EXAMPLE, 'betta')).to.deep.equal([
      ': holds no pool "betta"; the file has "alpha", "beta", "gamma", "omega"; ' +
        'did you mean "beta"?',
    ])
    expect(layer(pool(''), 'p').values.shards?.shards).to.have.lengthOf(1)
  })
})

describe('a server in nutcracker.yml', () => {
  for (const [text, name, host, port, path] of [
    ['127.0.0.1:6379:1', '127.0.0.1:6379', '127.0.0.1', 6379, undefined],
    ['127.0.0.1:6379:1 one', 'one', '127.0.0.1', 6379, undefined],
    ['127.0.0.1:6379:1 a:b', 'a:b', '127.0.0.1', 6379, undefined],
    ['127.0.0.1:11211:1', '127.0.0.1', '127.0.0.1', 11211, undefined],
    ['127.0.0.1:11211:1 one', 'one', '127.0.0.1', 11211, undefined],
    ['127.0.0.1:06379:1', '127.0.0.1:06379', '127.0.0.1', 6379, undefined],
    ['::1:6379:1', '::1:6379', '::1', 6379, undefined],
    ['/tmp/r.sock:1', '/tmp/r.sock:', '', 0, '/tmp/r.sock'],
    ['/tmp/r.sock:1 one', 'one', '', 0, '/tmp/r.sock'],
  ] as const) {
    it(`${text} is called ${name} on the ring`, () => {
      expect(server(text)).to.include({ name, host, port, path, weight: 1, tls: false })
    })
  }

  it('carries redis_db and its weight', () => {
    const [first] = layer(pool('redis_db: 3', ' - 127.0.0.1:6379:07')).values.shards?.shards ?? []
    expect(first).to.include({ database: 3, weight: 7 })
  })
})

describe('keys of nutcracker.yml', () => {
  it('make redis_auth the password of the shards and of the clients', () => {
    const { values } = layer(pool('redis_auth: foo bar'))
    expect(values).to.include({ password: 'foo bar', shardPassword: 'foo bar' })
  })

  it('take 0 as no timeout', () => {
    const { values } = layer(pool('timeout: 0'))
    expect(values.requestTimeoutMs).to.equal(0)
    expect(values).not.to.have.any.keys('connectTimeoutMs')
  })

  it('give the socket its mode', () => {
    const text = pool('').replace('127.0.0.1:22121', '/tmp/x.sock 0660')
    expect(layer(text).values.listen).to.deep.equal([{ path: '/tmp/x.sock', mode: 0o660 }])
    const plain = pool('').replace('127.0.0.1:22121', '/tmp/x.sock')
    expect(layer(plain).values.listen).to.deep.equal([{ path: '/tmp/x.sock', mode: undefined }])
  })

  it('cut more connections than we make, and say so', () => {
    const { values, notes } = layer(pool('server_connections: 100'))
    expect(values.connectionsPerShard).to.equal(64)
    expect(notes[0]?.text).to.match(/^server_connections has no effect: more than 64/)
  })

  for (const [line, note] of [
    ['backlog: 512', /^backlog has no effect/],
    ['client_connections: 5', /^client_connections has no effect: nutcracker ignores it as well/],
    ['tcpkeepalive: false', /^tcpkeepalive has no effect: .* always kept alive/],
    ['reuseport: true', /^reuseport has no effect/],
    ['preconnect: false', /^preconnect has no effect: .* always connected at start/],
  ] as const) {
    it(`report ${line}`, () => {
      const { notes } = layer(pool(line))
      expect(notes).to.have.lengthOf(1)
      expect(notes[0]?.text).to.match(note)
    })
  }

  for (const line of [
    'tcpkeepalive: true',
    'reuseport: false',
    'preconnect: true',
    'auto_eject_hosts: false',
    'server_retry_timeout: 5000',
    'server_failure_limit: 3',
  ]) {
    it(`say nothing about ${line}, which changes nothing`, () => {
      expect(layer(pool(line)).notes).to.deep.equal([])
    })
  }

  it('have all their mistakes reported, in every pool', () => {
    const text = `${pool('tiemout: 5\n  preconnect: yes\n  hash: fnv')}q:\n  listen: nowhere\n`
    expect(problems(text, 'p')).to.deep.equal([
      'p.tiemout: nutcracker knows no key "tiemout"; did you mean "timeout"?',
      'p.preconnect: preconnect: "yes" is not true or false',
      'p.hash: hash: "fnv" is not one of one_at_a_time, md5, crc16, crc32, crc32a, fnv1_64, ' +
        'fnv1a_64, fnv1_32, fnv1a_32, hsieh, murmur, jenkins',
      'q.listen: listen: "nowhere" has no port from 1 to 65535',
      'q: a pool has no servers',
    ])
  })

  it('have the form of a server named where its weight is missing', () => {
    const text = pool('', ' - 10.0.0.1:6379 one')
    expect(problems(text, 'p').join()).to.match(
      /"10\.0\.0\.1:6379 one" is not host:port:weight \[name\] or \/path:weight \[name\]$/,
    )
  })

  it('do not show a redis_auth that is refused', () => {
    expect(problems(pool('redis_auth: "a\\tb"'))).to.deep.equal([
      'p.redis_auth: redis_auth: ' +
        'is empty, not text, or holds a line break or another control character',
    ])
  })
})

describe('files that nutcracker takes or refuses', () => {
  const directory = temporaryFiles()

  async function nutcrackerAccepts(text: string): Promise<boolean> {
    const file = join(directory, 'nutcracker.yml')
    writeFileSync(file, text)
    const { code, stderr } = await runChild('nutcracker', ['-t', '-c', file])
    expect(stderr).to.match(/syntax is (ok|invalid)/)
    return code === 0
  }

  function weAccept(text: string): boolean {
    try {
      return problems(text, 'p').length === 0
    } catch {
      return false
    }
  }

  const listen = (address: string) => pool('').replace('127.0.0.1:22121', address)
  for (const text of [
    pool(''),
    pool('timeout: 0'),
    pool('timeout: 007'),
    pool('timeout: "400"'),
    pool('timeout: -1'),
    pool('timeout: 1e3'),
    pool('timeout: 0x10'),
    pool('timeout: 4.5'),
    pool('timeout: ""'),
    pool('timeout: 1\n  timeout: 1'),
    pool('preconnect: true'),
    pool('preconnect: yes'),
    pool('preconnect: True'),
    pool('preconnect: 1'),
    pool('unknown: 1'),
    pool('sentinels: x'),
    pool('hash: murmur'),
    pool('hash: MURMUR'),
    pool('hash: fnv'),
    pool('distribution: modula'),
    pool('distribution: consistent'),
    pool('hash_tag: "{}"'),
    pool('hash_tag: "$$"'),
    pool('hash_tag: "{"'),
    pool('hash_tag: "{}}"'),
    pool('hash_tag: ""'),
    pool('hash_tag: {}'),
    pool('server_connections: 1'),
    pool('server_connections: 0'),
    pool('server_connections: 100'),
    pool('client_connections: 5'),
    pool('server_failure_limit: 0'),
    pool('backlog: 1024'),
    pool('redis_auth: foo bar'),
    pool('redis_auth: ""'),
    pool('redis_auth: x').replace('redis: true', 'redis: false'),
    pool('redis_db: 3'),
    pool('redis_db: -1'),
    pool('', ' - 127.0.0.1:6379:0'),
    pool('', ' - 127.0.0.1:6379'),
    pool('', ' - 127.0.0.1:6379:-1'),
    pool('', ' - 127.0.0.1:0:1'),
    pool('', ' - 127.0.0.1:65535:1'),
    pool('', ' - 127.0.0.1:65536:1'),
    pool('', ' - 127.0.0.1:06379:1'),
    pool('', ' - 127.0.0.1:6379:1  two-spaces'),
    pool('', ' - 127.0.0.1:6379:1 two words'),
    pool('', ' - 127.0.0.1:1:1 same\n   - 127.0.0.1:2:1 same'),
    pool('', ' - 127.0.0.1:1:1\n   - 127.0.0.1:1:1'),
    pool('', ' - 127.0.0.1:1:1 a\n   - 127.0.0.1:1:1 b'),
    pool('', ' - ::1:6379:1'),
    pool('', ' - /tmp/r.sock:1'),
    pool('', ' - /tmp/r.sock:1 name'),
    pool('', ' - /tmp/r.sock'),
    pool('', ' - redis-0.nowhere.invalid:6379:1'),
    pool('', ''),
    listen('127.0.0.1:0'),
    listen('127.0.0.1'),
    listen('::1:22121'),
    listen('/tmp/x.sock 0666'),
    listen('/tmp/x.sock 1777'),
    pool('').replace('  listen: 127.0.0.1:22121\n', ''),
    'p:\n  listen: 127.0.0.1:22121\n  redis: true\n',
    pool('') + pool(''),
  ]) {
    it(`agree about ${JSON.stringify(text)}`, async () => {
      expect(weAccept(text)).to.equal(await nutcrackerAccepts(text))
    })
  }
})
