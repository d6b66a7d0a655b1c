/** Addresses, from one configuration to the next. */
import type { Config } from '../config/config.ts'
import { ConfigError } from '../errors.ts'

/**
 * An address leads where it led from the start. Throws ConfigError when its pool is not in the configuration
 * that is to be next.
 */
export function assertEntrancesLead(
  entrances: readonly { readonly pool?: string | undefined }[],
  { pools }: Pick<Config, 'pools'>,
): void {
  const names = new Set(pools.map(({ name }) => name))
  const missing = new Set(
    entrances.flatMap(({ pool }) => (pool === undefined || names.has(pool) ? [] : pool)),
  )
  if (missing.size === 0) return
  throw new ConfigError(
    [...missing].map(
      (name) => `an address leads to the pool ${name}, which can go only with a restart`,
    ),
  )
}
