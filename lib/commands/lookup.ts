/**
 * The command table at run time: finds a request's row by the bytes of its name, without
 * allocating. Commands may be added later, learnt from a shard; what is there stays as it is.
 */
import { COMMAND_ROWS_MAX } from '../limits.ts'
import type { Request } from '../resp/request.ts'
import { NameIndex } from './name-index.ts'
import type { CommandDefinition, CommandRow } from './row.ts'
import { builtInCommands } from './table.ts'

/** The subcommands of a container's row. The table may add to them. */
interface Members {
  readonly rows: Map<string, CommandRow>
  readonly index: NameIndex<CommandRow>
}

export class CommandTable {
  readonly #rows: CommandRow[] = []
  readonly #byName = new Map<string, CommandRow>()
  readonly #commands = new NameIndex<CommandRow>()
  /** Of containers, by the id of their row. */
  readonly #members: (Members | undefined)[] = []

  constructor(commands: Iterable<CommandDefinition> = builtInCommands()) {
    for (const command of commands) this.add(command)
  }

  /**
   * The row of the request's command, or undefined when no row has its name. For a container it is the
   * row of the subcommand that argument 1 names, and the container's own row when there is no argument 1.
   */
  lookup(request: Request): CommandRow | undefined {
    const { bytes, offsets } = request
    const row = this.#commands.find(bytes, offsets[0] as number, offsets[1] as number)
    if (row?.subcommands === undefined || request.argc === 1) return row
    const members = this.#members[row.id]
    return members?.index.find(bytes, offsets[2] as number, offsets[3] as number)
  }

  /**
   * After `lookup` found no row: whether the command exists, and only the subcommand is missing.
   */
  hasContainer(request: Request): boolean {
    const { bytes, offsets } = request
    return this.#commands.find(bytes, offsets[0] as number, offsets[1] as number) !== undefined
  }

  /** By lower-case name; a subcommand as `config|set`. */
  byName(name: string): CommandRow | undefined {
    return this.#byName.get(name)
  }

  /** All rows, subcommands included, by id. */
  rows(): readonly CommandRow[] {
    return this.#rows
  }

  /**
   * Adds a command, or to a container that is there the subcommands it lacks. A command that is
   * there already stays as it is. Returns the number of rows added.
   */
  add(command: CommandDefinition): number {
    const before = this.#rows.length
    const row = this.#byName.get(command.name) ?? this.#append(command)
    if (row === undefined) return 0
    this.#commands.set(command.name, row)
    const members = this.#members[row.id]
    for (const subcommand of command.subcommands ?? []) this.#addMember(members, subcommand)
    return this.#rows.length - before
  }

  #addMember(members: Members | undefined, subcommand: CommandDefinition): void {
    // A shard may have subcommands for a command that has no subcommands here: our row stays as it is.
    if (members === undefined || this.#byName.has(subcommand.name)) return
    const row = this.#append(subcommand)
    if (row === undefined) return
    const name = subcommand.name.slice(subcommand.name.indexOf('|') + 1)
    members.rows.set(name, row)
    members.index.set(name, row)
  }

  #append(command: CommandDefinition): CommandRow | undefined {
    const id = this.#rows.length
    if (id === COMMAND_ROWS_MAX) return undefined
    const members = command.subcommands && { rows: new Map(), index: new NameIndex<CommandRow>() }
    const row: CommandRow = { ...command, id, subcommands: members?.rows }
    this.#rows.push(row)
    this.#members.push(members)
    this.#byName.set(row.name, row)
    return row
  }
}

/** Whether a request of `argc` arguments, the name included, has as many as the command takes. */
export function arityFits(row: CommandRow, argc: number): boolean {
  if (row.arity >= 0 ? argc !== row.arity : argc < -row.arity) return false
  // MSET checks its pairs itself, with the same error; a fragment of half a pair must never be made.
  return row.stride < 2 || (argc - 1) % row.stride === 0
}
