/** The users that may log in: `name:password` entries. No message shows what stands in them. */

import type { Format, Parsed, Problem, Raw } from '../formats.ts'
import type { UserConfig } from '../types.ts'

/** What may be wrong with an entry. */
const MISTAKES = {
  form: 'is not name:password',
  default: "is for the default user, whose password is the option 'password'",
  twice: 'names a user that is there already',
} as const

/** User names have no spaces, as in Redis. */
const ENTRY = /^([!-9;-~]+):(\P{Cc}+)$/u

export const userList: Format<readonly UserConfig[]> = {
  accepts: 'name:password; several separated by spaces or line breaks',
  parse: (raw) => parse(raw),
  text: (users) => users.map(({ name }) => name).join(','),
}

function parse(raw: Raw): Parsed<readonly UserConfig[]> {
  const entries = typeof raw === 'string' ? raw.split(/\s+/).filter((text) => text !== '') : raw
  if (!Array.isArray(entries) || entries.length === 0) {
    return { problems: [{ at: [], text: 'is not a list of name:password' }] }
  }
  const users: UserConfig[] = []
  const problems: Problem[] = []
  entries.forEach((entry: Raw, index) => {
    const user = typeof entry === 'string' ? parseUser(entry, users) : 'form'
    if (typeof user !== 'string') users.push(user)
    else if (typeof raw !== 'string') problems.push({ at: [index], text: MISTAKES[user] })
    else problems.push({ at: [], text: `entry ${index + 1} ${MISTAKES[user]}` })
  })
  return problems.length > 0 ? { problems } : { value: users }
}

function parseUser(text: string, known: readonly UserConfig[]): UserConfig | keyof typeof MISTAKES {
  const [, name, password] = ENTRY.exec(text) ?? []
  if (name === undefined || password === undefined) return 'form'
  if (name === 'default') return 'default'
  return known.some((user) => user.name === name) ? 'twice' : { name, password }
}
