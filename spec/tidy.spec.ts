/** The rules of the house, held against the house; and each rule against a sample that breaks it. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { limitsOf } from '../bench/limits-table.ts'
import { packageDirectory } from '../lib/config/package-directory.ts'
import {
  boundlessTimers,
  crowdedFolders,
  deadExports,
  deadReferences,
  focusedSpecs,
  forbiddenImports,
  importCycles,
  longFiles,
  longFunctions,
  type RoomTable,
  reaching,
  roomCycles,
  type SourceFile,
  sharedPackages,
  undocumentedErrors,
  undocumentedMessages,
  unwantedWords,
  vagueLimits,
  withoutOpeningComment,
} from './support/house-rules.ts'
import { lackOf, packages } from './support/programs.ts'

const LINES_PER_FILE_MAX = 300
const LINES_PER_FUNCTION_MAX = 50
const FILES_PER_FOLDER_MAX = 12
const LINES_OF_README_MAX = 200
const LINES_OF_ARCHITECTURE_MAX = 150

/** What each room may import. ARCHITECTURE.md says what each is for. */
const ROOMS: RoomTable = {
  limits: [],
  timer: ['limits'],
  logger: [],
  'log-limit': ['limits', 'logger'],
  errors: ['limits'],
  failures: ['errors', 'limits'],
  stats: ['limits'],
  // Of io only localhost.ts.
  config: ['errors', 'io', 'limits'],
  log: ['config', 'limits', 'logger'],
  io: ['limits'],
  resp: ['errors', 'limits'],
  commands: ['resp', 'errors', 'limits'],
  // Of io only chunk.ts, which copies bytes; that no socket is reached is checked below.
  routing: ['commands', 'resp', 'io', 'errors', 'limits'],
  topology: ['control', 'routing', 'limits', 'timer'],
  // Of resp only what verifies a shard's replies before ioredis sees them.
  control: ['commands', 'resp', 'errors', 'limits', 'logger', 'timer'],
  // It runs programs and reads files, and knows nothing of connections.
  credentials: ['config', 'errors', 'limits', 'logger', 'timer'],
  // Of io only turn.ts, for its type.
  nearcache: [
    'upstream',
    'commands',
    'io',
    'resp',
    'errors',
    'failures',
    'logger',
    'stats',
    'timer',
  ],
  downstream: ['io', 'resp', 'errors', 'failures', 'limits', 'logger', 'stats', 'timer'],
  upstream: ['io', 'resp', 'errors', 'failures', 'limits', 'logger', 'stats', 'timer'],
  dispatcher: [
    ...['pool', 'downstream', 'upstream', 'topology', 'control', 'routing', 'commands', 'io'],
    ...['nearcache', 'resp', 'errors', 'failures', 'limits', 'logger', 'stats', 'timer'],
  ],
  // Of dispatcher only what workers ask each other; of views only how addresses lead; of io only unix-socket.ts.
  workers: [
    ...['ambassador', 'admin', 'views', 'dispatcher', 'config', 'io', 'limits', 'logger'],
    ...['stats', 'timer'],
  ],
  // Of io only listen.ts and localhost.ts.
  admin: ['config', 'credentials', 'topology', 'io', 'limits', 'stats'],
  pool: [
    ...['shard-address', 'upstream', 'topology', 'control', 'routing', 'commands', 'io', 'resp'],
    ...['nearcache', 'config', 'credentials', 'failures', 'limits', 'logger', 'stats', 'timer'],
  ],
  // Of admin only what a snapshot is.
  views: [
    'admin',
    ...['pool', 'dispatcher', 'downstream', 'upstream', 'topology', 'control', 'commands', 'io'],
    ...['config', 'errors', 'limits', 'logger', 'stats'],
  ],
  generation: ['views', 'pool', 'dispatcher', 'downstream', 'upstream', 'topology', 'config'],
  ambassador: [
    ...['generation', 'views', 'log-limit', 'pool'],
    ...['admin', 'dispatcher', 'downstream', 'upstream', 'topology', 'routing', 'commands'],
    ...['io', 'config', 'errors', 'limits', 'logger', 'stats'],
  ],
  index: ['ambassador', 'config', 'errors', 'logger'],
  // Of upstream only dial.ts, for the options of TLS.
  'shard-address': ['upstream', 'config'],
  // It meets the shards as the generation does, but asks as a tool: through the door of ioredis.
  // Of nearcache only tracking-support.ts: which versions are relied on.
  doctor: [
    'nearcache',
    'shard-address',
    'topology',
    'control',
    'commands',
    'config',
    'credentials',
    'errors',
    'limits',
    'timer',
  ],
  cli: [
    ...[
      'ambassador',
      'workers',
      'doctor',
      'config',
      'control',
      'topology',
      'routing',
      'log',
      'log-limit',
    ],
    // Of stats only the text of a rehearsal's report.
    'stats',
    // Of io only listen.ts, which finds the demo a port, and localhost.ts.
    ...['io', 'errors', 'limits', 'logger', 'timer'],
  ],
  bundle: [],
  bin: ['bundle', 'cli', 'config', 'errors'],
}

