/** The command table as a table of docs/commands.md, so that the two cannot differ. */
import { mayTouchKeys } from './keys.ts'
import type { CommandRow, ResponsePolicy } from './row.ts'

const MERGE = {
  one_succeeded: 'the first that succeeds',
  all_succeeded: 'the first, if all succeed',
  agg_logical_and: 'and, for each element',
  agg_logical_or: 'or, for each element',
  agg_min: 'minimum',
  agg_max: 'maximum',
  agg_sum: 'sum',
  special: 'of its own',
} as const satisfies Record<ResponsePolicy, string>

/** Markdown: one line for each command that can be asked for, containers by their subcommands. */
export function commandsTable(rows: readonly CommandRow[]): string {
  const lines = rows
    .filter((row) => row.subcommands === undefined || row.handling !== 'refuse')
    .map((row) => `| ${title(row)} | ${row.handling} | ${merge(row)} | ${note(row)} |`)
    .sort()
  return ['| command | handling | merge | note |', '| --- | --- | --- | --- |', ...lines, ''].join(
    '\n',
  )
}

/** `CONFIG SET`, as it is typed: the bar of `config|set` would end the table's cell. */
function title(row: CommandRow): string {
  return row.name.toUpperCase().replace('|', ' ')
}

function merge(row: CommandRow): string {
  if (row.handling !== 'split' && row.handling !== 'broadcast' && row.handling !== 'admin')
    return ''
  return row.responsePolicy === undefined ? 'arrays joined' : MERGE[row.responsePolicy]
}

function note(row: CommandRow): string {
  if (row.handling === 'refuse' || row.handling === 'admin') return `${row.because}`
  const notes = [keyNote(row), row.note]
  return notes.filter((text) => text !== undefined).join('; ')
}

function keyNote(row: CommandRow): string | undefined {
  if (row.handling !== 'single' && row.handling !== 'lease') return undefined
  if (row.keySpecs.length === 0) return row.handling === 'single' ? keylessNote(row) : undefined
  return row.fixedKey === 0 ? 'keys on one shard' : undefined
}

function keylessNote(row: CommandRow): string {
  return mayTouchKeys(row) ? 'the shard of the empty key' : 'any shard'
}
