/** Where expiring credentials come from: a program that prints them, or a file. */
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import {
  CREDENTIALS_BYTES_MAX,
  CREDENTIALS_COMMAND_MS_MAX,
  CREDENTIALS_FILE_LOOK_MS,
} from '../limits.ts'
import { type PrintedCredentials, readCredentials, renewAfterMs } from './credentials.ts'
import { runProgram } from './program.ts'

export interface Obtained {
  readonly credentials: PrintedCredentials
  /** How old the credentials are already, milliseconds. */
  readonly ageMs: number
}

export type Answer = Obtained | { readonly problem: string }

export interface CredentialSource {
  readonly kind: 'command' | 'file'
  /** Two sources with equal ids are the same source. An id may hold a secret, and must never be shown. */
  readonly id: string
  /** For people: the program without its arguments, or the file. */
  readonly name: string
  /** Never rejects. */
  ask(signal: AbortSignal): Promise<Answer>
  /**
   * How long to wait before the next question, milliseconds, after an answer that lives for
   * `lifeMs`.
   */
  askAgainMs(lifeMs: number): number
  /** How long credentials live if they do not say so, milliseconds. */
  lifeMs(configured: number): number
}

export function commandSource(words: readonly string[]): CredentialSource {
  return {
    kind: 'command',
    id: JSON.stringify(words),
    name: basename(words[0] ?? ''),
    ask: async (signal) => {
      const printed = await runProgram(words, { timeoutMs: CREDENTIALS_COMMAND_MS_MAX, signal })
      return 'text' in printed ? obtained(printed.text, 0, 'what it prints') : printed
    },
    askAgainMs: renewAfterMs,
    lifeMs: (configured) => configured,
  }
}

/**
 * Another program renews the file. Its credentials last until then, unless the file tells their
 * life.
 */
export function fileSource(path: string): CredentialSource {
  return {
    kind: 'file',
    id: path,
    name: path,
    ask: () => readFile(path),
    askAgainMs: () => CREDENTIALS_FILE_LOOK_MS,
    lifeMs: () => Number.POSITIVE_INFINITY,
  }
}

async function readFile(path: string): Promise<Answer> {
  try {
    const file = await open(path, 'r')
    try {
      const bytes = Buffer.alloc(CREDENTIALS_BYTES_MAX + 1)
      const { bytesRead } = await file.read(bytes, 0, bytes.length, 0)
      if (bytesRead > CREDENTIALS_BYTES_MAX) {
        return { problem: `is larger than ${CREDENTIALS_BYTES_MAX} bytes` }
      }
      const { mtimeMs } = await file.stat()
      const text = bytes.toString('utf8', 0, bytesRead)
      return obtained(text, Math.max(0, Date.now() - mtimeMs), 'what it holds')
    } finally {
      await file.close()
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return { problem: 'does not exist' }
    if (code === 'EACCES') return { problem: 'may not be read by this user' }
    return { problem: `cannot be read (${code})` }
  }
}

function obtained(text: string, ageMs: number, subject: string): Answer {
  const credentials = readCredentials(text)
  return 'problem' in credentials
    ? { problem: `is there, but ${subject} ${credentials.problem}` }
    : { credentials, ageMs }
}