/** Rooms that decide and never touch a socket. */
const PURE_ROOMS = ['resp', 'commands', 'routing', 'stats']
const SOCKETS = ['node:net', 'node:tls', 'node:http', 'node:dgram', 'node:child_process']

/** Longer than LINES_PER_FILE_MAX for a reason. */
const LONG_FILES: Readonly<Record<string, string>> = {
  'lib/config/schema.ts': 'one table: every option, one after the other',
  'lib/limits.ts': 'one list: every bound, with its reason',
  'lib/downstream/reply-queue.ts': 'one state machine: opened, held, settled, gone',
  'lib/resp/request-scanner.ts': 'one state machine; its fast and slow ways are read side by side',
  'lib/downstream/session.ts': 'one state machine: reading, waiting, answering, closing',
  'lib/io/outbox.ts': 'one state machine: gathered, handed over, written',
  'lib/upstream/connection/fifo.ts': 'one ring: what fills it, and all that empties it',
  'lib/upstream/shard.ts': 'one Redis: all its connections, and all that moves them',
  'lib/upstream/connection/connection.ts': 'one state machine: connecting, ready, waiting, closed',
  'lib/dispatcher/pubsub/shard-link.ts':
    'one state machine: how far each topic has come on one shard',
}

const root = packageDirectory()

function filesIn(directory: string, extension: string): SourceFile[] {
  const names = readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
  return names
    .filter((name) => name.endsWith(extension))
    .sort()
    .map((name) => read(join(directory, name)))
}

function read(path: string): SourceFile {
  return { path, text: readFileSync(join(root, path), 'utf8') }
}

/** Sources by path, for samples. */
function sample(texts: Readonly<Record<string, string>>): SourceFile[] {
  return Object.entries(texts).map(([path, text]) => ({ path, text }))
}

