import { expect } from 'chai'
import { formatDouble } from '../../../lib/resp/double.ts'
import {
  CROSS_SHARD_READS,
  type CrossShardRead,
  judgement,
  type SeveralKeys,
} from '../../../lib/routing/reads/cross-shard-read.ts'

/** Keys are named after their place: `1a` and `1b` are on shard 1. */
function command(text: string, protocol: 2 | 3 = 2): SeveralKeys {
  const args = text.split(' ')
  const isKey = (arg: string): boolean => /^\d[a-z]$/.test(arg)
  const places = args.filter(isKey).map((key) => Number(key[0]))
  return { args, firstKey: args.findIndex(isKey), places, protocol, formatScore: formatDouble }
}

function planned(text: string, protocol: 2 | 3 = 2): CrossShardRead | undefined {
  const name = text.slice(0, text.indexOf(' ')).toLowerCase()
  return CROSS_SHARD_READS[name]?.(command(text, protocol))
}

function reads({ reads }: CrossShardRead): string[] {
  return reads.map(({ place, args }) => `${place}: ${args.join(' ')}`)
}

function asked(text: string): string[] {
  return reads(planned(text) as CrossShardRead)
}

function answered(text: string, ...replies: string[]): string | undefined {
  const frames = replies.map((reply) => Buffer.from(reply, 'latin1'))
  return planned(text)?.finish(frames)?.toString('latin1')
}

