/** What replies to COMMAND say, each decoded once: shards of one version all say the same, some hundred kilobytes. */
import { readReply } from '../../resp/reply-value.ts'
import type { CommandDefinition } from '../row.ts'
import { learnCommands } from './learn.ts'

interface Lesson {
  readonly reply: Buffer
  readonly commands: readonly CommandDefinition[]
}

export class Lessons {
  #known: Lesson[] = []

  /** The same list for the same bytes. Nobody changes either. Throws Error for a reply that nests too deep. */
  of(reply: Buffer): readonly CommandDefinition[] {
    const known = this.#known.find((lesson) => lesson.reply.equals(reply))
    if (known !== undefined) return known.commands
    const entries = reply.length === 0 ? [] : readReply(reply)
    if (entries === undefined) throw new Error('its reply to COMMAND nests too deep')
    const commands = learnCommands(entries)
    this.#known.push({ reply, commands })
    return commands
  }

  /** No more shards are read for now. */
  forget(): void {
    this.#known = []
  }
}
