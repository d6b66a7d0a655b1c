/** What the admin endpoint shows: one ambassador, or several workers as one. */
import type { Answer } from './answer.ts'
import type { EventStreams } from './event-streams.ts'
import type { Steering } from './steering.ts'

/** A request for a page. */
export interface Visit {
  /** Without its `?`; may be empty. */
  readonly query: string
  /** It comes from a browser's address line rather than from curl. */
  readonly wantsHtml: boolean
  /** Its Accept names plain text. */
  readonly wantsText: boolean
  readonly dashboard: ReadonlyMap<string, Answer>
  readonly streams: EventStreams
}

export interface Site {
  /** More names by which the endpoint may be asked: option adminHosts. */
  readonly hosts: readonly string[]
  readonly steering: Steering | undefined
  /** Undefined: there is no such page. A promise is kept. */
  page(path: string, visit: Visit): Answer | Promise<Answer> | undefined
  /** Hands over what /events sends once a second; not at all if there is nothing to be had. */
  newestStats(tell: (stats: unknown) => void): void
  close(): void
}
