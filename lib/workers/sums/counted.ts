/**
 * What workers have counted that have died, as far as it was known: by their last reports. Counts over all workers
 * never become less, as those of one process do not.
 */
import type { Family } from '../../admin/metrics/exposition.ts'
import type { Member } from '../crew/member.ts'
import type { Report, Statistics } from '../messages.ts'
import { countsOf, ofShardsIn, sumFamilies } from './sum-metrics.ts'
import { countsOfStats, sumStats } from './sum-stats.ts'

export class Counted {
  readonly #last = new Map<Member, Report>()
  #families: readonly Family[] | undefined
  #stats: Statistics | undefined

  reported(member: Member, report: Report): void {
    this.#last.set(member, report)
  }

  gone(member: Member): void {
    const report = this.#last.get(member)
    if (report === undefined) return
    this.#last.delete(member)
    const stats = countsOfStats(report.stats)
    const families = countsOf(report.families)
    this.#stats = this.#stats === undefined ? stats : sumStats([this.#stats, stats])
    this.#families =
      this.#families === undefined ? families : sumFamilies([this.#families, families])
  }

  /** One at most. */
  get stats(): readonly Statistics[] {
    return this.#stats === undefined ? [] : [this.#stats]
  }

  /** One list at most. Shards that have been configured away are left out, as in `living`. */
  families(living: readonly Family[]): readonly (readonly Family[])[] {
    return this.#families === undefined ? [] : [ofShardsIn(living, this.#families)]
  }
}
