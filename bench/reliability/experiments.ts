/** What is done to both, and what it costs those who have done nothing. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { keysOn } from '../../spec/support/ambassador.ts'
import { encodeRequest } from '../../spec/support/frames.ts'
import { connectRaw } from '../../spec/support/raw-client.ts'
import { percentile, Victim } from '../../spec/support/victim.ts'
import { residentBytes, startProxy, type TestedProxy } from './proxies.ts'

const MB = 1024 * 1024
const [ON_A = ''] = keysOn(0, 2)

/** A figure and what it is, for one proxy. */
export type Figures = Readonly<Record<string, string>>

/** Forty times, each from a client of its own, beside four victims 200 requests deep. */
async function lostTo(proxy: TestedProxy, attack: Buffer, prepare?: () => Promise<void>) {
  const { port } = proxy
  const victims: Victim[] = []
  for (let i = 0; i < 4; i++) victims.push(await Victim.start({ port, id: `v${i}`, depth: 200 }))
  await prepare?.()
  for (let i = 0; i < 40; i++) {
    const socket = await open(port)
    socket.write(attack)
    await Promise.race([once(socket, 'data'), once(socket, 'close'), pause(100)])
    socket.destroy()
  }
  for (const victim of victims) await victim.stop()
  const sum = (of: (victim: Victim) => number) => victims.reduce((all, each) => all + of(each), 0)
  return `${sum(({ lost }) => lost)} of ${sum(({ lost, replies }) => lost + replies)}`
}

export async function misuse(proxy: TestedProxy): Promise<Figures> {
  // 2^64 + 1: one byte for whoever counts in 64 bits.
  const wrapped = Buffer.from('*2\r\n$3\r\nGET\r\n$18446744073709551617\r\nk\r\n')
  const nested = encodeRequest('EVAL', `return ${'{'.repeat(9)}1${'}'.repeat(9)}`, '1', ON_A)
  const set = encodeRequest('SET', ON_A, 'v')
  const full = async (): Promise<void> => {
    for (const shard of proxy.shards) await tell(shard.port, 'CONFIG', 'SET', 'maxmemory', '1')
  }
  return {
    'replies others lose to 40 wrapped lengths': await lostTo(proxy, wrapped),
    '... to 40 EVALs whose replies are nine deep': await lostTo(proxy, nested),
    '... to 40 SETs refused at maxmemory': await lostTo(proxy, set, full),
  }
}

/** One client asks and never reads, for three seconds; victims of depth 10 beside it. */
async function unread(proxy: TestedProxy, request: Buffer, count: number): Promise<string> {
  const { port, pid } = proxy
  const victim = await Victim.start({ port, id: 'v', depth: 10 })
  await pause(1000)
  const quietMs = percentile(victim.roundsMs.splice(0), 0.99)
  const before = residentBytes(pid)
  let most = before
  const sampler = setInterval(() => {
    most = Math.max(most, residentBytes(pid))
  }, 50)
  const socket = await open(port)
  socket.pause()
  for (let i = 0; i < count; i++) socket.write(request)
  await pause(3000)
  const besideMs = percentile(victim.roundsMs.splice(0), 0.99)
  socket.destroy()
  await pause(3000)
  clearInterval(sampler)
  await victim.stop()
  const grown = ((most - before) / MB).toFixed(0)
  const kept = ((residentBytes(pid) - before) / MB).toFixed(0)
  return (
    `+${grown} MB, ${kept} MB of it kept; p99 of others ${quietMs.toFixed(2)} -> ` +
    `${besideMs.toFixed(2)} ms, ${victim.lost} lost`
  )
}

export async function memory(proxy: TestedProxy): Promise<Figures> {
  await tell(proxy.port, 'SET', ON_A, Buffer.alloc(MB, 'v'))
  const small = Buffer.concat(Array.from({ length: 1000 }, () => encodeRequest('GET', 'none')))
  return {
    '300 GETs of 1 MB, never read': await unread(proxy, encodeRequest('GET', ON_A), 300),
    '1,000,000 small GETs, never read': await unread(proxy, small, 1000),
  }
}

/**
 * Five hundred such clients. Not for nutcracker, which would take 7 GB. Larger values would only show
 * how long Redis takes to copy them: it answers all it has read before it writes.
 */
