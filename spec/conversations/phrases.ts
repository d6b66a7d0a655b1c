/**
 * What the clients of a conversation say. Each conversation has topics that it dwells on and others
 * that it leaves out, so that states meet that a fair mixture would bring together once in a blue moon.
 */
import { createHash } from 'node:crypto'
import { AUTH_FAILURES_MAX } from '../../lib/limits.ts'
import { encodeRequest, latin1 } from '../support/frames.ts'
import type { Random } from '../support/random.ts'

export interface Vocabulary {
  /** Begins every key: on several shards all keys must be on one. */
  readonly tag: string
  /** What AUTH takes; wrong ones are said a few times only, since the ambassador counts them. */
  readonly logins: readonly string[]
  readonly wrongLogins: readonly string[]
}

/** Bodies of scripts; EVALSHA names them by the order in which Redis would see them. */
const SCRIPTS: readonly string[] = [
  "return redis.call('INCR',KEYS[1])",
  "return {KEYS[1],ARGV[1],redis.call('GET',KEYS[1])}",
  "return redis.error_reply('MINE of the script')",
  "redis.call('NOSUCH')",
  // What reads it gets a reply that comes in parts.
  "redis.call('SET',KEYS[1],string.rep('long',50000))",
  'this is no Lua',
]

type Phrase = () => string | Buffer

/** In one of these databases, or in none. */
const DATABASES = ['0', '1', '0', '1', '99', 'x', '-1']

/** A framing error each: Redis says so, and hangs up. */
const BROKEN = [
  '*x\r\n',
  '*1\r\n:5\r\n',
  '*1\r\n$x\r\n',
  '*1\r\n$-2\r\n',
  'SET s "un\r\n',
  "GET 's'x\r\n",
]

const FAREWELLS = new Set(
  [...BROKEN, 'QUIT\r\n', '*1\r\n$4\r\nQUIT\r\n'].map((said) => said.toUpperCase()),
)

/** Requests that are none. */
const EMPTY = ['\r\n', '*0\r\n', '*-1\r\n', '  \r\n', '\n']

const TOPICS = 12

/** What all clients of a conversation have in common. */
export interface Style {
  /** How much of each topic it has: some dominate, some are absent. */
  readonly mix: readonly number[]
  /** How many channels each client subscribes to, of each kind. */
  readonly channels: number
}

export class Phrases {
  readonly #random: Random
  readonly #words: Vocabulary
  /**
   * Begins the names of what a client subscribes to, and the other's. Nobody publishes to itself: messages
   * and replies come over two connections, in either order. No two hear one channel: within a transaction
   * or a script the shard counts them as one.
   */
  readonly #own: string
  readonly #other: string
  readonly #topics: readonly (readonly Phrase[])[]
  readonly #channels: number
  #entry = 0
  #wrongLogins = 0

  constructor(random: Random, words: Vocabulary, style: Style, own: string, other: string) {
    this.#random = random
    this.#words = words
    this.#own = own
    this.#other = other
    this.#channels = style.channels
    this.#topics = this.#allTopics().flatMap((topic, at) => new Array(style.mix[at]).fill(topic))
  }

  static style(random: Random): Style {
    const mix = Array.from({ length: TOPICS }, () => random.pick([0, 1, 1, 2, 5]))
    return { mix, channels: random.pick([1, 2]) }
  }

  /** It ends the connection: a Redis that has not read what follows would reset it. */
  static isFarewell(said: Buffer): boolean {
    return FAREWELLS.has(said.toString('latin1').toUpperCase())
  }

  /** The bytes of one request, or of something that is none. */
  next(): Buffer {
    const { pick } = this.#random
    return this.#bytesOf(pick(pick(this.#topics.length === 0 ? this.#allTopics() : this.#topics))())
  }

  /** The same, about nothing that another client could notice. */
  nextForItself(): Buffer {
    return this.#bytesOf(this.#random.pick([...this.#lanes(), ...this.#clients()])())
  }

  #bytesOf(said: string | Buffer): Buffer {
    if (typeof said !== 'string') return said
    const words = wordsOf(said)
    const mayBeInline = words.every((word) => /^[!-~]+$/.test(word) && !/['"\\]/.test(word))
    const isInline = this.#random.integer(0, 8) === 0 && mayBeInline
    return isInline ? latin1(`${words.join(' ')}\r\n`) : encodeRequest(...words)
  }

  #key(...names: string[]): string {
    return `${this.#words.tag}${this.#random.pick(names)}`
  }

