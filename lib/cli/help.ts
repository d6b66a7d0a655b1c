/** The text of --help. */
import { optionsHelp } from '../config/options-text.ts'
import { COMMANDS } from './arguments.ts'

export function helpText(): string {
  const commands = Object.entries(COMMANDS).map(([name, line]) => `  ${name.padEnd(12)} ${line}\n`)
  return `redis-ambassador: your app talks to localhost, its keys live on many Redis servers

Usage: redis-ambassador [COMMAND] [--FLAG VALUE]...
       redis-ambassador route [--FLAG VALUE]... KEY...

Commands:
${commands.join('')}
Options. A flag wins over its variable, a variable over <environment>.yaml, that over
default.yaml; in files the names are written like requestTimeoutMs.
${optionsHelp()}
  -h, --help
  -V, --version

Exit codes: 0 done, 1 failed while running, 64 wrong usage, 69 address in use,
78 wrong configuration.
`
}
