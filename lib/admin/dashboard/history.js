/**
 * The samples of the last minutes, one a second: first all of them from /stats, then the newest with
 * each event.
 *
 * @typedef {import('./stats.d.ts').Sample} Sample
 */

export const HISTORY_SECONDS = 300

export class History {
  /** @type {Sample[]} Oldest first. */
  samples = []
  #startedAt = ''

  /** @param {string} startedAt another one is another process @param {readonly Sample[]} added */
  add(startedAt, added) {
    const kept = this.#startedAt === startedAt ? this.samples : []
    this.#startedAt = startedAt
    const byTime = new Map([...kept, ...added].map((sample) => [sample.at, sample]))
    this.samples = [...byTime.values()]
      .sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
      .slice(-HISTORY_SECONDS)
  }
}
