/** Nanoseconds for each step that the command table adds to a request: `node build/bench/micro/commands.js`. */
import { findKeys, KeyPositions, needsLease } from '../../lib/commands/keys.ts'
import { arityFits, CommandTable } from '../../lib/commands/lookup.ts'
import { requestFrame } from '../../lib/resp/encode.ts'
import type { Request } from '../../lib/resp/request.ts'
import { RequestScanner } from '../../lib/resp/request-scanner.ts'

const ROUNDS = 7
const CALLS = 1_000_000

const table = new CommandTable()
const keys = new KeyPositions()

/** The arguments of a frame as the scanner hands them on, but to keep. */
function requestOf(...args: string[]): Request {
  const bytes = requestFrame(args)
  const scanner = new RequestScanner()
  scanner.feed(bytes, bytes.length)
  scanner.next()
  return scanner
}

/** The best of several rounds: other work on the machine can only add to the time. */
function measure(
  name: string,
  requests: readonly Request[],
  call: (request: Request) => unknown,
): void {
  let best = Number.POSITIVE_INFINITY
  let used = 0
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint()
    for (let i = 0; i < CALLS; i++) {
      if (call(requests[i % requests.length] as Request) !== undefined) used++
    }
    best = Math.min(best, Number(process.hrtime.bigint() - start) / CALLS)
  }
  process.stdout.write(`${name.padEnd(48)} ${best.toFixed(1).padStart(7)} ns   (${used} used)\n`)
}

function keysOf(request: Request): unknown {
  const row = table.lookup(request)
  return row && arityFits(row, request.argc) ? findKeys(row, request, keys) : undefined
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `key:${i}`)
const mixed = [
  requestOf('GET', 'key'),
  requestOf('set', 'key', 'value'),
  requestOf('HGETALL', 'key'),
  requestOf('ZADD', 'key', '1', 'member'),
  requestOf('LPUSH', 'key', 'value'),
  requestOf('incr', 'key'),
  requestOf('EXPIRE', 'key', '60'),
  requestOf('ZRANGEBYSCORE', 'key', '0', '1'),
]

measure('loop alone', mixed, (request) => request)
measure('lookup GET', [requestOf('GET', 'key')], (request) => table.lookup(request))
measure('lookup of 8 usual commands in turn', mixed, (request) => table.lookup(request))
measure('lookup CONFIG GET', [requestOf('CONFIG', 'GET', 'x')], (request) => table.lookup(request))
measure('lookup of an unknown name', [requestOf('GETS', 'key')], (request) => table.lookup(request))
measure('lookup, arity, findKeys of the 8', mixed, keysOf)
measure('lookup, arity, findKeys MGET of 10', [requestOf('MGET', ...numbered(10))], keysOf)
measure('lookup, arity, findKeys MGET of 100', [requestOf('MGET', ...numbered(100))], keysOf)
measure('lookup, arity, findKeys EVAL', [requestOf('EVAL', 's', '2', 'a', 'b', 'c')], keysOf)
const read = requestOf('XREAD', 'COUNT', '10', 'STREAMS', 'a', '0')
measure('lookup, arity, findKeys XREAD', [read], keysOf)
measure('lookup, needsLease XREAD', [read], (request) => {
  const row = table.lookup(request)
  return row && needsLease(row, request)
})
