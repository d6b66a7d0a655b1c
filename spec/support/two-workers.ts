/**
 * SPEC_WORKERS=2: the ambassadors of the specs have two workers. Those that run as a process of their own get the
 * option; in place of one in the process of the spec there is a supervisor, whose workers are child processes.
 * one-process.ts has the specs for which that is nothing.
 */
import type { AddressInfo } from 'node:net'
import type { Ambassador, Gauges } from '../../lib/ambassador.ts'
import { WORKER_WORD } from '../../lib/cli/start/worker-word.ts'
import type { Config } from '../../lib/config/config.ts'
import type { Logger } from '../../lib/logger.ts'
import { startWorkers } from '../../lib/workers/supervisor.ts'
import { BIN, SPEC_WORKERS } from './bin.ts'
import { freePort } from './ports.ts'

/** Between two looks at the gauges, milliseconds. */
const LOOK_MS = 25

/** What AmbassadorUnderTest needs of an ambassador. */
export interface Tested
  extends Pick<Ambassador, 'addresses' | 'adminAddress' | 'gauges' | 'stop' | 'reload'> {
  /** Asks for new gauges; absent where they are always new. */
  readonly look?: () => Promise<void>
}

/** With ports that are free now in place of 0: ambassadors of one spec would be given the same one. */
export async function startTested(config: Config, logger: Logger): Promise<Tested> {
  const listen = await Promise.all(
    config.edge.listen.map(async (address) => {
      return 'port' in address && address.port === 0
        ? { ...address, port: await freePort() }
        : address
    }),
  )
  const own = {
    ...config,
    edge: { ...config.edge, listen },
    process: { ...config.process, workers: SPEC_WORKERS },
  }
  const program = { exec: BIN, args: [WORKER_WORD] }
  // The workers' own lines would come between those of mocha.
  const supervisor = await startWorkers(own, { ...logger, level: 'fatal' }, program)
  let gauges: Gauges = { clients: 0, inFlight: 0, leases: 0, topics: 0 }
  const look = async () => {
    const reports = (await supervisor.ask({ kind: 'report', clears: false }, 'all')) ?? []
    const sum = (of: (gauges: Gauges) => number) => {
      return reports.reduce((total, { stats }) => total + of(stats), 0)
    }
    gauges = {
      clients: sum(({ clients }) => clients),
      inFlight: sum(({ inFlight }) => inFlight),
      leases: sum(({ leases }) => leases),
      topics: sum(({ topics }) => topics),
    }
  }
  // For specs that wait for a gauge.
  const timer = setInterval(() => void look(), LOOK_MS).unref()
  return {
    addresses: supervisor.listening.clients.map(addressOf),
    adminAddress: supervisor.listening.admin.map(addressOf)[0],
    get gauges() {
      return gauges
    },
    look,
    reload: (next) => supervisor.reload(next),
    stop: () => {
      clearInterval(timer)
      return supervisor.stop()
    },
  }
}

/** `127.0.0.1:6379`, or the path of a unix socket. */
function addressOf(text: string): AddressInfo | string {
  const [, address, port] = /^\[?([^\]]*)\]?:(\d+)$/.exec(text) ?? []
  if (address === undefined) return text
  return { address, port: Number(port), family: address.includes(':') ? 'IPv6' : 'IPv4' }
}
