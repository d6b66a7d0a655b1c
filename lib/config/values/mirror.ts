/**
 * Where a pool is mirrored: `pool[/percent%][/writes]`, or in a file a map
 * `{ pool: next, percent: 10, writesOnly: yes }`.
 */
import {
  type Format,
  isRawMap,
  type Parsed,
  parseInteger,
  type Raw,
  type RawMap,
  refused,
  shown,
  strictBoolean,
} from './formats.ts'
import type { MirrorConfig } from './types.ts'

const PERCENT = 'a whole number from 0 to 100'

export const mirrorFormat: Format<MirrorConfig> = {
  accepts:
    'pool, pool/10%, pool/writes or pool/10%/writes; in a file { pool, percent, writesOnly }',
  parse: (raw) => (isRawMap(raw) ? parseMap(raw) : parseText(raw)),
  text: ({ pool, percent, writesOnly }) => {
    return `${pool}/${percent}%${writesOnly ? '/writes' : ''}`
  },
}

function parseText(raw: Raw): Parsed<MirrorConfig> {
  const [, pool, percent = '100', writes] =
    /^([^/]+)(?:\/([^/%]*)%)?(\/writes)?$/.exec(typeof raw === 'string' ? raw.trim() : '') ?? []
  if (pool === undefined) return refused(`${shown(raw)} is not ${mirrorFormat.accepts}`)
  return mirrorOf(pool, percent, writes !== undefined)
}

function parseMap(map: RawMap): Parsed<MirrorConfig> {
  const { pool, percent = '100', writesOnly = 'no', ...others } = map
  const [other] = Object.keys(others)
  if (other !== undefined) {
    return refused(`has ${shown(other)}, which is none of pool, percent and writesOnly`, [other])
  }
  if (typeof pool !== 'string') return refused('names no pool')
  const writes = strictBoolean.parse(writesOnly)
  if (!('value' in writes)) {
    const texts = writes.problems.map(({ text }) => `writesOnly: ${text}`)
    return refused(texts.join('; '), ['writesOnly'])
  }
  return mirrorOf(pool, percent, writes.value)
}

function mirrorOf(pool: string, written: Raw, writesOnly: boolean): Parsed<MirrorConfig> {
  const percent = typeof written === 'string' ? parseInteger(written) : undefined
  if (percent === undefined || percent > 100) {
    return refused(`percent ${shown(written)} is not ${PERCENT}`)
  }
  return { value: { pool, percent, writesOnly } }
}
