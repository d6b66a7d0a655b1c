import { expect } from 'chai'
import { openFilesMax, withinDescriptors } from '../../../lib/cli/start/descriptors.ts'
import { ConfigError } from '../../../lib/errors.ts'
import { ADMIN_CONNECTIONS_BURST_MAX } from '../../../lib/limits.ts'
import { configFor } from '../../support/ambassador.ts'

describe('withinDescriptors', () => {
  const config = configFor([{ port: 1 }, { port: 2 }], { maxClients: '100' })
  /** 32 for ourselves; two lanes of one connection, and two more connections, for each shard. */
  const RESERVED = 32 + 2 * 4

  it('leaves a configuration alone whose clients fit, with a transaction each', () => {
    expect(withinDescriptors(config, RESERVED + 200)).to.equal(config)
    expect(withinDescriptors(config, undefined)).to.equal(config)
  })

  it('takes as many clients as fit, and says so', () => {
    const fitted = withinDescriptors(config, RESERVED + 199)
    expect(fitted.edge.maxClients).to.equal(99)
    expect(fitted.process.notes).to.deep.equal([
      'the limit of open files is 239, of which 40 are needed for shards and for us: ' +
        'maxClients is 99 instead of 100; ulimit -n 240 would do',
    ])
    const edge = { ...fitted.edge, maxClients: 100 }
    const process = { ...fitted.process, notes: [] }
    expect({ ...fitted, edge, process }).to.deep.equal({ ...config })
  })

  it('keeps no more for transactions than one shard takes', () => {
    const large = configFor([{ port: 1 }, { port: 2 }], { maxClients: '10000' })
    expect(withinDescriptors(large, RESERVED + 14_096)).to.equal(large)
    expect(withinDescriptors(large, RESERVED + 14_095).edge.maxClients).to.equal(9999)
  })

  it('keeps some for the admin endpoint where there is one, for probes must get through', () => {
    const watched = configFor([{ port: 1 }, { port: 2 }], {
      maxClients: '100',
      adminListen: '127.0.0.1:1',
    })
    const needed = RESERVED + ADMIN_CONNECTIONS_BURST_MAX + 200
    expect(withinDescriptors(watched, needed)).to.equal(watched)
    expect(withinDescriptors(watched, needed - 1).edge.maxClients).to.equal(99)
  })

  it('refuses a limit under which no client could connect', () => {
    expect(withinDescriptors(config, RESERVED + 2).edge.maxClients).to.equal(1)
    expect(() => withinDescriptors(config, RESERVED + 1)).to.throw(ConfigError, /raise ulimit -n/)
  })

  it('reads the limit where the system tells it', () => {
    const limit = openFilesMax()
    if (process.platform === 'linux') expect(limit).to.be.above(0)
    else expect(limit).to.equal(undefined)
  })
})
