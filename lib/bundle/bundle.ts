/**
 * Runs the program from the one script that `npm run build` makes of it (bundle.js), with what V8 made of that
 * script before. Compiling is half of the way to the first answer; so a process that has served leaves what was
 * compiled beside the script, where there is none yet and it may write.
 *
 * Node's own `module.enableCompileCache` does not serve: Node 20 has none, and what it keeps while an image is
 * built is not used by another user, nor on another processor.
 */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { Script } from 'node:vm'

/** How bundle.js wraps the script. */
type Program = (
  module: { exports: unknown },
  require: NodeJS.Require,
  url: string,
  filename: string,
  dirname: string,
) => void

/** bundle.js ends the script with `//` and so many characters that belong to this text alone. */
const MARK_LENGTH = 16

export interface Bundle {
  /** What the script exports. */
  readonly exports: unknown
  /** Leaves what V8 has compiled by now to the processes to come, if they would lack it. */
  readonly keepCode: () => void
}

/** Runs the script at `path`. Throws as `readFileSync` does when there is none. */
export function runBundle(path: string, url: string): Bundle {
  const source = readFileSync(path, 'latin1')
  const codePath = `${path}.${source.slice(-MARK_LENGTH)}-${process.version}-${process.arch}`
  const cachedData = readIfThere(codePath)
  const script = new Script(source, {
    filename: path,
    ...(cachedData !== undefined && { cachedData }),
  })
  const module = { exports: undefined }
  const program = script.runInThisContext() as Program
  program(module, createRequire(url), url, path, dirname(path))
  return {
    exports: module.exports,
    keepCode: () => {
      // V8 refuses what it made under other flags.
      const isRefused = script.cachedDataRejected
      // A worker may have left it meanwhile, which knows more of the way of requests than who looks after it.
      if (isRefused === undefined ? !existsSync(codePath) : isRefused) keep(script, codePath)
    },
  }
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

/** By another name first, since another process may be reading the code, or writing its own. */
function keep(script: Script, codePath: string): void {
  const temporary = `${codePath}.${process.pid}`
  try {
    writeFileSync(temporary, script.createCachedData())
  } catch {
    // An image is read-only, a package may belong to another user: then each start compiles.
    return
  }
  try {
    renameSync(temporary, codePath)
  } catch {
    rmSync(temporary)
  }
}
