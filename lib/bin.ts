#!/usr/bin/env node
/** The process: from arguments to a subcommand, from what it throws to an exit code. */
import { type Command, parseArguments } from './cli/arguments.ts'
import { checkText } from './cli/check.ts'
import { runDemo } from './cli/demo.ts'
import { runDiff } from './cli/diff.ts'
import { type Report, runDoctor } from './cli/doctor.ts'
import { runHealthcheck } from './cli/healthcheck.ts'
import { helpText } from './cli/help.ts'
import { routeText } from './cli/route.ts'
import { runStart } from './cli/start.ts'
import { loadConfig } from './config/load.ts'
import { packageVersion } from './config/package-directory.ts'
import { ConfigError, EXIT, UsageError } from './errors.ts'

function complain(text: string): void {
  process.stderr.write(text)
}

function print(text: string): number {
  // `redis-ambassador --help | head -1`: a reader that has enough is no failure.
  process.stdout.on('error', () => process.exit())
  process.stdout.write(text)
  return EXIT.ok
}

function printReport({ text, code }: Report): number {
  print(text)
  return code
}

async function run(command: Command): Promise<number> {
  switch (command.name) {
    case 'help':
      return print(helpText())
    case 'version':
      return print(`redis-ambassador ${packageVersion()}\n`)
    case 'start':
      return await runStart(() => loadConfig({ flags: command.flags }))
    case 'check':
      return print(checkText(loadConfig({ flags: command.flags })))
    case 'route':
      return print(routeText(loadConfig({ flags: command.flags }), command.keys))
    case 'healthcheck':
      return await runHealthcheck(loadConfig({ flags: command.flags }), complain)
    case 'diff':
      return printReport(await runDiff(command))
    case 'doctor':
      return printReport(await runDoctor(loadConfig({ flags: command.flags }), command))
    case 'demo':
      return await runDemo(command)
  }
}

function report(error: unknown): number {
  if (error instanceof UsageError) {
    complain(`redis-ambassador: ${error.message}\nTry: redis-ambassador --help\n`)
    return EXIT.usage
  }
  if (error instanceof ConfigError) {
    complain(error.problems.map((problem) => `redis-ambassador: ${problem}\n`).join(''))
    return EXIT.config
  }
  complain(`redis-ambassador: ${error instanceof Error ? error.stack : String(error)}\n`)
  return EXIT.runtime
}

try {
  const command = parseArguments(process.argv.slice(2))
  process.exitCode = await run(command)
  // What the others print may still be on its way to a pipe; `start` has waited for its log, and
  // must end even if something keeps the event loop busy, as a name server without an answer does
  // with `doctor`, whose text has been written.
  if (command.name === 'start') process.exit()
  if (command.name === 'doctor') process.stdout.write('', () => process.exit())
} catch (error) {
  process.exitCode = report(error)
}
