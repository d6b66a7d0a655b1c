/**
 * The only file that imports `yaml`, for YAML and JSON files (YAML contains JSON).
 *
 * Traps it closes: the default schema turns `1e3` into 1000, `0x10` into 16 and `~` into null, so
 * the failsafe schema is asked for, which leaves every scalar the text that was written; the strict
 * formats then judge it like a flag's text. A tag such as `!!int` is only a warning to the package
 * (refused here), an unknown alias only shows in `toJS` (caught), a key that is a list is turned
 * into text with a warning on stderr (refused), `key` without a value is null or "".
 */
import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type YAMLMap,
} from 'yaml'
import { ConfigError } from '../../errors.ts'
import type { Raw } from '../values/formats.ts'

export interface YamlFile {
  /** undefined: the file is empty or holds comments only. */
  readonly value: Raw | undefined
  /** The line, from 1, of the value at this path of map keys and list indices, or of its nearest parent. */
  readonly lineOf: (path: readonly (string | number)[]) => number
}

/** Parses one document. Throws ConfigError with a line for each mistake, as `file:line: ...`. */
export function parseYaml(text: string, file: string): YamlFile {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    schema: 'failsafe',
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
  })
  const lineAt = (offset: number): number => lines.linePos(offset).line
  const problems = [...document.errors, ...document.warnings].map(
    (error) => `${file}:${lineAt(error.pos[0])}: ${firstLine(error.message)}`,
  )
  if (problems.length > 0) throw new ConfigError(problems)
  return {
    value: document.contents === null ? undefined : plainValue(document, file),
    lineOf: (path) => lineAt(offsetOf(document, path)),
  }
}

function plainValue(document: Document, file: string): Raw {
  try {
    // An alias may be used a hundred times; more is the "billion laughs".
    return document.toJS({ maxAliasCount: 100 }) as Raw
  } catch (error) {
    throw new ConfigError([`${file}: ${firstLine(error instanceof Error ? error.message : '')}`])
  }
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? ''
}

/** Where the path's last key or item starts in the text. */
function offsetOf(document: Document, path: readonly (string | number)[]): number {
  let offset = 0
  let node: unknown = document.contents
  for (const step of path) {
    if (isMap(node)) {
      const pair = findPair(node, step)
      if (pair === undefined) return offset
      if (isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset
      node = pair.value
    } else if (isSeq(node) && typeof step === 'number') {
      node = node.items[step]
      offset = rangeStart(node) ?? offset
    } else {
      return offset
    }
  }
  return offset
}

function findPair(map: YAMLMap, key: string | number): YAMLMap['items'][number] | undefined {
  return map.items.find((pair) => isScalar(pair.key) && pair.key.value === key)
}

function rangeStart(node: unknown): number | undefined {
  const ranged = node as { readonly range?: readonly number[] | null } | null | undefined
  return ranged?.range?.[0]
}
