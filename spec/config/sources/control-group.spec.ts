/** The memory and the CPU time that a process may have, from files as Linux lays them out. */
import { expect } from 'chai'
import { memoryLimitBytes, usableCores } from '../../../lib/config/sources/control-group.ts'
import { temporaryFiles } from '../../support/temporary-files.ts'

const MB = 1024 * 1024
const NONE = Number.POSITIVE_INFINITY

function limit(files: Readonly<Record<string, string>>): number {
  return memoryLimitBytes(temporaryFiles(files))
}

describe('memoryLimitBytes', () => {
  it('is none where there are no control groups', () => {
    expect(limit({})).to.equal(NONE)
  })

  it('is that of the own group, version 2', () => {
    const files = {
      'proc/self/cgroup': '0::/pod/app\n',
      'sys/fs/cgroup/pod/app/memory.max': `${384 * MB}\n`,
    }
    expect(limit(files)).to.equal(384 * MB)
  })

  it('is the least of the groups around it', () => {
    const files = {
      'proc/self/cgroup': '0::/pod/app\n',
      'sys/fs/cgroup/pod/app/memory.max': 'max\n',
      'sys/fs/cgroup/pod/memory.max': `${256 * MB}\n`,
      'sys/fs/cgroup/memory.max': `${512 * MB}\n`,
    }
    expect(limit(files)).to.equal(256 * MB)
  })

  it('is found where a container sees its own group as the uppermost', () => {
    const mounted = { 'sys/fs/cgroup/memory.max': `${200 * MB}\n` }
    expect(limit({ ...mounted, 'proc/self/cgroup': '0::/\n' })).to.equal(200 * MB)
    expect(limit({ ...mounted, 'proc/self/cgroup': '0::/../../pod\n' })).to.equal(200 * MB)
    expect(limit({ ...mounted, 'proc/self/cgroup': '0::/docker/abc\n' })).to.equal(200 * MB)
  })

  it('is that of the memory controller, version 1, beside an empty version 2', () => {
    const files = {
      'proc/self/cgroup': '8:pids:/x\n4:cpu,memory:/docker/abc\n0::/\n',
      'sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes': `${300 * MB}\n`,
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    }
    expect(limit(files)).to.equal(300 * MB)
  })

  it('is none where version 1 writes the largest number there is', () => {
    const files = {
      'proc/self/cgroup': '4:memory:/\n',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    }
    expect(limit(files)).to.equal(NONE)
  })
})

describe('usableCores', () => {
  const cores = (files: Readonly<Record<string, string>>) => usableCores(temporaryFiles(files), 8)

  it('are those of the machine where there are no control groups', () => {
    expect(cores({})).to.equal(8)
  })

  it('are the whole cores of the CPU time that is allowed, version 2', () => {
    const own = { 'proc/self/cgroup': '0::/pod/app\n' }
    expect(cores({ ...own, 'sys/fs/cgroup/pod/cpu.max': '250000 100000\n' })).to.equal(2)
    expect(cores({ ...own, 'sys/fs/cgroup/pod/cpu.max': 'max 100000\n' })).to.equal(8)
    expect(cores({ ...own, 'sys/fs/cgroup/pod/cpu.max': '50000 100000\n' })).to.equal(1)
  })

  it('are those of version 1', () => {
    const group = 'sys/fs/cgroup/cpu/docker/abc'
    const files = {
      'proc/self/cgroup': '4:cpu,cpuacct:/docker/abc\n',
      [`${group}/cpu.cfs_period_us`]: '100000\n',
    }
    expect(cores({ ...files, [`${group}/cpu.cfs_quota_us`]: '300000\n' })).to.equal(3)
    expect(cores({ ...files, [`${group}/cpu.cfs_quota_us`]: '-1\n' })).to.equal(8)
  })
})
