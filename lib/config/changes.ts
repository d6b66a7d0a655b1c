/** What one configuration changes of another. */
import { isDeepStrictEqual } from 'node:util'
import type { Config } from './config.ts'

/** Names of options, or `pools.<name>` for a pool beside the first. */
export interface Changes {
  /** They are in use now. */
  readonly changed: readonly string[]
  /** They are read once, at the start. */
  readonly afterRestart: readonly string[]
}

const AFTER_RESTART: readonly string[] = ['listen', 'adminListen', 'workers']
/** Where values come from rather than what they are. */
const ABOUT: readonly string[] = ['notes', 'files', 'sources']

export function changesOf(next: Config, earlier: Config): Changes {
  const different = differentFields(next, earlier)
  return {
    changed: different.filter((field) => !AFTER_RESTART.includes(field)),
    afterRestart: different.filter((field) => AFTER_RESTART.includes(field)),
  }
}

function differentFields(next: Config, earlier: Config): string[] {
  const [now, before] = [fieldsOf(next), fieldsOf(earlier)]
  return Object.keys({ ...now, ...before }).filter(
    (field) => !ABOUT.includes(field) && !isDeepStrictEqual(now[field], before[field]),
  )
}

function fieldsOf({
  edge,
  pools,
  mirrors,
  routes,
  databases,
  watch,
  whatIf,
  process,
}: Config): Record<string, unknown> {
  const [{ name: _, ...ofPool }, ...others] = pools
  const further = [...others, ...mirrors].map((pool): [string, unknown] => [
    `pools.${pool.name}`,
    pool,
  ])
  const ofPools = { ...ofPool, routes, databases, ...Object.fromEntries(further) }
  return { ...edge, ...ofPools, ...watch, whatIf, ...process }
}
