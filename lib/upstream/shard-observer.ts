/** Is told how a shard does. */
export interface ShardObserver {
  /** The shard is first known to be up or down, or that has changed. */
  readonly changed?: (up: boolean) => void
  /**
   * A shared connection has failed, a request timed out, or the shard refuses everything. `answered`: it
   * has said something else since the last time.
   */
  readonly failed?: (answered: boolean) => void
  /** The shard lives elsewhere now: the server there may be another version. */
  readonly moved?: () => void
}
