/**
 * Judges requests by a future configuration: plans each request a second time, over its places, and counts
 * the results. Sends nothing. It calls refused what the dispatcher, or a Redis Cluster, refuses;
 * `spec/integration/preflight/preflight.spec.ts` compares the two.
 */
import { arityFits, type CommandTable } from '../../commands/lookup.ts'
import type { CommandRow } from '../../commands/row.ts'
import type { ScannedRequest } from '../../downstream/session.ts'
import type { AllToCome, PlacesToCome } from '../../pool/to-come/places-to-come.ts'
import { parseInteger } from '../../resp/bytes.ts'
import type { Request } from '../../resp/request.ts'
import { locate, Plan, type PlanPolicy, plan, type Whereabouts } from '../../routing/plan.ts'
import { CROSS_SHARD_READS } from '../../routing/reads/cross-shard-read.ts'
import type { Kind } from '../../stats/preflight/kinds.ts'
import type { Rehearsal } from '../../stats/preflight/rehearsal.ts'
import { popsFromSeveral } from '../blocking/pops/pop-request.ts'
import { readsStreams } from '../blocking/reads/read-request.ts'
import type { Client } from '../core/client.ts'
import { leadsElsewhere } from '../edge/apart-databases.ts'
import { PUBLISHES, queueingOf } from '../transactions/queueing.ts'
import { keysOf, namesDatabase, SCRIPTS } from './request-facts.ts'
import { TransactionToCome } from './transaction-to-come.ts'

export interface JudgeOptions {
  readonly table: CommandTable
  readonly toCome: AllToCome
  readonly policy: PlanPolicy & {
    readonly crossShardReads: boolean
    readonly transactions: 'shard' | 'split'
  }
  readonly rehearsal: Rehearsal
}

type Rule = (client: Client, request: ScannedRequest, row: CommandRow) => void

export class Judge {
  readonly #options: JudgeOptions
  readonly #plan = new Plan()
  /** Where the keys of the request at hand would be: its client's database decides. */
  #toCome: PlacesToCome
  readonly #isApart: (database: number) => boolean
  /** By row id: commands outside of a transaction of which more is to be asked than their plan. */
  readonly #rules: (Rule | undefined)[] = []
  /** By row id. */
  readonly #isScript: boolean[] = []

  constructor(options: JudgeOptions) {
    this.#options = options
    const { toCome } = options
    this.#toCome = toCome
    this.#isApart = (database) => toCome.databases.has(database)
    const rules: Readonly<Record<string, Rule>> = {
      multi: (client) => {
        this.#transactionOf(client).queueing = true
      },
      watch: (client, request, row) => this.#watch(this.#transactionOf(client), request, row),
      unwatch: (client) => this.#transactionOf(client).end(),
      reset: (client) => this.#transactionOf(client).end(),
      ...(toCome.hasCluster ? this.#rulesOfClusters() : {}),
    }
    for (const name of SCRIPTS) {
      const row = options.table.byName(name)
      if (row !== undefined) this.#isScript[row.id] = true
    }
    for (const [name, rule] of Object.entries(rules)) {
      const row = options.table.byName(name)
      if (row !== undefined) this.#rules[row.id] = rule
    }
  }

  /** The request has been dealt with as configured. `database`: in which its client was before. */
  judge(client: Client, request: ScannedRequest, database: number): void {
    const { table, rehearsal, toCome: all } = this.#options
    const row = table.lookup(request)
    if (row === undefined || !arityFits(row, request.argc)) {
      // With wrong arguments EXEC discards.
      if (row?.name === 'exec') client.toCome?.end()
      return
    }
    if (!client.session.authenticated && !row.flags.has('no_auth')) return
    rehearsal.commands.addRequest(row.id)
    const { toCome } = client
    if (all.databases.size > 0) {
      this.#toCome = all.databases.get(database) ?? all
      if (this.#leadsElsewhere(client, request, row, database)) return
    }
    if (toCome?.queueing && toCome.keeper === this) {
      this.#inTransaction(toCome, request, row)
      return
    }
    const rule = this.#rules[row.id]
    if (rule === undefined) this.#alone(request, row)
    else rule(client, request, row)
  }

  #leadsElsewhere(client: Client, request: ScannedRequest, row: CommandRow, own: number): boolean {
    const from = { own, inTransaction: client.mode !== undefined, isApart: this.#isApart }
    if (leadsElsewhere(row.name, request, from) === undefined) return false
    if (client.toCome?.queueing && client.toCome.keeper === this) client.toCome.failed = true
    this.#found('apart', row)
    return true
  }

  #rulesOfClusters(): Readonly<Record<string, Rule>> {
    return {
      select: (_client, request, row) => this.#select(request, row),
      swapdb: (_client, _request, row) => this.#found('cluster', row),
      move: (_client, request, row) => this.#toOtherDatabase(request, row),
      copy: (_client, request, row) => {
        if (namesDatabase(request)) this.#toOtherDatabase(request, row)
        else this.#alone(request, row)
      },
    }
  }

  #transactionOf(client: Client): TransactionToCome {
    if (client.toCome?.keeper !== this) client.toCome = new TransactionToCome(this)
    return client.toCome
  }

