/**
 * Stack traces of the bundle that name source files. Node's `--enable-source-maps` would read the map, a
 * megabyte, at each start; here the first stack that is looked at reads it, and it goes when memory is collected.
 */
import { readFileSync } from 'node:fs'
import { SourceMap, type SourceMapPayload } from 'node:module'
import { join } from 'node:path'

/** From now on. The map lies beside the bundle, and its paths are relative to `directory`. */
export function nameSources(bundle: string, directory: string): void {
  let kept: WeakRef<SourceMap> | undefined
  const sourceMap = (): SourceMap => {
    const map = kept?.deref() ?? readMap(`${bundle}.map`)
    kept = new WeakRef(map)
    return map
  }
  Error.prepareStackTrace = (error, sites) => {
    const lines = sites.map(
      (site) => `\n    at ${namingSource(site, bundle, directory, sourceMap)}`,
    )
    return `${headline(error)}${lines.join('')}`
  }
}

function readMap(path: string): SourceMap {
  return new SourceMap(JSON.parse(readFileSync(path, 'utf8')) as SourceMapPayload)
}

function namingSource(
  site: NodeJS.CallSite,
  bundle: string,
  directory: string,
  sourceMap: () => SourceMap,
): string {
  const [line, column] = [site.getLineNumber(), site.getColumnNumber()]
  if (site.getFileName() !== bundle || line === null || column === null) return String(site)
  try {
    // V8 counts from 1, a source map from 0.
    const entry = sourceMap().findEntry(line - 1, column - 1)
    if (!('originalSource' in entry)) return String(site)
    const { originalSource, originalLine, originalColumn } = entry
    const place = `${join(directory, originalSource)}:${originalLine + 1}:${originalColumn + 1}`
    return String(site).replace(`${bundle}:${line}:${column}`, () => place)
  } catch {
    // The map is not there. A stack that names the bundle is better than none.
    return String(site)
  }
}

/** What an error says of itself may throw, since it may be anything. */
function headline(error: unknown): string {
  try {
    return String(error)
  } catch {
    return 'Error'
  }
}
