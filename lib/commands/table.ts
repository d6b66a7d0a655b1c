/**
 * The built-in commands: Redis's as @ioredis/commands has them, with our overrides, and our own.
 *
 * Only this file imports @ioredis/commands. It uses the data and never the functions, which do not
 * check their input: `getKeyIndexes('eval', ['s', '1e12'])` exhausts the heap, `exists('__proto__')`
 * is true, and Buffer arguments are mishandled for SORT ... STORE. The data has its limits too: one
 * first key, last key and step for each command, so movable keys are missing (overrides.ts has them).
 * SPUBLISH and SSUBSCRIBE list channels as keys, which is what routing wants.
 */
import packaged from '@ioredis/commands/built/commands.json' with { type: 'json' }
import { defineCommand, type Override } from './define.ts'
import { keyPositions, requestPolicy, responsePolicy } from './learning/facts.ts'
import { OVERRIDES, OWN_COMMAND } from './overrides.ts'
import type { CommandDefinition } from './row.ts'

/** One entry of the package's commands.json; `keyStart` 0: no keys. */
interface PackagedCommand {
  readonly arity: number
  readonly flags: readonly string[]
  readonly keyStart: number
  readonly keyStop: number
  readonly step: number
  readonly requestPolicy?: string
  readonly responsePolicy?: string
  readonly subcommands?: Readonly<Record<string, PackagedCommand>>
}

type Overrides = ReadonlyMap<string, Override>

export function builtInCommands(): CommandDefinition[] {
  const commands: Readonly<Record<string, PackagedCommand>> = packaged
  const overrides = collectOverrides()
  const redis = Object.entries(commands).map(([name, command]) => {
    const members = command.subcommands && Object.entries(command.subcommands)
    const subcommands = members?.map(([member, subcommand]) => {
      const override = overrides.get(`${name}|${member}`) ?? overrides.get(`${name}|*`)
      return define(`${name}|${member}`, subcommand, undefined, override)
    })
    return define(name, command, subcommands, overrides.get(name))
  })
  return [...redis, ownCommand()]
}

function define(
  name: string,
  command: PackagedCommand,
  subcommands: readonly CommandDefinition[] | undefined,
  override: Override | undefined,
): CommandDefinition {
  return defineCommand(
    {
      name,
      arity: command.arity,
      flags: new Set(command.flags),
      keySpecs: keyPositions(command.keyStart, command.keyStop, command.step),
      keysUnknown: command.flags.includes('movablekeys'),
      requestPolicy: requestPolicy(command.requestPolicy),
      responsePolicy: responsePolicy(command.responsePolicy),
      subcommands,
    },
    override,
  )
}

function ownCommand(): CommandDefinition {
  const { name, subcommands } = OWN_COMMAND
  const facts = { flags: [], keyStart: 0, keyStop: 0, step: 0 }
  const members = Object.entries(subcommands).map(([member, arity]) => {
    return define(`${name}|${member}`, { ...facts, arity }, undefined, { handling: 'local' })
  })
  return define(name, { ...facts, arity: -2 }, members, undefined)
}

function collectOverrides(): Overrides {
  const collected = new Map<string, Override>()
  for (const [names, override] of OVERRIDES) {
    for (const name of names.split(' ')) {
      collected.set(name, { ...collected.get(name), ...override })
    }
  }
  return collected
}
