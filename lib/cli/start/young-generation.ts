/**
 * How far V8's young generation grows. Loading makes much garbage at once, for which V8 lets it grow to
 * sixteen times its size and keeps it so; once it serves it gets its way again.
 */
import { setFlagsFromString } from 'node:v8'

/** V8's own factor, in Node 20 to 26. */
const FACTOR = 2

export function keepYoungGenerationSmall(): void {
  growBy(1)
}

export function letYoungGenerationGrow(): void {
  growBy(FACTOR)
}

function growBy(factor: number): void {
  setFlagsFromString(`--semi-space-growth-factor=${factor}`)
}
