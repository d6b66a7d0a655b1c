/** Which configuration files apply, and their layers. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { ConfigError } from '../../errors.ts'
import { CONFIG_BYTES_MAX } from '../../limits.ts'
import { packageDirectory } from '../package-directory.ts'
import { isRawMap, type Problem, type RawMap, shown } from '../values/formats.ts'
import { didYouMean } from '../values/suggest.ts'
import type { Environment } from './environment.ts'
import { EMPTY_LAYER, type Findings, type Layer, layerOfFile } from './layers.ts'
import { isNutcracker, type NutcrackerPool, readNutcracker } from './nutcracker.ts'
import { FileError, readTextFile } from './text-file.ts'
import { parseYaml } from './yaml.ts'

const EXTENSIONS = ['yaml', 'yml', 'json']

export interface FileChoice {
  /** From `--config` or its variable; undefined: ./config, else the package's own. */
  readonly config: string | undefined
  /** What gave `config`, for messages. */
  readonly configSource: string
  /** The text of a file, in place of files, and the variable that has it. */
  readonly inline: string | undefined
  readonly inlineSource: string
  readonly pool: string | undefined
  readonly environment: Environment
  /** Whether the operator named the environment, so that its file is expected to exist. */
  readonly environmentGiven: boolean
  readonly cwd: string
}

/** The files' layers, the weakest first. */
export function layersOfFiles(choice: FileChoice, findings: Findings): readonly Layer[] {
  const layers =
    choice.inline === undefined ? namedLayers(choice, findings) : [inlineLayer(choice, findings)]
  if (choice.pool !== undefined && !layers.some((layer) => layer.nutcracker)) {
    findings.problems.push('--pool: there is no nutcracker.yml to choose a pool from')
  }
  return layers
}

/** Paths of files with secrets are relative to the working directory, as in a flag. */
function inlineLayer(choice: FileChoice, findings: Findings): Layer {
  const { inline = '', inlineSource: source, config, cwd } = choice
  if (config !== undefined) {
    findings.problems.push(
      `${source}: there is a file named by ${choice.configSource} as well; keep one of the two`,
    )
  }
  return parseLayer({ text: inline, name: source, path: join(cwd, source) }, choice, findings)
}

function namedLayers(choice: FileChoice, findings: Findings): readonly Layer[] {
  const own = join(packageDirectory(), 'config')
  const path = pathOf(choice, own, findings)
  findings.files.add(path)
  const problemsBefore = findings.problems.length
  const files = isDirectory(path) ? filesIn(path, path === own, choice, findings) : [path]
  const layers = files.map((file) => readLayer(file, choice, findings))
  if (choice.config === undefined && path !== own && findings.problems.length > problemsBefore) {
    // The directory may well belong to the application that is started beside us.
    findings.problems.push('./config is read because it is there; --config chooses another')
  }
  return layers
}

/** The file or directory to read: the named one, else ./config if it has a layer, else `own`. */
function pathOf({ config, cwd, environment }: FileChoice, own: string, findings: Findings): string {
  if (config !== undefined) return resolve(cwd, config)
  const local = join(cwd, 'config')
  return hasLayers(local, environment.name, findings) ? local : own
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    // Reading it as a file will tell what is wrong.
    return false
  }
}

/** Many applications have a ./config of their own; it is ours only if it has a layer. */
function hasLayers(directory: string, environment: string, findings: Findings): boolean {
  const files = ['default', environment].flatMap((name) => filesFor(directory, name, findings))
  return files.length > 0
}

/** The files that exist. The paths of the others are remembered, since they may come. */
function filesFor(directory: string, name: string, findings: Findings): string[] {
  const paths = EXTENSIONS.map((extension) => join(directory, `${name}.${extension}`))
  for (const path of paths) findings.files.add(path)
  return paths.filter((path) => existsSync(path))
}

function filesIn(
  directory: string,
  isOwn: boolean,
  choice: FileChoice,
  findings: Findings,
): readonly string[] {
  const { name, source } = choice.environment
  const base = layerFile(directory, 'default', choice.cwd, findings)
  const own = name === 'default' ? base : layerFile(directory, name, choice.cwd, findings)
  if (own.length === 0) {
    const shownDirectory = shown(shortPath(directory, choice.cwd))
    if (base.length === 0) {
      const files = name === 'default' ? 'no default.yaml' : `neither default.yaml nor ${name}.yaml`
      const text = `${shownDirectory} has ${files}`
      findings.problems.push(`${choice.configSource}: ${text}`)
    } else if (choice.environmentGiven && !isOwn) {
      const hint = didYouMean(name, environmentsIn(directory))
      findings.problems.push(`${source}: ${shownDirectory} has no ${name}.yaml${hint}`)
    } else {
      findings.notes.push(
        `there is no ${name}.yaml in ${shownDirectory}; only default.yaml applies`,
      )
    }
  }
  return name === 'default' ? base : [...base, ...own]
}

