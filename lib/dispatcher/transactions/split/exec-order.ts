/**
 * Which part of a transaction over several shards executes which of its commands, and how the parts'
 * answers to EXEC become one answer, in the order of the commands. Knows no connection.
 */
import { arrayHeader } from '../../../resp/encode.ts'
import { ElementReader } from '../../../resp/reply-reader.ts'
import { Collector, type Finish } from '../../core/collector.ts'
import type { ReplyTarget } from '../../core/finish.ts'

/** How the replies to the fragments of one command become one, at `target` with ticket 0. */
export type Joining = (target: ReplyTarget) => Finish

interface Join {
  /** For each fragment the part that executes it. */
  readonly parts: readonly number[]
  readonly joining: Joining
}

export class ExecOrder {
  /** By command: the part that executes it, or the parts that do. */
  readonly #commands: (number | Join)[] = []
  /** For each command the parts that execute it as well, and whose replies are dropped. */
  readonly #echoes = new Map<number, readonly number[]>()
  /** For each part the number of replies before its first command, which are dropped. */
  readonly #before: number[] = []
  /** By part: how many replies it owes. */
  readonly #owed: number[] = []

  /**
   * Adds a part, numbered from 0, which first executes `before` commands that only change its
   * connection.
   */
  addPart(before: number): number {
    this.#before.push(before)
    return this.#owed.push(before) - 1
  }

  get parts(): number {
    return this.#owed.length
  }

  /** The next command is for one part. */
  add(part: number): void {
    this.#commands.push(part)
    this.#owe(part)
  }

  /** The next command is for several, a fragment for each. */
  addSplit(parts: readonly number[], joining: Joining): void {
    this.#commands.push({ parts, joining })
    for (const part of parts) this.#owe(part)
  }

  /** The next command is for all parts there are, since it changes connections; the reply is the first's. */
  addEverywhere(): void {
    const others = this.#owed.map((_, part) => part).slice(1)
    this.#echoes.set(this.#commands.length, others)
    this.add(0)
    for (const part of others) this.#owe(part)
  }

  #owe(part: number): void {
    this.#owed[part] = (this.#owed[part] as number) + 1
  }

  /** `replies`: what each part has answered to EXEC. Undefined: one of them is not what it owes. */
  merge(replies: readonly Buffer[]): Buffer | undefined {
    const readers = replies.map((reply) => new ElementReader(reply))
    if (readers.some(({ count }, part) => count !== this.#owed[part])) return undefined
    for (const [part, count] of this.#before.entries()) skip(readers[part], count)
    const merged: Buffer[] = [arrayHeader(this.#commands.length)]
    for (const [at, command] of this.#commands.entries()) {
      if (typeof command === 'number') merged.push(next(readers[command] as ElementReader))
      else merged.push(joined(command, readers))
      for (const part of this.#echoes.get(at) ?? []) skip(readers[part], 1)
    }
    return Buffer.concat(merged)
  }
}

function next(reader: ElementReader): Buffer {
  reader.next()
  return reader.frame.subarray(reader.start, reader.end)
}

function skip(reader: ElementReader | undefined, count: number): void {
  for (let i = 0; i < count; i++) reader?.next()
}

function joined({ parts, joining }: Join, readers: readonly ElementReader[]): Buffer {
  const pieces: Buffer[] = []
  const target: ReplyTarget = {
    reply: (_ticket, bytes, start, end) => {
      pieces.push(Buffer.from(bytes.subarray(start, end)))
    },
    failed: (_ticket, { frame }) => {
      pieces.push(frame)
    },
  }
  const collector = new Collector(parts.length, joining(target))
  for (const [fragment, part] of parts.entries()) {
    const element = next(readers[part] as ElementReader)
    collector.reply(fragment, element, 0, element.length, true)
  }
  return Buffer.concat(pieces)
}
