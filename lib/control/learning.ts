/**
 * Learns from the shards which commands there are besides the built-in ones, and their version. A
 * command is added when all shards that can be reached have it. Nothing here can disturb traffic:
 * what fails is logged, and the table stays as it is.
 */
import { agree } from '../commands/learning/agree.ts'
import { learnCommands } from '../commands/learning/learn.ts'
import type { CommandTable } from '../commands/lookup.ts'
import type { CommandDefinition } from '../commands/row.ts'
import { errorText } from '../errors.ts'
import { LEARN_AGAIN_MS, LOGGED_NAMES_MAX } from '../limits.ts'
import type { Logger } from '../logger.ts'
import type { ShardFacts } from './control.ts'
import { commonGreeting, type Greeting } from './greeting.ts'

export interface LearningOptions {
  readonly table: CommandTable
  /** Names, in the order of their indices. */
  readonly shards: readonly string[]
  readonly read: (shard: number, signal: AbortSignal) => Promise<ShardFacts>
  readonly logger: Logger
  /** Monotonic, milliseconds. */
  readonly now?: () => number
}

type ShardState = 'unknown' | 'down' | 'reading' | 'unreadable' | 'read'

export class Learning {
  readonly #options: LearningOptions
  readonly #states: ShardState[]
  readonly #commands: (readonly CommandDefinition[] | undefined)[]
  readonly #greetings: (Greeting | undefined)[]
  readonly #readAtMs: number[]
  /** Differences are told once, and so is each shard that cannot be read. */
  #differencesLogged = false
  readonly #unreadableLogged = new Set<number>()
  readonly #now: () => number
  readonly #stopped = new AbortController()

  constructor(options: LearningOptions) {
    const { shards } = options
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#states = shards.map(() => 'unknown')
    this.#commands = shards.map(() => undefined)
    this.#greetings = shards.map(() => undefined)
    this.#readAtMs = shards.map(() => Number.NEGATIVE_INFINITY)
  }

  /** What all shards that have told are, taken together. */
  get greeting(): Greeting {
    return commonGreeting(this.#greetings.flatMap((greeting) => greeting ?? []))
  }

  /** The shard has come up or gone down. Resolves when what it tells has been learnt. */
  async shardIs(shard: number, up: boolean): Promise<void> {
    if (this.#states[shard] === 'reading' || this.#stopped.signal.aborted) return
    if (up && this.#now() - (this.#readAtMs[shard] as number) >= LEARN_AGAIN_MS) {
      await this.#read(shard)
    } else {
      const known = this.#commands[shard] === undefined ? 'unreadable' : 'read'
      this.#states[shard] = up ? known : 'down'
    }
    this.#learn()
  }

  /** Asks no more, and breaks off what is under way. */
  stop(): void {
    this.#stopped.abort()
  }

  async #read(shard: number): Promise<void> {
    this.#states[shard] = 'reading'
    this.#readAtMs[shard] = this.#now()
    try {
      const { commands, greeting } = await this.#options.read(shard, this.#stopped.signal)
      this.#commands[shard] = learnCommands(commands)
      this.#greetings[shard] = greeting
      this.#states[shard] = 'read'
    } catch (error) {
      this.#states[shard] = 'unreadable'
      this.#logUnreadable(shard, error)
    }
  }

  /** Takes what all shards have that can be reached, once it is known of each whether it can. */
  #learn(): void {
    if (this.#states.some((state) => state === 'unknown' || state === 'reading')) return
    const read = this.#commands.flatMap((commands, shard) => {
      return commands !== undefined && this.#states[shard] === 'read' ? [commands] : []
    })
    const { table, logger } = this.#options
    const { common, differing } = agree(read)
    const before = table.rows().length
    for (const command of common) table.add(behindAuth(command))
    const learnt = table
      .rows()
      .slice(before)
      .map(({ name }) => name)
    if (learnt.length > 0) logger.info(namesIn(learnt), 'learnt commands from the shards')
    if (differing.length === 0 || this.#differencesLogged) return
    this.#differencesLogged = true
    logger.warn(namesIn(differing), 'shards differ in their commands')
  }

  #logUnreadable(shard: number, error: unknown): void {
    if (this.#unreadableLogged.has(shard) || this.#stopped.signal.aborted) return
    this.#unreadableLogged.add(shard)
    const reason = errorText(error instanceof Error ? error.message : String(error))
    const facts = { shard: this.#options.shards[shard], reason }
    this.#options.logger.warn(facts, 'shard does not tell its commands')
  }
}

/** What a client may send before it has logged in is not for a shard to say: the login is ours. */
function behindAuth(command: CommandDefinition): CommandDefinition {
  const flags = new Set(command.flags)
  flags.delete('no_auth')
  return { ...command, flags, subcommands: command.subcommands?.map(behindAuth) }
}

function namesIn(names: readonly string[]): object {
  return { count: names.length, commands: names.slice(0, LOGGED_NAMES_MAX) }
}