describe('reads over several shards', () => {
  it('ask each shard once for sets', () => {
    expect(asked('SUNION 1a 0b 1c')).to.deep.equal(['1: SUNION 1a 1c', '0: SUNION 0b'])
    expect(asked('SINTER 1a 0b 1c')).to.deep.equal(['1: SINTER 1a 1c', '0: SINTER 0b'])
    expect(asked('SINTERCARD 2 1a 0b LIMIT 1')).to.deep.equal(['1: SINTER 1a', '0: SINTER 0b'])
    expect(asked('ZINTERCARD 3 1a 0b 1c')).to.deep.equal(['1: ZINTER 2 1a 1c', '0: ZINTER 1 0b'])
  })

  it('take from the shard of the first key, and only there', () => {
    expect(asked('SDIFF 1a 0b 1c 2d')).to.deep.equal([
      '1: SDIFF 1a 1c',
      '0: SUNION 0b',
      '2: SUNION 2d',
    ])
    expect(asked('ZDIFF 3 1a 0b 1c')).to.deep.equal([
      '1: ZDIFF 2 1a 1c WITHSCORES',
      '0: ZUNION 1 0b',
    ])
  })

  it('ask for each scored set and each HyperLogLog once', () => {
    expect(asked('ZUNION 3 1a 0b 1a WEIGHTS 1 2 3')).to.deep.equal([
      '1: ZUNION 1 1a WITHSCORES',
      '0: ZUNION 1 0b WITHSCORES',
    ])
    expect(asked('PFCOUNT 1a 0b 1a')).to.deep.equal(['1: GET 1a', '0: GET 0b'])
  })

  it('pass the options of XREAD on, and name no stream twice in one read', () => {
    expect(asked('XREAD count 2 STREAMS 1a 0b 1c 1a 3 4 5 6')).to.deep.equal([
      '1: XREAD count 2 STREAMS 1a 1c 3 5',
      '0: XREAD count 2 STREAMS 0b 4',
      '1: XREAD count 2 STREAMS 1a 6',
    ])
  })

  it('ask XREAD stream by stream when an id is doubtful', () => {
    for (const id of ['>', '+', 'x', '1-', '-1', '9999999999999999999']) {
      expect(asked(`XREAD STREAMS 1a 0b 1c 1 ${id} $`), id).to.deep.equal([
        '1: XREAD STREAMS 1a 1',
        `0: XREAD STREAMS 0b ${id}`,
        '1: XREAD STREAMS 1c $',
      ])
    }
  })

  it('are not planned when what stands behind the keys makes no sense', () => {
    const others = [
      'SINTERCARD 2 1a 0b LIMIT',
      'ZINTERCARD 2 1a 0b x',
      'ZUNION 2 1a 0b WITHSCORE',
      'ZINTER 2 1a 0b WEIGHTS 1',
      'ZDIFF 2 1a 0b x',
      'XREAD STREAMS 1a 0b 1',
    ]
    for (const other of others) expect(planned(other), other).to.equal(undefined)
  })

  it('answer with the first error', () => {
    const error = '-WRONGTYPE Operation against a key holding the wrong kind of value\r\n'
    const set = '*1\r\n$1\r\nm\r\n'
    for (const text of [
      'SUNION 1a 0b',
      'ZUNION 2 1a 0b',
      'PFCOUNT 1a 0b',
      'XREAD STREAMS 1a 0b 1 1',
    ]) {
      const first = text.startsWith('PF') ? '$-1\r\n' : text.startsWith('X') ? '*-1\r\n' : set
      expect(answered(text, first, error, error.replace('value', 'other')), text).to.equal(error)
    }
    const invalid = '-WRONGTYPE Key is not a valid HyperLogLog string value.\r\n'
    expect(answered('PFCOUNT 1a 0b', '$1\r\nx\r\n', error)).to.equal(invalid)
  })

  it('make nothing of replies that no Redis gives', () => {
    for (const text of ['SUNION 1a 0b', 'ZUNION 2 1a 0b', 'ZDIFF 2 1a 0b', 'PFCOUNT 1a 0b']) {
      expect(answered(text, ':1\r\n', ':1\r\n'), text).to.equal(undefined)
    }
    expect(answered('ZDIFF 2 1a 0b', '*1\r\n$1\r\na\r\n', '*0\r\n')).to.equal(undefined)
  })

  it('answer what they make of the replies', () => {
    const scored = '*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n'
    const taken = '*1\r\n$1\r\na\r\n'
    const b = '*2\r\n$1\r\nb\r\n$1\r\n2\r\n'
    expect(answered('ZDIFF 2 1a 0b WITHSCORES', scored, taken)).to.equal(b)
    expect(answered('ZDIFF 2 1a 0b', scored, taken)).to.equal('*1\r\n$1\r\nb\r\n')
    expect(answered('ZINTER 2 1a 0b WEIGHTS 1 0', scored, b)).to.equal('*1\r\n$1\r\nb\r\n')
    expect(answered('ZINTER 2 1a 0b WITHSCORES', b, scored)).to.equal(b.replace('\n2', '\n4'))
    expect(answered('ZINTER 2 1a 1a WITHSCORES', b)).to.equal(b.replace('\n2', '\n4'))
    expect(answered('SDIFF 1a 0b', taken, '*0\r\n')).to.equal(taken)
    expect(answered('SUNION 1a 0b', taken, taken)).to.equal(taken)
    expect(answered('PFCOUNT 1a 0b', '$-1\r\n', '$-1\r\n')).to.equal(':0\r\n')
  })

  it('count no further than the limit', () => {
    const set = '*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n'
    expect(answered('SINTERCARD 2 1a 0b', set, set)).to.equal(':3\r\n')
    expect(answered('SINTERCARD 2 1a 0b LIMIT 2', set, set)).to.equal(':2\r\n')
    expect(answered('ZINTERCARD 2 1a 0b LIMIT 9', set, set)).to.equal(':3\r\n')
  })
})

describe('judgement', () => {
  const refusal = Buffer.from('-CROSSSLOT\r\n')
  const judged = (text: string, ...replies: string[]): string => {
    return String(
      judgement(command(text), refusal).finish(replies.map((reply) => Buffer.from(reply))),
    )
  }

  it('sends the command as it came to the shard of its first key', () => {
    const text = 'SINTERCARD 2 1a 0b FOO'
    expect(reads(judgement(command(text), refusal))).to.deep.equal([`1: ${text}`])
  })

  it("asks for the types of sorted sets first, as Redis's own parser does", () => {
    const text = 'zunion 3 1a 0b 1c FOO'
    expect(reads(judgement(command(text), refusal))).to.deep.equal([
      '1: ZINTER 2 1a 1c',
      '0: ZINTER 1 0b',
      `1: ${text}`,
    ])
  })

  it("gives the shard's error, and refuses what the shard can read", () => {
    const error = '-ERR syntax error\r\n'
    expect(judged('SINTERCARD 2 1a 0b FOO', error)).to.equal(error)
    expect(judged('SINTERCARD 2 1a 0b FOO', ':0\r\n')).to.equal(String(refusal))
  })
})
