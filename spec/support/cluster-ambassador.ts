/** The ambassador in the process of the spec, in front of a Redis Cluster. */
import type { Logger } from '../../lib/logger.ts'
import { type AmbassadorUnderTest, SILENT, startAmbassadorFor } from './ambassador.ts'

/** `seeds`: `host:port`, with commas between them. */
export async function startAmbassadorForCluster(
  seeds: string,
  flags: Readonly<Record<string, string>> = {},
  logger: Logger = SILENT,
): Promise<AmbassadorUnderTest> {
  const shards = `redis+cluster://${seeds}`
  return startAmbassadorFor([], { shards, ...flags }, logger)
}
