/**
 * The configuration from an object, for a program that embeds the ambassador. Names, forms and strictness
 * are those of a configuration file. No file, variable or flag is read.
 */
import { ConfigError } from '../../errors.ts'
import type { Config } from '../config.ts'
import type { OPTIONS, OptionName, Settings } from '../schema.ts'
import type { Problem, Raw, RawMap } from '../values/formats.ts'
import { type Findings, type Layer, layerOfFile } from './layers.ts'
import { resolveLayers } from './resolve.ts'
import { withWhatIf } from './what-if.ts'

/** A value as a YAML or JSON file may hold it. */
export type WrittenValue =
  | string
  | number
  | boolean
  | null
  | readonly WrittenValue[]
  | { readonly [key: string]: WrittenValue | undefined }

type Row<Name extends OptionName> = (typeof OPTIONS)[Name]

/** The embedding program decides on its own files, environment, log and processes: these are no options of ours. */
type EmbeddedName = {
  [Name in OptionName]: Row<Name> extends { readonly part: 'input' } ? never : Name
}[Exclude<OptionName, 'logLevel' | 'logFormat' | 'workers'>]

type SecretName = {
  [Name in OptionName]: Row<Name> extends { readonly secret: true } ? Name : never
}[OptionName]

/** A choice takes its words, a number takes a number; a list or an address is written as in a file. */
type Written<Value> = Value extends string ? Value : Value extends number ? Value : WrittenValue

/**
 * The options, written as in a configuration file. All but `shards` have defaults or may be left out. The
 * table in docs/configuration.md says what each of them means.
 */
export type AmbassadorOptions = {
  readonly shards: WrittenValue
} & {
  readonly [Name in EmbeddedName]?: Written<NonNullable<Settings[Name]>> | undefined
} & {
  readonly [Name in SecretName as `${Name}File`]?: string | undefined
}

/** The process is another program's: there is no admin endpoint unless that program asks for it. */
const EMBEDDED_DEFAULTS: Layer = { values: { adminListen: 'off' }, sources: new Map() }

const NO_WORKERS = 'options: workers are processes, which only the program redis-ambassador starts'

const ENVIRONMENT = { name: 'embedded', source: 'createAmbassador' }

/** Throws ConfigError with one line for each mistake. The result is frozen. */
export function configOfObject(options: AmbassadorOptions): Config {
  const findings: Findings = { problems: [], notes: [], files: new Set(), incomplete: false }
  const raw = toRaw(options) as RawMap
  // Paths of files with secrets are relative to the working directory, as in a flag.
  const layer = layerOfFile(raw, './options', placeOf, findings)
  if (!layer.sources.has('shards')) {
    findings.problems.push('options: there are no shards; name them as { shards: ... }')
    throw new ConfigError(findings.problems)
  }
  const config = resolveLayers([EMBEDDED_DEFAULTS, layer], ENVIRONMENT, findings)
  if (config.process.workers > 1) throw new ConfigError([NO_WORKERS])
  return withWhatIf(config, (path) => {
    throw new ConfigError([`${path} is not read here: name shards`])
  })
}

/** Scalars become the text that a file would hold, which the strict formats then judge. */
function toRaw(value: WrittenValue): Raw {
  if (value === null) return null
  if (typeof value !== 'object') return String(value)
  if (Array.isArray(value)) return value.map(toRaw)
  const given: [string, Raw][] = []
  for (const [key, item] of Object.entries(value)) {
    if (item !== undefined) given.push([key, toRaw(item)])
  }
  return Object.fromEntries(given)
}

/** `options` for an option as a whole, which the message names; `options.shards[1]` for an item. */
function placeOf([name, ...rest]: Problem['at']): string {
  if (rest.length === 0) return 'options'
  const path = rest.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
  return `options.${name}${path.join('')}`
}
