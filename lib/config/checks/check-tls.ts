/** What is wrong, or worth a note, about TLS when its options are looked at together. */

import type { PemFile } from '../config.ts'
import type { Settings } from '../schema.ts'
import type { Findings } from '../sources/layers.ts'
import { addressText } from '../values/address.ts'
import { belongTogether, expiry } from '../values/pem.ts'
import type { ShardList } from '../values/types.ts'

/** By option, what has set it. */
type Sources = Readonly<Record<string, string>>

type FileOption = 'tlsCert' | 'tlsKey' | 'tlsCa' | 'shardTlsCert' | 'shardTlsKey' | 'shardTlsCa'

/** Checks TLS towards clients. Adds to the findings. */
export function checkClientTls(
  settings: Settings,
  sources: Sources,
  { problems, notes }: Findings,
): void {
  problems.push(...pairProblems(settings, sources, 'tlsCert', 'tlsKey'))
  const tlsAddress = settings.listen.find((address) => 'tls' in address)
  if (tlsAddress !== undefined && settings.tlsCert === undefined) {
    problems.push(
      `${sources['listen']}: ${addressText(tlsAddress)} needs a certificate: tlsCert and tlsKey`,
    )
  }
  if (tlsAddress === undefined && given(settings, ['tlsCert', 'tlsCa'])) {
    notes.push('tlsCert and tlsCa are not used: no address to listen on is tls://')
  }
  notes.push(...expired(settings, ['tlsCert', 'tlsCa']))
}

/** Checks TLS towards the servers of a pool. Adds to the findings. */
export function checkShardTls(
  settings: Settings,
  sources: Sources,
  { shards, cluster }: ShardList,
  { problems, notes }: Findings,
): void {
  problems.push(...pairProblems(settings, sources, 'shardTlsCert', 'shardTlsKey'))
  const toShards = cluster?.tls === true || shards.some(({ tls }) => tls)
  if (!toShards && given(settings, ['shardTlsCert', 'shardTlsCa'])) {
    notes.push('shardTlsCert and shardTlsCa are not used: no shard is rediss://')
  }
  if (toShards && settings.shardTlsInsecure) {
    notes.push(
      'INSECURE: shardTlsInsecure leaves the certificates of shards unchecked; whoever stands ' +
        'between can read and change everything, passwords included',
    )
  }
  notes.push(...expired(settings, ['shardTlsCert', 'shardTlsCa']))
}

function fileOf(settings: Settings, option: FileOption): PemFile | undefined {
  return settings[option]
}

function given(settings: Settings, options: readonly FileOption[]): boolean {
  return options.some((option) => fileOf(settings, option) !== undefined)
}

function pairProblems(
  settings: Settings,
  sources: Sources,
  certOption: FileOption,
  keyOption: FileOption,
): string[] {
  const certificate = fileOf(settings, certOption)
  const key = fileOf(settings, keyOption)
  if (certificate === undefined && key === undefined) return []
  if (certificate === undefined || key === undefined) {
    const source = sources[certificate === undefined ? keyOption : certOption]
    return [`${source}: ${certOption} and ${keyOption} belong together; only one of them is set`]
  }
  if (belongTogether(certificate, key)) return []
  return [
    `${sources[keyOption]}: the key in ${key.path} is not that of the certificate in ${certificate.path}`,
  ]
}

/**
 * Only a note: the certificate can be replaced while we run, and a refused start would be worse.
 */
function expired(settings: Settings, options: readonly FileOption[]): string[] {
  return options.flatMap((option) => {
    const file = fileOf(settings, option)
    const ended = file === undefined ? undefined : expiry(file, Date.now())
    return ended === undefined ? [] : [`${option} ${file?.path} expired on ${ended}`]
  })
}
