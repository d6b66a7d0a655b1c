/**
 * Several workers, each a whole ambassador in a process of its own, as one:
 *
 *   clients ---> supervisor --+-- worker 0 ---> shards
 *                accepts,     |
 *                admin        +-- worker 1 ---> shards
 *
 * The supervisor accepts connections, hands them round (node:cluster), and sees no byte of them. It serves the admin
 * endpoint, passes orders on, and carries what workers ask each other.
 */
import { AdminServer } from '../admin/admin-server.ts'
import type { Steering } from '../admin/steering.ts'
import type { Config } from '../config/config.ts'
import { actualText } from '../config/values/address.ts'
import { WORKER_ANSWER_MS } from '../limits.ts'
import type { Logger } from '../logger.ts'
import { assertEntrancesLead } from '../views/entrances-lead.ts'
import { Asking } from './asking.ts'
import { Crew, type Program } from './crew/crew.ts'
import type { Member } from './crew/member.ts'
import { prepareSockets } from './crew/sockets.ts'
import { CrewSite, type Shown } from './crew-site.ts'
import type { AllAnswers, AnyKind, AnyQuestion, FromWorker, Report } from './messages.ts'
import { ShardStates } from './shard-states.ts'

/** What the workers log to, too: each has one of its own, with this level. */
export type LevelledLogger = Logger & { readonly level: string }

/**
 * Starts the workers that the configuration asks for, each by running `program`; resolves once all of them accept clients. Rejects with the
 * system's error when an address cannot be listened on, after all workers have ended.
 */
export async function startWorkers(
  config: Config,
  logger: LevelledLogger,
  program: Program,
): Promise<Supervisor> {
  const supervisor = new Supervisor(config, logger, program)
  await supervisor.start()
  return supervisor
}

class Supervisor implements Shown {
  /** Nothing is rehearsed by several workers. */
  readonly preflight = undefined
  readonly count: number
  readonly reloads = { succeeded: 0, failed: 0, lastSucceeded: true }
  steering: Steering | undefined
  draining = false
  readonly #first: Config
  #config: Config
  readonly #logger: LevelledLogger
  readonly #crew: Crew
  readonly #asking = new Asking()
  readonly #site = new CrewSite(this)
  readonly #shards = new ShardStates((name, up) => this.#admin?.shardChanged(name, up))
  readonly #startedAtMs = Date.now()
  #umask = 0
  #clientAddresses: readonly string[] = []
  #admin: AdminServer | undefined

  constructor(config: Config, logger: LevelledLogger, program: Program) {
    this.#first = config
    this.#config = config
    this.#logger = logger
    this.count = config.process.workers
    this.#crew = new Crew({
      count: this.count,
      ...{ logger, program },
      heard: (member, message) => this.#heard(member, message),
      gone: (member) => {
        this.#asking.gone(member)
        this.#shards.gone(member)
        this.#site.counted.gone(member)
      },
    })
  }

  get config(): Config {
    return this.#config
  }

  get serving(): number {
    return this.#crew.serving.length
  }

  get deaths(): number {
    return this.#crew.deaths
  }

  /** All addresses for clients and of the admin endpoint, as a configuration writes addresses. */
  get listening(): { readonly clients: readonly string[]; readonly admin: readonly string[] } {
    const { adminListen } = this.#first.watch
    const admin = this.#admin?.addresses ?? []
    return {
      clients: this.#clientAddresses,
      admin: adminListen === 'off' ? [] : admin.map((each) => actualText(adminListen, each)),
    }
  }

  async start(): Promise<void> {
    try {
      this.#umask = await prepareSockets(this.#config.edge.listen)
      await this.#crew.start()
      if (this.#crew.failure !== undefined) throw this.#crew.failure
      const { adminListen } = this.#config.watch
      if (adminListen === 'off') this.#site.close()
      else this.#admin = await AdminServer.listen(adminListen, this.#site)
    } catch (error) {
      this.#site.close()
      await this.#crew.end(0)
      throw error
    }
  }

  /**
   * All workers go on with another configuration, as one ambassador does. Throws ConfigError, and changes nothing,
   * when a pool is gone to which an address leads: nothing else can be refused that has been read.
   */
  reload(config: Config): void {
    assertEntrancesLead(this.#first.edge.listen, config)
    this.#config = config
    this.#countReload(true)
    this.#crew.tellAll({ type: 'reload', number: this.reloads.succeeded, config })
  }

  reloadFailed(): void {
    this.#countReload(false)
  }

  /** A reload that was asked for over HTTP is answered once all workers go on with the new configuration. */
  steerBy(steering: Steering): void {
    const reload = async () => {
      const outcome = await steering.reload()
      await this.#allReloaded()
      return outcome
    }
    this.steering = { reload, drain: () => steering.drain() }
  }

  /** Lines of this level and above are logged, by the workers too. */
  useLogLevel(level: string): void {
    this.#crew.tellAll({ type: 'level', level })
  }

  async stop(): Promise<void> {
    this.draining = true
    await this.#crew.end(this.#config.process.drainTimeoutMs)
    // Closed last, so that an operator can watch the draining to its end.
    await this.#admin?.close()
  }

  /** Shown */
  ask<K extends AnyKind>(
    question: AnyQuestion<K>,
    whom: 'all' | 'first',
  ): Promise<AllAnswers[K][] | undefined> {
    const { serving } = this.#crew
    return new Promise((resolve) => {
      this.#asking.ask(whom === 'all' ? serving : serving.slice(0, 1), question, resolve)
    })
  }

  #heard(member: Member, message: FromWorker): void {
    switch (message.type) {
      case 'here':
        this.#assign(member)
        break
      case 'ready':
        this.#clientAddresses = message.addresses
        this.#crew.isReady(member)
        break
      case 'failed':
        member.refusal = message.refusal
        break
      case 'reloaded':
        member.reload = message.number
        break
      case 'answer':
        if (message.kind === 'report') this.#site.counted.reported(member, message.answer as Report)
        this.#asking.answered(member, message.number, message.answer)
        break
      case 'ask':
        this.#passOn(member, message)
        break
      case 'shard':
        this.#shards.told(member, message.name, message.up)
    }
  }

  #assign(member: Member): void {
    const { index, idsAbove } = member
    member.reload = this.reloads.succeeded
    const place = { index, count: this.count, idsAbove, startedAtMs: this.#startedAtMs }
    const { level: logLevel } = this.#logger
    const assignment = { ...place, config: this.#config, logLevel, umask: this.#umask }
    member.tell({ type: 'start', assignment })
  }

  #passOn(member: Member, { number, question }: Extract<FromWorker, { type: 'ask' }>): void {
    const others = this.#crew.serving.filter((each) => each !== member)
    this.#asking.ask(others, question, (answers) => {
      member.tell({ type: 'answers', number, answers })
    })
  }

  /** Or WORKER_ANSWER_MS have passed. */
  async #allReloaded(): Promise<void> {
    const { succeeded } = this.reloads
    const all = () => this.#crew.serving.every(({ reload = 0 }) => reload >= succeeded)
    let timer: NodeJS.Timeout | undefined
    await Promise.race([
      this.#crew.until(all),
      new Promise((resolve) => {
        timer = setTimeout(resolve, WORKER_ANSWER_MS)
      }),
    ])
    clearTimeout(timer)
  }

  #countReload(succeeded: boolean): void {
    this.reloads[succeeded ? 'succeeded' : 'failed']++
    this.reloads.lastSucceeded = succeeded
    this.#admin?.reloaded(succeeded)
  }
}