describe('the house', () => {
  const lib = filesIn('lib', '.ts')
  const documents = [
    ...readdirSync(root)
      .filter((name) => name.endsWith('.md'))
      .map(read),
    ...filesIn('docs', '.md'),
    ...['app', 'embedding', 'kubernetes', 'observability', 'twemproxy-migration'].map((name) =>
      read(`examples/${name}/README.md`),
    ),
  ]

  it('has rooms that import one way', () => {
    expect(roomCycles(ROOMS)).to.deep.equal([])
    expect(forbiddenImports(lib, ROOMS)).to.deep.equal([])
  })

  it('has no import cycle', () => {
    expect(importCycles(lib)).to.deep.equal([])
  })

  it('has one door for each npm package', () => {
    expect(sharedPackages(lib)).to.deep.equal([])
  })

  it('keeps sockets out of the rooms that decide', () => {
    expect(reaching(lib, PURE_ROOMS, SOCKETS)).to.deep.equal([])
  })

  it('keeps downstream and upstream strangers', () => {
    const upstream = lib.filter(({ path }) => path.startsWith('lib/upstream/'))
    const downstream = lib.filter(({ path }) => path.startsWith('lib/downstream/'))
    const paths = (files: readonly SourceFile[]) => files.map(({ path }) => path)
    expect(reaching(lib, ['upstream'], paths(downstream))).to.deep.equal([])
    expect(reaching(lib, ['downstream'], paths(upstream))).to.deep.equal([])
  })

  it('has short files and short functions', () => {
    expect(longFiles(lib, LINES_PER_FILE_MAX, LONG_FILES)).to.deep.equal([])
    expect(lib.flatMap((file) => longFunctions(file, LINES_PER_FUNCTION_MAX))).to.deep.equal([])
  })

  it('has folders that one look takes in', () => {
    const names = readdirSync(join(root, 'lib'), { recursive: true, withFileTypes: true })
    const paths = names
      .filter((name) => name.isFile())
      .map((name) => join(name.parentPath, name.name))
    expect(crowdedFolders(paths, FILES_PER_FOLDER_MAX)).to.deep.equal([])
  })

  it('exports nothing that nobody imports', () => {
    const all = ['lib', 'spec', 'bench'].flatMap((directory) => filesIn(directory, '.ts'))
    expect(deadExports(all)).to.deep.equal([])
  })

  it('says at the top of each file what it is for', () => {
    expect(withoutOpeningComment(lib)).to.deep.equal([])
  })

  it('leaves nothing undone and nothing untyped', () => {
    expect(lib.flatMap(unwantedWords)).to.deep.equal([])
  })

  it('sets no timer for longer than a timer can hold', () => {
    expect(lib.flatMap(boundlessTimers)).to.deep.equal([])
  })

  it('leaves no spec out', () => {
    // These two files hold the samples.
    const specs = filesIn('spec', '.ts').filter(({ path }) => !/tidy|house-rules/.test(path))
    expect(specs.flatMap(focusedSpecs)).to.deep.equal([])
  })

  it('gives every bound a comment that says what it bounds', () => {
    expect(vagueLimits(limitsOf(read('lib/limits.ts').text))).to.deep.equal([])
  })

  it('explains every error line and log line of its own to operators', () => {
    const { text } = read('docs/operations.md')
    expect(undocumentedErrors(lib, text)).to.deep.equal([])
    expect(undocumentedMessages(lib, text)).to.deep.equal([])
  })

  it('spells its own failures in one place', () => {
    const others = lib.filter(({ path }) => path !== 'lib/failures.ts')
    expect(undocumentedErrors(others, '')).to.deep.equal([])
  })

  it('has no dead link and names no file that is not there', () => {
    const exists = (path: string) => existsSync(join(root, path))
    expect(documents.flatMap((file) => deadReferences(file, exists))).to.deep.equal([])
  })

  it('lists every document and every decision in an index', () => {
    for (const folder of ['docs', 'docs/decisions']) {
      const { text } = read(`${folder}/README.md`)
      const listed = [...text.matchAll(/\]\((?<name>[^/)]+\.md)\)/g)].map(
        ({ groups }) => groups?.['name'],
      )
      const there = readdirSync(join(root, folder)).filter((name) => name.endsWith('.md'))
      expect([...listed, 'README.md'].sort(), folder).to.deep.equal(there.sort())
    }
  })

  it('begins its README with two lines that can be pasted, and keeps it short', () => {
    const { text } = read('README.md')
    expect(text.split('\n').length - 1).to.be.below(LINES_OF_README_MAX)
    const [demo, tests] = [...text.matchAll(/^```sh\n([\s\S]*?)\n```$/gm)].map(([, code]) => code)
    expect(demo).to.equal('npm ci && npm run demo')
    expect(tests).to.match(/^.*apt-get install -y .* && npm ci && npm test$/)
    const specs = filesIn('spec', '.spec.ts').map(({ path }) => path)
    const { programs } = lackOf(
      specs,
      (path) => read(path).text,
      () => false,
    )
    expect(tests?.split(' ')).to.include.members(packages(programs, 'debian').split(' '))
  })

  it('explains its architecture on a few pages', () => {
    const { text } = read('ARCHITECTURE.md')
    expect(text.split('\n').length - 1).to.be.at.most(LINES_OF_ARCHITECTURE_MAX)
    for (const room of Object.keys(ROOMS)) {
      const isThere = lib.some(({ path }) => new RegExp(`^lib/${room}(?:/|\\.ts$)`).test(path))
      if (isThere) expect(text, `room ${room}`).to.match(new RegExp(`\`${room}(?:/|\\.ts)\``))
    }
  })

  it('packs what it promises and nothing else', () => {
    const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const [pack] = JSON.parse(String(output)) as { files: { path: string }[] }[]
    const packed = pack?.files.map(({ path }) => path) ?? []
    const { bin, exports } = JSON.parse(read('package.json').text) as {
      readonly bin: Record<string, string>
      readonly exports: Record<string, Record<string, string>>
    }
    const promised = [...Object.values(bin), ...Object.values(exports).flatMap(Object.values)]
    const paths = promised.map((path: string) => path.replace('./', ''))
    expect(packed).to.include.members([...paths, 'config/default.yaml', 'README.md', 'LICENSE'])
    const strangers = packed.filter(
      (path) => !/^(?:dist|lib|config)\/|^[A-Z]+(?:\.md)?$/.test(path),
    )
    expect(strangers).to.deep.equal(['package.json'])
  })
})

