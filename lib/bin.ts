#!/usr/bin/env node
/**
 * The first lines of the process. Signals are kept from here on, since loading the rest takes long.
 */
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runBundle } from './bundle/bundle.ts'
import { nameSources } from './bundle/source-names.ts'
import { Signals } from './cli/signals.ts'

const signals = new Signals()
const { main, keepCode } = await load(new URL('program.js', import.meta.url))
await main(process.argv.slice(2), signals, keepCode)

interface Program {
  readonly main: typeof import('./cli/main.ts').main
  readonly keepCode: () => void
}

/** Without a bundle the files are loaded one by one: coverage is measured so. Stacks name sources all the same. */
async function load(url: URL): Promise<Program> {
  const path = fileURLToPath(url)
  if (!existsSync(path)) {
    process.setSourceMapsEnabled(true)
    return { ...(await import('./cli/main.ts')), keepCode: () => {} }
  }
  nameSources(path, dirname(path))
  const { exports, keepCode } = runBundle(path, url.href)
  return { ...(exports as typeof import('./cli/main.ts')), keepCode }
}
