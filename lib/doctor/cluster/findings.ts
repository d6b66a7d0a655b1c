/** Finds what is wrong with a Redis Cluster, from what it says about itself. Pure. */
import { SLOT_COUNT } from '../../control/cluster/view.ts'
import { addressKey } from '../../control/server-address.ts'
import { type Finding, note, problem, well } from '../finding.ts'
import type { ClusterLook, NodeLook } from './look.ts'

/** After a master's death detection takes up to this number of node time-outs; the election follows. */
const DETECTION_TIMEOUTS = 1.5
const ELECTION_MS = 1000

export function clusterFindings(look: ClusterLook, requestTimeoutMs: number): Finding[] {
  const { view, failures, nodes } = look
  const away = failures.map(({ address, reason }) => `${address} (${reason})`).join(', ')
  if (view === undefined) return [nobodyTells(away)]
  const masters = view.nodes.length
  const uncovered = SLOT_COUNT - view.covered
  return [
    ...(uncovered === 0
      ? [well('cluster', undefined, `${masters} masters have all ${SLOT_COUNT} slots`)]
      : [
          problem(
            'cluster',
            undefined,
            `${uncovered} of ${SLOT_COUNT} slots have no owner: requests for their keys fail`,
            'Start the masters that are away, or give the slots to others: redis-cli --cluster fix.',
          ),
        ]),
    ...seedsAway(away),
    ...withoutReplicas(look),
    ...nodes.flatMap(findingsOf),
    ...coverageOf(nodes),
    ...failoverOf(nodes, requestTimeoutMs),
  ]
}

function nobodyTells(away: string): Finding {
  const isPlain = /cluster support disabled/.test(away)
  const saw = isPlain ? `no seed is a node of a Redis Cluster: ${away}` : `no seed answers: ${away}`
  const advice = isPlain
    ? 'It is a Redis by itself: write it as redis://, without +cluster.'
    : 'Are they up, and are the port, TLS and the password right?'
  return problem('cluster', undefined, saw, advice)
}

function seedsAway(away: string): Finding[] {
  if (away === '') return []
  const advice = 'Others have answered. At a start without those there would be nobody to ask.'
  return [note('cluster', undefined, `seeds that do not answer: ${away}`, advice)]
}

function withoutReplicas({ view }: ClusterLook): Finding[] {
  const alone = (view?.nodes ?? []).filter(({ replicas }) => replicas.length === 0)
  if (alone.length === 0) return []
  const names = alone.map(({ address }) => addressKey(address)).join(', ')
  return [
    note(
      'cluster',
      undefined,
      `masters without a replica: ${names}`,
      'When one dies, its slots have no owner and its data is gone. Give it a replica.',
    ),
  ]
}

function findingsOf({ address, isMaster, self, state, trouble }: NodeLook): Finding[] {
  const name = addressKey(address)
  if (trouble !== undefined) {
    const role = isMaster ? 'a master' : 'a replica'
    const advice =
      'It is where the other nodes say that it is. If it is reached elsewhere, addressMap says where; ' +
      'if its certificate has a name, cluster-announce-hostname and cluster-preferred-endpoint-type hostname make nodes tell that.'
    const saw = `${role} cannot be asked from here (${trouble})`
    return [isMaster ? problem('cluster', name, saw, advice) : note('cluster', name, saw, advice)]
  }
  const findings: Finding[] = []
  if (state === 'fail') {
    const advice = 'It answers CLUSTERDOWN. Look at CLUSTER NODES there: who is failing?'
    findings.push(problem('cluster', name, 'says that the cluster is down', advice))
  }
  if (self !== undefined && self.openSlots > 0) {
    const saw = `${self.openSlots} slots are on their way from or to it`
    const advice =
      'While slots move that is so. If nothing moves, somebody gave up half way: redis-cli --cluster fix.'
    findings.push(note('cluster', name, saw, advice))
  }
  return findings
}

function coverageOf(nodes: readonly NodeLook[]): Finding[] {
  const isStrict = nodes.some(({ settings }) => {
    return settings.get('cluster-require-full-coverage') === 'yes'
  })
  if (!isStrict) return []
  return [
    note(
      'cluster',
      undefined,
      'cluster-require-full-coverage is yes: while one master is away, no key is served',
      'With no, the keys of the others are served meanwhile.',
    ),
  ]
}

function failoverOf(nodes: readonly NodeLook[], requestTimeoutMs: number): Finding[] {
  const timeouts = nodes.map(({ settings }) => Number(settings.get('cluster-node-timeout') ?? 0))
  const nodeTimeoutMs = Math.max(0, ...timeouts)
  const failoverMs = nodeTimeoutMs * DETECTION_TIMEOUTS + ELECTION_MS
  if (nodeTimeoutMs === 0 || requestTimeoutMs === 0 || failoverMs <= requestTimeoutMs) return []
  const saw =
    `with cluster-node-timeout ${nodeTimeoutMs} a failover takes up to ${failoverMs} ms, and a ` +
    `request may take ${requestTimeoutMs} ms`
  const advice =
    'Requests for the lost master get errors meanwhile. With requestTimeoutMs above that, those that were not sent wait for its heir.'
  return [note('cluster', undefined, saw, advice)]
}
