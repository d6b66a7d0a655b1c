/** Looks a name up within a time, as the ambassador will when it connects. */
import { lookup } from 'node:dns/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { timerMs } from '../timer.ts'

/** The addresses of a name, or the reason that it has no address. */
export async function addressesOf(host: string, timeoutMs: number): Promise<string[] | string> {
  const late = delay(timerMs(timeoutMs), `no answer within ${timeoutMs} ms`, { ref: false })
  const found = lookup(host, { all: true }).then(
    (all) => all.map(({ address }) => address),
    (error: NodeJS.ErrnoException) => dnsReason(error.code ?? error.message),
  )
  return await Promise.race([found, late])
}

function dnsReason(code: string): string {
  if (code === 'ENOTFOUND') return 'there is no such name (ENOTFOUND)'
  if (code === 'EAI_AGAIN') return 'the name server does not answer (EAI_AGAIN)'
  return code
}
