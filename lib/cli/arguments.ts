/**
 * Turns the command line into a command with its flags. Throws UsageError for what it cannot
 * understand.
 */
import { parseArgs } from 'node:util'
import { fileOptionName, flagName, type OptionName, variableName } from '../config/schema.ts'
import { hasFlag, WRITTEN_NAMES } from '../config/sources/layers.ts'
import { strictInteger } from '../config/values/formats.ts'
import { didYouMean } from '../config/values/suggest.ts'
import { UsageError } from '../errors.ts'

/** What followed each option's flag, by option name. */
export type Flags = Readonly<Record<string, string>>

export type Command =
  | { readonly name: 'help' | 'version' }
  | { readonly name: 'start' | 'check' | 'healthcheck'; readonly flags: Flags }
  | { readonly name: 'doctor' | 'preflight'; readonly flags: Flags; readonly json: boolean }
  | DiffCommand
  | { readonly name: 'route'; readonly flags: Flags; readonly keys: readonly string[] }
  | { readonly name: 'demo'; readonly once: boolean; readonly port: number | undefined }

export interface DiffCommand {
  readonly name: 'diff'
  readonly flags: Flags
  /** A configuration file or a list of shards. */
  readonly before: string
  readonly after: string
  /** A file with one key on each line; `-` for standard input. */
  readonly keys: string | undefined
  readonly json: boolean
  /** End with 1 when keys move. */
  readonly exitCode: boolean
}

/** Every subcommand, with its line in --help. */
export const COMMANDS = {
  start: 'Serve clients. The default.',
  demo: 'Start three shards and the ambassador, show where keys go (--once: and end; --port N).',
  check: 'Validate the configuration; print it with the source of each value and the ring shares.',
  route: 'Say for each KEY which shard owns it, and why.',
  diff: 'Say what share of the keys moves from OLD to NEW, files or lists of shards (--keys FILE).',
  preflight:
    'Serve as start does; at the end say what --what-if would refuse, and exit with 1 if so (--json).',
  doctor: 'Look at the configuration and each shard; say what is wrong (--json: as JSON).',
  healthcheck: 'Connect to the running ambassador and PING it; for container health checks.',
} as const

type CommandName = keyof typeof COMMANDS

interface Flag {
  readonly type: 'string' | 'boolean'
  readonly short?: string
}

const GENERAL_FLAGS: Readonly<Record<string, Flag>> = {
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'V' },
}

const DEMO_FLAGS: Readonly<Record<string, Flag>> = {
  once: { type: 'boolean' },
  port: { type: 'string' },
}

const REPORT_FLAGS: Readonly<Record<string, Flag>> = {
  json: { type: 'boolean' },
}

const DIFF_FLAGS: Readonly<Record<string, Flag>> = {
  json: { type: 'boolean' },
  keys: { type: 'string' },
  'exit-code': { type: 'boolean' },
}

/** Options that say which part of a file is meant, or how the shards of a list are ringed. */
const DIFF_OPTIONS = ['env', 'pool', 'hash', 'distribution', 'hash-tag', 'byte-sign']

const OPTION_OF_FLAG = new Map(WRITTEN_NAMES.map((name) => [flagName(name), name]))

const OPTION_FLAGS: Readonly<Record<string, Flag>> = Object.fromEntries(
  [...OPTION_OF_FLAG]
    .filter(([, name]) => hasFlag(name))
    .map(([flag]) => [flag, { type: 'string' }]),
)

function hasReport(name: CommandName): name is 'doctor' | 'preflight' {
  return name === 'doctor' || name === 'preflight'
}

/** What a command takes besides --help and --version. */
function flagsOf(name: CommandName): Readonly<Record<string, Flag>> {
  if (name === 'demo') return DEMO_FLAGS
  if (hasReport(name)) return { ...OPTION_FLAGS, ...REPORT_FLAGS }
  if (name !== 'diff') return OPTION_FLAGS
  const options = Object.entries(OPTION_FLAGS).filter(([flag]) => DIFF_OPTIONS.includes(flag))
  return { ...Object.fromEntries(options), ...DIFF_FLAGS }
}

interface Parsed {
  readonly values: ReadonlyMap<string, string | true>
  readonly words: readonly string[]
}

