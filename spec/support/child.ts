/** Child processes of specs and bench: started until they are ready, never outliving us. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { ifSpecFails } from './left-behind.ts'

/** Longest start if nothing else is said, ms; below mocha's timeout, so that the failure shows the child's own output. */
const READY_TIMEOUT_MS = 30_000
/** Pause between two attempts to connect to a child that does not listen yet, ms. */
const CONNECT_RETRY_MS = 5

const alive = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})

export interface ChildOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  /** Ready when this text has been printed, or when all these addresses accept connections. */
  readonly ready: { readonly log: string } | { readonly listens: readonly ChildAddress[] }
  readonly readyTimeoutMs?: number
}

export type ChildAddress = { readonly port: number } | { readonly path: string }

/** The exit code, or the signal that ended the process. */
export type ExitStatus = number | NodeJS.Signals

/** Resolves when the child is ready; rejects with its output when it does not get there. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const child = new Child(options)
  const timeout = new AbortController()
  const failure = Promise.race([
    child.exited.then((status) => `ended (${status}) before it was ready`),
    delay(options.readyTimeoutMs ?? READY_TIMEOUT_MS, 'is not ready in time', {
      signal: timeout.signal,
    }),
  ]).then(
    async (why) => {
      await child.kill()
      throw new Error(`${options.command} ${why}:\n${child.output}`)
    },
    () => {},
  )
  try {
    await Promise.race([child.ready(options.ready), failure])
  } finally {
    timeout.abort()
  }
  return child
}

/** Signals that do not end a process that handles them. */
const KEEPS_RUNNING: ReadonlySet<NodeJS.Signals> = new Set(['SIGSTOP', 'SIGCONT', 'SIGHUP'])

export class Child {
  /** What it has printed so far, stdout and stderr together, latin1. */
  output = ''
  readonly exited: Promise<ExitStatus>
  readonly #process: ChildProcess
  #ended = false
  #onOutput: () => void = () => {}
  readonly #forget = ifSpecFails(() => this.kill())
  #forgetStopped: () => void = () => {}

  constructor({ command, args, env }: ChildOptions) {
    this.#process = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: env ?? process.env,
    })
    alive.add(this.#process)
    this.exited = new Promise((resolve) => {
      const end = (status: ExitStatus): void => {
        alive.delete(this.#process)
        this.#forget()
        this.#forgetStopped()
        this.#ended = true
        resolve(status)
      }
      this.#process.once('close', (code, signal) => end(code ?? signal ?? 'SIGKILL'))
      this.#process.once('error', (error) => {
        this.output += error.message
        end(127)
      })
    })
    for (const pipe of [this.#process.stdout, this.#process.stderr]) {
      pipe?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString('latin1')
        this.#onOutput()
      })
      // A spec that failed before stopping its servers must not keep mocha from ending.
      if (pipe instanceof Socket) pipe.unref()
    }
    this.#process.unref()
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  async ready(when: ChildOptions['ready']): Promise<void> {
    if ('log' in when) {
      await new Promise<void>((resolve) => {
        this.#onOutput = () => {
          if (this.output.includes(when.log)) resolve()
        }
      })
      return
    }
    for (const address of when.listens) {
      while (!this.#ended && !(await canConnect(address))) await delay(CONNECT_RETRY_MS)
    }
  }

  /** Sends a signal; waits for the end of the process if the signal is one that ends it. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (!this.#ended) this.#process.ref()
    this.#process.kill(signal)
    this.#forgetStopped()
    if (signal === 'SIGSTOP') this.#forgetStopped = ifSpecFails(() => this.kill('SIGCONT'))
    if (!KEEPS_RUNNING.has(signal)) await this.exited
  }
}

function canConnect(address: ChildAddress): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', ...address })
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly input?: string
  readonly cwd?: string
  /** After so many milliseconds it is killed, and its exit code is -1. Default: never. */
  readonly timeoutMs?: number
}

/** Runs a program to its end. */
export async function runChild(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { env = process.env, cwd, timeoutMs: timeout } = options
  const child = spawn(command, args, { env, cwd, timeout, killSignal: 'SIGKILL' })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  // A program that ends without reading its input gives EPIPE; its exit code tells the story.
  child.stdin.on('error', () => {})
  child.stdin.end(options.input ?? '')
  const [code] = (await once(child, 'close')) as [number | null]
  return {
    code: code ?? -1,
    stdout: Buffer.concat(stdout).toString(),
    stderr: Buffer.concat(stderr).toString(),
  }
}