export async function crowd(): Promise<Figures> {
  // Without a deadline, which would end most of it before memory fills up.
  const proxy = await startProxy('ambassador', ['--request-timeout-ms', '0'])
  const { port, pid } = proxy
  await tell(port, 'SET', ON_A, Buffer.alloc(MB / 8, 'v'))
  // On the other shard: behind all that on this one everybody has to wait.
  const elsewhere = keysOn(1, 2, 10)
  const key = (index: number): string => elsewhere[index] ?? ''
  const victim = await Victim.start({ port, id: 'v', depth: 10, key })
  const before = residentBytes(pid)
  let most = before
  const sampler = setInterval(() => {
    most = Math.max(most, residentBytes(pid))
  }, 50)
  const sockets: Socket[] = []
  for (let i = 0; i < 500; i++) {
    const socket = await open(port)
    socket.pause()
    for (let n = 0; n < 120; n++) socket.write(encodeRequest('GET', ON_A))
    sockets.push(socket)
  }
  await pause(8000)
  clearInterval(sampler)
  for (const socket of sockets) socket.destroy()
  await victim.stop()
  await proxy.stop()
  const grown = ((most - before) / MB).toFixed(0)
  return {
    '500 clients, 120 GETs of 128 KB each, never read': `+${grown} MB; ${victim.lost} lost by others`,
  }
}

/** Ten thousand clients that each have asked once. */
export async function idle(proxy: TestedProxy): Promise<Figures> {
  const clients = 10_000
  const sockets: Socket[] = []
  async function add(count: number): Promise<void> {
    for (let i = 0; i < count; i += 100) {
      const more = await Promise.all(Array.from({ length: 100 }, () => open(proxy.port)))
      for (const socket of more) {
        socket.write(encodeRequest('GET', 'none'))
        await once(socket, 'data')
      }
      sockets.push(...more)
    }
  }
  await add(500)
  const before = residentBytes(proxy.pid)
  await add(clients)
  await pause(1000)
  const each = (residentBytes(proxy.pid) - before) / clients / 1024
  for (const socket of sockets) socket.destroy()
  return { [`memory of each of ${clients} idle clients`]: `${each.toFixed(1)} KB` }
}

/** One of two shards is killed under load, and started again. */
export async function kill(proxy: TestedProxy): Promise<Figures> {
  const { port, shards } = proxy
  const depth = 50
  const onA = keysOn(0, 2, depth)
  const onB = keysOn(1, 2, depth)
  const start = (id: string, keys: readonly string[]) =>
    Victim.start({ port, id, depth, key: (index) => keys[index] ?? '' })
  const [a, b] = [await start('a', onA), await start('b', onB)]
  await pause(500)
  // So that all of its requests are in flight when it dies.
  await shards[0].kill('SIGSTOP')
  await pause(300)
  await shards[0].kill('SIGKILL')
  await pause(300)
  await a.stop()
  await shards[0].restart()
  const readyMs = performance.now()
  while ((await tell(port, 'SET', onA[0] ?? '', 'v')) !== '+OK\r\n') await pause(1)
  const backMs = performance.now() - readyMs
  await b.stop()
  // Those after it were refused without being sent; nutcracker words both alike.
  const lost = [...a.errors].filter(([text]) => !/not sent|refused/.test(text))
  return {
    [`SIGKILL of a shard with ${depth} requests in flight: failed`]: listed(lost),
    '... failed on the other shard': `${b.lost} of ${b.lost + b.replies}`,
    '... serving again after its return': `${backMs.toFixed(0)} ms`,
  }
}

/** One of two shards stands still for three seconds. */
export async function stop(proxy: TestedProxy): Promise<Figures> {
  const { port, shards } = proxy
  const keys = keysOn(0, 2, 20)
  const victims: Victim[] = []
  for (const [i, key] of keys.entries()) {
    victims.push(await Victim.start({ port, id: `v${i}`, depth: 1, key: () => key }))
  }
  await pause(300)
  await shards[0].kill('SIGSTOP')
  await pause(3000)
  await shards[0].kill('SIGCONT')
  await pause(500)
  for (const victim of victims) await victim.stop()
  const longestMs = Math.max(...victims.flatMap(({ roundsMs }) => roundsMs))
  const errors = new Map<string, number>()
  for (const victim of victims) {
    for (const [text, count] of victim.errors) errors.set(text, (errors.get(text) ?? 0) + count)
  }
  return {
    'SIGSTOP of a shard for 3 s, deadline 1 s: longest answer': `${longestMs.toFixed(0)} ms`,
    '... answers that were none of their own': listed([...errors]),
  }
}

function listed(errors: readonly (readonly [string, number])[]): string {
  const texts = errors.map(([text, count]) => `${count} \`${text}\``)
  return texts.length === 0 ? '0' : texts.join(', ')
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

async function tell(port: number, ...words: (string | Buffer)[]): Promise<string> {
  const client = await connectRaw(port)
  const reply = await client.request(...words).catch(() => Buffer.from('closed'))
  await client.close()
  return reply.toString('latin1')
}
