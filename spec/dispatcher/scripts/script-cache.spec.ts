import { expect } from 'chai'
import { ScriptCache } from '../../../lib/dispatcher/scripts/script-cache.ts'

const body = (text: string): Buffer => Buffer.from(text)
/** `printf 'return 1' | sha1sum` */
const RETURN_1 = 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db'

describe('ScriptCache', () => {
  it('finds a script by the SHA-1 of its body, in any case', () => {
    const cache = new ScriptCache(10, 1000)
    const script = cache.remember(body('return 1'))
    expect(cache.get(RETURN_1)).to.equal(script)
    expect(cache.get(RETURN_1.toUpperCase())).to.equal(script)
    expect(cache.remember(body('return 1'))).to.equal(script)
    expect(cache.get('0'.repeat(40))).to.equal(undefined)
    expect(String(script.loadFrame)).to.equal(
      '*3\r\n$6\r\nSCRIPT\r\n$4\r\nLOAD\r\n$8\r\nreturn 1\r\n',
    )
  })

  it('forgets the script that was not used for longest', () => {
    const cache = new ScriptCache(2, 1000)
    const [one, two] = [cache.remember(body('return 1')), cache.remember(body('return 2'))]
    cache.get(RETURN_1)
    cache.remember(body('return 3'))
    expect(cache.size).to.equal(2)
    expect(cache.remember(body('return 1'))).to.equal(one)
    expect(cache.remember(body('return 2'))).not.to.equal(two)
  })

  it('keeps to its bytes, and does not even begin to remember what is larger', () => {
    const cache = new ScriptCache(1000, 300)
    for (let i = 0; i < 100; i++) cache.remember(body(`return ${i}`))
    // Each takes 41 bytes.
    expect(cache.size).to.equal(7)
    cache.remember(body('x'.repeat(301)))
    expect(cache.size).to.equal(7)
  })

  it('knows nothing after it was cleared', () => {
    const cache = new ScriptCache(2, 1000)
    cache.remember(body('return 1'))
    cache.clear()
    expect([cache.size, cache.get(RETURN_1)]).to.deep.equal([0, undefined])
  })
})

describe('Script', () => {
  it('is loaded over a connection from its answer until the connection is lost', () => {
    const script = new ScriptCache(1, 1000).remember(body('return 1'))
    const connection = { incarnation: 1 }
    const states = () => [script.isSent(connection), script.isLoaded(connection)]
    expect(states()).to.deep.equal([false, false])
    const answered = script.sent(connection)
    expect(states()).to.deep.equal([true, false])
    answered(true)
    expect(states()).to.deep.equal([true, true])
    expect(script.compiles).to.equal(true)
    connection.incarnation++
    expect(states()).to.deep.equal([false, false])
  })

  it('is not loaded when the shard refuses it', () => {
    const script = new ScriptCache(1, 1000).remember(body('return 1'))
    const connection = { incarnation: 1 }
    script.sent(connection)(false)
    expect([script.isSent(connection), script.compiles]).to.deep.equal([false, false])
  })

  it('is sent again after it was forgotten, whatever earlier answers say', () => {
    const script = new ScriptCache(1, 1000).remember(body('return 1'))
    const connection = { incarnation: 1 }
    const answered = script.sent(connection)
    script.forgetLoads()
    answered(true)
    expect(script.isSent(connection)).to.equal(false)
    const refused = script.sent(connection)
    script.sent(connection)
    refused(false)
    expect(script.isSent(connection)).to.equal(true)
  })
})
