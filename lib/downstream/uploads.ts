/**
 * Large requests that come in at the same time while there is not room for all: they get the room one after
 * the other, so that no half of a request is thrown away.
 */
import { UPLOAD_IDLE_MS } from '../limits.ts'

/** What is looked at of a client. */
export interface Uploader {
  /** Bytes of its incomplete request, if that is large; else 0. */
  readonly uploadBytes: number
  /** Bytes that this request is likely to lack. */
  readonly uploadMissingBytes: number
  /** Reads no more of it until `resumeUpload`. */
  holdUpload(): void
  /** `first`: it may go on though there is little room. */
  resumeUpload(first: boolean): void
}

export class Uploads {
  #first: Uploader | undefined
  #firstBytes = 0
  #movedMs = 0
  /** Since when none has been first for want of room for any; undefined while there is. */
  #stuckSinceMs: number | undefined
  /** Most room that there was meanwhile, bytes. */
  #mostRoomBytes = 0
  /** Those that were first and sent nothing. */
  readonly #idle = new Set<Uploader>()

  /** The client whose turn it is while there is not room for all. */
  get first(): Uploader | undefined {
    return this.#first
  }

  /** One look at all clients. `roomBytes`: what is left of `bytesMax`. */
  look(clients: ReadonlySet<Uploader>, roomBytes: number, bytesMax: number, nowMs: number): void {
    if (roomBytes > (3 / 8) * bytesMax) {
      for (const client of clients) client.resumeUpload(false)
      this.clear()
      return
    }
    this.#judgeFirst(clients, nowMs)
    const isTight = roomBytes < bytesMax / 4
    const uploads: Uploader[] = []
    for (const client of clients) {
      if (client.uploadBytes === 0 || client === this.#first) continue
      if (isTight) client.holdUpload()
      if (!this.#idle.has(client)) uploads.push(client)
    }
    if (this.#first === undefined) this.#choose(uploads, roomBytes, nowMs)
  }

  clear(): void {
    this.#first = undefined
    this.#stuckSinceMs = undefined
    this.#idle.clear()
  }

  /**
   * Chooses the request that lacks least, if there is room for its rest. If there is not, the others make
   * room for one.
   */
  #choose(uploads: readonly Uploader[], roomBytes: number, nowMs: number): void {
    let nearest: Uploader | undefined
    for (const upload of uploads) {
      if (nearest === undefined || upload.uploadMissingBytes < nearest.uploadMissingBytes) {
        nearest = upload
      }
    }
    if (nearest === undefined) return
    if (nearest.uploadMissingBytes > roomBytes) {
      // While there is more and more room, something is on its way that will make room for it.
      if (this.#stuckSinceMs === undefined || roomBytes > this.#mostRoomBytes) {
        this.#stuckSinceMs = nowMs
        this.#mostRoomBytes = roomBytes
      }
      if (nowMs - this.#stuckSinceMs < UPLOAD_IDLE_MS) return
    }
    this.#stuckSinceMs = undefined
    this.#first = nearest
    this.#firstBytes = nearest.uploadBytes
    this.#movedMs = nowMs
    nearest.resumeUpload(true)
  }

  /** It stays first until its request is complete, it is gone, or it sends nothing for a while. */
  #judgeFirst(clients: ReadonlySet<Uploader>, nowMs: number): void {
    const first = this.#first
    if (first === undefined) return
    const { uploadBytes } = first
    if (uploadBytes !== this.#firstBytes) this.#movedMs = nowMs
    // Its next one is another request, and others wait.
    const isDone = uploadBytes < this.#firstBytes || !clients.has(first)
    this.#firstBytes = uploadBytes
    const isIdle = nowMs - this.#movedMs >= UPLOAD_IDLE_MS
    if (!isDone && !isIdle) return
    if (isIdle) this.#idle.add(first)
    first.resumeUpload(false)
    this.#first = undefined
  }
}
