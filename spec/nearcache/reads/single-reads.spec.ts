/** Which reads are answered from memory, which fly to be kept, and which go the usual way. */
import { expect } from 'chai'
import { requestFrame } from '../../../lib/resp/encode.ts'
import { ReadScene } from '../../support/near-cache/read-scene.ts'

describe('SingleReads', () => {
  let scene: ReadScene

  beforeEach(() => {
    scene = new ReadScene()
  })

  it('leaves keys alone that are not named', () => {
    for (let round = 0; round < 3; round++) expect(scene.read('GET', 'other:a')).to.equal(false)
    expect(scene.connection.sent).to.deep.equal([])
    expect(scene.stats.misses.absent).to.equal(0)
  })

  it('lets what is asked for again fly, and answers from memory when that has landed', () => {
    expect(scene.read('GET', 'k:a')).to.equal(false)
    expect(scene.stats.notAdmitted).to.equal(1)
    expect(scene.read('GET', 'k:a')).to.equal(true)
    expect(scene.connection.sent).to.deep.equal(['CLIENT CACHING YES', 'GET k:a', 'PTTL k:a'])
    scene.connection.answer('+OK\r\n', '$1\r\nv\r\n', ':-1\r\n')
    expect(scene.read('GET', 'k:a')).to.equal(true)
    expect(scene.client.replies).to.deep.equal(['$1\r\nv\r\n', '$1\r\nv\r\n'])
    expect([scene.stats.hits, scene.stats.fills]).to.deep.equal([1, 1])
    expect(scene.connection.sent).to.have.length(3)
  })

  it('tells commands and arguments apart', () => {
    scene.keep('$1\r\nv\r\n', 'HGET', 'k:a', 'f')
    for (const other of [
      ['HGET', 'k:a', 'g'],
      ['HGETALL', 'k:a'],
      ['hget', 'k:a', 'f'],
    ]) {
      expect(scene.read(...other), other.join(' ')).to.equal(false)
    }
    expect(scene.read('HGET', 'k:a', 'f')).to.equal(true)
  })

  it('does not ask for the life of keys that never expire', () => {
    scene.set({ nearCacheTtl: 'trust' })
    scene.read('GET', 'k:a')
    scene.read('GET', 'k:a')
    expect(scene.connection.sent).to.deep.equal(['CLIENT CACHING YES', 'GET k:a'])
  })

  it('does not use what has expired, here or at the shard', () => {
    scene.keep('$1\r\nv\r\n', 'GET', 'k:a')
    scene.at(scene.settings.nearCacheMaxAgeMs)
    scene.read('GET', 'k:a')
    expect([scene.stats.hits, scene.stats.misses.expired]).to.deep.equal([0, 1])
    scene.connection.answer('+OK\r\n', '$1\r\nv\r\n', ':-1\r\n')
    scene.keepFor(500, '$1\r\nv\r\n', 'GET', 'k:b')
    scene.pass(499)
    scene.read('GET', 'k:b')
    scene.pass(1)
    scene.read('GET', 'k:b')
    expect([scene.stats.hits, scene.stats.misses.expired]).to.deep.equal([1, 2])
  })

  it('does not use what is kept of a shard that gave no sign of life for so long', () => {
    scene.keep('$1\r\nv\r\n', 'GET', 'k:a')
    scene.source.confirmedMs = scene.turn.nowMs
    scene.pass(999, false)
    scene.read('GET', 'k:a')
    scene.pass(1, false)
    scene.read('GET', 'k:a')
    expect([scene.stats.hits, scene.stats.misses.unconfirmed]).to.deep.equal([1, 1])
  })

  it('keeps nothing of what a client is writing', () => {
    const life = scene.write('k:a')
    for (let round = 0; round < 3; round++) expect(scene.read('GET', 'k:a')).to.equal(false)
    expect(scene.stats.misses.writing).to.equal(2)
    life.over()
    expect(scene.read('GET', 'k:a')).to.equal(true)
  })

  it('keeps nothing of a connection that is not tracked', () => {
    scene.source.number = 0
    for (let round = 0; round < 3; round++) expect(scene.read('GET', 'k:a')).to.equal(false)
    expect(scene.stats.misses.untracked).to.equal(2)
  })

  it('answers those who ask meanwhile with the same reply, until part of it has come', () => {
    scene.read('GET', 'k:a')
    scene.read('GET', 'k:a')
    expect(scene.read('GET', 'k:a')).to.equal(true)
    expect(scene.stats.joined).to.equal(1)
    scene.connection.answer('+OK\r\n')
    scene.connection.answerPart('$1\r\n', false)
    // This one may get what is newer: what flies must not follow it.
    expect(scene.read('GET', 'k:a')).to.equal(false)
    expect(scene.stats.poisoned.passed).to.equal(1)
    scene.connection.answerPart('v\r\n', true)
    scene.connection.answer(':-1\r\n')
    expect(scene.stats.fills).to.equal(0)
    expect(scene.client.replies).to.deep.equal(['$1\r\n', '$1\r\n', 'v\r\n', 'v\r\n'])
  })

  it('does not keep what was poisoned, or read before the source had another number', () => {
    const spoils = [
      () => scene.single.flights.poisonAll('push'),
      () => {
        scene.source.number++
      },
    ]
    for (const [at, spoil] of spoils.entries()) {
      scene.read('GET', `k:${at}`)
      scene.read('GET', `k:${at}`)
      scene.connection.answer('+OK\r\n', '$1\r\nv\r\n')
      spoil()
      scene.connection.answer(':-1\r\n')
    }
    expect([scene.stats.fills, scene.keeping.entries.count]).to.deep.equal([0, 0])
    expect(scene.single.flights.count).to.equal(0)
  })

  it('keeps nothing of a prefix that is left alone', () => {
    const [prefix] = scene.keeping.prefixes.all
    if (prefix !== undefined) prefix.suspendedUntilMs = scene.turn.nowMs + 1
    for (let round = 0; round < 3; round++) expect(scene.read('GET', 'k:a')).to.equal(false)
    scene.pass(1)
    expect(scene.read('GET', 'k:a')).to.equal(true)
  })

  it('finds nothing that was read of a place before something happened to it', () => {
    scene.way.changedAt = 3
    scene.keep('$1\r\nv\r\n', 'GET', 'k:a')
    expect([scene.read('GET', 'k:a'), scene.stats.hits]).to.deep.equal([true, 1])
    scene.way.changedAt = 4
    expect(scene.read('GET', 'k:a')).to.equal(false)
    expect(scene.read('GET', 'k:a')).to.equal(true)
    // Nor is what is on its way shared.
    scene.way.changedAt = 5
    expect(scene.read('GET', 'k:a')).to.equal(false)
    expect(scene.stats.hits).to.equal(1)
  })

  it('leaves a read alone that would lose its order, and one that has been answered meanwhile', () => {
    scene.read('GET', 'k:a')
    scene.way.admits = false
    expect([scene.read('GET', 'k:a'), scene.client.nextTicket]).to.deep.equal([false, 0])
    scene.way.admits = true
    scene.way.entrust = () => undefined
    expect(scene.read('GET', 'k:a')).to.equal(true)
    expect([scene.single.flights.count, scene.connection.sent]).to.deep.equal([0, []])
  })

  it('gives the reply to whoever the request is entrusted to', () => {
    const { client } = scene
    const other = { replies: [] as string[], failed: () => {}, reply: () => other.replies.push('') }
    scene.read('GET', 'k:a')
    scene.way.entrust = () => other
    scene.read('GET', 'k:a')
    scene.read('GET', 'k:a')
    scene.connection.answer('+OK\r\n', '-MOVED 1 10.0.0.2:6379\r\n', ':-1\r\n')
    expect([other.replies.length, client.replies, scene.stats.fills]).to.deep.equal([2, [], 0])
  })

  it('keeps no error', () => {
    scene.read('GET', 'k:a')
    scene.read('GET', 'k:a')
    scene.connection.answer('+OK\r\n', '-WRONGTYPE\r\n', ':-1\r\n')
    expect(scene.stats.fills).to.equal(0)
    expect(scene.client.replies).to.deep.equal(['-WRONGTYPE\r\n'])
  })

  it('finds every request in the bytes that came, wherever it stands', () => {
    scene.keep('$1\r\nv\r\n', 'GET', 'k:a')
    expect(
      scene.readFrom(Buffer.concat([Buffer.from('before'), requestFrame(['GET', 'k:a'])]), 6),
    ).to.equal(true)
  })
})
