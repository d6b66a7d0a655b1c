import { expect } from 'chai'
import { interleave, type Merge, mergeReplies } from '../../lib/routing/reassemble.ts'
import { bulk, latin1 } from '../support/frames.ts'
import { createRandom, specSeed } from '../support/random.ts'
import { randomReply } from '../support/random-replies.ts'

function merge(policy: Merge, ...replies: readonly string[]): string | undefined {
  return mergeReplies(policy, replies.map(latin1))?.toString('latin1')
}

function interleaved(replies: readonly string[], owners: readonly number[]): string | undefined {
  return interleave(replies.map(latin1), Int32Array.from(owners))?.toString('latin1')
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

describe('interleave', () => {
  it('puts each element in the place of its key', () => {
    const replies = ['*2\r\n$1\r\na\r\n$-1\r\n', '*1\r\n$1\r\nb\r\n', '*2\r\n:1\r\n*1\r\n+x\r\n']
    const owners = [0, 2, 1, 2, 0]
    const merged = '*5\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n*1\r\n+x\r\n$-1\r\n'
    expect(interleaved(replies, owners)).to.equal(merged)
  })

  it('passes on the first error as it came', () => {
    const error = '-WRONGTYPE Operation against a key\r\n'
    expect(interleaved(['*1\r\n:1\r\n', error, '-LATER\r\n'], [0, 1, 2])).to.equal(error)
  })

  it('does not guess when a reply has not one element for each of its keys', () => {
    for (const [replies, owners] of [
      [
        ['*1\r\n:1\r\n', '*1\r\n:1\r\n'],
        [0, 1, 1],
      ],
      [
        ['*2\r\n:1\r\n:2\r\n', '*1\r\n:1\r\n'],
        [0, 1],
      ],
      [
        ['*-1\r\n', '*1\r\n:1\r\n'],
        [0, 1],
      ],
      [
        ['+OK\r\n', '*1\r\n:1\r\n'],
        [0, 1],
      ],
      [
        ['%1\r\n+a\r\n+b\r\n', '*1\r\n:1\r\n'],
        [0, 1],
      ],
    ] as const) {
      expect(interleaved(replies, owners), String(replies)).to.equal(undefined)
    }
  })

  it('does what an obvious merge does, for random elements of any size', () => {
    const random = createRandom(specSeed())
    for (let round = 0; round < 300; round += 1) {
      const shardCount = random.integer(1, 5)
      const shards = Array.from({ length: shardCount }, (): Buffer[] => [])
      const owners: number[] = []
      const inOrder: Buffer[] = []
      for (let i = random.pick([1, 10, 200]); i > 0; i -= 1) {
        const owner = random.integer(0, shardCount)
        const element =
          random.integer(0, 20) === 0
            ? bulk('v'.repeat(random.pick([255, 256, 257, 30_000])))
            : randomReply(random, 3)
        owners.push(owner)
        inOrder.push(element)
        shards[owner]?.push(element)
      }
      // Each reply lies somewhere in a larger buffer.
      const replies = shards.map((elements) => inside(arrayOf(elements)))
      const message = `seed ${random.seed}, round ${round}`
      const merged = interleave(replies, Int32Array.from(owners))
      expect(merged?.equals(arrayOf(inOrder)), message).to.equal(true)
    }
  })

  it('gives its buffer to the next merge, unless that is too large for it', () => {
    const small = interleave([latin1('*1\r\n:1\r\n')], Int32Array.of(0)) as Buffer
    const large = interleave([arrayOf([bulk('v'.repeat(100_000))])], Int32Array.of(0)) as Buffer
    expect(small.toString()).to.equal('*1\r\n:1\r\n')
    const next = interleave([latin1('*1\r\n:2\r\n')], Int32Array.of(0)) as Buffer
    expect(next.buffer).to.equal(small.buffer)
    expect(next.buffer).to.not.equal(large.buffer)
    expect(small.toString()).to.equal('*1\r\n:2\r\n')
  })
})

function arrayOf(elements: readonly Buffer[]): Buffer {
  return Buffer.concat([latin1(`*${elements.length}\r\n`), ...elements])
}

function inside(frame: Buffer): Buffer {
  return Buffer.concat([latin1('+x\r\n'), frame, latin1('+y\r\n')]).subarray(4, 4 + frame.length)
}
