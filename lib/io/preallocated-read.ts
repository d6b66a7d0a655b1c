/**
 * Reads of all sockets land in one buffer made once, which saves the 64 KiB allocation that Node
 * makes for each read event and most of an idle connection's memory.
 *
 * libuv on Unix asks for the buffer, reads and calls back in one go, so two sockets never use it
 * at the same time. Windows hands buffers to the kernel in advance: there, and on a Node whose
 * internals differ, sockets keep their ordinary 'data' events.
 *
 * Node has `onread` as a public option for outgoing sockets only (net.connect). For accepted ones
 * this file moves the accepted handle into a new net.Socket with that option: the one place where
 * we touch Node's internals (`_handle`, `_server`). Tried on Node 20, 22, 24 and 26. It also reads
 * from there how much of a write is still to come, which nothing public tells.
 */
import net from 'node:net'

/** Bytes of the shared read buffer: what Node itself would allocate for each read. */
const READ_BUFFER_BYTES = 64 * 1024

const readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES)

/**
 * Gets `length` bytes from the start of `buffer`. A handler that keeps bytes beyond the call copies
 * them.
 */
export type BytesHandler = (buffer: Buffer, length: number) => void

const sharedBufferWorks = process.platform !== 'win32'

/** The `onread` option for net.connect, or none where 'data' events must do. */
export function readOptions(onBytes: BytesHandler): Pick<net.SocketConstructorOpts, 'onread'> {
  if (!sharedBufferWorks) return {}
  return {
    onread: {
      buffer: readBuffer,
      callback(length: number): boolean {
        onBytes(readBuffer, length)
        return true
      },
    },
  }
}

/** Lets an outgoing socket deliver to `onBytes` where `readOptions` had nothing to offer. */
export function readFallback(socket: net.Socket, onBytes: BytesHandler): void {
  if (!sharedBufferWorks) socket.on('data', (bytes: Buffer) => onBytes(bytes, bytes.length))
}

interface Internals {
  _handle: { useUserBuffer?: unknown; readonly writeQueueSize?: number } | null
  _server: net.Server | null
  server: net.Server | null
}

/**
 * Makes an accepted socket (of a server with `pauseOnConnect` and `allowHalfOpen`) deliver to
 * `onBytes`, and starts reading. Returns the socket to use from now on.
 */
export function adoptAccepted(accepted: net.Socket, onBytes: BytesHandler): net.Socket {
  const inside = accepted as unknown as Internals
  const handle = inside._handle
  if (!sharedBufferWorks || typeof handle?.useUserBuffer !== 'function' || !inside._server) {
    accepted.on('data', (bytes: Buffer) => onBytes(bytes, bytes.length))
    accepted.resume()
    return accepted
  }
  const options = { handle, allowHalfOpen: true, ...readOptions(onBytes) }
  const socket = new net.Socket(options as net.SocketConstructorOpts)
  const adopted = socket as unknown as Internals
  // The server counts its connections through this field; the old socket must no longer do so.
  adopted._server = inside._server
  adopted.server = inside._server
  inside._handle = null
  inside._server = null
  return socket
}

/**
 * Bytes written to the socket that the kernel has not taken. The number falls with each part that
 * the kernel takes; `writableLength` falls only when a whole write is done, which may be of many
 * MB.
 */
export function unsentBytes(socket: net.Socket): number {
  const queued = (socket as unknown as Internals)._handle?.writeQueueSize
  return typeof queued === 'number' ? queued : socket.writableLength
}
