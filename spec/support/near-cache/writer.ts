/** Writes of one key, in every way that there is. */
import type { AmbassadorUnderTest } from '../ambassador.ts'
import { connectRaw, type RawClient } from '../raw-client.ts'
import type { History } from './history.ts'

/** Requests, the last of which is acknowledged when the value is there. */
type Way = (key: string, value: string, other: string) => readonly (readonly string[])[]

const WAYS: readonly Way[] = [
  (key, value) => [['SET', key, value]],
  (key, value) => [['SET', key, value]],
  (key, value) => [['SET', key, value]],
  (key, value) => [['GETSET', key, value]],
  (key, value) => [['MULTI'], ['SET', key, 'x'], ['SET', key, value], ['EXEC']],
  (key, value) => [['WATCH', key], ['GET', key], ['MULTI'], ['SET', key, value], ['EXEC']],
  (key, value, other) => [['MSET', other, 'x', key, value]],
  (key, value, other) => [
    ['SET', other, value],
    ['RENAME', other, key],
  ],
  (key, value, other) => [
    ['SET', other, value],
    ['COPY', other, key, 'REPLACE'],
  ],
  // Whoever sees what SETRANGE writes must not see the key expire behind it.
  (key, value) => [
    ['PERSIST', key],
    ['SETRANGE', key, '0', value],
    ['SET', key, value],
  ],
]

/** Of a list, also by commands that block. */
const LIST_WAYS: readonly Way[] = [
  (key, value) => [['LPUSH', key, value]],
  (key, value) => [['MULTI'], ['LPUSH', key, value], ['EXEC']],
  (key, value, other) => [
    ['LPUSH', other, value],
    ['BLMOVE', other, key, 'LEFT', 'LEFT', '1'],
  ],
  (key, value, other) => [
    ['LPUSH', other, value],
    ['BRPOPLPUSH', other, key, '1'],
  ],
  // What it pops is what it has just put in front.
  (key, value) => [
    ['LPUSH', key, value, value],
    ['BLPOP', key, '1'],
  ],
]

const SCRIPTS: readonly Way[] = [
  (key, value) => [['EVAL', "return redis.call('SET', KEYS[1], ARGV[1])", '1', key, value]],
  // With a key that it does not declare, of the same shard.
  (key, value, other) => [
    ['EVAL', "return redis.call('SET', ARGV[2], ARGV[1])", '1', other, value, key],
  ],
]

/** Each of them empties a cache: with more of them hardly a read would be answered from memory. */
const SCRIPTS_SHARE = 0.002

/** Lives so long, milliseconds, when it expires at all. */
const LIFE_MS = 25

/** Rejects when it may have been done or not. */
export async function write(
  history: History,
  at: number,
  clients: Map<string, RawClient>,
): Promise<void> {
  const { random } = history
  const key = history.keys[at]
  if (key === undefined) return
  const ambassador = random.integer(0, 3)
  const client = await clientOf(
    history,
    clients,
    ambassador,
    random.pick([2, 3] as const),
    key.name,
  )
  const through = ambassador < 2 ? ambassador : undefined
  const kind = random.integer(0, 100)
  if (kind < 10) {
    const version = key.nextAbsent()
    await ask(client, ['DEL', key.name])
    key.acknowledge(version, through)
  } else if (key.isList) {
    const version = key.next()
    const other = key.name.replace('near:', 'other:')
    const way = random.pick(LIST_WAYS)
    for (const request of way(key.name, `${version}`, other)) await ask(client, request)
    key.acknowledge(version, through)
  } else if (kind < 25) {
    const version = key.next()
    key.nextAbsent()
    await ask(client, ['SET', key.name, `${version}`, 'PX', `${LIFE_MS}`])
    key.acknowledge(version, through)
    key.expires(version, LIFE_MS)
  } else {
    const version = key.next()
    const way = random.pick(random.next() < SCRIPTS_SHARE ? SCRIPTS : WAYS)
    const other = key.name.replace('near:', 'other:')
    for (const request of way(key.name, `${version}`, other)) await ask(client, request)
    key.acknowledge(version, through)
  }
}

async function ask(client: RawClient, request: readonly string[]): Promise<void> {
  const reply = `${await client.request(...request)}`
  // EXEC has not been executed when the key that is watched has expired.
  const isAborted = request[0] === 'EXEC' && (reply === '*-1\r\n' || reply === '_\r\n')
  if (isAborted || reply.startsWith('-') || reply.includes('\r\n-')) throw new Error(reply)
}

/** `ambassador` 2: the shard of the key itself. */
async function clientOf(
  { ambassadors, redises }: History,
  clients: Map<string, RawClient>,
  ambassador: number,
  protocol: 2 | 3,
  key: string,
): Promise<RawClient> {
  const through: AmbassadorUnderTest | undefined = ambassadors[ambassador]
  const id = through === undefined ? 'shard' : `${ambassador} ${protocol}`
  const known = clients.get(id)
  if (known !== undefined && !known.socket.destroyed) return known
  const client =
    through === undefined
      ? await direct(ambassadors, redises, key)
      : await through.connect(protocol)
  clients.set(id, client)
  return client
}

/** To the server that has the key: where the ambassador says. */
async function direct(
  [ambassador]: readonly AmbassadorUnderTest[],
  redises: History['redises'],
  key: string,
): Promise<RawClient> {
  if (ambassador === undefined) throw new Error('no ambassador')
  const client = await ambassador.connect()
  const route = `${await client.request('AMBASSADOR', 'ROUTE', key)}`
  await client.close()
  const shard = /\r\n([ab])\r\n/.exec(route)?.[1] === 'b' ? redises[1] : redises[0]
  if (shard === undefined) throw new Error('no shard')
  return connectRaw(shard.port)
}
