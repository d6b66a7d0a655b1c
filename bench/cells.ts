/** What is measured: every combination of command, value size and pipeline depth that makes sense. */

const COMMANDS = ['get', 'set', 'mget10', 'mget100'] as const
const VALUE_BYTES = [32, 4096] as const
const DEPTHS = [1, 16, 100] as const

/** Connections that redis-benchmark opens. */
export const CLIENTS = 50

/**
 * Most reply bytes under way at once: MGET of 100 values of 4 KB by 50 clients, 16 deep, would
 * measure how the machine swaps.
 */
const IN_FLIGHT_BYTES_MAX = 64 * 1024 * 1024

export interface Load {
  /** `get`, `set`, or `mget` and how many keys. */
  readonly command: string
  readonly valueBytes: number
  /** Requests that each client sends before it waits for replies. */
  readonly depth: number
}

export interface Cell extends Load {
  readonly command: (typeof COMMANDS)[number]
  readonly valueBytes: (typeof VALUE_BYTES)[number]
  /** Requests that each client sends before it waits for replies. */
  readonly depth: (typeof DEPTHS)[number]
}

/** Ordered by value size, since changing it means loading other keys. */
export const ALL_CELLS: readonly Cell[] = VALUE_BYTES.flatMap((valueBytes) =>
  COMMANDS.flatMap((command) => DEPTHS.map((depth) => ({ command, valueBytes, depth }))),
).filter((cell) => CLIENTS * cell.depth * replyBytes(cell) <= IN_FLIGHT_BYTES_MAX)

/** A minute's worth. */
export const QUICK_CELLS: readonly Cell[] = ALL_CELLS.filter(
  ({ command, valueBytes, depth }) => valueBytes === 32 && (command === 'get' || depth === 16),
)

export function keysPerRequest(command: string): number {
  return Number(/\d+$/.exec(command)?.[0] ?? 1)
}

function replyBytes({ command, valueBytes }: Cell): number {
  return command === 'set' ? 5 : keysPerRequest(command) * valueBytes
}

/** How `--only` names a cell: `get`, `p16`, `32b`. */
export function namesOf({ command, valueBytes, depth }: Cell): readonly string[] {
  return [command, `p${depth}`, `${valueBytes}b`]
}

/**
 * The cells that carry one of the names of each kind that is mentioned: `get,set,p16` keeps GET
 * and SET at depth 16, of any value size. Throws on a name that no cell has.
 */
export function selectCells(cells: readonly Cell[], names: readonly string[]): readonly Cell[] {
  const known = new Set(ALL_CELLS.flatMap(namesOf))
  const unknown = names.find((name) => !known.has(name))
  if (unknown !== undefined) {
    throw new Error(`--only: there is no ${unknown}; there are ${[...known].join(', ')}`)
  }
  const kinds = [0, 1, 2].map((kind) =>
    names.filter((name) => ALL_CELLS.some((cell) => namesOf(cell)[kind] === name)),
  )
  return cells.filter((cell) =>
    namesOf(cell).every((name, kind) => kinds[kind]?.length === 0 || kinds[kind]?.includes(name)),
  )
}
