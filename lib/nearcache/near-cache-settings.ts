/** How the near-cache is to be, by the names of the options. */
export interface NearCacheSettings {
  /** Prefixes of keys; `*` is all. */
  readonly nearCacheKeys: readonly string[]
  readonly nearCacheMb: number
  readonly nearCacheMaxAgeMs: number
  readonly nearCacheStaleMs: number
  readonly nearCacheEntryBytes: number
  readonly nearCacheTouchMs: number
  readonly nearCacheTtl: 'ask' | 'trust'
  readonly nearCacheScripts: 'all' | 'declared'
}
