#!/usr/bin/env node
/**
 * The first lines of the process: signals are kept before all else is loaded, which takes far longer
 * than these.
 */
import { Signals } from './cli/signals.ts'

const signals = new Signals()
const { main } = await import('./cli/main.ts')
await main(process.argv.slice(2), signals)
