#!/usr/bin/env node
/**
 * The first lines of the process. Signals are kept from here on, since loading the rest takes long.
 */
import { Signals } from './cli/signals.ts'
import { keepYoungGenerationSmall } from './cli/start/young-generation.ts'

const signals = new Signals()
keepYoungGenerationSmall()
const { main } = await import('./cli/main.ts')
await main(process.argv.slice(2), signals)
