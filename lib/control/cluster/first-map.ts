/** Asks seeds one after the other for a cluster's map, once: for tools, which do not follow it. */
import { errorText } from '../../errors.ts'
import { addressKey } from '../server-address.ts'
import { Askers, type AskersOptions } from './askers.ts'
import { seedCandidates } from './seeds.ts'
import { type ClusterView, type NodeAddress, viewOf } from './view.ts'

export interface FirstMap {
  /** Undefined: no seed has told one. */
  readonly view: ClusterView | undefined
  /** Seeds that did not tell it, and why; safe to show. */
  readonly failures: readonly { readonly address: string; readonly reason: string }[]
}

/** Never rejects. */
export async function readFirstMap(
  seeds: readonly NodeAddress[],
  options: AskersOptions,
  deadlineMs: number,
): Promise<FirstMap> {
  const askers = new Askers(options)
  const failures: { address: string; reason: string }[] = []
  try {
    for (const candidate of await seedCandidates(seeds, 0)) {
      try {
        const { ranges } = await askers.ask(candidate, deadlineMs)
        return { view: viewOf(ranges), failures }
      } catch (error) {
        const reason = errorText(error instanceof Error ? error.message : String(error))
        failures.push({ address: addressKey(candidate.address), reason })
      }
    }
    return { view: undefined, failures }
  } finally {
    askers.close()
  }
}
