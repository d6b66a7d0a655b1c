/**
 * Runs mocha with the options of `.mocharc.json`. Without files, as `npm test` does: all specs but those
 * that need a program which is not installed; a line at the beginning and at the end says so. With files,
 * as `npm run spec -- FILE... [OPTION...]` does: those alone, to which mocha itself would add the files
 * that are named there.
 */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { ABOUT_ONE_PROCESS } from './one-process.ts'
import { lackOf, lackText } from './programs.ts'

/** Debian has nutcracker in a directory that is not on the PATH of ordinary users. */
const PATH = [process.env['PATH'] ?? '', '/usr/local/sbin', '/usr/sbin'].join(delimiter)

const { spec, ignore, ...options } = JSON.parse(readFileSync('.mocharc.json', 'utf8')) as {
  readonly spec: readonly string[]
  readonly ignore: readonly string[]
  readonly [option: string]: unknown
}
const given = process.argv.slice(2).map(compiled)
removeStale()
process.exitCode = given.some((argument) => /\.spec\.js$/.test(argument))
  ? mocha(given)
  : allThatCanRun()

function allThatCanRun(): number {
  const sources = readdirSync('spec', { recursive: true, encoding: 'utf8' })
    .map((path) => `spec/${path}`)
    .filter((path) => path.endsWith('.spec.ts') && !isIgnored(compiled(path)))
  const lack = lackOf(sources, (path) => readFileSync(path, 'utf8'), isInstalled)
  const notNow = process.env['SPEC_WORKERS'] === undefined ? [] : Object.keys(ABOUT_ONE_PROCESS)
  const ignored = [...ignore, ...[...lack.specs, ...notNow].map(compiled)]
  const without = ignored.map((path) => `--ignore=${path}`)
  const args = [...spec, ...without, ...given]
  if (lack.programs.length === 0) return mocha(args)
  const line = `${lackText(lack, sources.length)}\n`
  process.stdout.write(line)
  const code = mocha(args)
  process.stdout.write(line)
  // A machine that is there to run all of them has no excuse.
  return code === 0 && process.env['CI'] !== undefined ? 1 : code
}

/** What was compiled from a file that is gone, or has another name now: mocha would run it. */
function removeStale(): void {
  for (const path of readdirSync('build', { recursive: true, encoding: 'utf8' })) {
    if (!/\.js(?:\.map)?$/.test(path)) continue
    if (!existsSync(path.replace(/\.js(?:\.map)?$/, '.ts'))) rmSync(join('build', path))
  }
}

function mocha(args: readonly string[]): number {
  const flags = Object.entries(options).map(([name, value]) => `--${name}=${value}`)
  const command = ['node_modules/mocha/bin/mocha.js', '--no-config', ...flags, ...args]
  const { status } = spawnSync(process.execPath, command, {
    stdio: 'inherit',
    env: { ...process.env, PATH },
  })
  return status ?? 1
}

/** `spec/resp/encode.spec.ts` is compiled to `build/spec/resp/encode.spec.js`. */
function compiled(argument: string): string {
  return argument.replace(/^(?:\.\/)?(spec\/.*)\.ts$/, 'build/$1.js')
}

function isIgnored(path: string): boolean {
  return ignore.some((pattern) => path.startsWith(pattern.replace(/\*\*$/, '')))
}

function isInstalled(program: string): boolean {
  return PATH.split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK)
      return directory !== ''
    } catch {
      return false
    }
  })
}
