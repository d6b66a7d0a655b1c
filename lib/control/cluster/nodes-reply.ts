/**
 * What a node answers to CLUSTER NODES: a line for each server. Only this reply tells how new a
 * claim to slots is, and which slots are on their way.
 *
 *   id ip:port@bus[,hostname] flags master-id ping pong config-epoch link slots... [slot->-id]
 */

export interface NodeLine {
  readonly id: string
  readonly flags: readonly string[]
  /** Undefined for a master. */
  readonly masterId: string | undefined
  /** Of two masters that claim a slot, the one with the higher epoch has it. */
  readonly epoch: number
  /** Slots that leave it or come to it. Only the node itself tells these. */
  readonly openSlots: number
}

/**
 * Lines that make no sense are left out. The slots that a server has are not read: of a fragmented cluster those are
 * thousands of words, and CLUSTER SLOTS tells the same.
 */
export function readNodes(text: string): NodeLine[] {
  return text.split('\n').flatMap((line): NodeLine[] => {
    const [id = '', , flags, master, , , epochText] = line.split(' ', WORDS)
    const epoch = Number(epochText)
    if (id === '' || flags === undefined || !Number.isSafeInteger(epoch)) return []
    return [
      {
        id,
        flags: flags.split(','),
        masterId: master === '-' ? undefined : master,
        epoch,
        openSlots: line.split(' [').length - 1,
      },
    ]
  })
}

/** Of a line: up to its config epoch. */
const WORDS = 7
