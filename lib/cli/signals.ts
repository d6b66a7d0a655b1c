/**
 * The table of what each signal does, and the handlers, which are there from the first line of the
 * process on: a signal that comes before the process can act on it waits. Without a handler most
 * signals end a process, some stop it with all its clients waiting, and SIGUSR1 opens Node's debugger
 * to everybody on the machine.
 */

export type SignalEffect = 'stop' | 'reload' | 'louder' | 'quieter' | 'ignore'

export interface SignalRow {
  readonly signals: readonly NodeJS.Signals[]
  readonly effect: SignalEffect
  /** For operators, in Markdown. */
  readonly meaning: string
}

/** Signals that are not in it do what the system does; docs/operations.md says what that is. */
export const SIGNALS: readonly SignalRow[] = [
  {
    signals: ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGPWR', 'SIGXCPU'],
    effect: 'stop',
    meaning:
      'Stop accepting; answer what is in flight; close each client once it is owed nothing; end with 0. ' +
      'Clients that are left after `drainTimeoutMs` are closed. The second of these signals ends the ' +
      'process at once, with 1.',
  },
  {
    signals: ['SIGHUP'],
    effect: 'reload',
    meaning: 'Read the configuration again; see below. Ignored while it drains.',
  },
  {
    signals: ['SIGTTIN'],
    effect: 'louder',
    meaning: 'Log more, by one level, as in twemproxy: `info` becomes `debug`.',
  },
  {
    signals: ['SIGTTOU'],
    effect: 'quieter',
    meaning:
      'Log less, by one level. A changed `logLevel` in the configuration replaces the level.',
  },
  {
    signals: [
      ...(['SIGUSR1', 'SIGUSR2', 'SIGTSTP', 'SIGALRM', 'SIGVTALRM', 'SIGPROF'] as const),
      'SIGIO',
    ],
    effect: 'ignore',
    meaning:
      'Nothing but a log line. There is no log file to be opened again, and a process that is stopped ' +
      'would leave its clients waiting.',
  },
]

const EFFECTS: ReadonlyMap<string, SignalEffect> = new Map(
  SIGNALS.flatMap(({ signals, effect }) => signals.map((signal) => [signal, effect])),
)

/** Flags of Node's that use a signal themselves, and the signal. */
const NODES_OWN: readonly (readonly [flag: RegExp, signal: NodeJS.Signals])[] = [
  [/(?:^|\s)--(?:cpu-)?prof\b/, 'SIGPROF'],
]
const ASKS_FOR_DEBUGGER = /(?:^|\s)--inspect\b/

function flagsOfNode(): string {
  return [...process.execArgv, process.env['NODE_OPTIONS']].join(' ')
}

type Taker = (signal: NodeJS.Signals, effect: SignalEffect) => void

export class Signals {
  readonly #waiting: NodeJS.Signals[] = []
  #taker: Taker | undefined
  readonly #listener = (signal: NodeJS.Signals): void => this.#on(signal)

  /** From now on signals wait. */
  constructor() {
    const flags = flagsOfNode()
    const others = new Set(NODES_OWN.filter(([flag]) => flag.test(flags)).map(([, each]) => each))
    for (const signal of EFFECTS.keys()) {
      if (!others.has(signal as NodeJS.Signals)) process.on(signal, this.#listener)
    }
    this.closeDebugger()
  }

  /** From now on `taker` gets the signals, beginning with those that wait. */
  give(taker: Taker): void {
    this.#taker = taker
    for (const signal of this.#waiting.splice(0)) this.#on(signal)
  }

  /**
   * From now on signals, also those that wait, have the system's effect. SIGUSR1 alone still does
   * nothing.
   */
  release(): void {
    for (const signal of EFFECTS.keys()) {
      if (signal !== 'SIGUSR1') process.off(signal, this.#listener)
    }
    for (const signal of this.#waiting.splice(0)) {
      if (signal !== 'SIGUSR1') process.kill(process.pid, signal)
    }
  }

  /** A SIGUSR1 before our first line has opened the debugger. */
  closeDebugger(): void {
    if (process.features.inspector !== true || ASKS_FOR_DEBUGGER.test(flagsOfNode())) return
    const inspector = process.getBuiltinModule('node:inspector')
    if (inspector.url() !== undefined) inspector.close()
  }

  #on(signal: NodeJS.Signals): void {
    const effect = EFFECTS.get(signal)
    if (this.#taker === undefined) this.#waiting.push(signal)
    else if (effect !== undefined) this.#taker(signal, effect)
  }
}
