/** Where this package lies, wherever it was compiled to (dist/, build/) or installed. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The nearest directory above this file with a package.json. */
export function packageDirectory(): string {
  let directory = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(directory, 'package.json'))) {
    const parent = dirname(directory)
    if (parent === directory) throw new Error('package.json of redis-ambassador is missing')
    directory = parent
  }
  return directory
}

export function packageVersion(): string {
  const text = readFileSync(join(packageDirectory(), 'package.json'), 'utf8')
  return (JSON.parse(text) as { readonly version: string }).version
}
