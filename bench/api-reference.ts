/**
 * The reference of the public API, made from the type declarations that the build writes: what `lib/index.ts`
 * exports, and the types that these mention, with the comments of the source.
 */
import { readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { OPTION_NAMES, optionOf } from '../lib/config/schema.ts'

const ENTRY = 'dist/index.d.ts'

const RE_EXPORT = /^export (?:type )?\{ (?<names>[^}]+) \} from '(?<from>[^']+)\.ts';$/gm
/** A comment, if there is one, and what is exported behind it, up to the end of its block or line. */
const DECLARATION =
  /^(?:\/\*\*(?<comment>(?:(?!\*\/)[\s\S])*)\*\/\n)?export (?:declare )?(?:(?:interface|class) (?<block>\w+)[\s\S]*?\n\}|(?:type|function) (?<line>\w+)(?:.*;|[\s\S]*?\n\S.*;|[\s\S]*?\n \| .*;))$/gm

interface Declaration {
  readonly name: string
  readonly comment: string
  readonly code: string
}

/** Markdown: a section for each export, the function first. Throws without a build. */
export function apiReference(): string {
  const sections = declarations(ENTRY).map(({ name, comment, code }) => {
    const options = name === 'AmbassadorOptions' ? `\n${optionNames()}\n` : ''
    return `## ${name}\n\n${comment}\n${options}\n\`\`\`ts\n${code}\n\`\`\`\n`
  })
  return sections.join('\n')
}

/** What a file declares and exports again, and the other exports of those files that are mentioned. */
function declarations(path: string): readonly Declaration[] {
  const text = readFileSync(path, 'utf8')
  const found = declaredIn(text)
  for (const { groups } of text.matchAll(RE_EXPORT)) {
    const file = posix.join(posix.dirname(path), `${groups?.['from']}.d.ts`)
    const all = declarations(file)
    const wanted = new Set(groups?.['names']?.split(', '))
    for (const { code, name } of all) {
      if (!wanted.has(name)) continue
      for (const other of all) if (mentions(code, other.name)) wanted.add(other.name)
    }
    const known = new Set(found.map(({ name }) => name))
    found.push(...all.filter(({ name }) => wanted.has(name) && !known.has(name)))
  }
  return found
}

function mentions(code: string, name: string): boolean {
  return new RegExp(`\\b${name}\\b`).test(code)
}

function declaredIn(text: string): Declaration[] {
  return [...text.matchAll(DECLARATION)].map((match) => {
    const { comment = '', block, line } = match.groups ?? {}
    const code = match[0].slice(match[0].indexOf('export '))
    const tidy = code.replace(/ = $/m, ' =').replace(/^ +/gm, halved)
    return { name: block ?? line ?? '', comment: prose(comment), code: tidy }
  })
}

/** The compiler indents by four, our sources by two; the stars of a comment stand one further. */
function halved(indent: string): string {
  return ' '.repeat(Math.ceil(indent.length / 2))
}

function prose(comment: string): string {
  return comment.replace(/^ ?\* ?/gm, '').trim()
}

/** The names that the mapped types of AmbassadorOptions stand for. */
function optionNames(): string {
  const embedded = OPTION_NAMES.filter((name) => {
    return optionOf(name).part !== 'input' && name !== 'logLevel' && name !== 'logFormat'
  })
  const files = OPTION_NAMES.filter((name) => optionOf(name).secret).map((name) => `${name}File`)
  return `The names are ${[...embedded, ...files].map((name) => `\`${name}\``).join(', ')}.`
}
