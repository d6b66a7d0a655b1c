/**
 * Fuzzing over sockets: a real ambassador and real Redis servers, a client for each stream, and
 * victims beside them, to whom nothing may happen. Every stream must end: what comes back is whole
 * replies, then the connection is closed, although the client has only said that it is done.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { startShards } from '../support/ambassador.ts'
import { encodeRequest, endOfFrame } from '../support/frames.ts'
import type { Random } from '../support/random.ts'
import { connectRaw } from '../support/raw-client.ts'
import { Victim } from '../support/victim.ts'
import { addRequests, damage, Stream } from './streams.ts'

const STREAM_BYTES_MAX = 4096
/** Fuzzing clients at a time. */
const CLIENTS = 16
/** A stream that takes longer hangs, milliseconds. */
const STREAM_MS_MAX = 10_000

/** Requests that change what a connection is. Well-formed, so that they also are in damaged streams. */
const STATES = [
  ['MULTI'],
  ['EXEC'],
  ['WATCH', 'fuzz:1'],
  ['SUBSCRIBE', 'fuzz'],
  ['UNSUBSCRIBE'],
  ['HELLO', '3'],
  ['SELECT', '1'],
  ['CLIENT', 'REPLY', 'OFF'],
  ['CLIENT', 'REPLY', 'SKIP'],
  ['RESET'],
  ['QUIT'],
  ['BLPOP', 'fuzz:nothing', '0.01'],
  ['MSET', 'fuzz:1', 'a', 'fuzz:2', 'b', 'fuzz:3', 'c'],
  ['MGET', 'fuzz:1', 'fuzz:2', 'fuzz:3', 'fuzz:4'],
  ['EVAL', 'return {KEYS[1], {1, {2, {}}}}', '1', 'fuzz:1'],
  ['DEL', 'fuzz:1', 'fuzz:2', 'fuzz:3'],
].map((words) => encodeRequest(...words).toString('latin1'))

export interface SocketCounts {
  inputs: number
  /** Streams that got at least one reply. */
  answered: number
  readonly victimReplies: number
  readonly victimsLost: number
  readonly problems: readonly string[]
}

/** Runs `inputs` streams, or until `seconds` have passed. */
export async function fuzzSockets(
  random: Random,
  { inputs, seconds }: { inputs: number; seconds: number },
): Promise<SocketCounts> {
  const { ambassador, redises, stop } = await startShards(2)
  const { port } = ambassador
  const victims = [
    await Victim.start({ port, id: 'v1', depth: 50 }),
    await Victim.start({ port, id: 'v2', depth: 50 }),
  ]
  const problems: string[] = []
  const counts = { inputs: 0, answered: 0 }
  const endMs = performance.now() + 1000 * seconds
  async function client(): Promise<void> {
    const stream = new Stream(STREAM_BYTES_MAX)
    while (counts.inputs < inputs && performance.now() < endMs && problems.length === 0) {
      counts.inputs++
      stream.length = 0
      addStream(stream, random)
      const bytes = Buffer.from(stream.bytes.subarray(0, stream.length))
      const outcome = await play(port, bytes, random)
      if (outcome.problem !== undefined) {
        problems.push(`${outcome.problem}: ${JSON.stringify(bytes.toString('latin1'))}`)
      }
      if (outcome.replies > 0) counts.answered++
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
  // A victim that waits for a lost reply would wait for ever; its round shows that it does not.
  await Promise.all(victims.map((victim) => victim.round()))
  for (const victim of victims) await victim.stop()
  for (const redis of redises) problems.push(...(await complaints(redis.port)))
  await stop()
  const sum = (of: (victim: Victim) => number) =>
    of(victims[0] as Victim) + of(victims[1] as Victim)
  return {
    ...counts,
    victimReplies: sum(({ replies }) => replies),
    victimsLost: sum(({ lost }) => lost),
    problems,
  }
}

function addStream(stream: Stream, random: Random): void {
  for (let parts = random.integer(1, 4); parts > 0; parts--) {
    if (random.integer(0, 2) === 0) stream.add(random.pick(STATES))
    else addRequests(stream, random)
  }
  damage(stream, random)
}

/** Sends the stream in pieces, then FIN or a reset; waits for the end of the connection. */
async function play(
  port: number,
  bytes: Buffer,
  random: Random,
): Promise<{ replies: number; problem?: string }> {
  const socket = connect(port, '127.0.0.1')
  const received: Buffer[] = []
  socket.on('data', (chunk: Buffer) => received.push(chunk))
  // A reset is an end as well: we close at once when the bytes are HTTP or TLS.
  socket.on('error', () => {})
  await Promise.race([once(socket, 'connect'), once(socket, 'close')])
  const at = random.integer(0, bytes.length + 1)
  socket.write(bytes.subarray(0, at))
  if (random.integer(0, 2) === 0) await new Promise((resolve) => setImmediate(resolve))
  socket.write(bytes.subarray(at))
  if (random.integer(0, 20) === 0) {
    socket.resetAndDestroy()
    return { replies: 0 }
  }
  socket.end()
  if (!(await endsInTime(socket))) {
    socket.destroy()
    return { replies: 0, problem: 'the connection stays open' }
  }
  return judge(Buffer.concat(received), socket.errored !== null)
}

async function endsInTime(socket: Socket): Promise<boolean> {
  if (socket.closed) return true
  const timeout = new AbortController()
  const late = pause(STREAM_MS_MAX, false, { signal: timeout.signal }).catch(() => false)
  const closed = new Promise<boolean>((resolve) => socket.once('close', () => resolve(true)))
  const inTime = await Promise.race([closed, late])
  timeout.abort()
  return inTime
}

function judge(bytes: Buffer, isReset: boolean): { replies: number; problem?: string } {
  let replies = 0
  try {
    for (let at = 0; at < bytes.length; replies++) {
      const end = endOfFrame(bytes, at)
      if (end === undefined) return isReset ? { replies } : { replies, problem: 'half a reply' }
      at = end
    }
  } catch (error) {
    return { replies, problem: String(error) }
  }
  return { replies }
}

/** A shard that was sent anything malformed has closed a connection and counts no error for it. */
async function complaints(port: number): Promise<string[]> {
  const client = await connectRaw(port)
  const stats = (await client.request('INFO', 'errorstats')).toString()
  await client.close()
  return /Protocol error/.test(stats) ? [`a shard says: ${stats}`] : []
}
