/** The real command, `node dist/bin.js`, as a child process. */
import { fileURLToPath } from 'node:url'
import { type Child, runChild, startChild } from './child.ts'

export const BIN = fileURLToPath(new URL('../../../dist/bin.js', import.meta.url))

/** How many workers the ambassadors of the specs have: two-workers.ts has more. */
export const SPEC_WORKERS = Number(process.env['SPEC_WORKERS'] ?? '1')

/** An environment without anything of the machine that the spec runs on, plus these variables. */
export function cleanEnvironment(variables: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const kept = ['PATH', 'NODE_V8_COVERAGE'].map((name) => [name, process.env[name]])
  return {
    ...Object.fromEntries(kept.filter(([, value]) => value !== undefined)),
    AMBASSADOR_ENVIRONMENT_DIRECTORY: '/nonexistent',
    AMBASSADOR_NAMESPACE_FILE: '/nonexistent',
    ...variables,
  }
}

export function runBin(args: readonly string[], variables: NodeJS.ProcessEnv = {}) {
  return runChild(process.execPath, [BIN, ...args], { env: cleanEnvironment(variables) })
}

const WORKERS = SPEC_WORKERS === 1 ? {} : { AMBASSADOR_WORKERS: `${SPEC_WORKERS}` }

/** Resolves once it accepts clients, or once it has printed `readyLog`. */
export function startBin(
  args: readonly string[],
  variables: NodeJS.ProcessEnv,
  readyLog = 'accepting clients',
): Promise<Child> {
  return startChild({
    command: process.execPath,
    args: [BIN, ...args],
    env: cleanEnvironment({ ...WORKERS, ...variables }),
    ready: { log: readyLog },
  })
}
