import { chmodSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Printed, runProgram } from '../../lib/credentials/program.ts'
import { temporaryFiles } from '../support/temporary-files.ts'
import { until } from '../support/until.ts'

/** Nothing here takes so long, unless it hangs. */
const LONG_MS = 50_000

function run(code: string, options: { timeoutMs?: number; signal?: AbortSignal } = {}) {
  const { timeoutMs = LONG_MS, signal = new AbortController().signal } = options
  return runProgram([process.execPath, '-e', code], { timeoutMs, signal })
}

describe('runProgram', () => {
  it('gives what the program prints, with its arguments as they are', async () => {
    const words = [
      process.execPath,
      '-p',
      'process.argv.slice(1).join("|")',
      '--',
      'a b',
      '$HOME',
      '*',
    ]
    const printed = await runProgram(words, {
      timeoutMs: LONG_MS,
      signal: new AbortController().signal,
    })
    expect(printed).to.deep.equal({ text: 'a b|$HOME|*\n' })
  })

  it('gives the program nothing to read', async () => {
    expect(await run('process.stdin.resume().on("end", () => console.log("end"))')).to.deep.equal({
      text: 'end\n',
    })
  })

  const directory = temporaryFiles({ 'not-executable': '', 'no-interpreter': '#!/nonexistent\n' })
  chmodSync(join(directory, 'no-interpreter'), 0o755)
  const failures: readonly [string, () => Promise<Printed>, RegExp][] = [
    ['is not there', () => runFile('nowhere'), /^is not found/],
    ['may not be executed', () => runFile('not-executable'), /^may not be executed by this user$/],
    ['names no interpreter', () => runFile('no-interpreter'), /^is not found/],
    ['exits with an error', () => run('process.exit(7)'), /^exited with 7$/],
    [
      'says why it fails',
      () => run('console.error("\\n no network\\nmore"); process.exit(1)'),
      /^exited with 1: no network$/,
    ],
    ['is killed', () => run('process.kill(process.pid, "SIGTERM")'), /^was ended by SIGTERM$/],
    ['prints no text', () => run('process.stdout.write(Buffer.of(255))'), /^prints no UTF-8 text$/],
    [
      'prints without end',
      () => run('const all = () => process.stdout.write("x".repeat(10000), all); all()'),
      /^prints more than 65536 bytes$/,
    ],
    [
      'hangs',
      () => run('setInterval(() => {}, 1000)', { timeoutMs: 100 }),
      /^was not done after 100 ms$/,
    ],
  ]
  for (const [what, attempt, problem] of failures) {
    it(`says in a clause that it ${what}`, async () => {
      expect(await attempt())
        .to.have.property('problem')
        .that.matches(problem)
    })
  }

  function runFile(name: string): Promise<Printed> {
    const { signal } = new AbortController()
    return runProgram([join(directory, name)], { timeoutMs: LONG_MS, signal })
  }

  it('shows neither what was printed nor what looks like a secret', async () => {
    const code = `console.log(JSON.stringify({ password: 'sesame!' }))
      console.error('no sesame! for Bearer eyJ0eXAiOiJKV1QiLCJhbGciOi.J9-5 at /usr/lib/python3.11/x.py')
      process.exit(1)`
    expect(await run(code)).to.deep.equal({
      problem: 'exited with 1: no *** for Bearer *** at /usr/lib/python3.11/x.py',
    })
  })

  it('ends with the program what that has started', async () => {
    const pidFile = join(temporaryFiles(), 'pid')
    const code = `const { spawn } = require('child_process')
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' })
      require('fs').writeFileSync(${JSON.stringify(pidFile)}, String(child.pid))`
    const stop = new AbortController()
    const running = run(code, { signal: stop.signal })
    await until(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '', 10)
    stop.abort()
    expect(await running).to.deep.equal({ problem: 'was ended with us' })
    const pid = readFileSync(pidFile, 'utf8')
    await until(() => !isRunning(pid), 10)
  })

  it('runs nothing that lasts when it is called off already', async () => {
    expect(await run('setInterval(() => {}, 1000)', { signal: AbortSignal.abort() })).to.deep.equal(
      {
        problem: 'was ended with us',
      },
    )
  })
})

/** A process that has ended and that nobody has asked after counts as ended. */
function isRunning(pid: string): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
