import { expect } from 'chai'
import { type Merge, mergeReplies } from '../../../lib/routing/merge/reassemble.ts'
import { latin1 } from '../../support/frames.ts'

function merge(policy: Merge, ...replies: readonly string[]): string | undefined {
  return mergeReplies(policy, replies.map(latin1))?.toString('latin1')
}

const FOLDS = [
  'agg_sum',
  'agg_min',
  'agg_max',
  'agg_logical_and',
  'agg_logical_or',
] as const satisfies readonly Merge[]

describe('mergeReplies', () => {
  describe('numbers', () => {
    const cases: readonly [Merge, string[], string][] = [
      ['agg_sum', [':1\r\n', ':2\r\n', ':-4\r\n'], ':-1\r\n'],
      ['agg_sum', [':0\r\n'], ':0\r\n'],
      ['agg_sum', [':9007199254740993\r\n', ':0\r\n'], ':9007199254740993\r\n'],
      ['agg_min', [':3\r\n', ':-2\r\n', ':5\r\n'], ':-2\r\n'],
      ['agg_min', [':1\r\n', ':2\r\n'], ':1\r\n'],
      ['agg_max', [':3\r\n', ':-2\r\n', ':5\r\n'], ':5\r\n'],
      ['agg_max', [':2\r\n', ':1\r\n'], ':2\r\n'],
      ['agg_logical_and', [':1\r\n', ':7\r\n'], ':1\r\n'],
      ['agg_logical_and', [':1\r\n', ':0\r\n', ':1\r\n'], ':0\r\n'],
      ['agg_logical_and', [':0\r\n', ':1\r\n'], ':0\r\n'],
      ['agg_logical_or', [':0\r\n', ':0\r\n'], ':0\r\n'],
      ['agg_logical_or', [':0\r\n', ':1\r\n'], ':1\r\n'],
      ['agg_logical_or', [':5\r\n', ':0\r\n'], ':1\r\n'],
    ]
    for (const [policy, replies, merged] of cases) {
      it(`${policy} of ${JSON.stringify(replies.join(''))}`, () => {
        expect(merge(policy, ...replies)).to.equal(merged)
      })
    }

    it('in arrays are folded place by place', () => {
      const replies = ['*3\r\n:1\r\n:0\r\n:1\r\n', '*3\r\n:1\r\n:1\r\n:0\r\n']
      expect(merge('agg_logical_and', ...replies)).to.equal('*3\r\n:1\r\n:0\r\n:0\r\n')
      expect(merge('agg_sum', ...replies)).to.equal('*3\r\n:2\r\n:1\r\n:1\r\n')
      expect(merge('agg_min', '*0\r\n', '*0\r\n')).to.equal('*0\r\n')
    })

    it('are not made of what is none', () => {
      for (const policy of FOLDS) {
        for (const replies of [
          ['+OK\r\n', '+OK\r\n'],
          [':1\r\n', '+OK\r\n'],
          [':1\r\n', '*1\r\n:1\r\n'],
          ['*1\r\n:1\r\n', ':1\r\n'],
          ['*1\r\n:1\r\n', '*2\r\n:1\r\n:1\r\n'],
          ['*1\r\n:1\r\n', '*1\r\n+a\r\n'],
          ['*-1\r\n', '*-1\r\n'],
          ['$1\r\n1\r\n', '$1\r\n1\r\n'],
        ]) {
          expect(merge(policy, ...replies), `${policy} ${replies}`).to.equal(undefined)
        }
      }
    })
  })

  it('passes on what all said when all succeeded', () => {
    expect(merge('all_succeeded', '+OK\r\n', '+OK\r\n')).to.equal('+OK\r\n')
  })

  it('passes on the first success when one is enough, else the first error', () => {
    expect(merge('one_succeeded', '-A\r\n', '+OK\r\n', '-B\r\n')).to.equal('+OK\r\n')
    expect(merge('one_succeeded', '-A\r\n', '-B\r\n')).to.equal('-A\r\n')
  })

  it('passes on the first error as it came, in every other case', () => {
    const errors = ['-OOM command not allowed\r\n', '!5\r\nERR x\r\n']
    for (const policy of ['all_succeeded', 'concatenate', ...FOLDS] as const) {
      for (const error of errors) {
        expect(merge(policy, ':1\r\n', error, '-LATER\r\n'), policy).to.equal(error)
        expect(merge(policy, error, ':1\r\n'), policy).to.equal(error)
      }
    }
  })

  describe('concatenate', () => {
    it('joins all elements in the order of the shards', () => {
      const replies = ['*2\r\n$1\r\na\r\n$1\r\nb\r\n', '*0\r\n', '*1\r\n*1\r\n:1\r\n']
      const joined = '*3\r\n$1\r\na\r\n$1\r\nb\r\n*1\r\n:1\r\n'
      expect(merge('concatenate', ...replies)).to.equal(joined)
    })

    it('keeps the kind of aggregate that RESP3 has for it', () => {
      expect(merge('concatenate', '~1\r\n:1\r\n', '~1\r\n:2\r\n')).to.equal('~2\r\n:1\r\n:2\r\n')
    })

    it('joins nothing but elements', () => {
      for (const other of ['*-1\r\n', '+OK\r\n', ':1\r\n', '%1\r\n+a\r\n+b\r\n', '_\r\n']) {
        expect(merge('concatenate', '*1\r\n:1\r\n', other), other).to.equal(undefined)
        expect(merge('concatenate', other, '*1\r\n:1\r\n'), other).to.equal(undefined)
      }
    })
  })
})
