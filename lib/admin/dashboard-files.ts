/** The dashboard's files, as they lie in the package: HTML, CSS and JavaScript that no tool has touched. */
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { packageDirectory } from '../config/package-directory.ts'
import type { Answer } from './answer.ts'

/** Its own files and what we answer; nothing from elsewhere, nothing inline, no frame around it. */
const POLICY = [
  ...["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"],
  ...["img-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
].join('; ')

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** The answers by path, such as `/dashboard/index.html`. */
export function dashboardPages(): ReadonlyMap<string, Answer> {
  const directory = join(packageDirectory(), 'lib', 'admin', 'dashboard')
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).flatMap(
    (name): [string, Answer][] => {
      const type = TYPES[extname(name)]
      if (type === undefined) return []
      const body = readFileSync(join(directory, name), 'utf8')
      return [[`/dashboard/${name}`, { status: 200, type, body, policy: POLICY }]]
    },
  )
  return new Map(files)
}
