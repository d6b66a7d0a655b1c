/**
 * Where clients connect, and where operators do: addresses, separated by commas or in a list. One for clients may
 * name the pool that it leads to: `queues@localhost:6380`, or in a file `{ address: localhost:6380, pool: queues }`.
 */
import { addressText, listenText, parseListenAddress } from '../address.ts'
import {
  type Format,
  isRawMap,
  type Parsed,
  type Problem,
  type Raw,
  refused,
  shown,
} from '../formats.ts'
import type { ListenAddress } from '../types.ts'

export const listenList: Format<readonly ListenAddress[]> = {
  accepts:
    'host:port, [IPv6]:port, tls://host:port or unix:/path, behind pool@ if it leads to one pool alone; ' +
    'several separated by commas; in a file { address, pool }',
  parse: (raw) => parseListen(raw),
  text: (addresses) => addresses.map(listenText).join(','),
}

/** One address, or `off`. */
export const listenOrOff: Format<ListenAddress | 'off'> = {
  accepts: 'host:port, [IPv6]:port, unix:/path, or off',
  parse: (raw) => {
    if (raw === 'off') return { value: raw }
    const parsed = parseListen(raw)
    if (!('value' in parsed)) return parsed
    if (parsed.value.some((address) => 'tls' in address)) {
      return refused(`${shown(raw)} is tls://, which only clients' addresses can be`)
    }
    if (parsed.value.some(({ pool }) => pool !== undefined)) {
      return refused(`${shown(raw)} names a pool, which only clients' addresses can`)
    }
    const [address, ...more] = parsed.value
    if (address !== undefined && more.length === 0) return { value: address }
    return refused(`${shown(raw)} is more than one address`)
  },
  text: (address) => (address === 'off' ? address : addressText(address)),
}

function parseListen(raw: Raw): Parsed<readonly ListenAddress[]> {
  const entries = typeof raw === 'string' ? raw.split(',') : raw
  if (!Array.isArray(entries) || entries.length === 0) {
    return refused(`${shown(raw)} is not an address or a list of addresses`)
  }
  const problems: Problem[] = []
  const addresses: ListenAddress[] = []
  const seen = new Set<string>()
  entries.forEach((entry: Raw, index) => {
    const at = typeof raw === 'string' ? [] : [index]
    const address = isRawMap(entry) ? addressOfMap(entry) : addressOfText(entry)
    if (typeof address === 'string') {
      problems.push({ at, text: `${shown(entry)} ${address}` })
      return
    }
    const place = addressText(address)
    if (seen.has(place) && !place.endsWith(':0')) {
      problems.push({ at, text: `${shown(place)} is there twice` })
    }
    addresses.push(address)
    seen.add(place)
  })
  return problems.length > 0 ? { problems } : { value: addresses }
}

/** Otherwise what is wrong, as the rest of a sentence that begins with the text. */
function addressOfText(entry: Raw): ListenAddress | string {
  const text = typeof entry === 'string' ? entry.trim() : ''
  // A unix socket's path may have an @, behind its colon.
  const [, pool, place = text] = /^([^@:/]+)@(.*)$/s.exec(text) ?? []
  const address = parseListenAddress(place)
  return typeof address === 'string' || pool === undefined ? address : { ...address, pool }
}

function addressOfMap(map: Readonly<Record<string, Raw>>): ListenAddress | string {
  const { address: text, pool, ...others } = map
  const [other] = Object.keys(others)
  if (other !== undefined) return `has ${shown(other)}, which is neither address nor pool`
  if (typeof text !== 'string') return 'has no address'
  if (pool !== undefined && typeof pool !== 'string') return 'names no pool'
  const address = parseListenAddress(text.trim())
  if (typeof address === 'string') return `has the address ${shown(text)}, which ${address}`
  return pool === undefined ? address : { ...address, pool }
}
