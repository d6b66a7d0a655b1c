/** Which of the applications' packages are installed, and how to get the others. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageDirectory } from '../../lib/config/package-directory.ts'
import type { Application, Language } from './applications.ts'

/** Not tracked; the scripts are copied there, beside the packages that they import. */
export const NODE_PACKAGES = join(packageDirectory(), '.applications')

const HOW: Readonly<Record<'npm' | 'debian', (names: readonly string[]) => string>> = {
  npm: () =>
    'mkdir -p .applications && cp spec/applications/node/package*.json .applications && npm ci --prefix .applications --ignore-scripts',
  debian: (names) => `apt-get install --no-install-recommends ${names.join(' ')}`,
}

/** What Debian's package of the application only recommends, or the script needs beside it. */
const BESIDE: Readonly<Record<Language, readonly string[]>> = {
  node: [],
  python: ['python3-redis'],
  ruby: [],
  php: ['php-cli', 'php-redis', 'php-predis', 'php-illuminate-redis'],
}

/** Undefined: it is not installed. */
export function versionOf({ language, package: name }: Application): string | undefined {
  return language === 'node' ? npmVersion(name) : debianVersion(name)
}

function npmVersion(name: string): string | undefined {
  const path = join(NODE_PACKAGES, 'node_modules', name, 'package.json')
  if (!existsSync(path)) return undefined
  return (JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }).version
}

function debianVersion(name: string): string | undefined {
  try {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is dpkg's.
    const args = ['-W', '-f', '${db:Status-Status} ${Version}', name]
    const text = execFileSync('dpkg-query', args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return /^installed (?<version>.+)$/.exec(text)?.groups?.['version']
  } catch {
    return undefined
  }
}

/** A line for each kind of packages that is missing. */
export function howToGet(missing: readonly Application[]): string[] {
  const npm = missing.filter(({ language }) => language === 'node')
  const debian = missing
    .filter(({ language }) => language !== 'node')
    .flatMap(({ language, package: name }) => [name, ...BESIDE[language]])
  return [
    ...(npm.length === 0 ? [] : [`npm's: ${HOW.npm([])}`]),
    ...(debian.length === 0 ? [] : [`Debian's: ${HOW.debian([...new Set(debian)])}`]),
  ]
}
