/**
 * Where servers are reached that announce another address: `announced=reached`, separated by commas or as a
 * list.
 */
import { ADDRESS_MAPPINGS_MAX } from '../../limits.ts'
import { addressText, parseHostPort } from './address.ts'
import { type Format, type Parsed, type Raw, refused, shown } from './formats.ts'
import type { AddressMapping, SeedAddress } from './types.ts'

export const addressMappings: Format<readonly AddressMapping[]> = {
  accepts: 'host:port=host:port, announced and reached, several separated by commas',
  parse: parseAddressMappings,
  text: (mappings) => mappings.map(mappingText).join(','),
}

function mappingText({ announced, reached }: AddressMapping): string {
  return `${addressText(announced)}=${addressText(reached)}`
}

function parseAddressMappings(raw: Raw): Parsed<readonly AddressMapping[]> {
  const items = typeof raw === 'string' ? raw.split(',') : raw
  if (!Array.isArray(items)) return refused('is not a list of host:port=host:port')
  if (items.length > ADDRESS_MAPPINGS_MAX) {
    return refused(`has more than ${ADDRESS_MAPPINGS_MAX} pairs`)
  }
  const value: AddressMapping[] = []
  for (const item of items as readonly Raw[]) {
    const [announced, reached, ...rest] = typeof item === 'string' ? item.split('=') : []
    const pair = [announced, reached].map((text) => parseHostPort(text?.trim() ?? '', 1))
    const problem = rest.length > 0 ? 'is not host:port=host:port' : pair.find(isText)
    if (problem !== undefined) return refused(`${shown(item)} ${problem}`)
    const [from, to] = pair as SeedAddress[]
    if (from !== undefined && to !== undefined) value.push({ announced: from, reached: to })
  }
  const texts = value.map(({ announced }) => addressText(announced))
  const twice = texts.find((text, index) => texts.indexOf(text) < index)
  return twice === undefined ? { value } : refused(`has ${shown(twice)} twice`)
}

function isText(parsed: SeedAddress | string): parsed is string {
  return typeof parsed === 'string'
}
