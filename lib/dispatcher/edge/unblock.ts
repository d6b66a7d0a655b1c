/** CLIENT UNBLOCK: ends the wait of a client in a blocking command. */
import type { Failure } from '../../failures.ts'
import { requestFrame } from '../../resp/encode.ts'
import { isRefusal } from '../../resp/refusal.ts'
import { integerOf } from '../../resp/reply-reader.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import type { Client, UnblockReason } from '../core/client.ts'
import type { Sender } from '../core/sender.ts'

/** Whether the client was unblocked; or the shard's error, or why the shard did not answer. */
export type UnblockOutcome = boolean | Buffer | Failure

/** The client over whose connections the shard is asked. */
export interface Asking {
  readonly asking: Client
  readonly sender: Sender
}

/**
 * The shard itself unblocks the connection on which the client waits: only it knows whether an
 * element has come first. Where it does not let us, the wait is cut short.
 */
export function unblockClient(
  target: Client,
  reason: UnblockReason,
  { asking, sender }: Asking,
  done: (outcome: UnblockOutcome) => void,
): void {
  const { blocked } = target
  if (blocked === undefined) {
    done(false)
    return
  }
  const cutShort = (): void => {
    if (target.blocked !== blocked) done(false)
    else blocked.cutShort(reason, done)
  }
  const shardClientId = blocked.shardClientId()
  if (shardClientId === undefined) {
    cutShort()
    return
  }
  blocked.unblocked = true
  const frame = requestFrame(['CLIENT', 'UNBLOCK', shardClientId, reason])
  const sink: ReplySink = {
    reply: (_ticket, bytes, start, end) => {
      if (isRefusal(bytes, start)) {
        cutShort()
        return
      }
      // The shard's bytes are overwritten by what comes next.
      const reply = Buffer.from(bytes.subarray(start, end))
      const count = integerOf(reply)
      done(count === undefined ? reply : count > 0n)
    },
    failed: (_ticket, error) => done(error),
  }
  sender.sendFrame(asking, frame, blocked.shard, sink, 0)
}
