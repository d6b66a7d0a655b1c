/** Certificates for specs, made by the openssl command: good ones, and each kind of bad one. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFiles } from './temporary-files.ts'

export interface Pair {
  /** Paths of PEM files. */
  readonly cert: string
  readonly key: string
}

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** A new certificate authority in a directory of its own. */
export class Authority {
  readonly cert: string
  readonly #key: string
  readonly #directory = temporaryFiles()
  #count = 0

  constructor() {
    this.cert = this.#path('ca.crt')
    this.#key = this.#path('ca.key')
    const out = ['-keyout', this.#key, '-out', this.cert]
    openssl('req', '-x509', ...CURVE, ...out, '-days', '10', '-subj', '/CN=authority')
  }

  /** Signs a certificate for these names (`DNS:localhost,IP:127.0.0.1`), valid for so many days. */
  issue(names: string, days = 2): Pair {
    this.#count++
    const name = `issued-${this.#count}`
    const [cert, key, request] = ['crt', 'key', 'csr'].map((end) => this.#path(`${name}.${end}`))
    const pair = { cert: String(cert), key: String(key) }
    const extensions = this.#path(`${name}.ext`)
    writeFileSync(extensions, `subjectAltName=${names}\n`)
    openssl('req', ...CURVE, '-keyout', pair.key, '-out', `${request}`, '-subj', `/CN=${name}`)
    const signedBy = ['-CA', this.cert, '-CAkey', this.#key, '-set_serial', `${this.#count}`]
    const outcome = ['-out', pair.cert, '-extfile', extensions, '-days', `${days}`]
    openssl('x509', '-req', '-in', `${request}`, ...signedBy, ...outcome)
    return pair
  }

  #path(name: string): string {
    return join(this.#directory, name)
  }
}

/** The contents of a pair's or an authority's file. */
export function pem(path: string): Buffer {
  return readFileSync(path)
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}
