/**
 * The requests of an application as a file: a line of JSON for each, in the order in which they were sent,
 * with the number of its connection and its arguments in latin-1. What belongs to others is not kept: a
 * script has a stand-in that names its number, which takes the same keys, and long arguments are cut.
 */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { packageDirectory } from '../../lib/config/package-directory.ts'
import type { TappedRequest } from './tap.ts'

export interface SaidRequest {
  readonly connection: number
  readonly words: readonly string[]
}

/** Longest argument that is kept whole, bytes: no key is longer. */
const WORD_BYTES_MAX = 120

function pathOf(name: string): string {
  const file = `${name.replace(/[^a-z-]+/g, '-').replace(/^-|-$/g, '')}.jsonl`
  return join(packageDirectory(), 'spec/applications/conversations', file)
}

export function readConversation(name: string): SaidRequest[] {
  const lines = readFileSync(pathOf(name), 'utf8').trimEnd().split('\n')
  return lines.map((line) => {
    const [connection, ...words] = JSON.parse(line) as [number, ...string[]]
    return { connection, words }
  })
}

export function writeConversation(name: string, requests: readonly TappedRequest[]): void {
  const said = requests.map(({ connection, args }) => {
    return { connection, words: args.map((arg) => arg.toString('latin1')) }
  })
  const kept = withoutScripts(said).map(({ connection, words }) => {
    return JSON.stringify([connection, ...words.map(shortened)])
  })
  // Those that repeat wait for something: they ask again and again.
  const lines = kept.filter((line, at) => line !== kept[at - 1])
  writeFileSync(pathOf(name), `${lines.join('\n')}\n`)
}

/** With stand-ins for scripts, which EVALSHA names by their hash as it did. */
function withoutScripts(requests: readonly SaidRequest[]): SaidRequest[] {
  const standIns = new Map<string, string>()
  for (const { words } of requests) {
    const body = bodyOf(words)
    if (body === undefined || standIns.has(body)) continue
    const standIn = `return 'script ${standIns.size / 2 + 1}'`
    standIns.set(body, standIn).set(sha1(body), sha1(standIn))
  }
  return requests.map(({ connection, words }) => {
    return { connection, words: words.map((word) => standIns.get(word) ?? word) }
  })
}

function bodyOf([command = '', ...rest]: readonly string[]): string | undefined {
  if (/^eval(?:_ro)?$/i.test(command)) return rest[0]
  return /^script$/i.test(command) && /^load$/i.test(rest[0] ?? '') ? rest[1] : undefined
}

function sha1(text: string): string {
  return createHash('sha1').update(Buffer.from(text, 'latin1')).digest('hex')
}

function shortened(word: string): string {
  const text = word.replaceAll(hostname(), 'host')
  return text.length <= WORD_BYTES_MAX ? text : `${text.slice(0, WORD_BYTES_MAX)}...`
}
