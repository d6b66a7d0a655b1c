/** The admin endpoint of one ambassador. */
import type { ListenAddress } from '../config/config.ts'
import { AdminServer } from './admin-server.ts'
import type { Answer } from './answer.ts'
import { ProcessWatch } from './metrics/process-figures.ts'
import { PAGES } from './pages/pages.ts'
import type { Snapshot } from './pages/snapshot.ts'
import { newestStatsOf } from './pages/stats-page.ts'
import type { Site, Visit } from './site.ts'
import type { Steering } from './steering.ts'

/** Starts to serve at `address`. `snapshot` and `steering` are called for each request. Throws EADDRINUSE. */
export async function openOwnSite(
  address: ListenAddress,
  snapshot: () => Snapshot,
  steering: () => Steering | undefined,
): Promise<AdminServer> {
  return await AdminServer.listen(address, new OwnSite(snapshot, steering))
}

class OwnSite implements Site {
  readonly #snapshot: () => Snapshot
  readonly #steering: () => Steering | undefined
  readonly #processWatch = new ProcessWatch()

  constructor(snapshot: () => Snapshot, steering: () => Steering | undefined) {
    this.#snapshot = snapshot
    this.#steering = steering
  }

  get hosts(): readonly string[] {
    return this.#snapshot().config.watch.adminHosts ?? []
  }

  get steering(): Steering | undefined {
    return this.#steering()
  }

  page(path: string, visit: Visit): Answer | undefined {
    const snapshot = this.#snapshot()
    return PAGES.get(path)?.({ ...visit, snapshot, processWatch: this.#processWatch })
  }

  newestStats(tell: (stats: unknown) => void): void {
    tell({ ...newestStatsOf(this.#snapshot()), process: this.#processWatch.read() })
  }

  close(): void {
    this.#processWatch.stop()
  }
}
