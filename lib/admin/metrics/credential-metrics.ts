/** What /metrics says of credentials that end by themselves, for each shard that has them. */
import type { KeeperState } from '../../credentials/keeper.ts'
import type { Sample } from './exposition.ts'
import type { Metric, Scene } from './metric.ts'

export const CREDENTIAL_METRICS: readonly Metric[] = [
  {
    name: 'ambassador_shard_credentials_age_seconds',
    type: 'gauge',
    help: 'How old the credentials are that it is logged in with, where they end by themselves.',
    labels: ['shard'],
    read: (scene) => samples(scene, ({ ageSeconds }) => [{ value: ageSeconds }]),
  },
  {
    name: 'ambassador_shard_credentials_remaining_seconds',
    type: 'gauge',
    help: 'Until they end; below 0, they have. Not there where no end is known.',
    labels: ['shard'],
    read: (scene) => samples(scene, ({ endsInSeconds }) => [{ value: endsInSeconds }]),
  },
  {
    name: 'ambassador_shard_credentials_renewals_total',
    type: 'counter',
    help: 'Times that their program or file gave others (succeeded) or none that are of use (failed).',
    labels: ['shard', 'outcome'],
    read: (scene) => {
      return samples(scene, ({ renewals }) => {
        return Object.entries(renewals).map(([outcome, value]) => ({ labels: { outcome }, value }))
      })
    },
  },
]

interface Told {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number | undefined
}

/** Of what is known. */
function samples({ snapshot }: Scene, tell: (state: KeeperState) => readonly Told[]): Sample[] {
  const states = snapshot.credentials()
  return snapshot.shards.flatMap(({ name: shard }, at) => {
    const state = states[at]
    const told = state === undefined ? [] : tell(state)
    return told.flatMap(({ labels, value }) => {
      return value === undefined ? [] : [{ labels: { shard, ...labels }, value }]
    })
  })
}