/** Throws UsageError. `words` are the arguments after `node bin.js`. */
export function parseArguments(words: readonly string[]): Command {
  const parsed = parseWords(words)
  if (parsed.values.has('help')) return { name: 'help' }
  if (parsed.values.has('version')) return { name: 'version' }
  const [word = 'start', ...rest] = parsed.words
  const name = commandName(word)
  const allowed = flagsOf(name)
  for (const flag of parsed.values.keys()) {
    if (!Object.hasOwn(allowed, flag)) throw new UsageError(`--${flag} is not a flag of ${name}`)
  }
  if (name === 'route') {
    if (rest.length === 0) throw new UsageError('route needs a KEY')
    return { name, flags: optionFlags(parsed), keys: rest }
  }
  if (name === 'diff') return diffCommand(parsed, rest)
  const [extra] = rest
  if (extra !== undefined)
    throw new UsageError(`${name} takes no argument ${JSON.stringify(extra)}`)
  if (name === 'demo') {
    return { name, once: parsed.values.has('once'), port: demoPort(parsed.values.get('port')) }
  }
  const flags = optionFlags(parsed)
  return hasReport(name) ? { name, flags, json: parsed.values.has('json') } : { name, flags }
}

function diffCommand(parsed: Parsed, words: readonly string[]): DiffCommand {
  const [before, after] = words
  if (before === undefined || after === undefined || words.length > 2) {
    throw new UsageError('diff takes OLD and NEW: configuration files, or lists of shards')
  }
  const { values } = parsed
  const keys = values.get('keys')
  return {
    name: 'diff',
    flags: optionFlags(parsed),
    before,
    after,
    keys: typeof keys === 'string' ? keys : undefined,
    json: values.has('json'),
    exitCode: values.has('exit-code'),
  }
}

function commandName(word: string): CommandName {
  if (Object.hasOwn(COMMANDS, word)) return word as CommandName
  const names = Object.keys(COMMANDS)
  const hint = didYouMean(word, names) || `; there are ${names.join(', ')}`
  throw new UsageError(`there is no command ${JSON.stringify(word.slice(0, 64))}${hint}`)
}

function optionFlags({ values }: Parsed): Flags {
  return Object.fromEntries(
    [...values].flatMap(([flag, value]) => {
      const option = OPTION_OF_FLAG.get(flag)
      return option === undefined ? [] : [[option, String(value)]]
    }),
  )
}

function demoPort(text: string | true | undefined): number | undefined {
  if (typeof text !== 'string') return undefined
  const parsed = strictInteger({ min: 0, max: 65535 }).parse(text)
  if ('value' in parsed) return parsed.value
  throw new UsageError(`--port: ${parsed.problems[0]?.text}`)
}

/**
 * parseArgs is asked for tokens rather than to be strict, since its own errors suggest nothing and
 * repeat what may be a secret (`--pasword=...`).
 */
function parseWords(words: readonly string[]): Parsed {
  const flags = { ...GENERAL_FLAGS, ...DEMO_FLAGS, ...REPORT_FLAGS, ...DIFF_FLAGS, ...OPTION_FLAGS }
  const { tokens } = parseArgs({ args: [...words], options: flags, strict: false, tokens: true })
  const values = new Map<string, string | true>()
  const positionals: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    const flag = Object.hasOwn(flags, token.name) ? flags[token.name] : undefined
    if (flag === undefined) throw unknownFlag(token.name, words[token.index] ?? '', flags)
    if (values.has(token.name)) throw new UsageError(`--${token.name} is given twice`)
    if (flag.type === 'boolean') {
      if (token.value !== undefined) throw new UsageError(`--${token.name} takes no value`)
      values.set(token.name, true)
    } else if (token.value === undefined) {
      throw new UsageError(`--${token.name} needs a value`)
    } else if (/^-./.test(token.value) && !token.inlineValue) {
      const equals = `--${token.name}=VALUE`
      throw new UsageError(`--${token.name} needs a value; one that starts with - as ${equals}`)
    } else {
      values.set(token.name, token.value)
    }
  }
  return { values, words: positionals }
}

function unknownFlag(name: string, word: string, flags: object): UsageError {
  const option = OPTION_OF_FLAG.get(name)
  if (option !== undefined) {
    const file = `--${flagName(fileOptionName(option as OptionName))} FILE`
    const instead = `${variableName(option)} or ${file}`
    return new UsageError(
      `--${name} does not exist: every process list would show it; use ${instead}`,
    )
  }
  const written = word.replace(/=.*/s, '').slice(0, 64)
  if (!written.startsWith('--')) {
    // `-listen` reads as -l -i -s -t -e -n, and the rest of `-phunter2` may be a secret.
    const long = `-${written}`
    const known = Object.hasOwn(flags, long.slice(2))
    return new UsageError(
      known ? `there is no flag ${written}; did you mean "${long}"?` : `there is no flag -${name}`,
    )
  }
  const names = Object.keys(flags).map((flag) => `--${flag}`)
  return new UsageError(`there is no flag ${written}${didYouMean(written, names)}`)
}
