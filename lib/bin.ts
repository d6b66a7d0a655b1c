#!/usr/bin/env node
/**
 * The first lines of the process: signals are kept before all else is loaded, which takes far longer
 * than these.
 */
import { Signals } from './cli/signals.ts'
import { keepYoungGenerationSmall } from './cli/start/young-generation.ts'

const signals = new Signals()
keepYoungGenerationSmall()
const { main } = await import('./cli/main.ts')
await main(process.argv.slice(2), signals)
