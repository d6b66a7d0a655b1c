/** One server of a real Redis Cluster: it keeps its identity when it is killed and started again. */
import type { Pair } from './certificates.ts'
import { freePort } from './ports.ts'
import { connectRaw, type RawClient } from './raw-client.ts'
import { type Decoded, decodeFrames } from './redis-parser.ts'
import { RedisServer } from './redis-server.ts'

export interface ClusterServerOptions {
  readonly nodeTimeoutMs: number
  readonly password: string | undefined
  /** With it the server listens with TLS as well; `authority` is the path of a certificate. */
  readonly tls: (Pair & { readonly authority: string }) | undefined
  readonly args: readonly string[]
}

export async function startClusterServer(options: ClusterServerOptions): Promise<ClusterServer> {
  const [port, busPort, tlsPort] = [await freePort(), await freePort(), await freePort()]
  const server = new ClusterServer({ port, busPort, tlsPort }, options)
  await server.start()
  return server
}

export class ClusterServer {
  readonly port: number
  readonly busPort: number
  /** Listens only when the cluster has TLS. */
  readonly tlsPort: number
  /** By which the other servers know it. */
  readonly announcedPort: number
  /** As CLUSTER MYID has it. */
  id = ''
  /** It has been started, and neither killed nor stopped since. */
  isRunning = false
  readonly #redis: RedisServer
  readonly #password: string | undefined
  #client: Promise<RawClient> | undefined

  constructor(
    ports: { readonly port: number; readonly busPort: number; readonly tlsPort: number },
    options: ClusterServerOptions,
  ) {
    const { port, busPort, tlsPort } = ports
    this.port = port
    this.busPort = busPort
    this.tlsPort = tlsPort
    this.announcedPort = options.tls === undefined ? port : tlsPort
    this.#password = options.password
    this.#redis = new RedisServer(port, { args: serverArgs(ports, options) })
  }

  get pid(): number {
    return this.#redis.pid
  }

  /** `127.0.0.1:<port>` */
  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  /** Starts it, or starts it again: without its data, and with what it knew of the cluster. */
  async start(): Promise<void> {
    await this.#forgetClient()
    await this.#redis.restart()
    this.isRunning = true
    this.id = await this.text('CLUSTER', 'MYID')
  }

  /** Default: it is gone at once. With SIGSTOP it hangs, until SIGCONT. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#redis.kill(signal)
    this.isRunning = signal === 'SIGCONT'
  }

  async stop(): Promise<void> {
    this.isRunning = false
    await this.#forgetClient()
    await this.#redis.stop()
  }

  /** Sends a command over one connection, made again when need be. Rejects with the server's error. */
  async ask(...words: readonly string[]): Promise<Exclude<Decoded, Error>> {
    const client = await this.#connected()
    const [reply = null] = decodeFrames(await client.request(...words))
    if (reply instanceof Error) throw reply
    return reply
  }

  /** The same for a reply that is one string. */
  async text(...words: readonly string[]): Promise<string> {
    return String(await this.ask(...words))
  }

  async #connected(): Promise<RawClient> {
    const known = await this.#client?.catch(() => undefined)
    if (known !== undefined && !known.socket.destroyed) return known
    this.#client = this.#connect()
    return this.#client
  }

  async #connect(): Promise<RawClient> {
    const client = await connectRaw(this.port)
    // What the other side has closed is of no use any more.
    client.socket.once('end', () => client.socket.destroy())
    if (this.#password !== undefined) await client.request('AUTH', this.#password)
    return client
  }

  async #forgetClient(): Promise<void> {
    const client = await this.#client?.catch(() => undefined)
    this.#client = undefined
    await client?.close()
  }
}

function serverArgs(
  { busPort, tlsPort }: { readonly busPort: number; readonly tlsPort: number },
  { nodeTimeoutMs, password, tls, args }: ClusterServerOptions,
): string[] {
  const secret = password === undefined ? [] : ['--requirepass', password, '--masterauth', password]
  const secure =
    tls === undefined
      ? []
      : [
          ...['--tls-port', String(tlsPort), '--tls-auth-clients', 'no'],
          ...['--tls-cluster', 'yes', '--tls-replication', 'yes'],
          ...['--tls-cert-file', tls.cert, '--tls-key-file', tls.key],
          ...['--tls-ca-cert-file', tls.authority],
        ]
  return [
    ...['--cluster-enabled', 'yes', '--cluster-port', String(busPort)],
    ...['--cluster-node-timeout', String(nodeTimeoutMs), '--repl-diskless-sync-delay', '0'],
    // CLUSTER SLOTS leaves replicas out that have heard nothing yet from their masters.
    ...['--repl-ping-replica-period', '1'],
    // A replica that begins to follow a master in the moment in which that hangs waits so long before it tries again.
    ...['--repl-timeout', '10'],
    ...secret,
    ...secure,
    ...args,
  ]
}
