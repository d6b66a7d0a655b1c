/** The memory that a process may have, from files as Linux lays them out. */
import { expect } from 'chai'
import { memoryLimitBytes } from '../../../lib/config/sources/memory-limit.ts'
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
