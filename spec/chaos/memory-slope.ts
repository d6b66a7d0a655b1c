/** How the memory of a process grows, so that a leak shows in a run of minutes. */

const SAMPLE_MS = 1000
const HOUR_MS = 3_600_000
const MB = 1024 * 1024

export interface Memory {
  readonly samples: number
  readonly minMb: number
  readonly medianMb: number
  readonly maxMb: number
  /** By least squares. */
  readonly slopeMbPerHour: number
}

export class MemorySampler {
  readonly #bytes: number[] = []
  readonly #timer: NodeJS.Timeout

  /** Takes a sample each second from now on. */
  constructor(residentBytes: () => number) {
    this.#timer = setInterval(() => this.#bytes.push(residentBytes()), SAMPLE_MS)
  }

  /** Stops; tells of the second half, for a heap that warms up grows, leak or not. */
  stop(): Memory {
    clearInterval(this.#timer)
    return memoryOf(this.#bytes.slice(this.#bytes.length >> 1))
  }
}

/** Of samples taken once a second. */
export function memoryOf(bytes: readonly number[]): Memory {
  const sorted = [...bytes].sort((a, b) => a - b)
  const at = (place: number): number => Math.round((sorted[Math.floor(place)] ?? 0) / MB)
  return {
    samples: bytes.length,
    minMb: at(0),
    medianMb: at(bytes.length / 2),
    maxMb: at(bytes.length - 1),
    slopeMbPerHour: (slopePerSample(bytes) * HOUR_MS) / SAMPLE_MS / MB,
  }
}

/** Least squares over equally spaced samples. */
function slopePerSample(samples: readonly number[]): number {
  const middle = (samples.length - 1) / 2
  let products = 0
  let squares = 0
  for (const [at, sample] of samples.entries()) {
    products += (at - middle) * sample
    squares += (at - middle) ** 2
  }
  return squares === 0 ? 0 : products / squares
}
