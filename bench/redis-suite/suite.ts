/**
 * Redis's own test suite, one file of it at a time, against a server at a port. The suite is Tcl, comes
 * with Redis's source, and is not ours: it is read where it lies and never changed.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { runChild } from '../../spec/support/child.ts'
import { freePort } from '../../spec/support/ports.ts'

/** No test has ended for so long, seconds: the one under way hangs. */
const SILENCE_SECONDS = 60

/** `refused`: for want of `allowAdmin`. */
export type Outcome = 'ok' | 'failed' | 'hangs' | 'refused'

export interface FileResult {
  readonly file: string
  /** By the test's name; a name that comes twice has #2 behind it. */
  readonly outcomes: ReadonlyMap<string, Outcome>
  /** What the suite says of a test that failed, by name. */
  readonly complaints: ReadonlyMap<string, string>
  /** Tests that the suite's own tags leave out. */
  readonly ignored: number
  /** Tests that were not to run, each time that they would have. */
  readonly skipped: readonly string[]
  /** The test that had not ended when time was up; the file ends there. */
  readonly hanging: string | undefined
  /** Why the file ended before its last test. */
  readonly broken: string | undefined
}

export interface SuiteOptions {
  readonly port: number
  /** Tests that use keys of one slot at a time, and no SELECT. */
  readonly clusterMode: boolean
  /** As in `--tags`, for example `-slow`. */
  readonly tags: string
  /** Tests, by name, that are not run. */
  readonly skip: readonly string[]
}

/**
 * A tree that looks like Redis's after `make`: its tests by symbolic links, programs from PATH, and a
 * directory for temporary files of its own, so that nothing is written into `source`.
 */
export class SuiteTree {
  readonly directory = mkdtempSync(join(tmpdir(), 'ambassador-redis-suite-'))

  constructor(source: string) {
    const tests = join(resolve(source), 'tests')
    mkdirSync(join(this.directory, 'tests', 'tmp'), { recursive: true })
    for (const name of readdirSync(tests)) {
      if (name !== 'tmp') symlinkSync(join(tests, name), join(this.directory, 'tests', name))
    }
    mkdirSync(join(this.directory, 'src'))
    for (const program of ['redis-cli', 'redis-benchmark', 'redis-server']) {
      symlinkSync(join('/usr/bin', program), join(this.directory, 'src', program))
    }
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true })
  }

  /** Runs a file such as `unit/type/list`. */
  async run(file: string, options: SuiteOptions): Promise<FileResult> {
    const { stdout } = await runChild('tclsh', await this.#args(file, options), {
      env: { PATH: process.env['PATH'] ?? delimiter, TERM: 'dumb', LANG: 'C.UTF-8' },
      cwd: this.directory,
    })
    return parseOutput(file, stdout)
  }

  async #args(file: string, options: SuiteOptions): Promise<string[]> {
    // The suite's two processes talk over a port up to 32 below this one.
    const basePort = (await freePort()) + 32
    return [
      'tests/test_helper.tcl',
      ...['--host', '127.0.0.1', '--port', String(options.port), '--single', file],
      ...['--baseport', String(basePort), '--timeout', String(SILENCE_SECONDS), '--durable'],
      ...(options.clusterMode ? ['--cluster-mode'] : []),
      ...(options.tags === '' ? [] : ['--tags', options.tags]),
      ...options.skip.flatMap((name) => ['--skiptest', name]),
    ]
  }
}

function hangingTest(output: string): string | undefined {
  return /^\S+ => \(IN PROGRESS\) (.*)$/m.exec(output)?.[1]
}

const RESULT = /^\[(ok|err|ignore|skip|exception)\]: (.*)$/
/** Behind the name of a test that failed. An error outside of all tests ends the file. */
const IN_FILE = / in tests\/\S+\.tcl$/
const MILLISECONDS = / \(\d+ ms\)$/

function parseOutput(file: string, output: string): FileResult {
  const outcomes = new Map<string, Outcome>()
  const complaints = new Map<string, string>()
  let ignored = 0
  const skipped: string[] = []
  let broken = output.includes(' done]: ') ? undefined : lastLine(output)
  const lines = output.split(/\n {19}The End\n/)[0]?.split('\n') ?? []
  for (const [at, line] of lines.entries()) {
    const [, status, text = ''] = RESULT.exec(line) ?? []
    if (status === 'ignore') ignored += 1
    else if (status === 'skip') skipped.push(text)
    else if (status === 'exception') broken = text
    else if (status === 'ok') outcomes.set(unused(outcomes, text.replace(MILLISECONDS, '')), 'ok')
    else if (status === 'err' && !IN_FILE.test(text)) broken = complaintAfter(lines, at)
    else if (status === 'err') {
      const name = unused(outcomes, text.replace(IN_FILE, ''))
      outcomes.set(name, 'failed')
      complaints.set(name, complaintAfter(lines, at))
    }
  }
  const hanging = hangingTest(output)
  return { file, outcomes, complaints, ignored, skipped, hanging, broken }
}

function complaintAfter(lines: readonly string[], at: number): string {
  const end = lines.findIndex((line, index) => index > at && /^\[[\w/ ]+\]: /.test(line))
  return lines.slice(at + 1, end < 0 ? undefined : end).join('\n')
}

function unused(names: ReadonlyMap<string, unknown>, name: string): string {
  if (!names.has(name)) return name
  for (let number = 2; ; number++) if (!names.has(`${name} #${number}`)) return `${name} #${number}`
}

function lastLine(output: string): string {
  return output.trimEnd().split('\n').at(-1) ?? ''
}
