/**
 * Which servers may be relied on. Before 6.2.11 and 7.0.9 a table of tracked keys that was full could
 * bring the server down (redis/redis#11814); before 6.2.7 announcements came in the middle of replies.
 */

import { errorText } from '../../errors.ts'

/** Why not, in words; undefined: it may. */
export type Refusal = string | undefined

/** What HELLO tells of itself. */
const VERSION = /\r\nversion\r\n(?:\$\d+\r\n|\+)(\d+)\.(\d+)\.(\d+)/

/** `hello`: the reply to HELLO, its beginning at least. */
export function refusalOf(hello: string): Refusal {
  return refusalOfVersion((VERSION.exec(hello) ?? []).slice(1).join('.'))
}

/** `version`: as in INFO, `7.0.15`. */
export function refusalOfVersion(version: string): Refusal {
  const [major, minor, patch] = version.split('.').map(Number)
  if (major === undefined || minor === undefined || patch === undefined) return unsupported('')
  if (major < 6 || (major === 6 && minor < 2)) return unsupported(version)
  if (major === 6 && patch < 11) return unsupported(version)
  if (major === 7 && minor === 0 && patch < 9) return unsupported(version)
  return undefined
}

/**
 * `info`: the reply to CLIENT TRACKINGINFO. `redirect`: the id of the connection that is to hear the
 * announcements; undefined: the one that was asked.
 */
export function refusalOfInfo(info: string, redirect: string | undefined): Refusal {
  if (info.startsWith('-')) return errorText(info.slice(1).trimEnd())
  const lines = info.split('\r\n')
  const isOn = lines.includes('on') && lines.includes('optin')
  const isToThere = lines.includes(`:${redirect ?? '0'}`) && !lines.includes('broken_redirect')
  if (isOn && isToThere) return undefined
  return 'it says that it tracks, and CLIENT TRACKINGINFO says that it does not'
}

export function unsupported(version: string): string {
  const what = version === '' ? 'a server that does not tell its version' : `Redis ${version}`
  return `${what} is not relied on to announce changes; 6.2.11, 7.0.9 and later are`
}
