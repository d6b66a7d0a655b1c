/** Tells commands apart that have the same arguments, as far as a hash must. */
export function nameNumber(bytes: Buffer, offsets: Int32Array): number {
  const start = offsets[0] as number
  const end = offsets[1] as number
  const first = bytes[start] as number
  const last = bytes[end - 1] as number
  return (first << 16) ^ (last << 8) ^ (end - start)
}
