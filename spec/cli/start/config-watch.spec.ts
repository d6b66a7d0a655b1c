/** Every way in which a file changes, on a real file system; the time between two looks is the spec's. */
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { ConfigWatch } from '../../../lib/cli/start/config-watch.ts'
import { CONFIG_RESTLESS_LOOKS_MAX } from '../../../lib/limits.ts'
import { ManualTimers } from '../../support/manual-timers.ts'
import { temporaryFiles } from '../../support/temporary-files.ts'
import { until } from '../../support/until.ts'

/** What README and docs promise, milliseconds. */
const NOTICED_MS = 5000

const FILE = 'ambassador.yaml'
const NEW = 'maxClients: 200\n'
const OLD = 'maxClients: 100\n'

/** Replaces a link in one step, as `ln -sfn` with a rename and as the kubelet do. */
function relink(path: string, target: string): void {
  symlinkSync(target, `${path}.new`)
  renameSync(`${path}.new`, path)
}

interface Way {
  readonly how: string
  /** What is there before, by relative path, `->` for a link. */
  readonly before: Readonly<Record<string, string>>
  readonly change: (at: (name: string) => string) => void
}

/** The path that is followed is always `mount/ambassador.yaml`. */
const WAYS: readonly Way[] = [
  {
    how: 'written in place',
    before: { [`mount/${FILE}`]: OLD },
    change: (at) => writeFileSync(at(`mount/${FILE}`), NEW),
  },
  {
    how: 'written in place by a program that has had it open',
    before: { [`mount/${FILE}`]: OLD },
    change: (at) => {
      const descriptor = openSync(at(`mount/${FILE}`), 'r+')
      writeSync(descriptor, NEW)
      closeSync(descriptor)
    },
  },
  {
    how: 'truncated, then written',
    before: { [`mount/${FILE}`]: OLD },
    change: (at) => {
      truncateSync(at(`mount/${FILE}`))
      appendFileSync(at(`mount/${FILE}`), NEW)
    },
  },
  {
    how: 'written with its old time set again',
    before: { [`mount/${FILE}`]: OLD },
    change: (at) => {
      const { atime, mtime } = statSync(at(`mount/${FILE}`))
      writeFileSync(at(`mount/${FILE}`), NEW)
      utimesSync(at(`mount/${FILE}`), atime, mtime)
    },
  },
  {
    how: 'replaced by a rename',
    before: { [`mount/${FILE}`]: OLD, 'mount/other': NEW },
    change: (at) => renameSync(at('mount/other'), at(`mount/${FILE}`)),
  },
  {
    how: 'removed and made anew',
    before: { [`mount/${FILE}`]: OLD },
    change: (at) => {
      unlinkSync(at(`mount/${FILE}`))
      writeFileSync(at(`mount/${FILE}`), NEW)
    },
  },
  {
    how: 'made, where there was none',
    before: { 'mount/other': '' },
    change: (at) => writeFileSync(at(`mount/${FILE}`), NEW),
  },
  {
    how: 'removed',
    before: { [`mount/${FILE}`]: OLD },
    change: (at) => unlinkSync(at(`mount/${FILE}`)),
  },
  {
    how: 'a link to a file elsewhere, which is written in place',
    before: { 'elsewhere/a': OLD, [`mount/${FILE}`]: '-> ../elsewhere/a' },
    change: (at) => writeFileSync(at('elsewhere/a'), NEW),
  },
  {
    how: 'a link to a file elsewhere, which is replaced',
    before: { 'elsewhere/a': OLD, 'elsewhere/b': NEW, [`mount/${FILE}`]: '-> ../elsewhere/a' },
    change: (at) => renameSync(at('elsewhere/b'), at('elsewhere/a')),
  },
  {
    how: 'a link that leads elsewhere',
    before: { 'elsewhere/a': OLD, 'elsewhere/b': NEW, [`mount/${FILE}`]: '-> ../elsewhere/a' },
    change: (at) => relink(at(`mount/${FILE}`), '../elsewhere/b'),
  },
  {
    how: 'a link to a link to a file that is replaced',
    before: {
      'elsewhere/a': OLD,
      'elsewhere/b': NEW,
      'elsewhere/link': '-> a',
      [`mount/${FILE}`]: '-> ../elsewhere/link',
    },
    change: (at) => relink(at('elsewhere/link'), 'b'),
  },
  {
    how: 'in a volume of Kubernetes, whose ..data is swapped',
    before: {
      [`mount/..1/${FILE}`]: OLD,
      [`mount/..2/${FILE}`]: NEW,
      'mount/..data': '-> ..1',
      [`mount/${FILE}`]: `-> ..data/${FILE}`,
    },
    change: (at) => relink(at('mount/..data'), '..2'),
  },
  {
    how: 'in a linked directory that is switched',
    before: { [`v1/${FILE}`]: OLD, [`v2/${FILE}`]: NEW, mount: '-> v1' },
    change: (at) => relink(at('mount'), 'v2'),
  },
  {
    how: 'in a directory that is made anew',
    before: { [`mount/${FILE}`]: OLD },
    change: (at) => {
      rmSync(at('mount'), { recursive: true })
      mkdirSync(at('mount'))
      writeFileSync(at(`mount/${FILE}`), NEW)
    },
  },
  {
    how: 'in a directory that gives way to another',
    before: { [`mount/${FILE}`]: OLD, [`next/${FILE}`]: NEW },
    change: (at) => {
      renameSync(at('mount'), at('last'))
      renameSync(at('next'), at('mount'))
    },
  },
  {
    // To those who look at the directory this is what a file is that is mounted by itself: its inode
    // is written under a name that is not there.
    how: 'written under another name',
    before: { [`mount/${FILE}`]: OLD },
    change: (at) => {
      linkSync(at(`mount/${FILE}`), at('host'))
      writeFileSync(at('host'), NEW)
    },
  },
]

