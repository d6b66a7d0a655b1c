/** Which flights fill, through every order of what may happen to one. */
import { expect } from 'chai'
import { OVERLOADED } from '../../../lib/failures.ts'
import { Prefixes } from '../../../lib/nearcache/memory/prefixes.ts'
import { EXPIRY, type Flight, READ, TRACK } from '../../../lib/nearcache/reads/flight.ts'
import { Flights } from '../../../lib/nearcache/reads/flights.ts'
import type { Source } from '../../../lib/nearcache/tracking/source.ts'
import type { ReplySink } from '../../../lib/upstream/reply-sink.ts'

const KEY = 11
const FRAME = Buffer.from('*2\r\n$3\r\nGET\r\n$1\r\nk\r\n')
const REQUEST = {
  bytes: FRAME,
  frameStart: 0,
  frameEnd: FRAME.length,
  argc: 2,
  offsets: Int32Array.of(8, 11, 17, 18),
}
const [prefix] = new Prefixes(['k'], 0).all as [Prefixes['all'][0]]

/** As much of a source as a flight needs. */
class PretendedSource {
  number = 5
  confirmedMs = 0

  confirm(enteredMs: number): void {
    this.confirmedMs = enteredMs
  }
}

class Client implements ReplySink {
  text = ''

  reply(_tag: number, bytes: Buffer, start: number, end: number): void {
    this.text += bytes.toString('latin1', start, end)
  }

  failed(_tag: number, failure: { kind: string }): void {
    this.text += `(${failure.kind})`
  }
}

class Scene {
  readonly source = new PretendedSource()
  readonly client = new Client()
  readonly poisons: string[] = []
  /** What the flight brought, if it landed unpoisoned. */
  filled: { text: string; expiresMs: number } | undefined
  landed = false
  readonly flights = new Flights({
    landed: (flight) => {
      this.landed = true
      if (!flight.isPoisoned && flight.isTracked) {
        this.filled = { text: flight.replyCopy.toString(), expiresMs: flight.expiresMs }
      }
      this.flights.remove(KEY, flight)
    },
    poisoned: (by) => this.poisons.push(by),
  })
  readonly flight: Flight

  constructor(bytesMax = 1000, asksExpiry = true) {
    this.flight = this.flights.take()
    const source = this.source as unknown as Source
    const limits = { bytesMax, maxAgeMs: 5000, asksExpiry }
    this.flight.begin(
      { identity: 1, keyHash: KEY, source, prefix, sentMs: 100, ...limits },
      REQUEST,
    )
    this.flight.join(this.client, 0)
    this.flights.add(KEY, this.flight)
  }

  answer(tag: number, text: string, last = true): void {
    const bytes = Buffer.from(`..${text}`)
    this.flight.reply(tag, bytes, 2, bytes.length, last)
  }
}

type Step = (scene: Scene) => void

const track: Step = (scene) => scene.answer(TRACK, '+OK\r\n')
const begin: Step = (scene) => scene.answer(READ, '$2\r\n', false)
const end: Step = (scene) => scene.answer(READ, 'v1\r\n')
const expiry: Step = (scene) => scene.answer(EXPIRY, ':-1\r\n')
const WAY = [track, begin, end, expiry]

/** What comes between, and whether the flight fills after that, by the number of steps before it. */
const EVENTS: readonly (readonly [string, Step, (before: number, inBand: boolean) => boolean])[] = [
  ['a push on the feed', ({ flights }) => flights.changed(KEY, undefined), () => false],
  [
    'a push on its own connection',
    ({ flights, source }) => flights.changed(KEY, source as unknown as Source),
    (before) => before < 2,
  ],
  [
    'a push on another connection',
    ({ flights }) => flights.changed(KEY, {} as Source),
    () => false,
  ],
  ['an own write', ({ flights }) => flights.writes(KEY), () => false],
  ['a write of any key', ({ flights }) => flights.poisonAll('ownWrite'), () => false],
  [
    'the end of its source',
    ({ source }) => {
      source.number = 6
    },
    () => false,
  ],
  ['a push for another key', ({ flights }) => flights.changed(KEY + 1, undefined), () => true],
  ['an own write of another key', ({ flights }) => flights.writes(KEY + 1), () => true],
]

