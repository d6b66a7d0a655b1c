/** What INFO tells, and what is made of it. */
import { expect } from 'chai'
import type { Finding } from '../../lib/doctor/finding.ts'
import { clockOf, diagnose, latencyOf, readInfo } from '../../lib/doctor/shard-info.ts'

const PATIENT = { name: 'a', address: 'h:1' }

function text({ level, check, saw }: Finding): string {
  return `${level} ${check}: ${saw}`
}

function complaints(fields: Readonly<Record<string, string>>): string[] {
  const findings = diagnose(PATIENT, new Map(Object.entries(fields)))
  return findings.filter(({ level }) => level !== 'ok').map(text)
}

describe('readInfo', () => {
  it('takes the fields of all sections, empty ones and colons in values included', () => {
    const info = readInfo('# Server\r\nredis_version:7.0.15\r\nempty:\r\n\r\nos:Linux a:b\n')
    expect([...info]).to.deep.equal([
      ['redis_version', '7.0.15'],
      ['empty', ''],
      ['os', 'Linux a:b'],
    ])
  })
})

describe('what a shard tells', () => {
  const EVIL = '\u001b]0;owned\u0007\u009b31m\u202egnp.exe\u2028'

  it('neither steers the terminal on which it is printed nor fills it', () => {
    const long = 'x'.repeat(100_000)
    for (const value of [EVIL, long, `${long}${EVIL}`]) {
      const fields = 'redis_mode redis_version valkey_version maxmemory_policy master_host'.split(
        ' ',
      )
      const lines = [...fields, 'loading_eta_seconds'].map((field) => `${field}:${value}\r\n`)
      const switches = 'role:slave\r\nloading:1\r\nmaxmemory:1\r\nused_memory:1\r\n'
      const findings = diagnose(PATIENT, readInfo(switches + lines.join('')))
      const texts = findings.flatMap(({ saw, advice }) => [saw, advice ?? ''])
      expect(texts.join('')).to.include(value === EVIL ? 'owned' : 'xxx')
      expect(texts.join('')).not.to.match(/[\p{Cc}\p{Cf}\u2028\u2029]/u)
      for (const text of texts) expect(text.length).to.be.below(600)
    }
  })
})

describe('diagnose', () => {
  const WELL = { redis_mode: 'standalone', role: 'master', redis_version: '7.2.4' }
  const cases: readonly (readonly [Readonly<Record<string, string>>, ...string[]])[] = [
    [{}],
    [{ redis_mode: 'sentinel' }, 'problem mode: h:1 is a Sentinel, which keeps no data'],
    [{ ambassador_version: '1.0.0' }, 'note mode: h:1 is an ambassador itself'],
    [
      { redis_mode: '', cluster_enabled: '1' },
      'problem mode: h:1 runs in cluster mode: it answers MOVED for keys that are not in its slots',
    ],
    [
      { loading: '1', loading_eta_seconds: '7' },
      'problem state: h:1 is loading its data and answers nothing else, for 7 s more',
    ],
    [{ aof_last_write_status: 'err' }, 'problem state: h:1 could not write its append-only file'],
    [{ rdb_last_bgsave_status: 'err' }, 'note state: h:1 could not save its data the last time'],
    [
      { role: 'slave', master_host: 'm', master_port: '6379', master_link_status: 'up' },
      'problem role: h:1 is a replica of m:6379: writes get READONLY',
    ],
    [
      { role: 'slave', master_host: 'm', master_port: '6379', slave_read_only: '0' },
      'problem role: h:1 is a replica of m:6379 (the link is down): writes to it are lost at the next sync',
    ],
    [{ redis_version: '5.0.14' }, 'note version: 5.0.14 is older than Redis 6'],
    [{ redis_version: '7.2.4', valkey_version: '8.0.1' }],
    [{ maxmemory: '1048576', used_memory: '500000' }],
    [
      { maxmemory: '1048576', used_memory: '1000000' },
      'note memory: h:1 is nearly full (noeviction; 1.0 of 1.0 MB used)',
    ],
    [
      { maxmemory: '1048576', used_memory: '1048576', maxmemory_policy: 'noeviction' },
      'problem memory: h:1 is full and refuses writes with OOM (noeviction; 1.0 of 1.0 MB used)',
    ],
    [{ used_memory: '1048576', maxmemory: '0', maxmemory_policy: 'allkeys-lru' }],
    [{ connected_clients: '899', maxclients: '1000' }],
    [
      { connected_clients: '900', maxclients: '1000' },
      'note clients: h:1 is nearly full: 900 of 1000 connections in use',
    ],
  ]
  it('knows a Sentinel of Valkey 9, which has no redis_mode', () => {
    expect(complaints({ server_mode: 'sentinel' })).to.deep.equal([
      'problem mode: h:1 is a Sentinel, which keeps no data',
    ])
  })

  for (const [fields, ...expected] of cases) {
    it(`makes of ${JSON.stringify(fields)}: ${expected[0] ?? 'nothing to complain about'}`, () => {
      expect(complaints({ ...WELL, ...fields })).to.deep.equal(expected)
    })
  }
})

describe('clockOf', () => {
  it('notes a clock that is off by more than a second, either way', () => {
    const texts = [-1000, 1000, 90_000, -1100].map((offset) => text(clockOf(PATIENT, offset)))
    expect(texts).to.deep.equal([
      'ok clock: within 1000 ms',
      'ok clock: within 1000 ms',
      'note clock: the clock of h:1 is 90.0 s ahead of ours',
      'note clock: the clock of h:1 is 1.1 s behind ours',
    ])
  })
})

describe('latencyOf', () => {
  it('notes a slow shard; one slower than the timeout or silent is a problem', () => {
    const texts = [0.3, 3, 12.34, 250, undefined].map((ms) => text(latencyOf(PATIENT, ms, 200)))
    expect(texts).to.deep.equal([
      'ok latency: PING in less than 1 ms',
      'ok latency: PING in 3 ms',
      'note latency: h:1 takes 12.3 ms for a PING',
      'problem latency: h:1 takes 250.0 ms for a PING, longer than requestTimeoutMs (200)',
      'problem latency: h:1 stopped answering PING',
    ])
    expect(latencyOf(PATIENT, 250, 0).level).to.equal('note')
  })
})
