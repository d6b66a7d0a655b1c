/** Spec files that SPEC_WORKERS=2 leaves out (two-workers.ts), and why. */

const LOG = 'reads the log of its own process, and workers have logs of their own'
const AT_ONCE =
  'expects that a reload is done when it returns, and workers hear of it a moment later'
const ORDER = 'expects an order among clients that workers do not keep'
const COUNTS = 'counts what each worker has for itself: connections, topics, ids'
const BOUNDS = 'fills a bound of which a worker has a part'

export const ABOUT_ONE_PROCESS: Readonly<Record<string, string>> = {
  'spec/integration/credentials-elsewhere.spec.ts': LOG,
  'spec/integration/cross-shard-reads.spec.ts': BOUNDS,
  'spec/integration/ejection.spec.ts': LOG,
  'spec/integration/lookout.spec.ts': COUNTS,
  'spec/integration/memory-at-rest.spec.ts': BOUNDS,
  'spec/integration/pops-over-shards.spec.ts': ORDER,
  'spec/integration/proxy.spec.ts': COUNTS,
  'spec/integration/pubsub.spec.ts': COUNTS,
  'spec/integration/pubsub-reload.spec.ts': AT_ONCE,
  'spec/integration/pubsub-scripts.spec.ts': COUNTS,
  'spec/integration/reload.spec.ts': AT_ONCE,
  'spec/integration/replicas.spec.ts': LOG,
  'spec/integration/replicas-nearest.spec.ts': LOG,
  'spec/integration/sentinel.spec.ts': LOG,
  'spec/integration/sentinel-faults.spec.ts': LOG,
  'spec/integration/shard-rights.spec.ts': LOG,
}
