/** Every place that can name the environment, and which one wins. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  detectEnvironment,
  type EnvironmentClues,
  parsePairs,
} from '../../../lib/config/sources/environment.ts'
import { ConfigError } from '../../../lib/errors.ts'
import { temporaryFiles } from '../../support/temporary-files.ts'

function clues(
  files: Readonly<Record<string, string>>,
  more: Partial<EnvironmentClues> = {},
): EnvironmentClues {
  const directory = temporaryFiles(files)
  return {
    given: undefined,
    directory,
    namespaceFile: join(directory, 'service-account'),
    nodeEnv: undefined,
    files: new Set(),
    ...more,
  }
}

/** The name and where it was found, without the temporary directory's name. */
function detected(inputs: EnvironmentClues): string {
  const { name, source } = detectEnvironment(inputs)
  return `${name} by ${source.replace(`${inputs.directory}/`, '')}`
}

/** All places at once, each naming another environment; the strongest first. */
const EVERYWHERE: readonly [file: string, text: string, wanted: string][] = [
  ['labels', 'environment="l1"\n', 'l1 by label environment in labels'],
  [
    'labels',
    'app.kubernetes.io/environment="l2"\n',
    'l2 by label app.kubernetes.io/environment in labels',
  ],
  ['annotations', 'environment="a1"\n', 'a1 by annotation environment in annotations'],
  [
    'annotations',
    'app.kubernetes.io/environment="a2"\n',
    'a2 by annotation app.kubernetes.io/environment in annotations',
  ],
  ['namespace', 'production', 'production by namespace production in namespace'],
  ['service-account', 'staging-2', 'staging by namespace staging-2 in service-account'],
]

describe('detectEnvironment', () => {
  it('is development when nothing says anything', () => {
    expect(detected(clues({}))).to.equal('development by built-in default')
  })

  it('takes what was given first of all', () => {
    const given = { name: 'Production', source: '--env' }
    const files = Object.fromEntries(EVERYWHERE)
    expect(detected(clues(files, { given, nodeEnv: 'test' }))).to.equal('production by --env')
  })

  for (const [index, [, , wanted]] of EVERYWHERE.entries()) {
    it(`finds ${wanted}, when no stronger place says anything`, () => {
      const files: Record<string, string> = {}
      for (const [file, text] of EVERYWHERE.slice(index)) files[file] = (files[file] ?? '') + text
      expect(detected(clues(files, { nodeEnv: 'test' }))).to.equal(wanted)
    })
  }

  it('takes NODE_ENV last', () => {
    expect(detected(clues({}, { nodeEnv: 'test' }))).to.equal('test by NODE_ENV')
    expect(detected(clues({}, { nodeEnv: '' }))).to.equal('development by built-in default')
  })

  for (const [namespace, wanted] of [
    ['production', 'production'],
    ['prod', 'production'],
    ['prod-eu-1', 'production'],
    ['production-shop\n', 'production'],
    ['staging', 'staging'],
    ['staging-shop', 'staging'],
    ['development', 'development'],
    ['test', 'test'],
    ['default', 'qa'],
    ['product-catalogue', 'qa'],
    ['shop-prod', 'qa'],
    ['', 'qa'],
  ] as const) {
    it(`lets the namespace ${JSON.stringify(namespace)} mean ${wanted}`, () => {
      const found = detectEnvironment(clues({ namespace }, { nodeEnv: 'qa' }))
      expect(found.name).to.equal(wanted)
    })
  }

  it('writes out the usual abbreviations', () => {
    for (const [name, wanted] of [
      ['prod', 'production'],
      ['STAGE', 'staging'],
      ['stg', 'staging'],
      ['dev', 'development'],
    ] as const) {
      expect(detectEnvironment(clues({}, { nodeEnv: name })).name).to.equal(wanted)
    }
  })

  it('passes over labels that are empty or not about the environment', () => {
    const labels = 'environment=""\napp="shop"\nenvironment-of="x"\n'
    expect(detected(clues({ labels }, { nodeEnv: 'qa' }))).to.equal('qa by NODE_ENV')
  })

  for (const name of ['../etc/passwd', 'a/b', '', '.', 'a b', 'x'.repeat(64)]) {
    it(`refuses ${JSON.stringify(name).slice(0, 20)}, which would become part of a file name`, () => {
      const given = { name, source: 'AMBASSADOR_ENV' }
      expect(() => detectEnvironment(clues({}, { given })))
        .to.throw(ConfigError)
        .with.property('message')
        .that.matches(/^AMBASSADOR_ENV: ".*" is not an environment's name/)
    })
  }

  it('refuses a clue that is there and cannot be read', () => {
    const inputs = clues({})
    mkdirSync(join(inputs.directory, 'labels'))
    expect(() => detectEnvironment(inputs)).to.throw(ConfigError, 'labels: is a directory')
  })
})

describe('parsePairs', () => {
  it('reads the downward API format with its escapes', () => {
    const text =
      'a="1"\nb="say \\"hi\\"\\n\\\\ \\u00e9 \\U0001f600 \\x41 \\a"\nkubectl.io/last="{\\"x\\": 1}"\nc=""'
    expect([...parsePairs(text)]).to.deep.equal([
      ['a', '1'],
      ['b', 'say "hi"\n\\ é 😀 A \x07'],
      ['kubectl.io/last', '{"x": 1}'],
      ['c', ''],
    ])
  })

  it('skips what is not of that form', () => {
    expect([...parsePairs('a=1\n\nb="x\n="y"\nc="z"junk\r\nd="w"\r\n')]).to.deep.equal([['d', 'w']])
  })
})
