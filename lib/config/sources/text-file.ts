/** Reading a small text file: bounded, from pipes as well, and only if it is text. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

export interface TextFile {
  readonly text: string
  /** Permission bits: 0o644. */
  readonly mode: number
}

/** A file that cannot be read: the message is a clause that follows the file's name. */
export class FileError extends Error {
  readonly absent: boolean

  constructor(message: string, absent = false) {
    super(message)
    this.absent = absent
  }
}

/**
 * The file's text without a byte order mark. Reads by descriptor up to the bound, which also suits
 * files without a size, such as /dev/zero and `<(command)`. Throws FileError.
 */
export function readTextFile(path: string, bytesMax: number): TextFile {
  let descriptor: number | undefined
  try {
    descriptor = openSync(path, 'r')
    const { mode } = fstatSync(descriptor)
    const bytes = Buffer.alloc(bytesMax + 1)
    let length = 0
    let count = -1
    while (count !== 0 && length <= bytesMax) {
      count = readSync(descriptor, bytes, length, bytes.length - length, null)
      length += count
    }
    if (length > bytesMax) throw new FileError(`is larger than ${bytesMax} bytes`)
    return { text: decode(bytes.subarray(0, length)), mode: mode & 0o777 }
  } catch (error) {
    throw fileError(error)
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new FileError('is not UTF-8 text')
  }
}

function fileError(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error
  switch (error.code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new FileError('does not exist', true)
    case 'EACCES':
      return new FileError('may not be read by this user')
    case 'EISDIR':
      return new FileError('is a directory')
    default:
      return new FileError(`cannot be read (${error.code})`)
  }
}