  #alone(request: Request, row: CommandRow): void {
    const { policy, rehearsal } = this.#options
    const toCome = this.#toCome
    const made = this.#plan
    plan(row, request, toCome.places, policy, made)
    switch (made.kind) {
      case 'one':
        rehearsal.loads.add(made.place, made.keyCount)
        this.#script(row, made.keyCount)
        return
      case 'split':
        this.#overGroups('split', request, row)
        return
      case 'every':
        rehearsal.loads.addEverywhere()
        if (toCome.shardCount > 1) this.#found('combined', row)
        return
      case 'own':
        this.#onItsOwn(request, row)
        return
      case 'refused':
        this.#refused(request, row)
    }
  }

  /** Of what needs a connection of its own only commands that block have keys that matter. */
  #onItsOwn(request: Request, row: CommandRow): void {
    if (row.handling !== 'lease') return
    const { rehearsal } = this.#options
    const toCome = this.#toCome
    const where = locate(row, request, toCome.places, this.#plan)
    if (where === 'one') rehearsal.loads.add(this.#plan.place, this.#plan.keyCount)
    else if (where === 'none') return
    else if (this.#waitsAtSeveral(row)) this.#overGroups('combined', request, row)
    else this.#found('blocking', row, request)
  }

  #waitsAtSeveral({ name }: CommandRow): boolean {
    if (popsFromSeveral(name)) return true
    return readsStreams(name) && this.#options.policy.crossShardReads
  }

  #refused(request: Request, row: CommandRow): void {
    const { refusal } = this.#plan
    if (refusal !== 'crossslot') {
      this.#found(refusal, row)
    } else if (Object.hasOwn(CROSS_SHARD_READS, row.name) || readsStreams(row.name)) {
      if (this.#options.policy.crossShardReads) this.#overGroups('combined', request, row)
      else this.#found('uncombined', row, request)
    } else {
      this.#found(this.#isScript[row.id] ? 'script' : 'crossslot', row, request)
    }
  }

  #overGroups(kind: Kind, request: Request, row: CommandRow): void {
    const { places, counts } = this.#plan.groups
    const { loads } = this.#options.rehearsal
    for (let group = 0; group < places.length; group++) {
      loads.add(places[group] as number, counts[group] as number)
    }
    this.#found(kind, row, request)
  }

  /** It passes, and may touch keys that it does not name. */
  #script(row: CommandRow, keyCount: number): void {
    if (this.#isScript[row.id] !== true || this.#toCome.shardCount === 1) return
    if (keyCount === 0) this.#found('undeclared', row)
    else this.#options.rehearsal.unseen++
  }

  /** `request`: was located last; `before`: a key that is in question as well. */
  #found(kind: Kind, row: CommandRow, request?: Request, before?: string): void {
    const { findings } = this.#options.rehearsal
    const finding = findings.count(kind, row.id)
    if (finding === undefined) return
    const keys = request === undefined ? [] : keysOf(request, row, this.#plan)
    findings.note(finding, before === undefined ? keys : [before, ...keys])
  }

  #select({ bytes, offsets }: Request, row: CommandRow): void {
    const database = parseInteger(bytes, offsets[2] as number, offsets[3] as number)
    if (database === undefined || database <= 0 || this.#isApart(database)) return
    this.#found('select', row)
  }

  #toOtherDatabase(request: Request, row: CommandRow): void {
    const toCome = this.#toCome
    const where = locate(row, request, toCome.places, this.#plan)
    if (where === 'one' && toCome.isInCluster(this.#plan.place))
      this.#found('cluster', row, request)
    else this.#alone(request, row)
  }

  #watch(open: TransactionToCome, request: Request, row: CommandRow): void {
    const where = locate(row, request, this.#toCome.places, this.#plan)
    const { place } = this.#plan
    if (where === 'one' && (open.place === undefined || open.place === place)) {
      this.#takePlace(open, request, row)
    } else {
      this.#found('watch', row, request, open.key)
    }
  }

  #inTransaction(open: TransactionToCome, request: ScannedRequest, row: CommandRow): void {
    const { policy } = this.#options
    const toCome = this.#toCome
    switch (row.name) {
      case 'exec':
        if (open.failed) this.#found('transaction', row)
        open.end()
        return
      case 'discard':
      case 'reset':
        open.end()
        return
      case 'multi':
      case 'watch':
        // Refused by any Redis.
        return
    }
    const queueing = queueingOf(row, toCome.shardCount, policy.allowAdmin)
    if (queueing === 'shard') {
      this.#queue(open, request, row)
    } else if (queueing === 'here') {
      if (row.name === 'select' && toCome.hasCluster) this.#select(request, row)
    } else if (!row.flags.has('no_multi')) {
      // Any Redis refuses this in a transaction, so it is no finding.
      open.failed = true
      this.#found(whyNotQueued(row, policy), row)
    }
  }

  #queue(open: TransactionToCome, request: Request, row: CommandRow): void {
    const toCome = this.#toCome
    if (row.name === 'unwatch' || (PUBLISHES.has(row.name) && toCome.shardCount > 1)) return
    const where = locate(row, request, toCome.places, this.#plan)
    const { place } = this.#plan
    if (where === 'several' && row.handling !== 'split') {
      open.failed = true
      this.#found('crossslot', row, request)
    } else if (where === 'several' || (where === 'one' && (open.place ?? place) !== place)) {
      this.#spread(open, request, row, where)
    } else if (where === 'none') {
      this.#script(row, 0)
    } else {
      this.#takePlace(open, request, row)
      this.#script(row, this.#plan.keyCount)
      const isMove = row.name === 'move' || (row.name === 'copy' && namesDatabase(request))
      if (isMove && toCome.isInCluster(place)) this.#found('cluster', row, request)
    }
  }

  /** Keys of the request located last are not where the transaction has begun. */
  #spread(open: TransactionToCome, request: Request, row: CommandRow, where: Whereabouts): void {
    if (this.#options.policy.transactions === 'shard') {
      open.failed = true
      this.#found('transaction', row, request, open.key)
    } else if (where === 'several') {
      this.#overGroups('split', request, row)
    } else {
      const { place, keyCount } = this.#plan
      this.#options.rehearsal.loads.add(place, keyCount)
      this.#found('split', row, request, open.key)
    }
  }

  /** The request located last has one. */
  #takePlace(open: TransactionToCome, request: Request, row: CommandRow): void {
    const { place, keyCount } = this.#plan
    this.#options.rehearsal.loads.add(place, keyCount)
    if (open.place !== undefined) return
    open.place = place
    open.key = keysOf(request, row, this.#plan)[0]
  }
}

function whyNotQueued({ handling, because }: CommandRow, { allowAdmin }: PlanPolicy): Kind {
  if (handling === 'admin') return allowAdmin ? 'everywhere' : 'admin'
  return because === undefined ? 'everywhere' : 'unsupported'
}
