/**
 * From values as written (flags, variables, a file's keys) to parsed layers, each value with its
 * source, all mistakes collected.
 */
import { dirname, resolve } from 'node:path'
import { CONFIG_BYTES_MAX, POOLS_MAX, SECRET_BYTES_MAX } from '../../limits.ts'
import { poolNameProblem } from '../pool-name.ts'
import {
  fileOptionName,
  flagName,
  OPTION_NAMES,
  type OptionName,
  type OptionPart,
  optionOf,
  type Settings,
  variableName,
} from '../schema.ts'
import { isRawMap, type Problem, type Raw, type RawMap, shown } from '../values/formats.ts'
import { didYouMean } from '../values/suggest.ts'
import { namesFile } from '../values/what-if.ts'
import { FileError, readTextFile } from './text-file.ts'

export interface Layer {
  readonly values: Partial<Settings>
  /** By option name: what set it. */
  readonly sources: ReadonlyMap<string, string>
  /** The options of further pools, by name. */
  readonly pools?: ReadonlyMap<string, Layer>
  /** What the options that stand at the top are called; not there: the pool `default`. */
  readonly firstPool?: string
  /** It comes from a nutcracker.yml. */
  readonly nutcracker?: true
}

export const EMPTY_LAYER: Layer = { values: {}, sources: new Map() }

/** What the whole load has found so far. */
export interface Findings {
  readonly problems: string[]
  readonly notes: string[]
  /** Absolute paths of all files that were read, or would have been if they were there. */
  readonly files: Set<string>
  /** A file could not be read: what seems to be missing may be in it. */
  incomplete: boolean
}

/** One value as written. */
interface Entry {
  /** The option, or `<secret>File`. */
  readonly name: string
  readonly raw: Raw
  /** The flag, variable or `file:line` for messages; inside a list, of the item. */
  readonly sourceAt: (at: Problem['at']) => string
  /** Against which a relative path of a file that holds the value is resolved. */
  readonly directory: string
}

const SECRET_FILES = new Map(
  OPTION_NAMES.filter((name) => optionOf(name).secret === true).map((name) => [
    fileOptionName(name),
    name,
  ]),
)

/** All names that can be written for options, secrets' files included. */
export const WRITTEN_NAMES: readonly string[] = [...OPTION_NAMES, ...SECRET_FILES.keys()]

/** Whether a flag of this name exists. A secret in a flag would be in every process list. */
export function hasFlag(name: string): boolean {
  return SECRET_FILES.has(name) || optionOf(name as OptionName).secret !== true
}

/** From `--listen ADDRESS` and so on, by option name. Only names that have flags are expected. */
export function layerOfFlags(
  flags: Readonly<Record<string, string>>,
  cwd: string,
  findings: Findings,
): Layer {
  const entries = Object.entries(flags).map(([name, raw]): Entry => {
    const source = `--${flagName(name)}`
    return { name, raw, sourceAt: () => source, directory: cwd }
  })
  return parseEntries(entries, findings)
}

/** From AMBASSADOR_* variables. An empty one is as good as none. */
export function layerOfVariables(env: NodeJS.ProcessEnv, cwd: string, findings: Findings): Layer {
  const names = new Map(WRITTEN_NAMES.map((name) => [variableName(name), name]))
  const entries: Entry[] = []
  for (const [variable, raw] of Object.entries(env)) {
    if (!variable.startsWith('AMBASSADOR_') || raw === undefined) continue
    const name = names.get(variable)
    if (name !== undefined) {
      entries.push({ name, raw, sourceAt: () => variable, directory: cwd })
    } else if (raw !== '' && !isServiceLink(variable, raw)) {
      const hint = didYouMean(variable, [...names.keys()])
      findings.problems.push(`${variable}: there is no such variable${hint}`)
    }
  }
  return parseEntries(entries.filter(isSet), findings)
}

/**
 * Kubernetes and old Docker links describe a service called `ambassador` or `ambassador-...` in
 * variables that start like ours.
 */
function isServiceLink(variable: string, value: string): boolean {
  return (
    /_SERVICE_(?:HOST|PORT)(?:_[A-Z0-9_]+)?$/.test(variable) ||
    /_PORT_[0-9]+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?$/.test(variable) ||
    /^(?:tcp|udp|sctp):\/\//.test(value)
  )
}

/** The key of a file under which further pools stand, each with options of its own. */
const POOLS = 'pools'

/** From a file's top-level keys. `sourceAt` gives the line of a path inside the file. */
export function layerOfFile(
  { [POOLS]: pools, ...map }: RawMap,
  path: string,
  sourceAt: SourceAt,
  findings: Findings,
): Layer {
  const isAllowed = (name: string) => partOf(name) !== 'input'
  const layer = layerOfMap(map, path, sourceAt, isAllowed, findings)
  if (pools === undefined || pools === null) return layer
  return { ...layer, pools: layersOfPools(pools, path, sourceAt, findings) }
}

type SourceAt = (at: Problem['at']) => string

