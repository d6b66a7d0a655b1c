/** Random replies as a shard may send them, built without lib/resp. */
import { bulk, latin1 } from './frames.ts'
import type { Random } from './random.ts'

const LINES_RESP2 = [
  '+OK',
  '+',
  '-ERR no',
  '-keyalreadyexists',
  ':0',
  ':-42',
  ':9223372036854775807',
]
const LINES_RESP3 = [
  '_',
  '#t',
  '#f',
  ',1.5',
  ',inf',
  '(3492890328409238509324850943850943825024385',
]

/** `depth`: how many levels of aggregates there may be. */
export function randomReply(random: Random, protocol: 2 | 3, depth = 3): Buffer {
  const choice = random.integer(0, depth > 0 ? 10 : 6)
  if (choice < 3) return bulk(random.bytes(random.pick([0, 1, 9, 10, 30, 99, 100, 101, 1500])))
  if (choice < 5) return latin1(`${random.pick(LINES_RESP2)}\r\n`)
  if (protocol === 2)
    return choice === 5 ? latin1(random.pick(NULLS)) : aggregate(random, '*', 2, depth)
  if (choice === 5) {
    const text = latin1(`txt:${'x'.repeat(random.integer(0, 20))}`)
    return random.pick([
      latin1(`${random.pick(LINES_RESP3)}\r\n`),
      bulkOf('=', text),
      bulkOf('!', text),
    ])
  }
  if (choice < 9) return aggregate(random, random.pick(['*', '~', '%']), 3, depth)
  return Buffer.concat([aggregate(random, '|', 3, depth), randomReply(random, 3, depth - 1)])
}

const NULLS = ['$-1\r\n', '*-1\r\n']

function aggregate(random: Random, kind: string, protocol: 2 | 3, depth: number): Buffer {
  const entries = random.integer(0, 5)
  const values = kind === '%' || kind === '|' ? 2 * entries : entries
  const parts = Array.from({ length: values }, () => randomReply(random, protocol, depth - 1))
  return Buffer.concat([latin1(`${kind}${entries}\r\n`), ...parts])
}

function bulkOf(kind: string, bytes: Buffer): Buffer {
  return Buffer.concat([latin1(`${kind}${bytes.length}\r\n`), bytes, latin1('\r\n')])
}
