import { expect } from 'chai'
import { ownMemoryMb, workerProblems } from '../../../lib/config/checks/check-workers.ts'
import type { Settings } from '../../../lib/config/schema.ts'
import { loadConfig } from '../../../lib/config/sources/load.ts'

describe('workerProblems', () => {
  const settings = { maxClients: 3, maxClientMemoryMb: 100 } as Settings
  const pool = { settings: { nearCacheKeys: undefined } }

  it('has none with one worker, whatever else is set', () => {
    const keeping = { settings: { nearCacheKeys: [] as never } }
    const little = { ...settings, maxClients: 1, maxClientMemoryMb: 16 } as Settings
    expect(workerProblems(1, little, [keeping])).to.deep.equal([])
  })

  it('has none where there is enough for each', () => {
    expect(workerProblems(3, settings, [pool])).to.deep.equal([])
  })

  it('has one for each bound that cannot be divided', () => {
    const little = { ...settings, maxClientMemoryMb: 63 } as Settings
    expect(workerProblems(4, little, [pool])).to.deep.equal([
      'maxClients is 3, fewer than one for each of 4 workers',
      'maxClientMemoryMb is 63; 4 workers need 64, 16 for each',
    ])
  })

  it('has one for what several workers cannot keep right', () => {
    const keeping = { settings: { nearCacheKeys: [] as never } }
    const rehearsing = { ...settings, whatIf: 'x.yaml' } as unknown as Settings
    expect(workerProblems(2, rehearsing, [pool, keeping])).to.deep.equal([
      'nearCacheKeys needs one worker, and there are 2',
      'whatIf needs one worker, and there are 2',
    ])
  })
})

describe('memory for several workers', () => {
  const MB = 1024 * 1024

  function maxClientMemoryMb(workers: string, memoryMb: number): number {
    const flags = { shards: 'a=10.0.0.1:6379', workers, environmentDirectory: '/nonexistent' }
    return loadConfig({ env: {}, flags, memoryBytes: memoryMb * MB }).edge.maxClientMemoryMb
  }

  it('is needed for each of them, and for the supervisor', () => {
    expect(ownMemoryMb(1)).to.equal(128)
    expect(ownMemoryMb(2)).to.equal(384)
  })

  it('is left for clients under a limit, 16 MB for each worker at least', () => {
    expect(maxClientMemoryMb('2', 500)).to.equal(116)
    expect(maxClientMemoryMb('2', 300)).to.equal(32)
    expect(maxClientMemoryMb('2', 4000)).to.equal(256)
  })
})
