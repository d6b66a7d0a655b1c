/** A finding of the doctor: one check of one shard, or of all, and its result. */

/** Everything that is looked at, in the order of the report. docs/operations.md explains each. */
export const CHECKS = [
  'config',
  'running',
  'sentinel',
  'cluster',
  'dns',
  'reach',
  'tls',
  'credentials',
  'auth',
  'database',
  'state',
  'mode',
  'role',
  'replicas',
  'version',
  'memory',
  'clients',
  'clock',
  'latency',
  'same',
  'policy',
  'commands',
  'rights',
  'ring',
] as const

export type Check = (typeof CHECKS)[number]

/** `note`: it works, and deserves a look. `problem`: some or all commands fail, or go wrong. */
export type Level = 'ok' | 'note' | 'problem'

export interface Finding {
  readonly check: Check
  /** The shard's name; undefined when it is about no single one. */
  readonly shard: string | undefined
  readonly level: Level
  /** What was seen, as a sentence without its end. Never a secret, a key or a value. */
  readonly saw: string
  /** What to do, in sentences; undefined when nothing needs to be done. */
  readonly advice: string | undefined
}

export function well(check: Check, shard: string | undefined, saw: string): Finding {
  return finding({ check, shard, level: 'ok', saw, advice: undefined })
}

export function note(
  check: Check,
  shard: string | undefined,
  saw: string,
  advice: string,
): Finding {
  return finding({ check, shard, level: 'note', saw, advice })
}

export function problem(
  check: Check,
  shard: string | undefined,
  saw: string,
  advice: string,
): Finding {
  return finding({ check, shard, level: 'problem', saw, advice })
}

/** Findings contain text of shards and are printed on terminals, which that text must not steer. */
function finding({ saw, advice, ...rest }: Finding): Finding {
  return { ...rest, saw: plain(saw), advice: advice === undefined ? undefined : plain(advice) }
}

/** Escape sequences begin with a control character, also one beyond ASCII; format characters turn text around. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ')
}
