/** The metrics of credentials that expire, for each shard that has such credentials. */
import type { KeeperState } from '../../credentials/keeper.ts'
import type { Sample } from './exposition.ts'
import type { Metric, Scene } from './metric.ts'

export const CREDENTIAL_METRICS: readonly Metric[] = [
  {
    name: 'ambassador_shard_credentials_age_seconds',
    type: 'gauge',
    help: 'Age of the expiring credentials with which connections to the shard are logged in.',
    labels: ['shard'],
    read: (scene) => samples(scene, ({ ageSeconds }) => [{ value: ageSeconds }]),
  },
  {
    name: 'ambassador_shard_credentials_remaining_seconds',
    type: 'gauge',
    help: 'Time until the credentials of the shard expire; below 0 they have expired. Absent while no end is known.',
    labels: ['shard'],
    read: (scene) => samples(scene, ({ endsInSeconds }) => [{ value: endsInSeconds }]),
  },
  {
    name: 'ambassador_shard_credentials_renewals_total',
    type: 'counter',
    help: 'Times that the program or file gave new credentials (succeeded) or no usable ones (failed).',
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

/** Samples for the shards whose value is known. */
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
