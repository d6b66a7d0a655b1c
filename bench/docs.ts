/** Writes the generated parts of the documents anew: `npm run docs`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { GENERATED, withGenerated } from './generated-docs.ts'

for (const part of GENERATED) {
  writeFileSync(part.file, withGenerated(readFileSync(part.file, 'utf8'), part))
  process.stdout.write(`${part.file}: ${part.marker}\n`)
}
