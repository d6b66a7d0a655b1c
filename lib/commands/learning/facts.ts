/** What Redis tells about a command, read into our vocabulary: from the package's data or a shard. */
import {
  type CommandDefinition,
  type KeySpec,
  REQUEST_POLICIES,
  RESPONSE_POLICIES,
  type RequestPolicy,
  type ResponsePolicy,
} from '../row.ts'

export interface CommandFacts {
  /** Lower case; a subcommand carries its container: `config|set`. */
  readonly name: string
  /** In Redis's own letters, where these are not lower case: modules write `FT.SEARCH` or `VADD`. */
  readonly writtenName?: string | undefined
  readonly arity: number
  readonly flags: ReadonlySet<string>
  readonly keySpecs: readonly KeySpec[]
  /** It has keys that `keySpecs` does not find. */
  readonly keysUnknown: boolean
  readonly requestPolicy: RequestPolicy | undefined
  readonly responsePolicy: ResponsePolicy | undefined
  readonly subcommands: readonly CommandDefinition[] | undefined
}

/**
 * The key specification that a first key, a last key (negative: counted from the end) and a step
 * amount to. Redis before 7 tells no more. Empty for a command without keys.
 */
export function keyPositions(first: number, last: number, step: number): KeySpec[] {
  if (first <= 0 || step <= 0) return []
  return [
    {
      begin: { type: 'index', pos: first },
      find: { type: 'range', last: last < 0 ? last : last - first, step, limit: 0 },
    },
  ]
}

/** A policy that we do not know is special: there is no general way to follow it. */
export function requestPolicy(text: string | undefined): RequestPolicy | undefined {
  return text === undefined ? undefined : (REQUEST_POLICIES.find((it) => it === text) ?? 'special')
}

export function responsePolicy(text: string | undefined): ResponsePolicy | undefined {
  return text === undefined ? undefined : (RESPONSE_POLICIES.find((it) => it === text) ?? 'special')
}
