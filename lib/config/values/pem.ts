/**
 * Certificates and keys from PEM files. They are read together with the configuration, so that a
 * mistake in one is a mistake in the configuration, and a change is noticed as in its other files.
 * No message shows the content of a key.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { type Format, isRawMap, type Parsed, type Raw, refused, shown } from './formats.ts'
import type { PemFile } from './types.ts'

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g

export const certificateFile: Format<PemFile> = {
  accepts: 'the path of a PEM file with one or more certificates',
  parse: (raw) => parseFile(raw, certificateProblem),
  text: ({ path }) => path,
}

export const keyFile: Format<PemFile> = {
  accepts: 'the path of a PEM file with a private key that has no passphrase',
  parse: (raw) => parseFile(raw, keyProblem),
  text: ({ path }) => path,
}

/** `raw` is the file as it was read: its path and its text. */
function parseFile(raw: Raw, problemOf: (text: string) => string | undefined): Parsed<PemFile> {
  const { path, text } = isRawMap(raw) ? raw : {}
  if (typeof path !== 'string' || typeof text !== 'string') {
    return refused(`${shown(raw)} is not the path of a file`)
  }
  const problem = problemOf(text)
  return problem === undefined ? { value: { path, text } } : refused(`${shown(path)} ${problem}`)
}

function certificateProblem(text: string): string | undefined {
  const blocks = text.match(CERTIFICATE) ?? []
  if (blocks.length === 0) return 'holds no certificate in PEM form'
  return blocks.every((block) => readCertificate(block) !== undefined)
    ? undefined
    : 'holds a certificate that cannot be read'
}

function keyProblem(text: string): string | undefined {
  if (/ENCRYPTED/.test(text)) return 'holds a key with a passphrase, which nobody could enter'
  try {
    createPrivateKey(text)
    return undefined
  } catch {
    return 'holds no private key in PEM form'
  }
}

function readCertificate(text: string): X509Certificate | undefined {
  try {
    return new X509Certificate(text)
  } catch {
    return undefined
  }
}

/** The file's first certificate: that of the server or client itself, before those that signed it. */
export function belongTogether(certificate: PemFile, key: PemFile): boolean {
  const own = readCertificate(certificate.text)
  return own?.checkPrivateKey(createPrivateKey(key.text)) === true
}

/** When the file's first certificate ended; undefined if it is still valid. */
export function expiry({ text }: PemFile, nowMs: number): string | undefined {
  const validTo = readCertificate(text)?.validTo
  return validTo !== undefined && Date.parse(validTo) < nowMs ? validTo : undefined
}
