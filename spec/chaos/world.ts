/** What a run of chaos stands on: servers that are tormented, and what they must hold in the end. */
import type { Random } from '../support/random.ts'
import type { Report, Tokens } from './history.ts'

export interface ChaosWorld {
  /** As the option takes them. */
  readonly shards: string
  /** More flags of the ambassador. */
  readonly flags: readonly string[]
  /** Torments the servers until `stopped`; returns how often it did what. */
  torment(random: Random, stopped: () => boolean): Promise<ReadonlyMap<string, number>>
  /** Holds the servers' own contents against the history: I4 by counting tokens, I6 by where keys are. */
  check(tokens: Tokens, report: Report): Promise<void>
  stop(): Promise<void>
}

/** The elements of an array of short words without line ends. */
export function words(reply: Buffer): string[] {
  return reply
    .toString('latin1')
    .split('\r\n')
    .filter((line, index) => index > 0 && line !== '' && !line.startsWith('$'))
}
