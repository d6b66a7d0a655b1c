/** Every bound of the product: its unit, its value and the reason for it. */

/** Largest bulk string in a request, bytes. Redis: `proto-max-bulk-len`, 512 MB. */
export const BULK_BYTES_MAX = 512 * 1024 * 1024

/** Most arguments in one request. Redis 7 takes INT_MAX, Redis 6 took 1024 * 1024; nobody sends more. */
export const ARGUMENTS_MAX = 1024 * 1024

/** Longest inline command and longest `*n` or `$n` line, bytes. Redis: PROTO_INLINE_MAX_SIZE. */
export const LINE_BYTES_MAX = 64 * 1024

/** Foreign text in one of our error lines, bytes. Redis cuts at 128 as well. */
export const ERROR_TEXT_BYTES_MAX = 128
