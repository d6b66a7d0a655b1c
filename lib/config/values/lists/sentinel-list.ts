/** The sentinels: `host[:port]` or `rediss://host[:port]`, separated by commas or as a list. */
import { SENTINELS_MAX } from '../../../limits.ts'
import { addressText } from '../address.ts'
import { type Format, type Parsed, type Raw, refused, shown } from '../formats.ts'
import { Refusal, readSentinel } from '../shard-url.ts'
import type { SentinelAddress } from '../types.ts'

export const sentinelList: Format<readonly SentinelAddress[]> = {
  accepts:
    'host[:port] or rediss://host[:port], several separated by commas; the port is 26379 if none is named',
  parse: parseSentinelList,
  text: (addresses) => addresses.map(sentinelText).join(','),
}

function sentinelText({ host, port, tls }: SentinelAddress): string {
  return `${tls ? 'rediss://' : ''}${addressText({ host, port })}`
}

function parseSentinelList(raw: Raw): Parsed<readonly SentinelAddress[]> {
  const items = typeof raw === 'string' ? raw.split(',') : raw
  if (!Array.isArray(items) || items.length === 0) return refused('is not a list of sentinels')
  if (items.length > SENTINELS_MAX) return refused(`has more than ${SENTINELS_MAX} sentinels`)
  const value: SentinelAddress[] = []
  for (const item of items) {
    // Credentials of sentinels are separate options, and must not be shown.
    if (typeof item !== 'string' || item.includes('@')) {
      return refused(
        "holds something other than host:port; the sentinels' password is sentinelPassword",
      )
    }
    try {
      value.push(readSentinel(item))
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return refused(`${shown(item)} ${error.message}`)
    }
  }
  return { value }
}