function make({ before }: Way): (name: string) => string {
  const isLink = ([, text]: [string, string]): boolean => text.startsWith('->')
  const entries = Object.entries(before)
  const directory = temporaryFiles(Object.fromEntries(entries.filter((each) => !isLink(each))))
  const at = (name: string): string => join(directory, name)
  for (const [name, text] of entries.filter(isLink)) {
    mkdirSync(dirname(at(name)), { recursive: true })
    symlinkSync(text.slice(3), at(name))
  }
  return at
}

/** The kernel's clock for files goes in steps of some milliseconds: waits until the next. */
async function nextFileTime(): Promise<void> {
  const file = join(temporaryFiles({ file: '' }), 'file')
  const timeOf = (): bigint => {
    writeFileSync(file, 'x')
    return statSync(file, { bigint: true }).ctimeNs
  }
  const before = timeOf()
  await until(() => timeOf() !== before)
}

describe('ConfigWatch', () => {
  const timers = new ManualTimers()
  let watch: ConfigWatch
  let changes: number

  beforeEach(() => {
    timers.install(false)
    changes = 0
    watch = new ConfigWatch(() => changes++)
  })

  afterEach(() => {
    watch.close()
    timers.restore()
  })

  /** Lets time pass until the next look has ended; returns how much, milliseconds. */
  async function look(): Promise<number> {
    const [delayMs = 0] = timers.delaysMs
    timers.advance(delayMs)
    await until(() => timers.delaysMs.length > 0)
    return delayMs
  }

  /** How often it tells of a change while so much time passes. */
  async function toldWithin(ms: number): Promise<number> {
    changes = 0
    for (let passedMs = 0; passedMs + (timers.delaysMs[0] ?? 0) <= ms; ) passedMs += await look()
    return changes
  }

  for (const way of WAYS) {
    it(`row 84: notices within 5 s a file that is ${way.how}`, async () => {
      const at = make(way)
      watch.follow([at(`mount/${FILE}`)])
      await toldWithin(NOTICED_MS)
      await nextFileTime()
      way.change(at)
      expect(await toldWithin(NOTICED_MS)).to.equal(1)
      expect(await toldWithin(NOTICED_MS)).to.equal(0)
      // Whatever was watched of the old file is of no use for the new one.
      if (way.how !== 'removed') {
        appendFileSync(at(`mount/${FILE}`), '# more\n')
        expect(await toldWithin(NOTICED_MS)).to.equal(1)
      }
    })
  }

  it('tells at first, for a file may have changed after it was read', async () => {
    const directory = temporaryFiles({ [FILE]: OLD })
    watch.follow([join(directory, FILE)])
    expect(await toldWithin(NOTICED_MS)).to.equal(1)
  })

  it('says nothing of other files, and of what is in a directory besides', async () => {
    const directory = temporaryFiles({ [FILE]: OLD })
    watch.follow([directory, join(directory, FILE)])
    await toldWithin(NOTICED_MS)
    writeFileSync(join(directory, 'log'), 'a line')
    expect(await toldWithin(NOTICED_MS)).to.equal(0)
  })

  it('waits until a file is quiet, and not for ever', async () => {
    const file = join(temporaryFiles({ [FILE]: OLD }), FILE)
    watch.follow([file])
    await toldWithin(NOTICED_MS)
    changes = 0
    for (let looks = 1; looks <= CONFIG_RESTLESS_LOOKS_MAX; looks++) {
      expect(changes).to.equal(0)
      appendFileSync(file, '#\n')
      await look()
    }
    expect(changes).to.equal(1)
  })

  it('does not have a pipe read again on its own account', async () => {
    const directory = temporaryFiles({ [FILE]: OLD })
    const pipe = join(directory, 'pipe')
    execFileSync('mkfifo', [pipe])
    watch.follow([pipe, join(directory, FILE)])
    expect(await toldWithin(NOTICED_MS)).to.equal(0)
    chmodSync(join(directory, FILE), 0o600)
    expect(await toldWithin(NOTICED_MS)).to.equal(1)
  })

  it('leaves no timer behind', async () => {
    watch.follow([join(temporaryFiles({ [FILE]: OLD }), FILE)])
    await look()
    watch.close()
    expect(timers.delaysMs).to.deep.equal([])
  })
})
