/**
 * Notices that files of the configuration have changed, by looking where each path leads every
 * CONFIG_LOOK_MS. The kernel's own notices (inotify) belong to a file or a directory, not to a path,
 * and miss most ways in which files change in containers: a link to a file elsewhere, a link to a
 * directory that is switched, a file that is mounted by itself, a directory that is made anew.
 */
import { stat } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { CONFIG_LOOK_MS, CONFIG_RESTLESS_LOOKS_MAX, CONFIG_SETTLE_MS } from '../../limits.ts'
import { timerMs } from '../../timer.ts'

/** A pipe or a device. */
const SPECIAL = 'special'

export class ConfigWatch {
  readonly #onChange: () => void
  #files: readonly string[] = []
  /** What the last look found at each path; undefined before the first. */
  #stamps: readonly string[] | undefined
  /** `onChange` is due once things have settled. */
  #changed = false
  /** Looks in a row that found something new. */
  #restlessLooks = 0
  #timer: NodeJS.Timeout | undefined

  /**
   * `onChange` is called once things have settled after a change, and perhaps when nothing has
   * changed: a file may have been written with the text that it had.
   */
  constructor(onChange: () => void) {
    this.#onChange = onChange
  }

  /** From now on these paths matter, and no others. A file that is not there may come. */
  follow(files: readonly string[]): void {
    if (isDeepStrictEqual(files, this.#files)) return
    this.#files = files
    this.#stamps = undefined
    this.#lookIn(CONFIG_SETTLE_MS)
  }

  close(): void {
    this.#files = []
    clearTimeout(this.#timer)
  }

  #lookIn(delayMs: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#look(), timerMs(delayMs))
    this.#timer.unref()
  }

  async #look(): Promise<void> {
    const files = this.#files
    const stamps: string[] = []
    // One after the other: a file system that hangs may take one of Node's few threads, not all.
    for (const file of files) stamps.push(await stampOf(file))
    if (files !== this.#files) return
    const isNews = !isDeepStrictEqual(stamps, this.#stamps)
    if (isNews) {
      // The first look counts as a change, for a file may have changed since it was read. But what
      // came from a pipe cannot be read again.
      this.#changed ||= this.#stamps !== undefined || !stamps.includes(SPECIAL)
      this.#stamps = stamps
    }
    this.#restlessLooks = isNews ? this.#restlessLooks + 1 : 0
    // A change comes in parts: files are truncated, then written; links are removed, then made.
    const isSettled = !isNews || this.#restlessLooks >= CONFIG_RESTLESS_LOOKS_MAX
    this.#lookIn(isSettled ? CONFIG_LOOK_MS : CONFIG_SETTLE_MS)
    if (!isSettled || !this.#changed) return
    this.#changed = false
    this.#onChange()
  }
}

/**
 * Which file a path leads to, and when that was last written: every change of a file changes its inode
 * or one of its times. Only the text decides whether the configuration is different.
 */
async function stampOf(path: string): Promise<string> {
  try {
    const found = await stat(path, { bigint: true })
    // Files in a directory are followed by their own paths.
    if (found.isDirectory()) return 'directory'
    if (!found.isFile()) return SPECIAL
    const { dev, ino, size, mtimeNs, ctimeNs } = found
    return [dev, ino, size, mtimeNs, ctimeNs].join()
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}
