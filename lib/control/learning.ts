/**
 * Learns from the shards which commands there are besides the built-in ones, and their version. A
 * command is added when all shards that can be reached have it. Nothing here can disturb traffic: a
 * failure is logged, and the table stays as it is. What a shard has told is kept while the shard is
 * configured, through reloads.
 */
import { agree } from '../commands/learning/agree.ts'
import { Lessons } from '../commands/learning/lessons.ts'
import type { CommandTable } from '../commands/lookup.ts'
import type { CommandDefinition } from '../commands/row.ts'
import { errorText } from '../errors.ts'
import { LEARN_AGAIN_MS, LOGGED_NAMES_MAX } from '../limits.ts'
import type { Logger } from '../logger.ts'
import type { ShardFacts } from './control.ts'
import { commonGreeting, type Greeting } from './greeting.ts'

export interface LearningOptions {
  readonly table: CommandTable
  readonly logger: Logger
  /** Monotonic, milliseconds. */
  readonly now?: () => number
}

/** A shard that can be asked for its commands. */
export interface Teacher {
  readonly name: string
  /** It is meant to be a node of a Redis Cluster. */
  readonly inCluster?: boolean
  readFacts(signal: AbortSignal): Promise<ShardFacts>
}

/** What is known of one shard. */
interface Taught {
  state: 'unknown' | 'down' | 'reading' | 'unreadable' | 'read'
  commands: readonly CommandDefinition[] | undefined
  greeting: Greeting | undefined
  readAtMs: number
  /** Whether it has been logged that the shard cannot be read. */
  unreadableLogged: boolean
  /**
   * Whether it has been logged that the shard is a cluster node, which no shard of a ring should
   * be.
   */
  misplacedLogged: boolean
  readonly stopped: AbortController
}

export class Learning {
  readonly #options: LearningOptions
  readonly #now: () => number
  /** In the order of the configuration. */
  #taught: ReadonlyMap<Teacher, Taught> = new Map()
  /** Whether differences have been logged for this set of shards. */
  #differencesLogged = false
  readonly #lessons = new Lessons()

  constructor(options: LearningOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
  }

  /**
   * From now on these are the shards. For shards that stay, what they have told is kept. Questions to
   * the others are broken off.
   */
  follow(teachers: readonly Teacher[]): void {
    const before = this.#taught
    this.#taught = new Map(teachers.map((teacher) => [teacher, before.get(teacher) ?? untaught()]))
    const gone = [...before].filter(([teacher]) => !this.#taught.has(teacher))
    for (const [, { stopped }] of gone) stopped.abort()
    const isSame = gone.length === 0 && before.size === this.#taught.size
    if (isSame) return
    this.#differencesLogged = false
    this.#learn()
  }

  /** One greeting for all shards that have told theirs. */
  get greeting(): Greeting {
    return commonGreeting([...this.#taught.values()].flatMap(({ greeting }) => greeting ?? []))
  }

  /** The shard has come up or gone down. Resolves when its answer has been learnt. */
  async shardIs(teacher: Teacher, up: boolean): Promise<void> {
    const taught = this.#taught.get(teacher)
    if (taught === undefined || taught.state === 'reading') return
    if (up && this.#now() - taught.readAtMs >= LEARN_AGAIN_MS) {
      await this.#read(teacher, taught)
    } else {
      const known = taught.commands === undefined ? 'unreadable' : 'read'
      taught.state = up ? known : 'down'
    }
    this.#learn()
  }

  async #read(teacher: Teacher, taught: Taught): Promise<void> {
    taught.state = 'reading'
    taught.readAtMs = this.#now()
    try {
      const facts = await teacher.readFacts(taught.stopped.signal)
      const { commands, greeting } = facts
      if (facts.isClusterNode === true) this.#logMisplaced(teacher, taught)
      taught.commands = this.#lessons.of(commands)
      taught.greeting = greeting
      taught.state = 'read'
    } catch (error) {
      taught.state = 'unreadable'
      this.#logUnreadable(teacher, taught, error)
    }
  }

  /**
   * Adds the commands that all reachable shards have, once each shard is known to be reachable or
   * not.
   */
  #learn(): void {
    const all = [...this.#taught.values()]
    if (all.some(({ state }) => state === 'unknown' || state === 'reading')) return
    this.#lessons.forget()
    const read = all.flatMap(({ commands, state }) => {
      return commands !== undefined && state === 'read' ? [commands] : []
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

  #logMisplaced({ name, inCluster }: Teacher, taught: Taught): void {
    if (inCluster === true || taught.misplacedLogged) return
    taught.misplacedLogged = true
    const { logger } = this.#options
    logger.warn({ shard: name }, 'shard is a node of a Redis Cluster, which stands alone')
  }

  #logUnreadable({ name }: Teacher, taught: Taught, error: unknown): void {
    if (taught.unreadableLogged || taught.stopped.signal.aborted) return
    taught.unreadableLogged = true
    const reason = errorText(error instanceof Error ? error.message : String(error))
    this.#options.logger.warn({ shard: name, reason }, 'shard does not tell its commands')
  }
}

function untaught(): Taught {
  return {
    state: 'unknown',
    commands: undefined,
    greeting: undefined,
    readAtMs: Number.NEGATIVE_INFINITY,
    unreadableLogged: false,
    misplacedLogged: false,
    stopped: new AbortController(),
  }
}

/** The login is ours, so a shard does not decide what a client may send before it. */
function behindAuth(command: CommandDefinition): CommandDefinition {
  const flags = new Set(command.flags)
  flags.delete('no_auth')
  return { ...command, flags, subcommands: command.subcommands?.map(behindAuth) }
}

function namesIn(names: readonly string[]): object {
  return { count: names.length, commands: names.slice(0, LOGGED_NAMES_MAX) }
}
