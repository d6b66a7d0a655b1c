/** What is wrong, or worth a note, about addresses for clients: where they lead, and who may come in. */
import { isLocalhost } from '../../io/localhost.ts'
import type { ListenAddress } from '../config.ts'
import { DEFAULT_POOL } from '../pool-name.ts'
import type { Settings } from '../schema.ts'
import type { Findings } from '../sources/layers.ts'
import { addressText, listenText } from '../values/address.ts'
import { shown } from '../values/formats.ts'
import { didYouMean } from '../values/suggest.ts'
import type { PoolSettings } from './check-pool.ts'

/** Adds to the findings. `pools`: the options of the first are those in `settings`. */
export function checkListen(
  settings: Settings,
  pools: readonly PoolSettings[],
  { problems, notes }: Findings,
): void {
  const names = pools.map(({ name }) => name)
  const sources = pools[0]?.sources ?? {}
  for (const address of settings.listen) {
    const { pool } = address
    if (pool === undefined && names.length > 1 && names[0] !== DEFAULT_POOL) {
      problems.push(
        `${sources['listen']}: ${listenText(address)} leads to no pool, and those of a nutcracker.yml are not one Redis: ` +
          `write ${names[0]}@${listenText(address)}, or choose a pool with --pool NAME`,
      )
    }
    if (pool === undefined || names.includes(pool)) continue
    const hint = didYouMean(pool, names)
    problems.push(
      `${sources['listen']}: ${listenText(address)} leads to the pool ${shown(pool)}, which is not there${hint}`,
    )
  }
  for (const pool of pools) {
    if (pool.settings.clientPassword === undefined) continue
    const { name } = pool
    if (settings.authPassthrough) {
      problems.push(
        `${sources['authPassthrough']}: authPassthrough leaves AUTH to the shards: pool ${name} has a clientPassword`,
      )
    } else if (!settings.listen.some((address) => address.pool === name)) {
      notes.push(`clientPassword is not used: no address leads to the pool ${name} alone`)
    }
  }
  if (!settings.trustNetwork) notes.push(...openings(settings, pools))
}

function openings(settings: Settings, pools: readonly PoolSettings[]): string[] {
  const { password, users = [], authPassthrough, tlsCa } = settings
  if (users.length > 0 || authPassthrough) return []
  const asksFor = ({ pool }: ListenAddress): string | undefined => {
    const own = pools.find(({ name }) => name === pool)?.settings.clientPassword
    return own ?? password
  }
  return (
    settings.listen
      .filter((address) => isOpen(address) && asksFor(address) === undefined)
      // A certificate that every client must have is as good as a password.
      .filter((address) => !('tls' in address && tlsCa !== undefined))
      .map(
        (address) =>
          `INSECURE: ${addressText(address)} is open to the network and no password is asked for; ` +
          'whoever connects can read and delete everything (if that is meant: trustNetwork)',
      )
  )
}

function isOpen(address: ListenAddress): boolean {
  if ('path' in address) return false
  const { host } = address
  return !isLocalhost(host) && host !== '::1' && !/^127\.\d+\.\d+\.\d+$/.test(host)
}
