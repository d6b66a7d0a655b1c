/** Runs a request scanner as a session does, on a read buffer that is overwritten after each read. */
import type { Request } from '../../lib/resp/request.ts'
import { RequestScanner } from '../../lib/resp/request-scanner.ts'

export interface Scan {
  /** Of each request its arguments, in latin1. */
  readonly requests: string[][]
  /** Of each request its frame, in latin1. */
  readonly frames: string[]
  readonly error: string | undefined
  readonly heldBytes: number
}

/** Whoever still reads a shared buffer after the call finds this in it. */
export const GARBAGE = 0xee

export interface ScanOptions {
  readonly authenticated?: boolean
}

export function scanRequests(chunks: readonly Buffer[], options: ScanOptions = {}): Scan {
  const scanner = new RequestScanner()
  scanner.authenticated = options.authenticated ?? true
  const readBuffer = Buffer.alloc(Math.max(1, ...chunks.map((chunk) => chunk.length)), GARBAGE)
  const requests: string[][] = []
  const frames: string[] = []
  let error: string | undefined
  for (const chunk of chunks) {
    chunk.copy(readBuffer)
    scanner.feed(readBuffer, chunk.length)
    let result = scanner.next()
    for (; result === 'request'; result = scanner.next()) {
      requests.push(argumentsOf(scanner))
      frames.push(scanner.bytes.toString('latin1', scanner.frameStart, scanner.frameEnd))
    }
    if (result === 'error') {
      error = scanner.error
      break
    }
    readBuffer.fill(GARBAGE)
  }
  return { requests, frames, error, heldBytes: scanner.heldBytes }
}

export function argumentsOf({ bytes, offsets, argc }: Request): string[] {
  return Array.from({ length: argc }, (_, i) =>
    bytes.toString('latin1', offsets[2 * i], offsets[2 * i + 1]),
  )
}
