/** `diff` as a person and a script meet it: files and lists, rings and keys, exit codes. */
import { join } from 'node:path'
import { expect } from 'chai'
import { packageDirectory } from '../../../lib/config/package-directory.ts'
import { cleanEnvironment, runBin } from '../../support/bin.ts'
import { runChild } from '../../support/child.ts'
import { temporaryFiles } from '../../support/temporary-files.ts'

const NUTCRACKER = join(packageDirectory(), 'examples/twemproxy-migration/nutcracker.yml')
const SAME = 'alpha=127.0.0.1:7001,beta=127.0.0.1:7002,gamma=127.0.0.1:7003*2'

describe('redis-ambassador diff', () => {
  async function json(...args: string[]): Promise<Report> {
    const { code, stdout, stderr } = await runBin(['diff', '--json', ...args])
    expect([code, stderr]).to.deep.equal([0, ''])
    return JSON.parse(stdout) as Report
  }

  it('finds that nothing moves from a nutcracker.yml to the same shards as a list', async () => {
    const { code, stdout } = await runBin(['diff', '--exit-code', NUTCRACKER, SAME])
    expect(code).to.equal(0)
    expect(stdout).to.match(/^0\.0 % of the keys move \(counted on the rings\)$/m)
    expect(stdout).to.match(/^gamma +52\.0 % +52\.0 %$/m)
  })

  it('tells what a shard more takes from each', async () => {
    const { code, stdout } = await runBin([
      ...['diff', NUTCRACKER, `${SAME},delta=redis://:hunter2@127.0.0.1:7004`, '--exit-code'],
    ])
    expect(code).to.equal(1)
    expect(stdout).to.match(/^22\.1 % of the keys move/m)
    expect(stdout).to.match(/^gamma +delta +9\.9 %$/m)
    expect(stdout).to.match(/^delta +- +19\.9 %$/m)
    expect(stdout).to.not.include('hunter2')
  })

  it('says that all keys move from a ring to a cluster, and none to the same cluster', async () => {
    const cluster = 'redis+cluster://u:hunter2@10.0.0.1:7000,10.0.0.2:7000'
    const { code, stdout } = await runBin(['diff', NUTCRACKER, cluster, '--exit-code'])
    expect(code).to.equal(1)
    expect(stdout).to.match(/^100\.0 % of the keys move/m)
    expect(stdout).to.match(/^cluster +- +100\.0 %$/m)
    expect(stdout).to.match(/a cluster is one place here/)
    expect(stdout).to.not.include('hunter2')
    const same = await json(cluster, 'redis+cluster://10.0.0.1:7000')
    expect(same.ring.moved).to.equal(0)
  })

  it('counts keys of a file, byte for byte, and of standard input', async () => {
    const keys = Array.from({ length: 5000 }, (_, i) => `user:${i}`).join('\n')
    const file = join(temporaryFiles({ keys: `${keys}\n\n` }), 'keys')
    const list = `${SAME},delta=127.0.0.1:7004`
    const report = await json(NUTCRACKER, list, '--keys', file)
    expect(report.keys?.total).to.equal(5000)
    // Keys with a counter at their end are no perfect sample of a 64-bit FNV.
    expect((report.keys?.moved ?? 0) / 5000).to.be.closeTo(report.ring.moved, 0.05)
    const bin = join(packageDirectory(), 'dist/bin.js')
    const args = [bin, 'diff', '--json', NUTCRACKER, list, '--keys', '-']
    const { stdout } = await runChild(process.execPath, args, {
      env: cleanEnvironment(),
      input: keys,
    })
    expect((JSON.parse(stdout) as Report).keys).to.deep.equal(report.keys)
  })

  it('has a stable JSON', async () => {
    const report = await json('a=h:1,b=h:2', 'a=h:1,b=h:2', '--hash', 'md5')
    expect(report).to.deep.equal({
      old: side({ hash: 'md5' }),
      new: side({ hash: 'md5' }),
      ring: {
        exact: true,
        moved: 0,
        total: report.ring.total,
        moves: [],
        shards: report.ring.shards,
      },
      keys: null,
      notes: [],
      routes: [],
      pools: [],
    })
    expect(report.ring.total).to.be.closeTo(1, 1e-9)
    expect(report.ring.shards.map((shard) => Object.keys(shard))).to.deep.equal([
      ['name', 'before', 'after'],
      ['name', 'before', 'after'],
    ])
  })

  function side(rules: object): object {
    const usual = { hash: 'fnv1a_64', distribution: 'ketama', hashTag: '{}', byteSign: 'signed' }
    return { shards: ['a', 'b'], ...usual, ...rules }
  }

  it('gives a list the rules of the file on the other side, unless told otherwise', async () => {
    const file = join(
      temporaryFiles({ 'old.yaml': 'shards: a=h:1,b=h:2\nhash: murmur\ndistribution: modula\n' }),
      'old.yaml',
    )
    expect((await json(file, 'a=h:1,b=h:2')).new).to.include({
      hash: 'murmur',
      distribution: 'modula',
    })
    const told = await json('a=h:1,b=h:2', file, '--hash', 'md5')
    expect([told.old, told.new].map(({ hash }) => hash)).to.deep.equal(['md5', 'murmur'])
    expect(told.ring.exact).to.equal(false)
    expect(told.ring.moved).to.be.closeTo(0.5, 0.05)
    expect(told.notes).to.deep.equal(['the hash functions differ: nearly every key is placed anew'])
  })

  it('does not let variables make both sides the same', async () => {
    const files = temporaryFiles({
      'old.json': '{"shards": "a=h:1"}',
      'new.json': '{"shards": "b=h:2"}',
    })
    const args = ['diff', join(files, 'old.json'), join(files, 'new.json')]
    const { stdout } = await runBin(args, { AMBASSADOR_SHARDS: 'c=h:3' })
    expect(stdout).to.match(/^100\.0 % of the keys move/m)
  })

  it('chooses a pool of the side that has pools', async () => {
    const pool = (port: number) =>
      `\n  listen: 127.0.0.1:1\n  redis: true\n  servers: [h:${port}:1 a]\n`
    const file = join(temporaryFiles({ 'two.yml': `one:${pool(1)}two:${pool(2)}` }), 'two.yml')
    const report = await json(file, 'b=h:2', '--pool', 'two')
    expect(report.ring.moved).to.equal(0)
    const { code, stderr } = await runBin(['diff', file, 'b=h:2'])
    expect(code).to.equal(78)
    expect(stderr).to.match(/choose one with --pool NAME/)
  })

  it('tells what moves in each pool and of each route', async () => {
    const files = temporaryFiles({
      'old.yaml': `
shards: [a=h:1, b=h:2]
pools: { queues: { shards: q=h:3 }, gone: { shards: h:4 } }
routes:
  - { prefix: "bull:", pool: queues }
  - { prefix: "page:", shard: a }
`,
      'new.yaml': `
shards: [a=h:1, b=h:2]
pools: { queues: { shards: [q=h:3, r=h:5] }, more: { shards: a=h:6 } }
routes:
  - { prefix: "bull:", pool: queues }
  - { prefix: "bull:x:", shard: b }
  - { prefix: "page:", pool: more }
`,
      keys: 'bull:1\nbull:x:1\npage:1\npage:2\nuser:1\n',
    })
    const [old, recent, keys] = ['old.yaml', 'new.yaml', 'keys'].map((name) => join(files, name))
    const args = [old as string, recent as string, '--keys', keys as string]
    const report = await json(...args)
    expect([report.ring.moved, report.keys?.total]).to.deep.equal([0, 1])
    expect(report.notes).to.deep.equal(['pool gone is gone', 'pool more is new'])
    expect(
      report.routes.map((route) => [
        route['prefix'],
        route['old'],
        route['new'],
        route.keys?.total,
      ]),
    ).to.deep.equal([
      ['bull:', 'queues/q', 'queues', 1],
      ['page:', 'default/a', 'more/a', 2],
      ['bull:x:', 'queues/q', 'default/b', 1],
    ])
    const [bull, page, x] = report.routes
    expect(bull?.ring.moved).to.be.closeTo(0.5, 0.1)
    expect([page?.ring.moved, page?.keys?.moved, x?.ring.moved]).to.deep.equal([1, 2, 1])
    expect(page?.ring.moves).to.deep.equal([{ from: 'a', to: 'more/a', share: 1 }])
    const [queues, ...others] = report.pools
    expect([queues?.['pool'], queues?.keys, others]).to.deep.equal(['queues', null, []])
    expect(queues?.ring.moved).to.equal(bull?.ring.moved)
    const { code, stdout } = await runBin(['diff', '--exit-code', ...args])
    expect(code).to.equal(1)
    expect(stdout).to.match(/^route "page:": default\/a -> more\/a\n100\.0 % of the keys move/m)
    expect(stdout).to.match(/^pool queues\n/m)
    expect((await runBin(['diff', '--exit-code', old as string, old as string])).code).to.equal(0)
  })

  it('notes that a shard has another address', async () => {
    const { notes, ring } = await json('a=h:1,b=h:2', 'a=i:1,b=h:2')
    expect(ring.moved).to.equal(0)
    expect(notes).to.deep.equal(['a is elsewhere (h:1 -> i:1): its keys must be there as well'])
  })

  it('finds that nothing moves from addresses to masters of the same names behind Sentinel', async () => {
    const masters = ['alpha', 'beta', 'gamma']
    const list = masters.map((name) => `${name}=redis+sentinel://${name}-master`).join(',')
    const weighted = `${list}?weight=2`
    const rules = 'hash: murmur\n'
    const file = join(
      temporaryFiles({ 'new.yaml': `shards: "${weighted}"\nsentinels: 10.0.0.1:26379\n${rules}` }),
      'new.yaml',
    )
    const report = await json(SAME, file)
    expect([report.ring.exact, report.ring.moved]).to.deep.equal([true, 0])
    expect((await json(file, SAME)).ring.moved).to.equal(0)
  })

  it('says of random that no key has a place', async () => {
    const { notes, ring } = await json('a=h:1,b=h:2', 'a=h:1,b=h:2', '--distribution', 'random')
    expect(ring.moved).to.be.closeTo(0.5, 1e-9)
    expect(notes[0]).to.match(/^with distribution random no key has a place/)
  })

  it('refuses what it cannot use', async () => {
    for (const [args, code, text] of [
      [['a=h:1', 'b=h:2', '--keys', '/nonexistent/k'], 64, /--keys: ENOENT/],
      [['a=h:1', 'gone.yml'], 78, /gone\.yml/],
      [['a=h:1', 'nonsense'], 78, /nonsense.*no file has that name either/],
    ] as const) {
      const result = await runBin(['diff', ...args])
      expect([result.code, result.stdout]).to.deep.equal([code, ''])
      expect(result.stderr).to.match(text)
    }
  })
})

interface Movement {
  readonly moved: number
  readonly total: number
  readonly moves: readonly object[]
  readonly shards: readonly object[]
}

interface Part extends Readonly<Record<string, unknown>> {
  readonly ring: Movement
  readonly keys: Movement | null
}

interface Report {
  readonly routes: readonly Part[]
  readonly pools: readonly Part[]
  readonly old: Readonly<Record<string, unknown>>
  readonly new: Readonly<Record<string, unknown>>
  readonly ring: Movement & { readonly exact: boolean }
  readonly keys: Movement | null
  readonly notes: readonly string[]
}
