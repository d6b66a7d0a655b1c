/** Tries the programs and files from which shards' credentials come, once, as `start` would. */
import type { PoolConfig } from '../config/config.ts'
import { clusterPlace, type LoginPlace, sourceFor } from '../credentials/shard-source.ts'
import type { CredentialSource, Obtained } from '../credentials/source.ts'
import { type Finding, note, problem, well } from './finding.ts'

export interface Equipped {
  /** The pool with the credentials that were found filled in. */
  readonly pool: PoolConfig
  /**
   * Names of the shards without known credentials. A finding that they ask for a password would
   * tell nothing new.
   */
  readonly without: ReadonlySet<string>
  readonly findings: readonly Finding[]
}

interface Question {
  readonly source: CredentialSource
  readonly places: LoginPlace[]
}

export async function equip(config: PoolConfig): Promise<Equipped> {
  const questions = questionsOf(config)
  const logins = new Map<string, Pick<LoginPlace, 'username' | 'password'>>()
  const without = new Set<string>()
  const findings: Finding[] = []
  const { signal } = new AbortController()
  await Promise.all(
    questions.map(async ({ source, places }) => {
      const answer = await source.ask(signal)
      for (const place of places) {
        if ('problem' in answer) without.add(place.name)
        else logins.set(place.name, loginOf(place, answer))
        findings.push(
          'problem' in answer
            ? problem('credentials', place.name, `${source.name} ${answer.problem}`, ADVICE)
            : findingOf(place, source, answer, config),
        )
      }
    }),
  )
  const { cluster, shards } = config
  const pool = {
    ...config,
    shards: shards.map((shard) => ({ ...shard, ...logins.get(shard.name) })),
    cluster: cluster && { ...cluster, ...logins.get(clusterPlace(cluster).name) },
  }
  return { pool, without, findings }
}

const ADVICE =
  'docs/credentials.md says what it should give. Run it by hand, as the user and in the environment of the ambassador.'

/** Each program and each file is asked once. */
function questionsOf(config: PoolConfig): Question[] {
  const questions = new Map<string, Question>()
  const { cluster, shards } = config
  for (const place of cluster === undefined ? shards : [clusterPlace(cluster)]) {
    const source = sourceFor(place, config)
    if (source === undefined) continue
    const known = questions.get(source.id)
    if (known === undefined) questions.set(source.id, { source, places: [place] })
    else known.places.push(place)
  }
  return [...questions.values()]
}

function loginOf(place: LoginPlace, { credentials }: Obtained) {
  return { username: credentials.username ?? place.username, password: credentials.password }
}

function findingOf(
  place: LoginPlace,
  source: CredentialSource,
  obtained: Obtained,
  { shardAuthLifeMs }: PoolConfig,
): Finding {
  const { ageMs, credentials } = obtained
  const { username = 'default' } = loginOf(place, obtained)
  const lifeMs = credentials.lifeMs ?? source.lifeMs(shardAuthLifeMs)
  const leftSeconds = Math.round((lifeMs - ageMs) / 1000)
  const saw = `${source.name} gives credentials of the user ${username}`
  if (leftSeconds <= 0) {
    const ended = `${saw} that ended ${-leftSeconds} s ago`
    return problem('credentials', place.name, ended, 'Does what renews the file still run?')
  }
  if (leftSeconds === Number.POSITIVE_INFINITY) {
    return well('credentials', place.name, `${saw}, without an end that is known`)
  }
  const said = credentials.lifeMs === undefined ? ', as shardAuthLifeMs says' : ''
  if (leftSeconds < SHORT_SECONDS) {
    const short = `${saw} that live ${leftSeconds} s${said}`
    const advice = 'They are renewed every few seconds then. Is the life in seconds?'
    return note('credentials', place.name, short, advice)
  }
  return well('credentials', place.name, `${saw} that live ${leftSeconds} s${said}`)
}

/** Services give tokens that live longer. */
const SHORT_SECONDS = 60
