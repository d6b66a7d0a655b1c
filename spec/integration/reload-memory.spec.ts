/** Of a configuration that is no longer in use nothing stays, whatever clients are connected. */
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { runChild } from '../support/child.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'

const PROGRAM = fileURLToPath(new URL('./reload-memory.js', import.meta.url))

/** Some 5 KB a reload: a configuration that is kept takes 28 KB. */
const GROWTH_BYTES_MAX = 2 * 1024 * 1024

describe('memory and reloads', () => {
  const redises: RedisServer[] = []

  before(async () => {
    for (let i = 0; i < 3; i++) redises.push(await startRedis())
  })

  after(async () => {
    for (const redis of redises) await redis.stop()
  })

  it('500 reloads leave nothing behind (row 76)', async () => {
    const ports = redises.map(({ port }) => `${port}`)
    const run = await runChild(process.execPath, ['--expose-gc', PROGRAM, ...ports])
    expect(run.code, run.stderr).to.equal(0)
    const { firstBytes, lastBytes } = JSON.parse(run.stdout)
    expect(firstBytes).to.be.greaterThan(0)
    expect(lastBytes - firstBytes).to.be.lessThan(GROWTH_BYTES_MAX)
  })
})
