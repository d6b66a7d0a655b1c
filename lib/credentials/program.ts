/**
 * Runs a program and takes what it prints: without a shell, bounded in time and size. When its time is
 * up, the program and everything that it started are ended.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { errorText } from '../errors.ts'
import { CREDENTIALS_BYTES_MAX, CREDENTIALS_STDERR_BYTES_MAX } from '../limits.ts'
import { timerMs } from '../timer.ts'

/**
 * What it printed, or why that cannot be used: a clause that follows the program's name. Holds no secret.
 */
export type Printed = { readonly text: string } | { readonly problem: string }

export interface RunOptions {
  readonly timeoutMs: number
  /** Ends the program. */
  readonly signal: AbortSignal
}

/** Never rejects. */
export function runProgram(
  [program = '', ...words]: readonly string[],
  { timeoutMs, signal }: RunOptions,
): Promise<Printed> {
  return new Promise((resolve) => {
    let run: Run
    try {
      // A process group, so that its children can be ended with it.
      const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
      run = new Run(child, resolve)
    } catch (error) {
      resolve({ problem: startProblem(error as NodeJS.ErrnoException) })
      return
    }
    run.endAfter(timeoutMs, signal)
  })
}

class Run {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>
  readonly #resolve: (printed: Printed) => void
  readonly #parts: Buffer[] = []
  #bytes = 0
  #errors = ''
  #over = false
  #release: () => void = () => {}

  constructor(
    child: ChildProcessByStdio<null, Readable, Readable>,
    resolve: (printed: Printed) => void,
  ) {
    this.#child = child
    this.#resolve = resolve
    child.stdout.on('data', (part: Buffer) => this.#take(part))
    child.stderr.on('data', (part: Buffer) => {
      if (this.#errors.length < CREDENTIALS_STDERR_BYTES_MAX) this.#errors += part.toString('utf8')
    })
    child.on('error', (error: NodeJS.ErrnoException) => this.#end({ problem: startProblem(error) }))
    child.on('close', (code, killedBy) => this.#end(this.#outcome(code, killedBy)))
  }

  endAfter(timeoutMs: number, signal: AbortSignal): void {
    const stop = (problem: string): void => {
      this.#kill()
      this.#end({ problem })
    }
    const timer = setTimeout(() => stop(`was not done after ${timeoutMs} ms`), timerMs(timeoutMs))
    const onAbort = (): void => stop('was ended with us')
    signal.addEventListener('abort', onAbort)
    this.#release = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
    if (this.#over) this.#release()
    else if (signal.aborted) onAbort()
  }

  #take(part: Buffer): void {
    this.#parts.push(part)
    this.#bytes += part.length
    if (this.#bytes <= CREDENTIALS_BYTES_MAX) return
    this.#kill()
    this.#end({ problem: `prints more than ${CREDENTIALS_BYTES_MAX} bytes` })
  }

  #outcome(code: number | null, killedBy: NodeJS.Signals | null): Printed {
    const text = decoded(Buffer.concat(this.#parts))
    if (code === 0) return text === undefined ? { problem: 'prints no UTF-8 text' } : { text }
    const how = code === null ? `was ended by ${killedBy}` : `exited with ${code}`
    const said = firstLine(this.#errors, text ?? '')
    return { problem: said === '' ? how : `${how}: ${said}` }
  }

  #end(printed: Printed): void {
    if (this.#over) return
    this.#over = true
    this.#release()
    this.#child.stdout.destroy()
    this.#child.stderr.destroy()
    this.#resolve(printed)
  }

  #kill(): void {
    const { pid } = this.#child
    if (pid === undefined) return
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
  }
}

function decoded(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** Long, and with a digit: a token, a key, a signature. */
const LIKE_A_SECRET = /(?=[^\s\d]*\d)[\w+=.%~-]{20,}/g

/**
 * The first line of the program's errors, without text that it printed for us and without text that looks
 * like a secret.
 */
function firstLine(errors: string, printed: string): string {
  const line = errors.split('\n').find((each) => each.trim() !== '') ?? ''
  const secrets = printed.split(/[\s"{},:]+/).filter(({ length }) => length >= 4)
  const masked = secrets.reduce((text, secret) => text.replaceAll(secret, '***'), line.trim())
  return errorText(masked.replace(LIKE_A_SECRET, '***'))
}

function startProblem({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return 'is not found, nor is an interpreter that it names'
  if (code === 'EACCES') return 'may not be executed by this user'
  return `cannot be run (${code ?? errorText(message)})`
}
