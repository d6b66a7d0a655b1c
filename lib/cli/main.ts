/**
 * Runs the subcommand that the arguments name, and turns what it throws into an exit code. Subcommands
 * are loaded when they run: `healthcheck` is started every few seconds, and takes half the time and
 * memory without the others.
 */
import { packageVersion } from '../config/package-directory.ts'
import { loadAddresses, loadConfig } from '../config/sources/load.ts'
import { ConfigError, EXIT, UsageError } from '../errors.ts'
import { type Command, parseArguments } from './arguments.ts'
import type { Report } from './doctor.ts'
import { runHealthcheck } from './healthcheck.ts'
import { helpText } from './help.ts'
import type { Signals } from './signals.ts'
import { WORKER_WORD } from './start/worker-word.ts'
import { keepYoungGenerationSmall, letYoungGenerationGrow } from './start/young-generation.ts'

function complain(text: string): void {
  process.stderr.write(text)
}

function print(text: string): number {
  // A reader that closes early is no failure: `redis-ambassador --help | head -1`.
  process.stdout.on('error', () => process.exit())
  process.stdout.write(text)
  return EXIT.ok
}

function printReport({ text, code }: Report): number {
  print(text)
  return code
}

/** Whether the command runs until it is told to stop. */
function serves({ name }: Command): boolean {
  return name === 'start' || name === 'preflight'
}

async function run(command: Command, signals: Signals): Promise<number> {
  // Signals end the other commands at once.
  if (!serves(command)) {
    signals.release()
    letYoungGenerationGrow()
  }
  switch (command.name) {
    case 'help':
      return print(helpText())
    case 'version':
      return print(`redis-ambassador ${packageVersion()}\n`)
    case 'start': {
      const { runStart } = await import('./start/start.ts')
      return await runStart(() => loadConfig({ flags: command.flags }), signals)
    }
    case 'preflight': {
      const { runPreflight } = await import('./start/preflight.ts')
      return await runPreflight(() => loadConfig({ flags: command.flags }), signals, command)
    }
    case 'check': {
      const { checkText } = await import('./check.ts')
      return print(checkText(loadConfig({ flags: command.flags })))
    }
    case 'route': {
      const { routeText } = await import('./route.ts')
      return print(await routeText(loadConfig({ flags: command.flags }), command.keys))
    }
    case 'healthcheck': {
      const addresses = loadAddresses({ flags: command.flags })
      const code = await runHealthcheck(addresses, complain)
      // It may have asked at the wrong place because of these problems.
      if (code !== EXIT.ok && addresses.problems.length > 0) {
        throw new ConfigError(addresses.problems)
      }
      return code
    }
    case 'diff': {
      const { runDiff } = await import('./diff/diff.ts')
      return printReport(await runDiff(command))
    }
    case 'doctor': {
      const { runDoctor } = await import('./doctor.ts')
      return printReport(await runDoctor(loadConfig({ flags: command.flags }), command))
    }
    case 'demo': {
      const { runDemo } = await import('./demo/demo.ts')
      return await runDemo(command)
    }
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

/**
 * Runs what `words` say, the arguments after `node bin.js`, and sets the exit code. `served` is called at the
 * end of a command that served, or of a worker.
 */
export async function main(
  words: readonly string[],
  signals: Signals,
  served: () => void,
): Promise<void> {
  keepYoungGenerationSmall()
  // Somebody who types it gets the error of an unknown command.
  if (words[0] === WORKER_WORD && process.send !== undefined) {
    const { runWorker } = await import('./start/worker.ts')
    runWorker(signals, served)
    return
  }
  try {
    const command = parseArguments(words)
    process.exitCode = await run(command, signals)
    // Serving commands have waited until all is written, and must end even if something keeps the
    // event loop alive. The output of other commands may still be on its way to a pipe.
    if (serves(command)) {
      served()
      process.exit()
    }
    if (command.name === 'doctor') process.stdout.write('', () => process.exit())
  } catch (error) {
    process.exitCode = report(error)
  }
}