describe('Flights', () => {
  it('brings the reply, passes it on, and says for how long it holds', () => {
    const scene = new Scene()
    for (const step of WAY) step(scene)
    expect(scene.filled).to.deep.equal({ text: '$2\r\nv1\r\n', expiresMs: 5100 })
    expect(scene.client.text).to.equal('$2\r\nv1\r\n')
    expect(scene.source.confirmedMs).to.equal(100)
    expect(scene.flights.count).to.equal(0)
  })

  for (const [name, event, fills] of EVENTS) {
    it(`passes the reply on, and keeps it or not, after ${name} at any time`, () => {
      for (let before = 0; before < WAY.length; before++) {
        const scene = new Scene()
        for (const step of WAY.slice(0, before)) step(scene)
        event(scene)
        for (const step of WAY.slice(before)) step(scene)
        expect(scene.client.text).to.equal('$2\r\nv1\r\n')
        expect([before, scene.filled !== undefined]).to.deep.equal([before, fills(before, false)])
        expect(scene.flights.count).to.equal(0)
      }
    })
  }

  it('keeps nothing when the shard does not track, or the reply is an error', () => {
    for (const [tag, text] of [
      [TRACK, '-ERR no\r\n'],
      [READ, '-WRONGTYPE no\r\n'],
      [READ, '!8\r\nERR no !\r\n'],
      [EXPIRY, '-ERR no\r\n'],
      [EXPIRY, ':x\r\n'],
    ] as const) {
      const scene = new Scene()
      scene.answer(TRACK, tag === TRACK ? text : '+OK\r\n')
      scene.answer(READ, tag === READ ? text : '$-1\r\n')
      scene.answer(EXPIRY, tag === EXPIRY ? text : ':-1\r\n')
      expect([scene.filled, scene.poisons]).to.deep.equal([undefined, ['reply']])
      expect(scene.client.text).to.equal(tag === READ ? text : '$-1\r\n')
    }
  })

  it('lives no longer than the key', () => {
    const expected = {
      ':300\r\n': 400,
      ':-1\r\n': 5100,
      ':-2\r\n': 5100,
      ':9000\r\n': 5100,
      ':0\r\n': 100,
    }
    for (const [answer, expiresMs] of Object.entries(expected)) {
      const scene = new Scene()
      for (const step of [track, begin, end]) step(scene)
      scene.answer(EXPIRY, answer)
      expect(scene.filled?.expiresMs).to.equal(expiresMs)
    }
  })

  it('asks nobody for how long if that is trusted', () => {
    const scene = new Scene(1000, false)
    for (const step of [track, begin, end]) step(scene)
    expect(scene.filled?.expiresMs).to.equal(5100)
  })

  it('keeps nothing that is too large', () => {
    for (const [bytesMax, isKept] of [
      [FRAME.length + 8, true],
      [FRAME.length + 7, false],
    ] as const) {
      const scene = new Scene(bytesMax)
      for (const step of WAY) step(scene)
      expect(scene.filled !== undefined).to.equal(isKept)
      expect(scene.client.text).to.equal('$2\r\nv1\r\n')
    }
  })

  it('tells all who wait when it fails, and lands', () => {
    for (let before = 0; before < WAY.length; before++) {
      const scene = new Scene()
      const other = new Client()
      scene.flight.join(other, 1)
      for (const step of WAY.slice(0, before)) step(scene)
      const failing = [TRACK, READ, READ, EXPIRY][before] as number
      for (let tag = failing; tag <= EXPIRY; tag++) scene.flight.failed(tag, OVERLOADED)
      expect([scene.landed, scene.filled]).to.deep.equal([true, undefined])
      expect(scene.client.text).to.equal(other.text)
      const expected = ['(overloaded)', '(overloaded)', '$2\r\n(overloaded)', '$2\r\nv1\r\n']
      expect(scene.client.text).to.equal(expected[before])
    }
  })

  it('may be joined until part of its reply has come, and while nothing has happened to the key', () => {
    const scene = new Scene()
    expect(scene.flight.isJoinable).to.equal(true)
    begin(scene)
    expect(scene.flight.isJoinable).to.equal(false)
    const poisoned = new Scene()
    poisoned.flights.writes(KEY)
    expect(poisoned.flight.isJoinable).to.equal(false)
    const ended = new Scene()
    ended.source.number = 9
    expect(ended.flight.isJoinable).to.equal(false)
  })

  it('finds the flight for a request by all its bytes and its connection', () => {
    const { flights, flight, source } = new Scene()
    const of = (text: string, from: unknown = source, identity = flight.plan?.identity ?? 0) => {
      const bytes = Buffer.from(text)
      return flights.find(KEY, identity, from as Source, bytes, 0, bytes.length)
    }
    expect(of(`${FRAME}`)).to.equal(flight)
    expect(of(`${FRAME}`, source, 77)).to.equal(undefined)
    expect(of(`${FRAME}`, new PretendedSource())).to.equal(undefined)
    expect(of(`${FRAME}`.replace('GET', 'get'))).to.equal(undefined)
    expect(of('*2\r\n')).to.equal(undefined)
  })
})
