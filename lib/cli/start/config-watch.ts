/**
 * Notices that configuration files have changed. It watches directories, not files: editors replace
 * files, and Kubernetes swaps a whole volume by renaming the link `..data`, which no watch on a file
 * survives.
 */
import { type FSWatcher, watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import { CONFIG_SETTLE_MS } from '../../limits.ts'

/** A layer that was not there before may come. */
const LAYER = /\.(ya?ml|json)$/

export class ConfigWatch {
  readonly #onChange: () => void
  readonly #watchers = new Map<string, FSWatcher>()
  /** Of the files that matter, without their directories. */
  #names: ReadonlySet<string> = new Set()
  #timer: NodeJS.Timeout | undefined

  /** `onChange` is called once things have settled after a change, and perhaps when nothing has changed. */
  constructor(onChange: () => void) {
    this.#onChange = onChange
  }

  /** From now on these files matter, and no others. */
  follow(files: readonly string[]): void {
    this.#names = new Set(files.map((file) => basename(file)))
    const wanted = new Set(files.map((file) => dirname(file)))
    for (const [directory, watcher] of this.#watchers) {
      if (wanted.has(directory)) continue
      watcher.close()
      this.#watchers.delete(directory)
    }
    for (const directory of wanted) {
      if (!this.#watchers.has(directory)) this.#watch(directory)
    }
  }

  close(): void {
    clearTimeout(this.#timer)
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }

  #watch(directory: string): void {
    try {
      const watcher = watch(directory, { persistent: false }, (_event, name) => {
        if (this.#matters(name)) this.#later()
      })
      // The directory may go away; SIGHUP still reloads.
      watcher.on('error', () => watcher.close())
      this.#watchers.set(directory, watcher)
      // What changed between reading and watching has made no event.
      this.#later()
    } catch {
      // Out of inotify watches, or not there yet: SIGHUP still reloads.
    }
  }

  /** Other files live there too: perhaps the very log that tells of a reload. */
  #matters(name: string | null): boolean {
    return name === null || name.startsWith('..') || LAYER.test(name) || this.#names.has(name)
  }

  /** A change comes in many events: files are truncated, then written; links are swapped. */
  #later(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#onChange, CONFIG_SETTLE_MS)
    this.#timer.unref()
  }
}
