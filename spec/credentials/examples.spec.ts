/** The programs of examples/credentials, with stand-ins for the services' command-line tools. */
import { execFileSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { packageDirectory } from '../../lib/config/package-directory.ts'
import { readCredentials } from '../../lib/credentials/credentials.ts'
import { temporaryFiles } from '../support/temporary-files.ts'

const DIRECTORY = join(packageDirectory(), 'examples/credentials')
const AWS_KEYS = '{"Version":1,"AccessKeyId":"AKIA","SecretAccessKey":"key","SessionToken":"a/b="}'

/** What the program prints while `tool` prints this. */
function run(tool: string, prints: string, program: string, ...words: string[]): string {
  const directory = temporaryFiles({ [tool]: `#!/bin/sh\ncat <<'END'\n${prints}\nEND\n` })
  chmodSync(join(directory, tool), 0o755)
  const env = { ...process.env, PATH: `${directory}:${process.env['PATH']}` }
  return execFileSync(join(DIRECTORY, program), words, { env, encoding: 'utf8' })
}

describe('examples/credentials', () => {
  it('sign as AWS does in its own example of a presigned URL', async () => {
    const { presignedUrl } = await import(join(DIRECTORY, 'elasticache-token.js'))
    const url = presignedUrl({
      host: 'examplebucket.s3.amazonaws.com',
      path: '/test.txt',
      query: {},
      region: 'us-east-1',
      service: 's3',
      keys: {
        AccessKeyId: 'AKIAIOSFODNN7EXAMPLE',
        SecretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      },
      date: '20130524T000000Z',
      seconds: 86_400,
      payload: 'UNSIGNED-PAYLOAD',
    })
    expect(url).to.match(
      /X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404$/,
    )
  })

  it('print what the ambassador reads, for ElastiCache', () => {
    const words = ['cache-1', 'app', 'eu-central-1', 'elasticache', 'serverless']
    const credentials = readCredentials(run('aws', AWS_KEYS, 'elasticache-token.js', ...words))
    expect(credentials).to.deep.include({ username: 'app', lifeMs: 900_000 })
    expect(credentials)
      .to.have.property('password')
      .that.matches(
        /^cache-1\/\?Action=connect&ResourceType=ServerlessCache&User=app&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F\d{8}%2Feu-central-1%2Felasticache%2Faws4_request&X-Amz-Date=\d{8}T\d{6}Z&X-Amz-Expires=900&X-Amz-Security-Token=a%2Fb%3D&X-Amz-SignedHeaders=host&X-Amz-Signature=[0-9a-f]{64}$/,
      )
  })

  it('print what the ambassador reads, for Entra ID', () => {
    const ends = Math.floor(Date.now() / 1000) + 4000
    const printed = run('az', `eyJ0.eyJh.c2ln\n${ends}`, 'entra-token.sh', 'object-id')
    const credentials = readCredentials(printed)
    expect(credentials).to.include({ username: 'object-id', password: 'eyJ0.eyJh.c2ln' })
    expect(credentials).to.have.property('lifeMs').that.is.within(3_000_000, 4_000_000)
  })
})
