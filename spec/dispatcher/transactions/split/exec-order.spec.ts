import { expect } from 'chai'
import { ExecOrder } from '../../../../lib/dispatcher/transactions/split/exec-order.ts'

describe('ExecOrder', () => {
  function merged(order: ExecOrder, ...replies: readonly string[]): string | undefined {
    return order.merge(replies.map((reply) => Buffer.from(reply)))?.toString()
  }

  it('puts replies in the order of the commands', () => {
    const order = new ExecOrder()
    const [a, b] = [order.addPart(0), order.addPart(0)]
    for (const part of [a, b, b, a]) order.add(part)
    expect(merged(order, '*2\r\n:1\r\n:4\r\n', '*2\r\n$1\r\n2\r\n*1\r\n:3\r\n')).to.equal(
      '*4\r\n:1\r\n$1\r\n2\r\n*1\r\n:3\r\n:4\r\n',
    )
  })

  it('has nothing of a part that executes nothing', () => {
    const order = new ExecOrder()
    order.addPart(0)
    order.add(order.addPart(0))
    expect(merged(order, '*0\r\n', '*1\r\n+OK\r\n')).to.equal('*1\r\n+OK\r\n')
  })

  it('leaves out what parts execute for their connections alone', () => {
    const order = new ExecOrder()
    const a = order.addPart(0)
    const b = order.addPart(0)
    order.add(b)
    order.addEverywhere()
    const c = order.addPart(1)
    for (const part of [b, c, a]) order.add(part)
    expect(
      merged(
        order,
        '*2\r\n+FIRST\r\n+A\r\n',
        '*3\r\n+B\r\n+OTHER\r\n+B2\r\n',
        '*2\r\n+BEFORE\r\n+C\r\n',
      ),
    ).to.equal('*5\r\n+B\r\n+FIRST\r\n+B2\r\n+C\r\n+A\r\n')
  })

  it('joins the replies to the fragments of one command', () => {
    const order = new ExecOrder()
    const [a, b] = [order.addPart(0), order.addPart(0)]
    order.add(b)
    order.addSplit([b, a], (target) => (collected) => {
      const joined = Buffer.concat([0, 1].map((part) => collected.frame(part) as Buffer))
      target.reply(0, joined, 0, joined.length, true)
    })
    order.add(a)
    expect(merged(order, '*2\r\n+a\r\n+2\r\n', '*2\r\n+1\r\n+b\r\n')).to.equal(
      '*3\r\n+1\r\n+b\r\n+a\r\n+2\r\n',
    )
  })

  for (const wrong of ['*1\r\n:1\r\n', '*3\r\n:1\r\n:2\r\n:3\r\n', '*-1\r\n', '_\r\n', '+OK\r\n']) {
    it(`takes no ${JSON.stringify(wrong)} for two replies`, () => {
      const order = new ExecOrder()
      const part = order.addPart(0)
      order.add(part)
      order.add(part)
      expect(merged(order, wrong)).to.equal(undefined)
    })
  }
})
