/**
 * Which programs a spec starts, read from its text and from the specs' own files that it imports; and
 * how to get those that are not installed.
 */
import { posix } from 'node:path'

/**
 * Programs that not every machine has, with the packages that have them. (kubectl is not among them: the
 * spec that would like it looks for it.)
 */
const PACKAGES: Readonly<Record<string, { readonly debian: string; readonly homebrew: string }>> = {
  'redis-server': { debian: 'redis-server', homebrew: 'redis' },
  'redis-cli': { debian: 'redis-tools', homebrew: 'redis' },
  'redis-benchmark': { debian: 'redis-tools', homebrew: 'redis' },
  'redis-sentinel': { debian: 'redis-sentinel', homebrew: 'redis' },
  nutcracker: { debian: 'nutcracker', homebrew: 'twemproxy' },
  promtool: { debian: 'prometheus', homebrew: 'prometheus' },
  openssl: { debian: 'openssl', homebrew: 'openssl' },
}

const STARTED =
  /(?:\bcommand(?::| =)|\b(?:runChild|startChild|spawn|execFile|execFileSync)\()\s*'(?<name>[a-z-]+)'/g
/** In a comment, where what the spec starts starts the program. */
const NEEDED = /@needs (?<name>[a-z-]+)/g
const IMPORTED = /^(?:(?:import|export)\b[^'"`;]*|\} )\bfrom '(?<from>\.[^']+)'/gm

/** `read` gives the text of a file by its path from the package's root. */
export type ReadFile = (path: string) => string

export function programsOf(spec: string, read: ReadFile): ReadonlySet<string> {
  const programs = new Set<string>()
  const seen = new Set([spec])
  for (const path of seen) {
    const text = read(path)
    for (const { groups } of [...text.matchAll(STARTED), ...text.matchAll(NEEDED)]) {
      const name = groups?.['name'] ?? ''
      if (PACKAGES[name] !== undefined) programs.add(name)
    }
    for (const { groups } of text.matchAll(IMPORTED)) {
      const imported = posix.join(posix.dirname(path), groups?.['from'] ?? '')
      if (imported.startsWith('spec/')) seen.add(imported)
    }
  }
  return programs
}

export interface Lack {
  /** Programs that are not installed, in the order of the alphabet. */
  readonly programs: readonly string[]
  /** The specs that start one of them. */
  readonly specs: readonly string[]
}

export function lackOf(
  specs: readonly string[],
  read: ReadFile,
  isInstalled: (program: string) => boolean,
): Lack {
  const missing = new Set<string>()
  const without: string[] = []
  for (const spec of specs) {
    const lacking = [...programsOf(spec, read)].filter((program) => !isInstalled(program))
    for (const program of lacking) missing.add(program)
    if (lacking.length > 0) without.push(spec)
  }
  return { programs: [...missing].sort(), specs: without }
}

/** One line: what is missing, what is left out for it, and how to get it. */
export function lackText({ programs, specs }: Lack, specCount: number): string {
  return (
    `missing: ${programs.join(', ')}; ${specs.length} of ${specCount} spec files are left out. ` +
    `Debian, Ubuntu: apt-get install ${packages(programs, 'debian')}; ` +
    `macOS: brew install ${packages(programs, 'homebrew')}`
  )
}

/** What to install, by the names that the system's package manager knows. */
export function packages(programs: readonly string[], system: 'debian' | 'homebrew'): string {
  const names = programs.map((program) => PACKAGES[program]?.[system] ?? program)
  return [...new Set(names)].join(' ')
}
