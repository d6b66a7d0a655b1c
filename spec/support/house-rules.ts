/**
 * The rules of the house as functions: source files in, one line for each breach out. They read the
 * text as Biome formats it, which makes imports and the ends of functions easy to find.
 */
import { posix } from 'node:path'
import type { Limit } from '../../bench/limits-table.ts'

export interface SourceFile {
  /** From the package's root: `lib/resp/encode.ts`. */
  readonly path: string
  readonly text: string
}

const IMPORT = /^(?:(?:import|export)\b[^'"`;]*?\bfrom |import )'(?<from>[^']+)'/gm
const DYNAMIC_IMPORT = /\bimport\('(?<from>[^']+)'\)/g

/** What the file imports, types included, as it is written. */
function importsOf({ text }: SourceFile): readonly string[] {
  return [...text.matchAll(IMPORT), ...text.matchAll(DYNAMIC_IMPORT)].map(({ groups }) => {
    return groups?.['from'] ?? ''
  })
}

/** The file that a relative import names, from the package's root. */
function target(file: SourceFile, from: string): string {
  return posix.join(posix.dirname(file.path), from)
}

function isRelative(from: string): boolean {
  return from.startsWith('.')
}

/** `lib/resp/encode.ts` is in room `resp`, `lib/limits.ts` is the room `limits`. */
function roomOf(path: string): string {
  return path.replace(/^lib\//, '').replace(/(?:\.ts|\/.*)$/, '')
}

/** For each room, the rooms that it may import. */
export type RoomTable = Readonly<Record<string, readonly string[]>>

export function forbiddenImports(files: readonly SourceFile[], table: RoomTable): string[] {
  return files.flatMap((file) => {
    const room = roomOf(file.path)
    const allowed = table[room]
    if (allowed === undefined) return [`${file.path}: no room ${room} in the table`]
    const others = importsOf(file)
      .filter(isRelative)
      .map((from) => roomOf(target(file, from)))
      .filter((other) => other !== room && !allowed.includes(other))
    return others.map((other) => `${file.path}: ${room} may not import ${other}`)
  })
}

/** The rooms' own order: a table in which a room reaches itself would allow cycles. */
export function roomCycles(table: RoomTable): string[] {
  return cycles(new Map(Object.entries(table)))
}

/** Files that import each other in a circle, types included: neither can be understood alone. */
export function importCycles(files: readonly SourceFile[]): string[] {
  const graph = files.map((file): [string, string[]] => {
    return [
      file.path,
      importsOf(file)
        .filter(isRelative)
        .map((from) => target(file, from)),
    ]
  })
  return cycles(new Map(graph))
}

function cycles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  return [...graph.keys()].filter((node) => reachable(graph, node).has(node))
}

/** Everything that can be reached from `start` in at least one step. */
function reachable(graph: ReadonlyMap<string, readonly string[]>, start: string): Set<string> {
  const found = new Set<string>()
  const open = [start]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const next of graph.get(node) ?? []) {
      if (found.has(next)) continue
      found.add(next)
      open.push(next)
    }
  }
  return found
}

/** Files of these rooms that import, themselves or through others, one of these modules. */
export function reaching(
  files: readonly SourceFile[],
  rooms: readonly string[],
  modules: readonly string[],
): string[] {
  const graph = new Map(
    files.map((file) => {
      const all = importsOf(file)
      return [file.path, all.map((from) => (isRelative(from) ? target(file, from) : from))]
    }),
  )
  return files
    .filter(({ path }) => rooms.includes(roomOf(path)))
    .flatMap(({ path }) => {
      const found = reachable(graph, path)
      return modules.filter((each) => found.has(each)).map((each) => `${path} reaches ${each}`)
    })
}

/** npm packages with more than one file that imports them. */
export function sharedPackages(files: readonly SourceFile[]): string[] {
  const doors = new Map<string, Set<string>>()
  for (const file of files) {
    for (const from of importsOf(file).filter((each) => !isRelative(each))) {
      const name = /^(?:@[^/]+\/)?[^/]+/.exec(from)?.[0] ?? from
      if (name.startsWith('node:')) continue
      doors.set(name, (doors.get(name) ?? new Set()).add(file.path))
    }
  }
  return [...doors]
    .filter(([, paths]) => paths.size > 1)
    .map(([name, paths]) => `${name} is imported by ${[...paths].join(' and ')}`)
}

const EXPORT = /^export (?:async )?(?:const|let|function\*?|class) (?<name>\w+)/gm

/** Exported values that no other file names. Types may be exported for the reader of a signature. */
export function deadExports(files: readonly SourceFile[]): string[] {
  const users = new Map<string, Set<string>>()
  for (const { path, text } of files) {
    for (const [word] of text.matchAll(/\w+/g)) {
      users.set(word, (users.get(word) ?? new Set()).add(path))
    }
  }
  return files.flatMap(({ path, text }) => {
    const names = [...text.matchAll(EXPORT)].map(({ groups }) => groups?.['name'] ?? '')
    return names.filter((name) => users.get(name)?.size === 1).map((name) => `${path}: ${name}`)
  })
}

/** Files over `linesMax`, and exceptions (path to reason) that are none any more. */
export function longFiles(
  files: readonly SourceFile[],
  linesMax: number,
  exceptions: Readonly<Record<string, string>>,
): string[] {
  const long = files.filter(({ text }) => text.split('\n').length - 1 > linesMax)
  const paths = long.map(({ path }) => path)
  return [
    ...paths.filter((path) => exceptions[path] === undefined).map((path) => `${path} is too long`),
    ...Object.keys(exceptions)
      .filter((path) => !paths.includes(path))
      .map((path) => `${path} needs no exception`),
  ]
}

/** What opens a function's body at the end of a line: `=> {`, `): Type {`, `function name() {`. */
const FUNCTION_START = /^(?<indent> *)(?!.*\b(?:if|for|while|switch|catch) \().*(?:=>|\).*) \{$/

/** Functions whose bodies have more than `linesMax` lines. */
export function longFunctions({ path, text }: SourceFile, linesMax: number): string[] {
  const lines = text.split('\n')
  const found: string[] = []
  lines.forEach((line, start) => {
    const indent = FUNCTION_START.exec(line)?.groups?.['indent']
    if (indent === undefined) return
    // The formatter puts the brace that ends it at the indent of the line that began it.
    const end = lines.findIndex((other, at) => at > start && other.startsWith(`${indent}}`))
    if (end - start - 1 > linesMax) found.push(`${path}:${start + 1} has ${end - start - 1} lines`)
  })
  return found
}

/** Where a timer is set, by Node's functions or by a socket's method. */
const SETS_TIMER = /\b(?:setTimeout|setInterval|delay)\(/g

/** Timers for as long as somebody has computed: Node fires at once what is set for more than it can hold. */
export function boundlessTimers({ path, text }: SourceFile): string[] {
  const code = text.replace(NOT_CODE, (part) => part.replace(/[^\n]/g, ' '))
  return [...code.matchAll(SETS_TIMER)]
    .filter(({ index, 0: call }) => {
      const given = argumentsAt(code, index + call.length)
      return !given.some((argument) => /^(?:[A-Z][A-Z0-9_]+$|timerMs\()/.test(argument))
    })
    .map(({ index }) => `${path}:${code.slice(0, index).split('\n').length} sets a timer`)
}

/** The arguments of the call whose parenthesis opens before `start`. */
function argumentsAt(code: string, start: number): string[] {
  const found = ['']
  let depth = 0
  for (const char of code.slice(start)) {
    if ('([{'.includes(char)) depth++
    if (')]}'.includes(char) && depth-- === 0) break
    if (char === ',' && depth === 0) found.push('')
    else found[found.length - 1] += char
  }
  return found.map((argument) => argument.trim())
}

export function withoutOpeningComment(files: readonly SourceFile[]): string[] {
  return files.filter(({ text }) => !/^(?:#!.*\n)?\/\*\*/.test(text)).map(({ path }) => path)
}

const NOT_CODE =
  /\/\*[\s\S]*?\*\/|\/\/.*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`/g

const UNWANTED_IN_CODE: readonly RegExp[] = [
  /(?:[:<|&,]|\bas)\s*any\b/,
  /\benum \w+ \{/,
  /\bexport default\b/,
  /\bdebugger\b/,
]
const UNWANTED_ANYWHERE: readonly RegExp[] = [/\b(?:TODO|FIXME|XXX|HACK)\b/, /@ts-\w+/]

export function unwantedWords({ path, text }: SourceFile): string[] {
  const code = text.replace(NOT_CODE, (part) => part.replace(/[^\n]/g, ' ')).split('\n')
  return text.split('\n').flatMap((line, index) => {
    const breaches = [
      ...UNWANTED_ANYWHERE.filter((unwanted) => unwanted.test(line)),
      ...UNWANTED_IN_CODE.filter((unwanted) => unwanted.test(code[index] ?? '')),
    ]
    return breaches.map((unwanted) => `${path}:${index + 1} has ${unwanted.source}`)
  })
}

/** Specs that would leave others out, or leave themselves out. */
export function focusedSpecs({ path, text }: SourceFile): string[] {
  return [...text.matchAll(/\b(?:describe|context|it)\.(?:only|skip)\(/g)].map(
    ([call]) => `${path} has ${call}`,
  )
}

/** Times and sizes have their unit in the name; of anything else the comment says what is counted. */
const UNIT_IN_NAME = /_(?:BYTES|MS)(?:_|$)/
const COUNTED = /\b[a-z]{2,}s\b/i

export function vagueLimits(limits: readonly Limit[]): string[] {
  return limits
    .filter(({ name, comment }) => {
      return comment === '' || !(UNIT_IN_NAME.test(name) || COUNTED.test(comment))
    })
    .map(({ name }) => `${name} has no comment that says what it bounds`)
}

/** What our own error lines begin with, up to what is filled in; those a text does not have. */
export function undocumentedErrors(files: readonly SourceFile[], document: string): string[] {
  return files.flatMap(({ path, text }) => {
    const lines = [...text.matchAll(/['"`]-?(?<start>ERR ambassador: [^'"`$\\]*)/g)]
    return lines
      .map(({ groups }) => groups?.['start']?.trimEnd() ?? '')
      .filter((start) => !document.includes(start))
      .map((start) => `${path}: ${start}`)
  })
}

/** Messages of log lines that a text does not have. */
export function undocumentedMessages(files: readonly SourceFile[], document: string): string[] {
  const call = /\blogger\.(?:info|warn|error|fatal)\([\s\S]*?,\s*'(?<message>[^']+)',?\s*\)$/gm
  return files.flatMap(({ path, text }) => {
    return [...text.matchAll(call)]
      .map(({ groups }) => groups?.['message'] ?? '')
      .filter((message) => !document.includes(`\`${message}\``))
      .map((message) => `${path}: ${message}`)
  })
}

/** Links to files and names of files in backticks that lead nowhere; `exists` takes a path. */
export function deadReferences(
  { path, text }: SourceFile,
  exists: (path: string) => boolean,
): string[] {
  const links = [...text.matchAll(/\]\((?<to>[^)#\s]+)(?:#[^)]*)?\)/g)]
    .map(({ groups }) => groups?.['to'] ?? '')
    .filter((to) => !/^[a-z]+:/.test(to))
    .map((to) => posix.join(posix.dirname(path), to))
  const names = [
    ...text.matchAll(/`(?<name>(?:lib|spec|docs|bench|examples|config|\.ci)\/[\w./-]*)`/g),
  ].map(({ groups }) => groups?.['name'] ?? '')
  return [...links, ...names].filter((each) => !exists(each)).map((each) => `${path}: ${each}`)
}

/** Folders with more than `filesMax` files of their own: their names say no more what belongs together. */
export function crowdedFolders(paths: readonly string[], filesMax: number): string[] {
  const counts = new Map<string, number>()
  for (const path of paths) {
    const folder = posix.dirname(path)
    counts.set(folder, (counts.get(folder) ?? 0) + 1)
  }
  return [...counts]
    .filter(([, count]) => count > filesMax)
    .map(([folder, count]) => `${folder} has ${count} files`)
}
