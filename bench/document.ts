/** docs/benchmarks.md, whose parts the benches write. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { join } from 'node:path'
import { packageDirectory } from '../lib/config/package-directory.ts'
import { runChild } from '../spec/support/child.ts'
import { withGenerated } from './generated-docs.ts'

const DOCUMENT = join(packageDirectory(), 'docs', 'benchmarks.md')

/** Replaces the part with this marker, or adds it at the end. */
export function writePart(marker: string, text: string): void {
  const document = existsSync(DOCUMENT) ? readFileSync(DOCUMENT, 'utf8') : '# Benchmarks\n'
  const markers = `\n<!-- ${marker}:begin -->\n<!-- ${marker}:end -->\n`
  const place = document.includes(`<!-- ${marker}:begin`) ? document : document + markers
  writeFileSync(DOCUMENT, withGenerated(place, { file: DOCUMENT, marker, generate: () => text }))
  process.stdout.write(`\nWritten to ${DOCUMENT}\n`)
}

export function markdown(rows: readonly (readonly string[])[], numbers: readonly number[]): string {
  const [header = []] = rows
  const rule = header.map((_, column) => (numbers.includes(column) ? '--:' : '---'))
  return [header, rule, ...rows.slice(1)].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

/** What was measured, and where. `node` runs the ambassador. */
export async function describeMachine(node: string): Promise<string> {
  const [cpu] = cpus()
  return [
    `${cpus().length} x ${cpu?.model.trim()}, Linux ${release()}; the ambassador under Node `,
    `${await version(node)}; Redis ${await version('redis-server')}; `,
    `nutcracker ${await version('nutcracker')}; HAProxy ${await version('haproxy', '-v')}.`,
  ].join('')
}

export async function version(program: string, flag = '--version'): Promise<string> {
  // nutcracker says it on stderr.
  const { stdout, stderr } = await runChild(program, [flag]).catch(() => NOTHING_SAID)
  return /\d+\.\d+\.\d+/.exec(stdout + stderr)?.[0] ?? 'not installed'
}

const NOTHING_SAID = { stdout: '', stderr: '' }
