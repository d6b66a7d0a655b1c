/** `preflight`: serves as `start` does, and says at the end what the configuration to come would refuse. */
import type { Ambassador } from '../../ambassador.ts'
import type { Config } from '../../config/config.ts'
import { ConfigError, EXIT } from '../../errors.ts'
import { reportText } from '../../stats/preflight/report-text.ts'
import type { Signals } from '../signals.ts'
import { runStart } from './start.ts'

/**
 * Resolves to the exit code: 1 when something would be refused. Throws ConfigError as `start` does, and when
 * `whatIf` is missing. The report goes to standard output, the log to standard error.
 */
export async function runPreflight(
  loadAsWritten: () => Config,
  signals: Signals,
  { json }: { readonly json: boolean },
): Promise<number> {
  const load = (): Config => {
    const config = loadAsWritten()
    if (config.whatIf !== undefined) return config
    throw new ConfigError(
      ['preflight needs the configuration that is to come: --what-if FILE, or --what-if SHARDS'],
      config.process.files,
    )
  }
  const report = async ({ preflight }: Pick<Ambassador, 'preflight'>): Promise<number> => {
    if (preflight === undefined) return EXIT.ok
    const text = json ? `${JSON.stringify(preflight, null, 2)}\n` : reportText(preflight)
    await new Promise<void>((resolve) => process.stdout.write(text, () => resolve()))
    return preflight.refused === 0 ? EXIT.ok : EXIT.runtime
  }
  return await runStart(load, signals, { logTo: process.stderr, report })
}
