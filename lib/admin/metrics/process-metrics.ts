/** The metrics of the process. */
import { type Metric, plain } from './metric.ts'

export const PROCESS_METRICS: readonly Metric[] = [
  plain('counter', 'process_cpu_seconds_total', 'User and system CPU time.', ({ figures }) => {
    return figures.cpuSeconds
  }),
  plain('gauge', 'process_resident_memory_bytes', 'Resident memory in bytes.', ({ figures }) => {
    return figures.residentBytes
  }),
  plain(
    'gauge',
    'process_start_time_seconds',
    'Start of the process, in seconds since the Unix epoch.',
    ({ snapshot }) => {
      return snapshot.startedAtMs / 1000
    },
  ),
  plain('gauge', 'nodejs_heap_size_used_bytes', 'Bytes of the heap in use.', ({ figures }) => {
    return figures.heapUsedBytes
  }),
  plain(
    'gauge',
    'nodejs_heap_size_total_bytes',
    'Bytes of the heap, used or not.',
    ({ figures }) => {
      return figures.heapTotalBytes
    },
  ),
  plain(
    'gauge',
    'nodejs_external_memory_bytes',
    'Bytes of buffers and other memory outside the heap.',
    ({ figures }) => figures.externalBytes,
  ),
  lag('p50'),
  lag('p99'),
  lag('max'),
]

function lag(part: 'p50' | 'p99' | 'max'): Metric {
  const help = `How late timers were since the last scrape, ${part}.`
  return plain('gauge', `nodejs_eventloop_lag_${part}_seconds`, help, ({ figures }) => {
    return figures.lagSeconds[part]
  })
}
