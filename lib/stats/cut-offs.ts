/** Clients whose connections we closed for what they did, by reason. */

/** For each reason what clients had done. */
export const CUT_OFF_REASONS = {
  memory: 'held too much memory',
  standstill: 'read nothing of what waited, or left a request incomplete',
  impasse: 'sent and did not read, and there was no room for the replies',
  replies: 'had too many bytes of replies waiting',
  messages: 'had too many bytes of messages waiting',
  requests: 'sent too much behind a command that blocks',
} as const

export type CutOffReason = keyof typeof CUT_OFF_REASONS

export type CutOffs = Record<CutOffReason, number>

export function newCutOffs(): CutOffs {
  return { memory: 0, standstill: 0, impasse: 0, replies: 0, messages: 0, requests: 0 }
}
