/**
 * Holds a conversation twice, first with a plain Redis and then through the ambassador, and compares
 * what the clients hear, turn by turn, and what is left of it in the databases.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { encodeRequest } from '../support/frames.ts'
import { Censor, type Exceptions, type Piece, type Turn, transcriptOf } from './conversation.ts'
import { BOTH, type Both, type Moment, Rehearsal, type Scene } from './rehearsal.ts'
import { Observer, Voice } from './voices.ts'

export interface Server {
  /** Where clients connect. */
  readonly port: number
  readonly password: string | undefined
  /** Where the data is: with the server itself, or with its shards. */
  readonly dataPorts: readonly number[]
  readonly dataPassword: string | undefined
}

export interface StageOptions {
  readonly plain: Server
  readonly ours: Server
  readonly exceptions: Exceptions
  /** Where a conversation may have left something. */
  readonly keys: readonly string[]
  /** The list on which clients wait without end. */
  readonly waitingRoom: string
  /** Rejects when something is under way after a conversation. */
  readonly quiet: () => Promise<void>
}

interface Play {
  readonly scenes: readonly Scene[]
  /** Each time that those who still waited were given something. */
  readonly releases: readonly Moment[]
  readonly end: Moment
  readonly data: readonly string[]
}

const DATABASES = ['0', '1']

/** Ends all states, and is heard in each: the first may be the one whose reply is skipped. */
const FAREWELL: readonly Piece[] = [
  { bytes: Buffer.concat([encodeRequest('RESET'), encodeRequest('RESET')]), pause: 0 },
]

export class Stage {
  readonly #options: StageOptions
  readonly #plain: Observer
  readonly #ours: Observer
  readonly #plainData: readonly Observer[]
  readonly #ourData: readonly Observer[]

  private constructor(options: StageOptions, [plain, ours, ...data]: readonly Observer[]) {
    this.#options = options
    this.#plain = plain as Observer
    this.#ours = ours as Observer
    this.#plainData = data.slice(0, options.plain.dataPorts.length)
    this.#ourData = data.slice(options.plain.dataPorts.length)
  }

  static async open(options: StageOptions): Promise<Stage> {
    const observers: Observer[] = []
    for (const { port, password } of [options.plain, options.ours]) {
      observers.push(await Observer.of(port, password))
    }
    for (const { dataPorts, dataPassword } of [options.plain, options.ours]) {
      for (const port of dataPorts) observers.push(await Observer.of(port, dataPassword))
    }
    return new Stage(options, observers)
  }

  async close(): Promise<void> {
    const all = [this.#plain, this.#ours, ...this.#plainData, ...this.#ourData]
    for (const observer of all) await observer.close()
  }

  /** What differs, and the conversation as it was held; undefined when nothing does. */
  async differenceOf(turns: readonly Turn[], patienceMs: number): Promise<string | undefined> {
    const play = await this.#rehearse(turns)
    const difference = await this.#perform(play, patienceMs)
    return difference && `${difference}\n${transcriptOf(play.scenes)}`
  }

  async #voices({ port, password }: Server): Promise<Both<Voice>> {
    const login = password === undefined ? [] : [`AUTH ${password}`]
    const { alike } = this.#options.exceptions
    return [await Voice.join(port, login, alike), await Voice.join(port, login, alike)]
  }

