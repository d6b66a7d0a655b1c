/**
 * Which environment this process runs in: development, staging, production, or a name of the
 * operator's own. The first of these places that names one wins, and the log names the place:
 *
 *   --env, AMBASSADOR_ENV
 *   the pod's labels, then its annotations (Kubernetes downward API volume)
 *   the pod's namespace (the same volume, then the service account's file)
 *   NODE_ENV
 *   else development
 */
import { join, resolve } from 'node:path'
import { ConfigError } from '../../errors.ts'
import { CONFIG_BYTES_MAX } from '../../limits.ts'
import { shown } from '../values/formats.ts'
import { FileError, readTextFile } from './text-file.ts'

export interface Environment {
  readonly name: string
  /** The place that named it, for the log and for `check`. */
  readonly source: string
}

export interface EnvironmentClues {
  /** The value of `--env` or AMBASSADOR_ENV, and which of the two it was. */
  readonly given: Environment | undefined
  /** Where the downward API volume is mounted; usually /etc/podinfo. */
  readonly directory: string
  /** The service account's namespace file. */
  readonly namespaceFile: string
  readonly nodeEnv: string | undefined
  /** Collects the absolute paths of all files that were looked for. */
  readonly files: Set<string>
}

/** Our own layer first: a label `environment` is common, the long one is unambiguous. */
const LABELS = ['environment', 'app.kubernetes.io/environment']

const ABBREVIATIONS = new Map([
  ['prod', 'production'],
  ['stage', 'staging'],
  ['stg', 'staging'],
  ['dev', 'development'],
])

const NAMESPACES = new Set(['production', 'staging', 'development', 'test'])
const NAMESPACE_PREFIXES = ['prod', 'production', 'staging']

/** The environment's name becomes part of a file name, so it can hold no path. */
const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/

/** Throws ConfigError for a name that cannot be one, and for a file that is there but unreadable. */
export function detectEnvironment(clues: EnvironmentClues): Environment {
  const found = clues.given ?? fromPod(clues) ?? fromNodeEnv(clues.nodeEnv)
  if (found === undefined) return { name: 'development', source: 'built-in default' }
  const name = canonical(found.name)
  if (NAME.test(name)) return { name, source: found.source }
  throw new ConfigError([
    `${found.source}: ${shown(found.name)} is not an environment's name ` +
      '(letters, digits, ".", "_" and "-", at most 63)',
  ])
}

function canonical(name: string): string {
  const word = name.toLowerCase()
  return ABBREVIATIONS.get(word) ?? word
}

function fromNodeEnv(value: string | undefined): Environment | undefined {
  return value === undefined || value === '' ? undefined : { name: value, source: 'NODE_ENV' }
}

function fromPod({ directory, namespaceFile, files }: EnvironmentClues): Environment | undefined {
  return (
    fromPairs(join(directory, 'labels'), 'label', files) ??
    fromPairs(join(directory, 'annotations'), 'annotation', files) ??
    fromNamespace(join(directory, 'namespace'), files) ??
    fromNamespace(namespaceFile, files)
  )
}

function fromPairs(file: string, kind: string, files: Set<string>): Environment | undefined {
  const pairs = parsePairs(readOptional(file, files))
  for (const key of LABELS) {
    const name = pairs.get(key)
    if (name !== undefined && name !== '') return { name, source: `${kind} ${key} in ${file}` }
  }
  return undefined
}

/** `prod-shop` counts as production. A namespace without such a word gives no answer. */
function fromNamespace(file: string, files: Set<string>): Environment | undefined {
  const namespace = readOptional(file, files).trim()
  const source = `namespace ${namespace} in ${file}`
  const name = canonical(namespace)
  if (NAMESPACES.has(name)) return { name, source }
  const prefix = NAMESPACE_PREFIXES.find((word) => namespace.startsWith(`${word}-`))
  return prefix === undefined ? undefined : { name: canonical(prefix), source }
}

function readOptional(file: string, files: Set<string>): string {
  files.add(resolve(file))
  try {
    return readTextFile(file, CONFIG_BYTES_MAX).text
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    if (error.absent) return ''
    throw new ConfigError([`${file}: ${error.message}`])
  }
}

/**
 * The downward API writes one `key="value"` a line, the value quoted as by Go's %q
 * (kubernetes/pkg/fieldpath, FormatMap). Lines of any other form are skipped.
 */
export function parsePairs(text: string): Map<string, string> {
  const pairs = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [, key, quoted] = /^([^=]+)="((?:[^"\\]|\\.)*)"\r?$/.exec(line) ?? []
    if (key !== undefined && quoted !== undefined) pairs.set(key, unquote(quoted))
  }
  return pairs
}

const GO_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

function unquote(quoted: string): string {
  return quoted.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/g,
    (_whole, byte, short, long, letter) => {
      const code = byte ?? short ?? long
      if (code === undefined) return GO_ESCAPES[letter] ?? letter
      return String.fromCodePoint(Math.min(Number.parseInt(code, 16), 0x10ffff))
    },
  )
}