/** Whether it can be read and has pools, so that one may have to be chosen. */
export function isNutcrackerFile(path: string): boolean {
  try {
    const { value } = parseYaml(readTextFile(path, CONFIG_BYTES_MAX).text, path)
    return value !== undefined && isNutcracker(value)
  } catch {
    // Loading it says what is wrong.
    return false
  }
}

function layerFile(directory: string, name: string, cwd: string, findings: Findings): string[] {
  const found = filesFor(directory, name, findings)
  if (found.length > 1) {
    const names = found.map((path) => shortPath(path, cwd)).join(' and ')
    findings.problems.push(`${names} are the same layer; keep one`)
  }
  return found
}

/** Names of environments that have a file, for a suggestion. */
function environmentsIn(directory: string): string[] {
  return readdirSync(directory).flatMap((file) => {
    const [, name, extension] = /^(.+)\.([a-z]+)$/.exec(file) ?? []
    return name !== undefined && EXTENSIONS.includes(extension ?? '') ? [name] : []
  })
}

/** As the operator would write it: relative where the file lies below the working directory. */
function shortPath(path: string, cwd: string): string {
  const inside = relative(cwd, path)
  return inside === '' || inside.startsWith('..') ? path : inside
}

function readLayer(path: string, choice: FileChoice, findings: Findings): Layer {
  const name = shortPath(path, choice.cwd)
  try {
    const { text } = readTextFile(path, CONFIG_BYTES_MAX)
    return parseLayer({ text, name, path }, choice, findings)
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    findings.incomplete = true
    findings.problems.push(unreadable(path, choice, error))
    return EMPTY_LAYER
  }
}

interface FileText {
  readonly text: string
  /** For messages. */
  readonly name: string
  readonly path: string
}

function parseLayer({ text, name, path }: FileText, choice: FileChoice, findings: Findings): Layer {
  try {
    const { value, lineOf } = parseYaml(text, name)
    const sourceAt = (at: Problem['at']) => `${name}:${lineOf(at)}`
    if (value === undefined) return EMPTY_LAYER
    if (isNutcracker(value)) {
      const layer = layerOfNutcracker(value, choice.pool, sourceAt, findings)
      return { ...layer, nutcracker: true }
    }
    if (isRawMap(value)) return layerOfFile(value, path, sourceAt, findings)
    findings.problems.push(`${name}: ${shown(value)} is not a map of options`)
  } catch (error) {
    findings.incomplete = true
    if (!(error instanceof ConfigError)) throw error
    findings.problems.push(...error.problems)
  }
  return EMPTY_LAYER
}

/** Tells what named the file, if anything did: in a container its path may come from anywhere. */
function unreadable(path: string, choice: FileChoice, { message }: FileError): string {
  const { config, configSource, cwd } = choice
  const name = shortPath(path, cwd)
  const isNamed = config !== undefined && path === resolve(cwd, config)
  return isNamed ? `${configSource}: ${shown(name)} ${message}` : `${name}: ${message}`
}

function layerOfNutcracker(
  pools: RawMap,
  pool: string | undefined,
  sourceAt: (at: Problem['at']) => string,
  findings: Findings,
): Layer {
  const parsed = readNutcracker(pools, pool)
  if (!('value' in parsed)) {
    findings.problems.push(...parsed.problems.map(({ at, text }) => `${sourceAt(at)}: ${text}`))
    findings.incomplete = true
    return EMPTY_LAYER
  }
  const [first, ...others] = parsed.value.map((each) => layerOfPool(each, sourceAt, findings))
  if (first === undefined) return EMPTY_LAYER
  if (others.length === 0) return first.layer
  // Addresses are the process's.
  const listen = [first, ...others].flatMap(({ layer }) => layer.values.listen ?? [])
  const further = new Map(others.map(({ name, layer }) => [name, layer]))
  return {
    ...first.layer,
    values: { ...first.layer.values, listen },
    firstPool: first.name,
    pools: further,
  }
}

function layerOfPool(
  { name, values, paths, notes }: NutcrackerPool,
  sourceAt: (at: Problem['at']) => string,
  findings: Findings,
): { readonly name: string; readonly layer: Layer } {
  findings.notes.push(...notes.map(({ at, text }) => `${sourceAt(at)}: ${text}`))
  const sources = [...paths].map(([option, at]): [string, string] => [
    option,
    at.length > 1 ? sourceAt(at) : "nutcracker's default",
  ])
  return { name, layer: { values, sources: new Map(sources) } }
}