  #string(): string {
    return this.#key('s1', 's1', 's2', 's3', 'l1')
  }

  #list(): string {
    return this.#key('l1', 'l2', 's1')
  }

  #value(): string {
    return this.#random.pick(['1', '7', 'word', '\r\n', ''])
  }

  #login(): string {
    const { logins, wrongLogins } = this.#words
    const isWrong = this.#random.integer(0, 3) === 0 && this.#wrongLogins < AUTH_FAILURES_MAX - 1
    if (isWrong) this.#wrongLogins++
    return this.#random.pick(isWrong ? wrongLogins : logins)
  }

  #case(word: string): string {
    return this.#random.integer(0, 4) === 0 ? word.toLowerCase() : word
  }

  #allTopics(): (readonly Phrase[])[] {
    return [
      this.#plain(),
      this.#transactions(),
      this.#transactions(),
      this.#lanes(),
      this.#logins(),
      this.#replies(),
      this.#subscribing(),
      this.#publishing(),
      this.#blocking(),
      this.#scripts(),
      this.#clients(),
      this.#oddities(),
    ]
  }

  #plain(): Phrase[] {
    return [
      () => `SET ${this.#string()} ${this.#value()}`,
      () => `GET ${this.#string()}`,
      () => `INCR ${this.#string()}`,
      () => `MGET ${this.#string()} ${this.#string()}`,
      () => `DEL ${this.#string()} ${this.#list()}`,
      () => `RPUSH ${this.#list()} ${this.#value()}`,
      () => `LRANGE ${this.#list()} 0 -1`,
      () => `HSET ${this.#key('h')} f ${this.#value()}`,
      () => `HGETALL ${this.#key('h')}`,
      () => `XADD ${this.#key('x')} ${++this.#entry}-1 f v`,
      () => `ZADD ${this.#key('z')} ${this.#random.integer(0, 5)}.5 m`,
      () => `ZRANGE ${this.#key('z')} 0 -1 WITHSCORES`,
    ]
  }

  #transactions(): Phrase[] {
    return [
      () => 'MULTI',
      () => 'MULTI',
      () => 'EXEC',
      () => 'EXEC',
      () => 'DISCARD',
      () => `WATCH ${this.#string()}`,
      () => `WATCH ${this.#string()} ${this.#list()}`,
      () => 'UNWATCH',
      () => `SET ${this.#string()} ${this.#value()}`,
      () => `GET ${this.#string()}`,
      () => 'PING',
    ]
  }

  #lanes(): Phrase[] {
    return [
      () => `SELECT ${this.#random.pick(DATABASES)}`,
      () => 'HELLO 3',
      () => 'HELLO 2',
      () => this.#random.pick(['HELLO', 'HELLO 4', 'HELLO x', 'HELLO 3 NOSUCH', 'HELLO 3 AUTH a']),
      () => `HELLO ${this.#random.pick(['2', '3'])} SETNAME ${this.#random.pick(['n', 'm'])}`,
      () => 'RESET',
    ]
  }

  #logins(): Phrase[] {
    return [
      () => `AUTH ${this.#login()}`,
      () => `AUTH ${this.#login()}`,
      () => 'AUTH a b c',
      () => {
        const login = this.#login().split(' ')
        const [user = '', password = ''] = login.length === 1 ? ['default', login[0]] : login
        const name = this.#random.pick(['', ' SETNAME n', ' NOSUCH'])
        return `HELLO ${this.#random.pick(['2', '3'])} AUTH ${user} ${password}${name}`
      },
      () => 'ACL WHOAMI',
    ]
  }

  #replies(): Phrase[] {
    return [
      () => `CLIENT REPLY ${this.#case('OFF')}`,
      () => `CLIENT REPLY ${this.#case('ON')}`,
      () => `CLIENT REPLY ${this.#case('ON')}`,
      () => `CLIENT REPLY ${this.#case('SKIP')}`,
      () => `CLIENT REPLY ${this.#case('SKIP')}`,
      () => this.#random.pick(['CLIENT REPLY', 'CLIENT REPLY maybe', 'CLIENT REPLY ON ON', 'PING']),
    ]
  }

  #subscribing(): Phrase[] {
    // In which order a bare UNSUBSCRIBE names several is up to Redis's table of them.
    const name = (): string => `${this.#own}${this.#random.integer(1, this.#channels + 1)}`
    const bare =
      this.#channels === 1 ? ['UNSUBSCRIBE', 'SUNSUBSCRIBE', 'PUNSUBSCRIBE'] : ['PUNSUBSCRIBE']
    return [
      () => `SUBSCRIBE ${name()}`,
      () => `SUBSCRIBE ${name()} ${name()}`,
      () => `PSUBSCRIBE ${this.#own}*`,
      () => `SSUBSCRIBE ${name()}`,
      () => `UNSUBSCRIBE ${name()}`,
      () => `UNSUBSCRIBE ${name()} ${name()}`,
      () => this.#random.pick(bare),
      () => this.#random.pick([`PUNSUBSCRIBE ${this.#own}*`, `SUNSUBSCRIBE ${name()}`]),
      () => this.#random.pick(['PING', 'PING x']),
    ]
  }

  #publishing(): Phrase[] {
    const name = (): string => `${this.#other}${this.#random.integer(1, 4)}`
    return [
      () => `PUBLISH ${name()} ${this.#value()}`,
      () => `SPUBLISH ${name()} ${this.#value()}`,
      () => `PUBSUB NUMSUB ${name()}`,
      () => `EVAL return(redis.call('PUBLISH',ARGV[1],'m')) 1 ${this.#string()} ${name()}`,
    ]
  }

  #blocking(): Phrase[] {
    return [
      () => `BLPOP ${this.#list()} 0.01`,
      () => `RPUSH ${this.#list()} ${this.#value()}`,
      () => `BRPOP ${this.#list()} ${this.#list()} 0.01`,
      () => `BLMOVE ${this.#list()} ${this.#list()} LEFT RIGHT 0.01`,
      () => `XREAD BLOCK 10 STREAMS ${this.#key('x')} ${this.#random.pick(['0', '$'])}`,
      () => `XREAD COUNT 1 STREAMS ${this.#key('x')} 0`,
      () => `BLPOP ${this.#list()} ${this.#random.pick(['x', '-1'])}`,
      () => this.#random.pick(['WAIT 0 0', 'WAIT 0 10', 'WAIT x 0']),
      () => `BZPOPMIN ${this.#key('z')} 0.01`,
    ]
  }

  #scripts(): Phrase[] {
    const run = (body: string): Buffer => {
      return encodeRequest('EVAL', body, '1', this.#string(), this.#value())
    }
    const runKnown = (body: string): Buffer => {
      const sha = this.#random.integer(0, 6) === 0 ? 'f'.repeat(40) : shaOf(body)
      return encodeRequest('EVALSHA', sha, '1', this.#string(), this.#value())
    }
    return [
      () => run(this.#random.pick(SCRIPTS)),
      () => runKnown(this.#random.pick(SCRIPTS)),
      () => runKnown(this.#random.pick(SCRIPTS)),
      () => `SCRIPT LOAD ${this.#random.pick(SCRIPTS)}`,
      () => `SCRIPT EXISTS ${shaOf(this.#random.pick(SCRIPTS))} ${shaOf('none')}`,
      () => this.#random.pick(['SCRIPT FLUSH', 'SCRIPT FLUSH SYNC', 'SCRIPT FLUSH nonsense']),
    ]
  }

  #clients(): Phrase[] {
    return [
      () => `CLIENT SETNAME ${this.#random.pick(['n', 'm', ''])}`,
      () => 'CLIENT GETNAME',
      () => 'CLIENT ID',
      () => `CLIENT NO-EVICT ${this.#random.pick(['on', 'OFF', 'maybe'])}`,
      () => 'CLIENT TRACKINGINFO',
      () => 'CLIENT GETREDIR',
      () => encodeRequest('CLIENT', 'SETNAME', 'a b'),
    ]
  }

  #oddities(): Phrase[] {
    const { pick, integer } = this.#random
    return [
      () =>
        pick([
          'NOSUCH',
          'NOSUCH a b',
          'CLIENT NOSUCH',
          'GET',
          'GET a b',
          'MULTI x',
          'EXEC x',
          'WATCH',
        ]),
      () =>
        pick(['SUBSCRIBE', 'SELECT', 'HELLO 3 AUTH', 'DISCARD x', 'RESET x', 'PING a b', 'AUTH']),
      () => latin1(pick(EMPTY)),
      () => latin1(pick(EMPTY)),
      () => pick(['PING', 'PING text', 'ECHO text', 'ECHO']),
      () => pick(['DBSIZE', `TYPE ${this.#string()}`, `OBJECT ENCODING ${this.#list()}`]),
      () => (integer(0, 8) > 0 ? 'PING' : pick(['QUIT', 'QUIT', latin1(pick(BROKEN))])),
    ]
  }
}

/** The body of a script has spaces of its own. */
function wordsOf(said: string): string[] {
  const [, load, body] = /^(SCRIPT LOAD) (.*)$/.exec(said) ?? []
  return load === undefined ? said.split(' ') : [...load.split(' '), body ?? '']
}

function shaOf(body: string): string {
  return createHash('sha1').update(body, 'latin1').digest('hex')
}
