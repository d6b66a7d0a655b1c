/**
 * What a failed spec leaves behind: servers, clients and children that it started, and stopped processes.
 * A spec that fails never comes to the lines that clean up, and those after it would pay for that.
 */

type Undo = () => unknown

/** undefined outside of a spec: what a `before` hook starts, an `after` hook stops. */
let undos: Set<Undo> | undefined

/** From now on a spec runs, its `beforeEach` hooks included. */
export function specBegins(): void {
  undos = new Set()
}

/** Undoes what the spec left behind if it failed. Resolves when all is undone, or has failed to be. */
export async function specEnds(failed: boolean): Promise<void> {
  const left = [...(undos ?? [])].reverse()
  undos = undefined
  if (!failed) return
  // One after the other, the last first: an ambassador stops before its shards.
  for (const undo of left) {
    try {
      await undo()
    } catch {
      // The failure that counts is the spec's own.
    }
  }
}

/** To be called if the spec that runs fails. The result forgets it, once it has been done. */
export function ifSpecFails(undo: Undo): () => void {
  const here = undos
  here?.add(undo)
  return () => here?.delete(undo)
}