describe('house rules', () => {
  it('see an import against the direction, and a room nobody knows', () => {
    const table = { resp: ['limits'], limits: [], upstream: ['resp'] }
    const files = sample({
      'lib/resp/a.ts': "import { x } from '../upstream/b.ts'\nimport { y } from './c.ts'\n",
      'lib/upstream/b.ts': "import '../limits.ts'\nimport {\n  type A,\n} from '../resp/a.ts'\n",
      'lib/limits.ts': "export type { A } from './resp/a.ts'\n",
      'lib/helpers/d.ts': '',
    })
    expect(forbiddenImports(files, table)).to.deep.equal([
      'lib/resp/a.ts: resp may not import upstream',
      'lib/upstream/b.ts: upstream may not import limits',
      'lib/limits.ts: limits may not import resp',
      'lib/helpers/d.ts: no room helpers in the table',
    ])
    expect(roomCycles(table)).to.deep.equal([])
    expect(roomCycles({ ...table, limits: ['upstream'] })).to.have.members([
      ...['resp', 'limits', 'upstream'],
    ])
  })

  it('see a cycle of imports, also one that types alone make', () => {
    const files = sample({
      'lib/a/x.ts': "import { y } from '../b/y.ts'\n",
      'lib/b/y.ts': "export { z } from './z.ts'\n",
      'lib/b/z.ts': "const x = await import('../a/x.ts')\n",
      'lib/c/one.ts': "import type { Two } from './two.ts'\n",
      'lib/c/two.ts': "import { one } from './one.ts'\n",
    })
    expect(importCycles(files)).to.deep.equal([
      ...['lib/a/x.ts', 'lib/b/y.ts', 'lib/b/z.ts'],
      ...['lib/c/one.ts', 'lib/c/two.ts'],
    ])
  })

  it('see a second door of a package', () => {
    const files = sample({
      'lib/a.ts': "import x from '@scope/name/deep.json'\nimport { y } from 'yaml'\n",
      'lib/b.ts': "import type { Z } from '@scope/name'\nimport { readFileSync } from 'node:fs'\n",
      'lib/c.ts': "import { readFileSync } from 'node:fs'\n",
    })
    expect(sharedPackages(files)).to.deep.equal([
      '@scope/name is imported by lib/a.ts and lib/b.ts',
    ])
  })

  it('see a socket behind another room', () => {
    const files = sample({
      'lib/resp/a.ts': "import { b } from '../io/b.ts'\n",
      'lib/io/b.ts': "import net from 'node:net'\n",
      'lib/resp/c.ts': '',
    })
    expect(reaching(files, ['resp'], ['node:net'])).to.deep.equal([
      'lib/resp/a.ts reaches node:net',
    ])
  })

  it('see a long file, and an exception that is none any more', () => {
    const files = sample({ 'lib/a.ts': '\n'.repeat(4), 'lib/b.ts': '\n'.repeat(3) })
    expect(longFiles(files, 3, {})).to.deep.equal(['lib/a.ts is too long'])
    expect(longFiles(files, 3, { 'lib/a.ts': 'because' })).to.deep.equal([])
    expect(longFiles(files, 3, { 'lib/b.ts': 'because', 'lib/a.ts': 'because' })).to.deep.equal([
      'lib/b.ts needs no exception',
    ])
  })

  it('see a long function of any kind, and no other long block', () => {
    const body = '    one()\n    two()\n    three()\n'
    const starts = [
      'function name(a: number): void {',
      'export async function name(): Promise<void> {',
      'const name = (a: number) => {',
      'const name = async (): Promise<void> => {',
      'run(() => {',
      '  #method(a: number): string {',
      '  get size(): number {',
      '  constructor(a: number) {',
      '): Promise<void> {',
    ]
    for (const start of starts) {
      const indent = /^ */.exec(start)?.[0] ?? ''
      const text = `${start}\n${body}${indent}}\n`
      expect(longFunctions({ path: 'a.ts', text }, 2), start).to.deep.equal(['a.ts:1 has 3 lines'])
      expect(longFunctions({ path: 'a.ts', text }, 3), start).to.deep.equal([])
    }
    for (const start of [
      'class A {',
      'const a = {',
      'if (a) {',
      '} else if (a(b)) {',
      'for (;;) {',
    ]) {
      const text = `${start}\n${body}}\n`
      expect(longFunctions({ path: 'a.ts', text }, 2), start).to.deep.equal([])
    }
  })

  it('see a crowded folder', () => {
    const paths = ['lib/a/x.ts', 'lib/a/y.ts', 'lib/a/b/x.ts', 'lib/z.ts']
    expect(crowdedFolders(paths, 1)).to.deep.equal(['lib/a has 2 files'])
  })

  it('see an export that only its own file uses, and let types be', () => {
    const files = sample({
      'lib/a.ts': 'export function used() {}\nexport const ALONE = 1\nexport interface Shape {}\n',
      'lib/b.ts': "import { used } from './a.ts'\nexport class Idle {}\nused(ALONE_TOO)\n",
    })
    expect(deadExports(files)).to.deep.equal(['lib/a.ts: ALONE', 'lib/b.ts: Idle'])
  })

  it('see a file that does not say what it is for', () => {
    const files = sample({
      'lib/a.ts': '/** What it is for. */\n',
      'lib/b.ts': '#!/usr/bin/env node\n/** What it is for. */\n',
      'lib/c.ts': "import { a } from './a.ts'\n/** Late. */\n",
    })
    expect(withoutOpeningComment(files)).to.deep.equal(['lib/c.ts'])
  })

  it('see what is undone or untyped, and tell it from words in comments and texts', () => {
    const text = [
      '// TODO: later',
      'const a: any = 1',
      'const b = a as any',
      'function f(x: Map<string, any>) {}',
      '// @ts-ignore',
      'enum Colour {',
      'export default a',
      "const c = 'as any one: any'",
      '/* not any: any */ const d = `as any`',
      'const company: anything = 1',
    ].join('\n')
    const lines = unwantedWords({ path: 'a.ts', text }).map((line) => line.split(' ', 1)[0])
    expect(lines).to.deep.equal([1, 2, 3, 4, 5, 6, 7].map((line) => `a.ts:${line}`))
  })

  it('see a timer that is set for a time that was computed', () => {
    const text = [
      'setTimeout(() => go(a, [b, c]), SOME_MS)',
      'setTimeout(() => go(), timerMs(delayMs))',
      'setTimeout(\n  () => {\n    go(SOME_MS)\n  },\n  delayMs,\n)',
      'this.#timer = setInterval(go, Math.min(delayMs, SOME_MS))',
      'socket.setTimeout(SOME_MS, () => go())',
      "// setTimeout(go, delayMs)\n'setTimeout(go, delayMs)'",
      'await delay(timeoutMs, { ref: false })',
    ].join('\n')
    expect(boundlessTimers({ path: 'a.ts', text })).to.deep.equal(
      [3, 9, 13].map((line) => `a.ts:${line} sets a timer`),
    )
  })

  it('see a spec that leaves others out, or itself', () => {
    const text = "describe.only('a', () => {\n  it.skip('b', () => {})\n  it('c', () => {})\n})\n"
    expect(focusedSpecs({ path: 'a.spec.ts', text })).to.deep.equal([
      'a.spec.ts has describe.only(',
      'a.spec.ts has it.skip(',
    ])
  })

  it('see a bound without a comment, or with one that counts nothing', () => {
    const text = [
      '/** The limits. */\n',
      '/** Longest line. */\nexport const LINE_BYTES_MAX = 1\n/** The same. */\nexport const A_MS = 2\n',
      '/** Most clients. */\nexport const CLIENTS_MAX = 3\nexport const OTHERS_MAX = 4\n',
      'export const BARE_BYTES_MAX = 5\n',
      '/** A bound. */\nexport const VAGUE_MAX = 6\n',
    ].join('\n')
    expect(vagueLimits(limitsOf(text))).to.deep.equal([
      'BARE_BYTES_MAX has no comment that says what it bounds',
      'VAGUE_MAX has no comment that says what it bounds',
    ])
  })

  it('see an error line that operators are not told about', () => {
    const files = sample({
      'lib/a.ts':
        "errorFrame('ERR ambassador: told')\nerrorFrame(`ERR ambassador: shard $" + '{name} gone`)',
      'lib/b.ts': "Buffer.from('-ERR ambassador: untold\\r\\n')\n",
    })
    expect(
      undocumentedErrors(files, '`ERR ambassador: told`, `ERR ambassador: shard a`'),
    ).to.deep.equal(['lib/b.ts: ERR ambassador: untold'])
  })

  it('see a log line that operators are not told about', () => {
    const text =
      "logger.info(facts(a, 'x'), 'told')\nthis.logger.warn(\n  { a, b },\n  'untold',\n)\n" +
      "logger.fatal({ a: f('b') }, 'untold too')\n"
    const found = undocumentedMessages(sample({ 'lib/a.ts': text }), '`told`')
    expect(found).to.deep.equal(['lib/a.ts: untold', 'lib/a.ts: untold too'])
  })

  it('see a link and a file name that lead nowhere', () => {
    const file = {
      path: 'docs/a.md',
      text: '[x](b.md#part) [y](../README.md) [z](https://x.org/y.md) `lib/gone.ts` `lib/here.ts`',
    }
    const there = new Set(['README.md', 'lib/here.ts'])
    expect(deadReferences(file, (path) => there.has(path))).to.deep.equal([
      'docs/a.md: docs/b.md',
      'docs/a.md: lib/gone.ts',
    ])
  })
})
