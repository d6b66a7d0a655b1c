/**
 * `npm run fuzz -- --seconds N --seed S`: half of the time in process, half over sockets. With
 * `--inputs N --socket-inputs N` it runs so many instead. Exit code 1 if a rule was broken.
 */
import { parseArgs } from 'node:util'
import { createRandom } from '../support/random.ts'
import { fuzzScanners } from './scanners.ts'
import { fuzzSockets } from './sockets.ts'

/** In process, between two looks at the clock. */
const BATCH = 10_000

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    inputs: { type: 'string' },
    'socket-inputs': { type: 'string' },
  },
})
const print = (text: string): void => void process.stdout.write(`${text}\n`)
const seed = Number(values.seed)
const isCounted = values.inputs !== undefined || values['socket-inputs'] !== undefined
const seconds = isCounted ? Number.POSITIVE_INFINITY : Number(values.seconds) / 2
const inputs = isCounted ? Number(values.inputs ?? 0) : Number.POSITIVE_INFINITY
const socketInputs = isCounted ? Number(values['socket-inputs'] ?? 0) : Number.POSITIVE_INFINITY
print(`seed ${seed}`)

function inProcess(): void {
  const random = createRandom(seed)
  const startMs = performance.now()
  const total = { inputs: 0, understood: 0, refused: 0 }
  while (total.inputs < inputs && performance.now() - startMs < 1000 * seconds) {
    const counts = fuzzScanners(random, Math.min(BATCH, inputs - total.inputs))
    total.inputs += counts.inputs
    total.understood += counts.understood
    total.refused += counts.refused
  }
  const tookS = (performance.now() - startMs) / 1000
  print(
    `in process: ${total.inputs} inputs in ${tookS.toFixed(1)} s, each whole and in pieces: ` +
      `${total.understood} with whole frames, ${total.refused} refused, no rule broken`,
  )
}

async function overSockets(): Promise<void> {
  const startMs = performance.now()
  const counts = await fuzzSockets(createRandom(seed + 1), { inputs: socketInputs, seconds })
  const tookS = (performance.now() - startMs) / 1000
  print(
    `over sockets: ${counts.inputs} connections in ${tookS.toFixed(1)} s, ${counts.answered} got ` +
      `replies; victims beside them: ${counts.victimReplies} replies, ${counts.victimsLost} lost`,
  )
  for (const problem of counts.problems) print(`PROBLEM ${problem}`)
  if (counts.problems.length > 0 || counts.victimsLost > 0) process.exitCode = 1
}

if (inputs > 0) inProcess()
if (socketInputs > 0) await overSockets()
