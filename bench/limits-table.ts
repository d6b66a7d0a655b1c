/** The bounds of lib/limits.ts as a table of docs/operations.md. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageDirectory } from '../lib/config/package-directory.ts'
import * as values from '../lib/limits.ts'

export interface Limit {
  readonly name: string
  readonly comment: string
}

/** The bounds in the text of limits.ts. A comment also stands for those right below its own. */
export function limitsOf(text: string): Limit[] {
  const limits: Limit[] = []
  for (const block of text.split('\n\n')) {
    let comment = ''
    for (const { groups } of block.matchAll(
      /\/\*\*(?<words>[\s\S]*?)\*\/|^export const (?<name>\w+)/gm,
    )) {
      const { words, name } = groups ?? {}
      if (words !== undefined) comment = words.replace(/\s*\n \*\s?/g, ' ').trim()
      else if (name !== undefined) limits.push({ name, comment })
    }
  }
  return limits
}

/** A Markdown table, one row for each bound. */
export function limitsTable(): string {
  const text = readFileSync(join(packageDirectory(), 'lib/limits.ts'), 'utf8')
  const known: ReadonlyMap<string, number> = new Map(Object.entries(values))
  const rows = limitsOf(text).map(({ name, comment }) => {
    return [`\`${name}\``, valueText(name, known.get(name) ?? Number.NaN), comment]
  })
  const lines = [['Bound', 'Value', 'Meaning'], ['---', '--:', '---'], ...rows]
  return lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

const SIZES: readonly (readonly [string, number])[] = [
  ['GB', 1024 ** 3],
  ['MB', 1024 ** 2],
  ['KB', 1024],
]

function valueText(name: string, value: number): string {
  const grouped = String(value).replace(/\B(?=(\d{3})+$)/g, ',')
  if (/_MS(?:_|$)/.test(name)) return `${grouped} ms`
  if (!/_BYTES(?:_|$)/.test(name)) return grouped
  const size = SIZES.find(([, bytes]) => value >= bytes && value % bytes === 0)
  return size === undefined ? `${grouped} bytes` : `${value / size[1]} ${size[0]}`
}
