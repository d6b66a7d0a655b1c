/**
 * The commands that several shards have in common. Only these may be sent to any of the shards.
 * Pure.
 */
import type { CommandDefinition } from '../row.ts'

export interface Agreement {
  /** Commands, and of containers the subcommands, that all shards describe alike. */
  readonly common: readonly CommandDefinition[]
  /** Names of those that some shards lack or describe otherwise. */
  readonly differing: readonly string[]
}

/** `shards`: each one's commands, at least one shard. */
export function agree(shards: readonly (readonly CommandDefinition[])[]): Agreement {
  // What was learnt from the same bytes is one list.
  const [only, ...different] = new Set(shards)
  if (only !== undefined && different.length === 0) return { common: only, differing: [] }
  const [first, ...others] = shards.map(byName)
  const common: CommandDefinition[] = []
  const differing = new Set<string>()
  for (const [name, command] of first ?? []) {
    const alike = [command, ...others.flatMap((other) => other.get(name) ?? [])]
    if (alike.length < shards.length || new Set(alike.map(essence)).size > 1) {
      differing.add(name)
      continue
    }
    const members = alike.map(({ subcommands }) => subcommands ?? [])
    if (members.every((list) => list.length === 0)) {
      common.push(command)
      continue
    }
    const inner = agree(members)
    common.push({ ...command, subcommands: inner.common })
    for (const member of inner.differing) differing.add(member)
  }
  for (const other of others) {
    for (const name of other.keys()) if (!first?.has(name)) differing.add(name)
  }
  return { common, differing: [...differing] }
}

function byName(commands: readonly CommandDefinition[]): Map<string, CommandDefinition> {
  return new Map(commands.map((command) => [command.name, command]))
}

/** All that routing a command depends on. */
function essence(command: CommandDefinition): string {
  const { arity, keySpecs, handling, requestPolicy, responsePolicy, subcommands } = command
  const isContainer = subcommands !== undefined
  return JSON.stringify([arity, keySpecs, handling, requestPolicy, responsePolicy, isContainer])
}