  async #rehearse(turns: readonly Turn[]): Promise<Play> {
    await forget(this.#plain)
    const voices = await this.#voices(this.#options.plain)
    const rehearsal = new Rehearsal(voices, this.#plain, new Censor(this.#options.exceptions))
    for (const turn of turns) await rehearsal.hold(turn)
    const releases: Moment[] = []
    for (let { waiting } = rehearsal.now; waiting > 0; waiting = rehearsal.now.waiting) {
      await this.#release(this.#plain)
      await rehearsal.settle()
      releases.push(rehearsal.now)
    }
    for (const voice of voices) await voice.say(FAREWELL)
    await rehearsal.settle()
    const data = await this.#dataOf(this.#plainData)
    for (const voice of voices) await voice.leave()
    await this.#plain.round()
    return { scenes: rehearsal.scenes, releases, end: rehearsal.now, data }
  }

  async #perform(play: Play, patienceMs: number): Promise<string | undefined> {
    await forget(this.#ours)
    const voices = await this.#voices(this.#options.ours)
    const difference = await this.#speak(voices, play, patienceMs)
    for (const voice of voices) await voice.leave()
    await this.#options.quiet()
    return difference
  }

  async #speak(voices: Both<Voice>, play: Play, patienceMs: number): Promise<string | undefined> {
    for (const [index, scene] of play.scenes.entries()) {
      await voices[scene.who].say(scene.pieces)
      const difference = await this.#compare(voices, scene, patienceMs)
      if (difference !== undefined) return `turn ${index}: ${difference}`
    }
    for (const release of play.releases) {
      await this.#release(this.#ours)
      const difference = await this.#compare(voices, release, patienceMs)
      if (difference !== undefined) return `after the last turn: ${difference}`
    }
    for (const voice of voices) await voice.say(FAREWELL)
    const difference = await this.#compare(voices, play.end, patienceMs)
    if (difference !== undefined) return `at the end: ${difference}`
    const data = await this.#dataOf(this.#ourData)
    const at = data.findIndex((dump, index) => dump !== play.data[index])
    return at < 0 ? undefined : `left by Redis ${shown(play.data[at])}, by us ${shown(data[at])}`
  }

  /** Waits until it is as it should be, or cannot become so any more: what is wrong then. */
  async #compare(
    voices: Both<Voice>,
    moment: Moment,
    patienceMs: number,
  ): Promise<string | undefined> {
    const endMs = performance.now() + patienceMs
    const { heard, left, waiting } = moment
    for (;;) {
      const isLate = performance.now() > endMs
      const wrong = BOTH.find((i) => {
        const isDifferent = isLate
          ? voices[i].heard !== heard[i]
          : !heard[i].startsWith(voices[i].heard)
        return isDifferent || (voices[i].hasEnded && !left[i])
      })
      if (wrong !== undefined) return differing(wrong, voices[wrong], heard[wrong])
      // Redis forgets to close a connection that is owed nothing, as by QUIT without replies; we do not.
      const isSame = BOTH.every((i) => {
        return voices[i].heard === heard[i] && (voices[i].hasEnded || !left[i] || waiting > 0)
      })
      if (isSame && (waiting === 0 || (await this.#waiting()) === waiting)) break
      if (isLate) return `wrong ends or waits: ${left}, ${waiting} waiting should`
      await nextTurn()
    }
    await this.#ours.round()
    return undefined
  }

  async #waiting(): Promise<number> {
    let sum = 0
    for (const shard of this.#ourData) sum += (await shard.waits()).length
    return sum
  }

  async #release(observer: Observer): Promise<void> {
    for (const database of DATABASES) {
      await observer.ask('SELECT', database)
      await observer.ask('RPUSH', this.#options.waitingRoom, 'release')
    }
    await observer.ask('SELECT', '0')
  }

  /** Each key of each database as a dump, wherever it is. */
  async #dataOf(observers: readonly Observer[]): Promise<string[]> {
    const dumps: string[] = []
    for (const database of DATABASES) {
      for (const observer of observers) await observer.ask('SELECT', database)
      for (const key of this.#options.keys) {
        const found = await Promise.all(observers.map((observer) => observer.ask('DUMP', key)))
        const dump = found.map((each) => each.toString('latin1')).find((each) => each !== '$-1\r\n')
        dumps.push(`${database} ${key} ${dump ?? 'nothing'}`)
      }
    }
    return dumps
  }
}

async function forget(observer: Observer): Promise<void> {
  await observer.ask('FLUSHALL')
  await observer.ask('SCRIPT', 'FLUSH')
}

/** From shortly before the first difference on. */
function differing(who: 0 | 1, voice: Voice, should: string): string {
  const { heard, hasEnded } = voice
  let at = 0
  while (at < heard.length && heard[at] === should[at]) at++
  const part = (text: string): string => shown(text.slice(Math.max(0, at - 60), at + 160))
  const end = hasEnded ? ' and the end' : ''
  return `${who === 0 ? 'A' : 'B'} hears of Redis ${part(should)}, of us ${part(heard)}${end}`
}

function shown(text: string | undefined): string {
  return JSON.stringify(text)
}
