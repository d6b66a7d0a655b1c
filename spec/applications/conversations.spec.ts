/**
 * What applications said to one Redis, said again: a rehearsal foretells which of it three shards and a real
 * cluster refuse, and why; and with the application's line of configuration three shards refuse nothing.
 */
import { join } from 'node:path'
import { expect } from 'chai'
import { startAmbassador } from '../../lib/ambassador.ts'
import { AmbassadorUnderTest, configFor, SILENT } from '../support/ambassador.ts'
import { type Cluster, startCluster } from '../support/cluster.ts'
import { startAmbassadorForCluster } from '../support/cluster-ambassador.ts'
import { connectRaw } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { temporaryFiles } from '../support/temporary-files.ts'
import { APPLICATIONS } from './applications.ts'
import { readConversation, type SaidRequest } from './conversation.ts'
import { isRefusal, Replay } from './replay.ts'
import { threeShards } from './three-shards.ts'

/** Where one reason looks like another in the words of an error. */
const LOOKS_LIKE: Readonly<Record<string, string>> = {
  script: 'keys',
  crossslot: 'keys',
  blocking: 'keys',
  watch: 'keys',
  select: 'database',
  cluster: 'database',
  admin: 'command',
  unsupported: 'command',
  everywhere: 'command',
  apart: 'command',
}

/** The number of the request, its command, and why it is refused. */
type Refused = string

function refused(at: number, { words: [command = ''] }: SaidRequest, reason: string): Refused {
  return `${at} ${command.toLowerCase()}: ${LOOKS_LIKE[reason] ?? reason}`
}

function reasonOf(error: string): string {
  if (/^-(?:EXECABORT|CROSSSLOT Keys in transaction)/.test(error)) return 'transaction'
  if (error.startsWith('-CROSSSLOT')) return 'keys'
  return error.includes('in cluster mode') ? 'database' : 'command'
}

describe('what applications say', () => {
  let one: RedisServer
  let shards: RedisServer[]
  let cluster: Cluster

  before(async () => {
    one = await startRedis()
    shards = [await startRedis(), await startRedis(), await startRedis()]
    cluster = await startCluster()
  })

  after(async () => {
    for (const server of [one, ...shards]) await server.stop()
    await cluster.stop()
  })

  /** What is said to be refused by this configuration, request by request; and of what nobody can know. */
  async function foretold(
    requests: readonly SaidRequest[],
    whatIf: string,
    greeting?: readonly string[],
  ): Promise<{ news: Refused[]; unknown: number }> {
    const ambassador = await startAmbassador(configFor([one], { whatIf }), SILENT)
    const under = new AmbassadorUnderTest(ambassador)
    await emptied(under)
    const counts = new Map<string, number>()
    /** The kinds of which there are more findings than there were. */
    function found(): string[] {
      const kinds: string[] = []
      for (const { outcome, kind, command, requests } of ambassador.preflight?.findings ?? []) {
        if (outcome !== 'refused' || counts.get(`${kind} ${command}`) === requests) continue
        counts.set(`${kind} ${command}`, requests)
        kinds.push(kind)
      }
      return kinds
    }
    const replay = new Replay(under.port, greeting)
    const news: Refused[] = []
    for (const [at, request] of requests.entries()) {
      await replay.say(request)
      news.push(...found().map((kind) => refused(at, request, kind)))
    }
    const { undeclared = 0, unseen = 0 } = ambassador.preflight ?? {}
    await replay.close()
    await under.stop()
    return { news, unknown: undeclared + unseen }
  }

  async function met(
    requests: readonly SaidRequest[],
    target: AmbassadorUnderTest,
    greeting?: readonly string[],
  ): Promise<Refused[]> {
    await emptied(target)
    const replay = new Replay(target.port, greeting)
    const all: Refused[] = []
    for (const [at, request] of requests.entries()) {
      const reply = await replay.say(request)
      if (isRefusal(reply)) all.push(refused(at, request, reasonOf(reply)))
    }
    await replay.close()
    await target.stop()
    return all
  }

  for (const { name, line, database } of APPLICATIONS) {
    const requests = readConversation(name)

    it(`${name}: a rehearsal foretells what three shards refuse`, async () => {
      const list = threeShards(shards, '')['shards'] ?? ''
      const [said, news] = await Promise.all([
        foretold(requests, list),
        met(requests, await start('')),
      ])
      expect(said.news).to.deep.equal(news)
      expect(news.length + said.unknown, 'what speaks against three shards').to.be.above(0)
    })

    it(`${name}: a rehearsal foretells what a cluster refuses`, async () => {
      const [said, news] = await Promise.all([
        foretold(requests, `redis+cluster://${cluster.addresses}`),
        met(requests, await startAmbassadorForCluster(cluster.addresses)),
      ])
      expect(said.news).to.deep.equal(news)
    })

    it(`${name}: three shards refuse nothing with ${line}, and a rehearsal says so`, async () => {
      const greeting = database === undefined ? undefined : ['SELECT', String(database)]
      const others = requests.filter(({ words: [command = ''] }) => !/^select$/i.test(command))
      const text = `shards: [${threeShards(shards, '')['shards']}]\n${line}\n`
      const next = join(temporaryFiles({ 'next.yaml': text }), 'next.yaml')
      const [said, news] = await Promise.all([
        foretold(others, next, greeting),
        met(others, await start(line), greeting),
      ])
      expect(news).to.deep.equal([])
      expect(said.news).to.deep.equal([])
      if (database !== undefined) expect(said.unknown).to.equal(0)
    })
  }

  async function start(line: string): Promise<AmbassadorUnderTest> {
    const config = configFor([], threeShards(shards, line))
    return new AmbassadorUnderTest(await startAmbassador(config, SILENT))
  }
})

async function emptied({ port }: AmbassadorUnderTest): Promise<void> {
  const client = await connectRaw(port)
  await client.request('FLUSHALL')
  await client.request('SCRIPT', 'FLUSH')
  await client.close()
}
