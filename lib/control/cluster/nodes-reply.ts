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
  /** How many slots it has. */
  readonly slots: number
  /** Slots that leave it or come to it. Only the node itself tells these. */
  readonly openSlots: number
}

/** Lines that make no sense are left out. */
export function readNodes(text: string): NodeLine[] {
  return text.split('\n').flatMap((line): NodeLine[] => {
    const [id = '', , flags, master, , , epochText, , ...owned] = line.split(' ')
    const epoch = Number(epochText)
    if (id === '' || flags === undefined || !Number.isSafeInteger(epoch)) return []
    const open = owned.filter((range) => range.startsWith('['))
    const ranges = owned.filter((range) => !range.startsWith('['))
    return [
      {
        id,
        flags: flags.split(','),
        masterId: master === '-' ? undefined : master,
        epoch,
        slots: ranges.reduce((sum, range) => sum + slotsIn(range), 0),
        openSlots: open.length,
      },
    ]
  })
}

/** `0-5460`, or `7` alone. */
function slotsIn(range: string): number {
  const [first = Number.NaN, last = first] = range.split('-').map(Number)
  const count = last - first + 1
  return count > 0 ? count : 0
}
