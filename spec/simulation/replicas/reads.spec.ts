/**
 * Reads from replicas in random worlds. A failure names its seed:
 * `SEED=n npx mocha build/spec/simulation/replicas/reads.spec.js` repeats it.
 */
import { specSeed } from '../../support/random.ts'
import { ReplicaWorld } from './world.ts'

const WORLDS = 500

describe('simulation of reads from replicas', () => {
  it('never lets a session go back in time, nor miss its own writes', () => {
    const given = process.env['SEED']
    const first = given === undefined ? specSeed() : Number(given)
    for (let seed = first; seed < first + (given === undefined ? WORLDS : 1); seed++) {
      try {
        new ReplicaWorld(seed).run()
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        throw new Error(`SEED=${seed}: ${message}`, { cause: error })
      }
    }
  })
})
