/**
 * Connections on their way from the supervisor, which accepts them, to a worker. `node:cluster` keeps a copy of each
 * until the worker confirms that it has it, and forgets the copy when the worker dies before: the client would
 * wait for ever (tried on Node 20.20, 22.23, 24.21 and 26.10: one client for each worker that was killed while
 * clients came). Here the copies of a worker that has died are closed, and so their clients see the end.
 */
import type { Worker } from 'node:cluster'

/** As `node:cluster` says that a connection comes, and that it has come. */
interface InternalMessage {
  readonly act?: string
  readonly seq?: number
  readonly ack?: number
}

/** What lies in a message beside its text: a connection's handle. */
interface Closable {
  close(): void
}

export function closeUndelivered(worker: Worker): void {
  const underWay = new Map<number, Closable>()
  const { process: child } = worker
  const send = child.send as (...parts: unknown[]) => boolean
  const noting = (message: InternalMessage, handle: unknown, ...others: unknown[]): boolean => {
    if (message.act === 'newconn' && message.seq !== undefined && isClosable(handle)) {
      underWay.set(message.seq, handle)
    }
    return send.call(child, message, handle, ...others)
  }
  child.send = noting as typeof child.send
  child.on('internalMessage', ({ ack }: InternalMessage) => {
    if (ack !== undefined) underWay.delete(ack)
  })
  worker.once('exit', () => {
    for (const handle of underWay.values()) handle.close()
    underWay.clear()
  })
}

function isClosable(handle: unknown): handle is Closable {
  return typeof handle === 'object' && handle !== null && 'close' in handle
}
