/** What of `npm run applications` needs no further packages. */
import { join } from 'node:path'
import { expect } from 'chai'
import { startAmbassador } from '../../lib/ambassador.ts'
import { packageDirectory } from '../../lib/config/package-directory.ts'
import { AmbassadorUnderTest, configFor, SILENT } from '../support/ambassador.ts'
import { runChild } from '../support/child.ts'
import { shareRedises } from '../support/shared-shards.ts'
import { APPLICATIONS } from './applications.ts'
import { threeShards } from './three-shards.ts'

/** Below mocha's, so that a failure shows what the program has said. */
const RUN_MS_MAX = 50_000

describe('an application as it is', () => {
  const redises = shareRedises(3)

  it('bullmq runs jobs over three shards with one route and without a hash tag', async () => {
    const bullmq = APPLICATIONS.find(({ name }) => name === 'bullmq')
    const config = configFor([], threeShards(redises, bullmq?.line ?? ''))
    const ambassador = new AmbassadorUnderTest(await startAmbassador(config, SILENT))
    const script = join(packageDirectory(), 'spec/applications/node/bullmq.mjs')
    const { code, stderr } = await runChild(process.execPath, [script], {
      env: { REDIS_PORT: String(ambassador.port), REDIS_DATABASE: '0' },
      timeoutMs: RUN_MS_MAX,
    })
    expect(code, stderr).to.equal(0)
    await ambassador.stop()
  })
})
