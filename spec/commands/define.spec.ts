import { expect } from 'chai'
import { defineCommand, type Override } from '../../lib/commands/define.ts'
import {
  type CommandFacts,
  keyPositions,
  requestPolicy,
  responsePolicy,
} from '../../lib/commands/learning/facts.ts'
import type { CommandDefinition, ResponsePolicy } from '../../lib/commands/row.ts'

function facts(flags: string, more: Partial<CommandFacts> = {}): CommandFacts {
  return {
    name: 'x',
    arity: -2,
    flags: new Set(flags.split(' ')),
    keySpecs: [],
    keysUnknown: false,
    requestPolicy: undefined,
    responsePolicy: undefined,
    subcommands: undefined,
    ...more,
  }
}

const KEYED = { keySpecs: keyPositions(1, 1, 1) }

describe('defineCommand', () => {
  describe('infers the route', () => {
    function routeOf(flags: string, more: Partial<CommandFacts> = {}): string {
      return defineCommand(facts(flags, more)).handling
    }

    function fanOut(responsePolicy: ResponsePolicy | undefined): string {
      return routeOf('readonly', { requestPolicy: 'all_shards', responsePolicy })
    }

    it('of a command with keys: their shard', () => {
      expect(routeOf('write', KEYED)).to.equal('single')
      expect(routeOf('write module', KEYED)).to.equal('single')
    })

    it('of a command with keys and a policy to split: never split, as MSETNX of Redis 7.0 teaches', () => {
      expect(routeOf('write', { ...KEYED, requestPolicy: 'multi_shard' })).to.equal('single')
    })

    it('of a command whose keys cannot be told: refused', () => {
      expect(routeOf('write', { ...KEYED, keysUnknown: true })).to.equal('refuse')
    })

    it('of a command without keys: any shard, if it can be the same on each', () => {
      expect(routeOf('readonly fast')).to.equal('single')
      expect(routeOf('loading stale')).to.equal('single')
    })

    it('of a command without keys that writes, or touches a connection or a module: refused', () => {
      for (const flag of ['write', 'noscript', 'no_auth', 'module']) {
        expect(routeOf(`${flag} fast`), flag).to.equal('refuse')
      }
    })

    it('of a command with a policy: every shard, if the policy says how to merge', () => {
      expect(fanOut('agg_sum')).to.equal('broadcast')
      expect(fanOut(undefined)).to.equal('broadcast')
      expect(fanOut('special')).to.equal('refuse')
      expect(routeOf('readonly', { requestPolicy: 'special' })).to.equal('refuse')
      expect(routeOf('readonly', { requestPolicy: 'multi_shard' })).to.equal('refuse')
    })

    it('of blocking commands, administration and pub/sub', () => {
      expect(routeOf('write blocking', KEYED)).to.equal('lease')
      expect(routeOf('admin write', KEYED)).to.equal('admin')
      expect(routeOf('pubsub')).to.equal('refuse')
    })

    it('of a container: refused, for it is never met with a subcommand', () => {
      const subcommands = [defineCommand(facts('readonly', { name: 'x|y' }))]
      expect(routeOf('fast', { subcommands })).to.equal('refuse')
      expect(routeOf('fast', { subcommands, arity: 2 })).to.equal('refuse')
      expect(routeOf('fast', { subcommands, arity: -1 })).to.equal('single')
    })

    it('with a reason wherever it does not pass', () => {
      for (const flags of ['admin', 'pubsub', 'blocking', 'write', 'noscript']) {
        expect(defineCommand(facts(flags)).because, flags).to.match(/^it /)
      }
      expect(defineCommand(facts('readonly')).because).to.equal(undefined)
    })
  })

  describe('lets an override win', () => {
    function overridden(override: Override): CommandDefinition {
      return defineCommand(facts('admin movablekeys', { keysUnknown: true, ...KEYED }), override)
    }

    it('over the handling, whose reason is then the override’s', () => {
      const row = overridden({ handling: 'single' })
      expect([row.handling, row.because]).to.deep.equal(['single', undefined])
      expect(overridden({ handling: 'refuse', because: 'so' }).because).to.equal('so')
      expect(overridden({ because: 'so' }).because).to.equal('so')
    })

    it('over the keys, which are then known', () => {
      const known = defineCommand(facts('write', { keysUnknown: true }), KEYED)
      expect([known.handling, known.fixedKey]).to.deep.equal(['single', 1])
    })

    it('over policies, also to take them away', () => {
      const tagged = facts('write', { requestPolicy: 'all_shards', responsePolicy: 'agg_sum' })
      const row = defineCommand(tagged, { requestPolicy: 'none', responsePolicy: 'none' })
      expect([row.requestPolicy, row.responsePolicy]).to.deep.equal([undefined, undefined])
      expect(defineCommand(tagged, { responsePolicy: 'agg_max' }).responsePolicy).to.equal(
        'agg_max',
      )
    })
  })

  it('merges administration by success, unless told otherwise', () => {
    expect(defineCommand(facts('admin')).responsePolicy).to.equal('all_succeeded')
    expect(defineCommand(facts('admin', { responsePolicy: 'agg_sum' })).responsePolicy).to.equal(
      'agg_sum',
    )
  })

  it('calls readonly what reads and does not write', () => {
    expect(defineCommand(facts('readonly')).readonly).to.equal(true)
    expect(defineCommand(facts('write')).readonly).to.equal(false)
    expect(defineCommand(facts('fast')).readonly).to.equal(false)
  })

  it('has a fixed key only where the arity proves that it is there', () => {
    const keyAt = (pos: number, arity: number): number => {
      return defineCommand(facts('write', { arity, keySpecs: keyPositions(pos, pos, 1) })).fixedKey
    }
    expect([keyAt(1, 2), keyAt(1, -2), keyAt(2, -3)]).to.deep.equal([1, 1, 2])
    expect([keyAt(2, 2), keyAt(2, -2)]).to.deep.equal([0, 0])
  })

  it('refuses to define a split of what is not keys alone', () => {
    const split = (first: number, last: number): (() => unknown) => {
      const split = facts('write', { keySpecs: keyPositions(first, last, 1) })
      return () => defineCommand(split, { handling: 'split' })
    }
    expect(split(1, -1)).not.to.throw()
    expect(split(1, 1)).to.throw('x cannot be split')
    expect(split(2, -1)).to.throw('x cannot be split')
    expect(() => defineCommand(facts('write'), { handling: 'split' })).to.throw('x cannot be split')
  })
})

describe('policies', () => {
  it('are special when unknown, so that nobody follows them by half', () => {
    expect([requestPolicy('all_shards'), requestPolicy('all_moons')]).to.deep.equal([
      'all_shards',
      'special',
    ])
    expect([responsePolicy('agg_min'), responsePolicy('agg_avg')]).to.deep.equal([
      'agg_min',
      'special',
    ])
    expect([requestPolicy(undefined), responsePolicy(undefined)]).to.deep.equal([
      undefined,
      undefined,
    ])
  })
})
