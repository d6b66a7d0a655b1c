/** Row 60: unix sockets to listen on, whoever was there before. */
import { once } from 'node:events'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { startAmbassadorFor } from '../support/ambassador.ts'
import { startChild } from '../support/child.ts'
import { connectRaw } from '../support/raw-client.ts'
import { temporaryFiles } from '../support/temporary-files.ts'

const SHARDS = [{ port: 1 }]

describe('row 60: a unix socket', () => {
  const path = join(temporaryFiles(), 'listen.sock')
  const listen = `unix:${path}`

  async function rejection(): Promise<string> {
    return await startAmbassadorFor(SHARDS, { listen }).then(
      () => 'none',
      (error: NodeJS.ErrnoException) => String(error.code),
    )
  }

  it('is for our own user only, unless told otherwise, and goes with us', async () => {
    const ambassador = await startAmbassadorFor(SHARDS, { listen })
    expect((statSync(path).mode & 0o777).toString(8)).to.equal('600')
    const client = await connectRaw({ path })
    await client.close()
    await ambassador.stop()
    expect(existsSync(path)).to.equal(false)
  })

  it('takes the place of one that a dead process left behind', async () => {
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`
    const child = await startChild({
      command: process.execPath,
      args: ['-e', script],
      ready: { log: 'up' },
    })
    await child.kill('SIGKILL')
    expect(statSync(path).isSocket()).to.equal(true)
    const ambassador = await startAmbassadorFor(SHARDS, { listen })
    const client = await connectRaw({ path })
    await client.close()
    await ambassador.stop()
  })

  it('takes the place of none on which somebody listens', async () => {
    const server: Server = createServer((socket) => socket.destroy())
    server.listen(path)
    await once(server, 'listening')
    expect(await rejection()).to.equal('EADDRINUSE')
    const client = await connectRaw({ path })
    await client.close()
    await new Promise((resolve) => server.close(resolve))
  })

  it('takes the place of no other file', async () => {
    writeFileSync(path, 'precious')
    expect(await rejection()).to.equal('EADDRINUSE')
    expect(statSync(path).isFile()).to.equal(true)
  })
})
