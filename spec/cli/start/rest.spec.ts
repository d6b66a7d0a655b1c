/** When memory is given back. That V8 does so is shown on a process of its own, in spec/integration/memory-at-rest.spec.ts. */
import { expect } from 'chai'
import { Rest } from '../../../lib/cli/start/rest.ts'
import { REST_CPU_MS_MAX, REST_GROWN_BYTES } from '../../../lib/limits.ts'

const AT_REST = 64 * 1024 * 1024

describe('Rest', () => {
  let cpuMs: number
  let residentBytes: number
  let collections: number
  let rest: Rest

  beforeEach(() => {
    cpuMs = 500
    residentBytes = AT_REST + 1
    collections = 0
    rest = new Rest({
      cpuMs: () => cpuMs,
      residentBytes: () => residentBytes,
      collect: () => {
        collections++
        residentBytes = AT_REST
      },
      twice: false,
    })
  })

  afterEach(() => rest.stop())

  function lookAfter(usedMs: number): number {
    cpuMs += usedMs
    rest.look()
    return collections
  }

  it('collects once after the start, as soon as little was done between two looks', () => {
    expect(lookAfter(REST_CPU_MS_MAX + 1)).to.equal(0)
    expect(lookAfter(REST_CPU_MS_MAX)).to.equal(1)
    expect(lookAfter(0)).to.equal(1)
  })

  it('collects again when memory has grown, and waits until it rests', () => {
    lookAfter(0)
    residentBytes = AT_REST + REST_GROWN_BYTES
    expect(lookAfter(0)).to.equal(1)
    residentBytes += 1
    expect(lookAfter(REST_CPU_MS_MAX + 1)).to.equal(1)
    expect(lookAfter(0)).to.equal(2)
  })

  it('measures growth from the least that was needed since', () => {
    lookAfter(0)
    residentBytes = AT_REST / 2
    lookAfter(0)
    residentBytes = AT_REST / 2 + REST_GROWN_BYTES + 1
    expect(lookAfter(0)).to.equal(2)
  })

  it('gives back no more than once what cannot be freed', () => {
    lookAfter(0)
    residentBytes = 4 * AT_REST
    rest.stop()
    let vain = 0
    const collect = () => vain++
    rest = new Rest({ cpuMs: () => 0, residentBytes: () => residentBytes, collect, twice: false })
    rest.look()
    rest.look()
    expect(vain).to.equal(1)
  })

  it('collects a second time, once it was quiet again, where that frees more', () => {
    rest.stop()
    const collect = () => {
      collections++
      residentBytes = AT_REST
    }
    rest = new Rest({
      cpuMs: () => cpuMs,
      residentBytes: () => residentBytes,
      collect,
      twice: true,
    })
    expect(lookAfter(0)).to.equal(1)
    expect(lookAfter(REST_CPU_MS_MAX + 1)).to.equal(1)
    expect(lookAfter(0)).to.equal(2)
    expect(lookAfter(0)).to.equal(2)
    residentBytes += REST_GROWN_BYTES + 1
    expect(lookAfter(0)).to.equal(3)
    expect(lookAfter(0)).to.equal(4)
  })
})
