import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Config } from '../../../lib/config/config.ts'
import { loadConfig } from '../../../lib/config/sources/load.ts'
import { configOfObject } from '../../../lib/config/sources/options-object.ts'
import { ConfigError } from '../../../lib/errors.ts'
import { temporaryFiles } from '../../support/temporary-files.ts'

describe('whatIf', () => {
  let directory: string

  beforeEach(() => {
    directory = temporaryFiles()
  })

  function write(name: string, text: string): string {
    const path = join(directory, name)
    writeFileSync(path, text)
    return path
  }

  function load(flags: Readonly<Record<string, string>>, env: NodeJS.ProcessEnv = {}): Config {
    const none = { environmentDirectory: '/nonexistent', namespaceFile: '/nonexistent' }
    return loadConfig({ env, flags: { ...none, shards: 'h:1', ...flags }, cwd: directory })
  }

  it('is a list of shards over the rules in use', () => {
    const { whatIf } = load({ whatIf: 'a=h:1,b=h:2', hash: 'md5', crossShardReads: 'no' })
    expect(whatIf?.pools[0].shards.map(({ name }) => name)).to.deep.equal(['a', 'b'])
    expect(whatIf?.pools[0].hash).to.equal('md5')
    expect(whatIf?.crossShardReads).to.equal(false)
  })

  it('is a cluster', () => {
    const { whatIf } = load({ whatIf: 'redis+cluster://h:1' })
    expect(whatIf?.pools[0].cluster).not.to.equal(undefined)
  })

  it('is a file, found from the one that names it, which no variable changes', () => {
    write('next.yaml', 'shards: [a=h:1, b=h:2]\nhash: crc16\nwhatIf: z=h:9')
    const config = write('now.yaml', 'shards: h:1\nwhatIf: next.yaml')
    const none = { environmentDirectory: '/nonexistent', namespaceFile: '/nonexistent' }
    const env = { AMBASSADOR_SHARDS: 'x=h:3', AMBASSADOR_HASH: 'md5' }
    const { whatIf, pools, process } = loadConfig({ env, flags: { ...none, config } })
    expect(whatIf?.pools[0].shards.map(({ name }) => name)).to.deep.equal(['a', 'b'])
    expect(whatIf?.pools[0].hash).to.equal('crc16')
    expect(pools[0].hash).to.equal('md5')
    expect(process.files).to.include.members([config, join(directory, 'next.yaml')])
  })

  it('says what is wrong with a file, and which files may mend it', () => {
    const path = write('next.yaml', 'shards: [a=h:1, a=h:2]\nhash: nonsense')
    try {
      load({ whatIf: 'next.yaml' })
      expect.fail('it was taken')
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      expect(error.problems).to.have.lengthOf(2)
      for (const problem of error.problems) expect(problem).to.match(/^whatIf: .*next\.yaml/)
      expect(error.files).to.include(path)
    }
  })

  it('reads no file for a program that embeds', () => {
    const shards = ['h:1']
    const { whatIf } = configOfObject({ shards, whatIf: ['a=h:1', 'b=h:2'] })
    expect(whatIf?.pools[0].shards).to.have.lengthOf(2)
    const path = write('next.yaml', 'shards: h:1')
    expect(() => configOfObject({ shards, whatIf: path })).to.throw(ConfigError, 'is not read here')
  })
})
