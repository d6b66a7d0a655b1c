/** The dashboard's files, as they lie in the package: HTML, CSS and JavaScript that no tool has touched. */
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { packageDirectory } from '../config/package-directory.ts'

export interface DashboardFile {
  readonly type: string
  readonly body: string
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** By name: `index.html`, `page.css`, ... */
export function readDashboardFiles(): ReadonlyMap<string, DashboardFile> {
  const directory = join(packageDirectory(), 'lib', 'admin', 'dashboard')
  const files = readdirSync(directory).flatMap((name): [string, DashboardFile][] => {
    const type = TYPES[extname(name)]
    if (type === undefined) return []
    return [[name, { type, body: readFileSync(join(directory, name), 'utf8') }]]
  })
  return new Map(files)
}
