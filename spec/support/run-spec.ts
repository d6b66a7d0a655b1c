/**
 * `npm run spec -- FILE... [OPTION...]`: runs some spec files alone, with the options of
 * `.mocharc.json`. Mocha itself would add the files that are named there to those on the command line.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** `spec/resp/encode.spec.ts` is compiled to `build/spec/resp/encode.spec.js`. */
function compiled(argument: string): string {
  return argument.replace(/^(?:\.\/)?(spec\/.*)\.ts$/, 'build/$1.js')
}

const { spec: _, ignore: __, ...options } = JSON.parse(readFileSync('.mocharc.json', 'utf8'))
const flags = Object.entries(options).map(([name, value]) => `--${name}=${value}`)
const files = process.argv.slice(2).map(compiled)
const mocha = ['node_modules/mocha/bin/mocha.js', '--no-config', ...flags, ...files]
const { status } = spawnSync(process.execPath, mocha, { stdio: 'inherit' })
process.exitCode = status ?? 1
