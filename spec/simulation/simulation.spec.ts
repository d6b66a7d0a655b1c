/**
 * The data path's state machines, all together, in random worlds. A failure names its seed:
 * `SEED=n npx mocha build/spec/simulation/simulation.spec.js` repeats it.
 */
import { readFileSync } from 'node:fs'
import { arenas } from '../../lib/io/chunk.ts'
import { LentChunks } from '../support/lent-chunks.ts'
import { specSeed } from '../support/random.ts'
import { broken, MUTATIONS } from './broken-rules.ts'
import { World } from './world.ts'

const WORLDS = 200

function seeds(): number[] {
  const given = process.env['SEED']
  if (given !== undefined) return [Number(given)]
  const first = specSeed()
  return Array.from({ length: WORLDS }, (_, i) => first + i)
}

describe('simulation', () => {
  it('keeps every promise, in whatever order things happen', () => {
    for (const seed of seeds()) {
      const pool = new LentChunks(arenas)
      try {
        new World(seed).run()
        if (pool.lent.size > 0) throw new Error(`${pool.lent.size} arenas were not given back`)
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        throw new Error(`SEED=${seed}: ${message}`, { cause: error })
      } finally {
        pool.stop()
      }
    }
  })

  for (const mutation of MUTATIONS) {
    it(`would notice it if not: ${mutation.rule}`, () => {
      // `npm run mutations` proves it; here the place only has to be where it was.
      const file = new URL(`../../lib/${mutation.file}.js`, import.meta.url)
      broken(mutation, readFileSync(file, 'utf8'))
    })
  }
})
