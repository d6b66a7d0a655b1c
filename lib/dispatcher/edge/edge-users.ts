/** The users that may log in at the ambassador itself, and their passwords. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

export interface EdgeUser {
  readonly name: string
  readonly password: string
}

export class EdgeUsers {
  /** Clients must log in before anything else. */
  readonly required: boolean
  /** By name. Digests have one length, so that comparing them takes one time. */
  readonly #digests: ReadonlyMap<string, Buffer>
  /** Stands in for users that do not exist: their absence takes no less time than a wrong password. */
  readonly #nobody = randomBytes(32)

  /** `password`: the default user's. Without it and without users, everybody is the default user. */
  constructor(password: string | undefined, users: readonly EdgeUser[]) {
    const all = password === undefined ? users : [{ name: 'default', password }, ...users]
    this.required = all.length > 0
    this.#digests = new Map(all.map((user) => [user.name, sha256(Buffer.from(user.password))]))
  }

  has(name: string): boolean {
    return this.#digests.has(name) || (!this.required && name === 'default')
  }

  /** Redis's default user without a password takes any. */
  accepts(name: string, password: Buffer): boolean {
    if (!this.required) return name === 'default'
    const digest = this.#digests.get(name)
    return timingSafeEqual(sha256(password), digest ?? this.#nobody) && digest !== undefined
  }
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}
