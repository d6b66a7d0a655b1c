import { expect } from 'chai'
import { RECONNECT_MS_MAX, RECONNECT_MS_MIN, REJECTED_MS_MAX } from '../../../../lib/limits.ts'
import { reconnectDelayMs } from '../../../../lib/upstream/connection/making/backoff.ts'

const ALMOST_ONE = 1 - Number.EPSILON

describe('reconnectDelayMs', () => {
  for (const [rejected, max] of [
    [false, RECONNECT_MS_MAX],
    [true, REJECTED_MS_MAX],
  ] as const) {
    describe(
      rejected ? 'of a shard that turned us away' : 'of a shard that was unreachable',
      () => {
        it('doubles from the lower to the upper bound', () => {
          let expected = RECONNECT_MS_MIN
          for (let failures = 1; failures < 30; failures += 1) {
            const delay = reconnectDelayMs(failures, rejected, ALMOST_ONE)
            expect(delay, `${failures}`).to.be.closeTo(expected, 0.001)
            expected = Math.min(2 * expected, max)
          }
          expect(expected).to.equal(max)
        })

        it('stays bounded for ever', () => {
          for (const failures of [1e3, 1e6, 1e9]) {
            expect(reconnectDelayMs(failures, rejected, ALMOST_ONE)).to.be.closeTo(max, 0.001)
          }
        })

        it('is spread over the upper half by chance', () => {
          for (const failures of [1, 2, 100]) {
            const longest = reconnectDelayMs(failures, rejected, ALMOST_ONE)
            expect(reconnectDelayMs(failures, rejected, 0)).to.be.closeTo(longest / 2, 0.001)
            expect(reconnectDelayMs(failures, rejected, 0.5)).to.be.closeTo(0.75 * longest, 0.001)
          }
        })
      },
    )
  }
})
