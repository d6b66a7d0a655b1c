/** Buffers that count what is done with them, so that linear work can be asserted without a clock. */

type Bytes = Buffer<ArrayBuffer>

export class WorkCounter {
  /** Bytes looked at, one by one or by a search. */
  bytesRead = 0
  bytesCopied = 0
  /** Bytes asked of Buffer.allocUnsafeSlow. */
  bytesAllocated = 0
  /** By counting buffer, the real one: native methods take no proxies. */
  readonly #real = new WeakMap<object, Bytes>()

  /** Runs `work`; what it gets from Buffer.allocUnsafeSlow, and all copying, is counted meanwhile. */
  run(work: () => void): void {
    const { allocUnsafeSlow, prototype } = Buffer
    const { copy } = prototype
    const counter = this
    Buffer.allocUnsafeSlow = (size) => {
      this.bytesAllocated += size
      return this.watch(allocUnsafeSlow(size))
    }
    prototype.copy = function (this: Bytes, target: Uint8Array, ...places: number[]) {
      const copied = copy.call(counter.#unwatched(this), counter.#unwatched(target), ...places)
      counter.bytesCopied += copied
      return copied
    }
    try {
      work()
    } finally {
      Buffer.allocUnsafeSlow = allocUnsafeSlow
      prototype.copy = copy
    }
  }

  /** `bytes`, counting. */
  watch(bytes: Bytes): Bytes {
    const watched = new Proxy(bytes, {
      get: (target, name) => {
        if (typeof name === 'string' && /^\d/.test(name)) this.bytesRead += 1
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => this.#call(target, value, args)
      },
    })
    this.#real.set(watched, bytes)
    return watched
  }

  #call(target: Bytes, method: object, args: unknown[]): unknown {
    const result: unknown = Reflect.apply(method as () => unknown, target, args)
    if (method === target.subarray) return this.watch(result as Bytes)
    if (method === target.copyWithin) {
      const [, start, end] = args as number[]
      this.bytesCopied += (end ?? target.length) - (start ?? 0)
    } else if (method === target.indexOf) {
      const from = (args[1] as number | undefined) ?? 0
      const found = result as number
      this.bytesRead += (found < 0 ? target.length : found + 1) - from
    } else if (method === target.includes) {
      this.bytesRead += target.length
    }
    return result
  }

  #unwatched<T extends Uint8Array>(bytes: T): T | Bytes {
    return this.#real.get(bytes) ?? bytes
  }
}
