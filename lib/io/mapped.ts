/**
 * Memory that goes back to the system as soon as nobody needs it. A forgotten buffer stays until the
 * garbage collector runs, which may be after 64 MB and more of buffers. malloc then keeps the memory,
 * unless the system had mapped it for that buffer alone.
 */

/**
 * From this size on glibc always maps memory for each buffer alone: its threshold rises no further
 * (DEFAULT_MMAP_THRESHOLD_MAX, malloc/malloc.c). Pages count for the process only once they are written to.
 */
export const MAPPED_BYTES = 32 * 1024 * 1024

/** Posting to a closed port still transfers the memory, which is then freed. */
const { port1: nowhere } = new MessageChannel()
nowhere.close()

/**
 * Gives the memory of a buffer back now: all its views have length 0 from then on. The caller must know
 * that no write is under way that reads from it.
 */
export function release({ buffer }: Buffer): void {
  nowhere.postMessage(undefined, [buffer as ArrayBuffer])
}
