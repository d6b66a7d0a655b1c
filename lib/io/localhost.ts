/** Which names and addresses are this machine's own, whatever its hosts file says. */

/** Where `localhost` is; the family that all machines have comes first. */
export const LOOPBACKS: readonly string[] = ['127.0.0.1', '::1']

/** `localhost` and all names below it (RFC 6761, section 6.3). */
export function isLocalhost(host: string): boolean {
  return /^(?:.+\.)?localhost$/i.test(host)
}