function layersOfPools(
  pools: Raw,
  path: string,
  sourceAt: SourceAt,
  findings: Findings,
): ReadonlyMap<string, Layer> {
  const layers = new Map<string, Layer>()
  const complain = (at: Problem['at'], text: string) => {
    findings.problems.push(`${sourceAt([POOLS, ...at])}: ${text}`)
  }
  if (!isRawMap(pools)) complain([], `${shown(pools)} is not a map of pools, each with its options`)
  else if (Object.keys(pools).length > POOLS_MAX) complain([], `has more than ${POOLS_MAX} pools`)
  else {
    const isAllowed = (name: string) => partOf(name) === 'pool'
    for (const [name, map] of Object.entries(pools)) {
      const problem = poolNameProblem(name)
      if (problem !== undefined) complain([name], `pool ${shown(name)} ${problem}`)
      else if (!isRawMap(map)) complain([name], `pool ${shown(name)} is not a map of options`)
      else {
        const at = (inner: Problem['at']) => sourceAt([POOLS, name, ...inner])
        layers.set(name, layerOfMap(map, path, at, isAllowed, findings))
      }
    }
  }
  return layers
}

/** Of the options in `map` those that `isAllowed`; the others are mistakes. */
function layerOfMap(
  map: RawMap,
  path: string,
  sourceAt: SourceAt,
  isAllowed: (name: string) => boolean,
  findings: Findings,
): Layer {
  const entries: Entry[] = []
  const allowed = WRITTEN_NAMES.filter(isAllowed)
  for (const [name, raw] of Object.entries(map)) {
    if (allowed.includes(name)) {
      const at = (inner: Problem['at']) => sourceAt([name, ...inner])
      entries.push({ name, raw, sourceAt: at, directory: dirname(path) })
    } else {
      findings.problems.push(`${sourceAt([name])}: ${misplaced(name, allowed)}`)
    }
  }
  const named = (entry: Entry, text: string) => `${entry.name}: ${text}`
  return parseEntries(entries.filter(isSet), findings, named)
}

function misplaced(name: string, allowed: readonly string[]): string {
  if (partOf(name) === 'input') {
    const where = `--${flagName(name)} or ${variableName(name)}`
    return `${name} cannot be set in a file; use ${where}`
  }
  if (WRITTEN_NAMES.includes(name)) {
    return `${name} is no option of a pool; it stands at the top of the file`
  }
  return `there is no option ${shown(name)}${didYouMean(name, allowed)}`
}

/** Undefined: there is no such option. */
function partOf(name: string): OptionPart | undefined {
  const option = SECRET_FILES.get(name) ?? OPTION_NAMES.find((each) => each === name)
  return option && optionOf(option).part
}

function isSet({ name, raw }: Entry): boolean {
  const empty = raw === '' || raw === null
  return !empty || OPTION_NAMES.some((option) => option === name && optionOf(option).emptyIsValue)
}

function parseEntries(
  entries: readonly Entry[],
  findings: Findings,
  /** The source of a flag names its option; a line of a file does not. */
  named: (entry: Entry, text: string) => string = (_entry, text) => text,
): Layer {
  const values: Record<string, unknown> = {}
  const sources = new Map<string, string>()
  for (const entry of entries) {
    const secret = SECRET_FILES.get(entry.name)
    const option = secret ?? (entry.name as OptionName)
    const source = entry.sourceAt([])
    const other = sources.get(option)
    if (other !== undefined) {
      findings.problems.push(`${source}: ${option} is already set by ${other}; keep one of the two`)
      continue
    }
    sources.set(option, secret === undefined ? source : `${source} (${String(entry.raw)})`)
    const raw = readIfFile(entry, option, secret !== undefined, findings)
    if (raw === undefined) continue
    const parsed = optionOf(option).format.parse(raw)
    if ('value' in parsed) values[option] = parsed.value
    else {
      for (const { at, text } of parsed.problems) {
        findings.problems.push(`${entry.sourceAt(at)}: ${named(entry, text)}`)
      }
    }
  }
  return { values: values as Partial<Settings>, sources }
}

/** What the option's format takes: a secret's text, a file with its path, else what was written. */
function readIfFile(
  entry: Entry,
  option: OptionName,
  holdsSecret: boolean,
  findings: Findings,
): Raw | undefined {
  const { file, path } = optionOf(option)
  if (path !== undefined && typeof entry.raw === 'string') {
    const isPath = path === true || namesFile(entry.raw, entry.directory)
    return isPath ? resolve(entry.directory, entry.raw) : entry.raw
  }
  if (!holdsSecret && file === undefined) return entry.raw
  const isPrivate = holdsSecret || file === 'private'
  // A bundle of all authorities there are takes 220 KB.
  const bytesMax = holdsSecret ? SECRET_BYTES_MAX : CONFIG_BYTES_MAX
  const read = readNamedFile(entry, bytesMax, isPrivate, findings)
  // Without the line end that editors and `echo` put there.
  return holdsSecret ? read?.text.replace(/\r?\n$/, '') : read
}

function readNamedFile(
  { raw, directory, sourceAt }: Entry,
  bytesMax: number,
  isPrivate: boolean,
  findings: Findings,
): { path: string; text: string } | undefined {
  if (typeof raw !== 'string') {
    findings.problems.push(`${sourceAt([])}: ${shown(raw)} is not the path of a file`)
    return undefined
  }
  const path = resolve(directory, raw)
  try {
    findings.files.add(path)
    const { text, mode } = readTextFile(path, bytesMax)
    if (isPrivate && (mode & 0o004) !== 0) {
      const octal = mode.toString(8).padStart(4, '0')
      findings.notes.push(`${path} holds a secret and is readable by every user (mode ${octal})`)
    }
    return { path, text }
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    findings.problems.push(`${sourceAt([])}: ${shown(path)} ${error.message}`)
    return undefined
  }
}
