/**
 * The box that tells where a key goes. It asks the ambassador itself: the page knows nothing of hashes.
 *
 * @typedef {import('../stats.d.ts').Route} Route
 */
import { byId, html } from '../dom.js'
import { count } from '../format.js'

/** After the last key stroke, ms. */
const SETTLE_MS = 150
/** 2^32: where the hash space ends. */
const HASHES = 4_294_967_296

/** @type {Readonly<Record<string, number>>} */
const ESCAPES = { n: 0x0a, r: 0x0d, t: 0x09, a: 0x07, b: 0x08, '\\': 0x5c, '"': 0x22 }

export class RouteBox {
  #input = /** @type {HTMLInputElement} */ (byId('route-key'))
  #escapes = /** @type {HTMLInputElement} */ (byId('route-escapes'))
  #answer = byId('route-answer')
  #asked = 0
  /** @type {number | undefined} */
  #timer
  /** The shard that was found, and where on the ring, 0 to 1. @type {(shard: string | undefined, turn: number | undefined) => void} */
  onFound = () => {}

  constructor() {
    byId('route').addEventListener('submit', (event) => {
      event.preventDefault()
      void this.ask()
    })
    for (const control of [this.#input, this.#escapes]) {
      control.addEventListener('input', () => {
        clearTimeout(this.#timer)
        this.#timer = setTimeout(() => void this.ask(), SETTLE_MS)
      })
    }
  }

  /** Asks again: after a reload a key may have another shard. */
  askAgain() {
    if (this.#input.value !== '') void this.ask()
  }

  async ask() {
    clearTimeout(this.#timer)
    this.#asked++
    const asked = this.#asked
    const key = keyBytes(this.#input.value, this.#escapes.checked)
    if (this.#input.value === '') {
      this.#show(undefined)
      return
    }
    try {
      const response = await fetch(`route?key=${escaped(key)}`, { cache: 'no-store' })
      if (asked !== this.#asked) return
      if (response.ok) this.#show(await response.json())
      else
        this.#refuse(
          response.status === 431
            ? 'This key is too long to be asked for here.'
            : `The ambassador answered ${response.status}.`,
        )
    } catch {
      if (asked === this.#asked) this.#refuse('The ambassador does not answer.')
    }
  }

  /** @param {string} text */
  #refuse(text) {
    this.#answer.replaceChildren(text)
    this.onFound(undefined, undefined)
  }

  /** @param {Route | undefined} route */
  #show(route) {
    if (route === undefined) {
      this.#refuse('')
      return
    }
    const { shard, address, state } = route
    if (shard === null) {
      this.#refuse('To any shard: with the distribution random each request draws another.')
      return
    }
    const owner = html('strong', { 'data-state': state ?? '' }, shard)
    const where = html(
      'span',
      { class: 'route-where' },
      address === shard ? `, ${state}` : ` at ${address}, ${state}`,
    )
    this.#answer.replaceChildren(
      html('p', { class: 'route-shard' }, 'To shard ', owner, where),
      html('p', { class: 'route-why' }, why(route)),
    )
    this.onFound(shard, turnOf(route))
  }
}

/** @param {Route} route */
function why({ hash, distribution, keyBytes: length, hashedFrom, hashedTo, hashValue, place }) {
  if (hashValue === null) return 'There is one shard: every key goes there.'
  const whole = hashedFrom === 0 && hashedTo === length
  const part = whole
    ? `All ${count(length)} bytes decide`
    : `Of ${count(length)} bytes those from ${hashedFrom} to ${hashedTo - 1} decide (hash tag)`
  const at =
    place === null ? '' : distribution === 'modula' ? `, slot ${place}` : `, point ${place}`
  return `${part}: ${hash} gives hash:0x${hashValue.toString(16).padStart(8, '0')}${at}.`
}

/** @param {Route} route */
function turnOf({ distribution, hashValue }) {
  return distribution === 'ketama' && hashValue !== null ? hashValue / HASHES : undefined
}

/** What a key typed as text is in bytes. @param {string} text @param {boolean} escapes */
export function keyBytes(text, escapes) {
  const utf8 = new TextEncoder().encode(text)
  if (!escapes) return utf8
  /** @type {number[]} */
  const key = []
  const raw = String.fromCharCode(...utf8)
  for (const [, digits, letter, plain] of raw.matchAll(
    /\\x([0-9a-fA-F]{2})|\\([nrtab\\"])|(.)/gs,
  )) {
    if (digits !== undefined) key.push(Number.parseInt(digits, 16))
    else if (letter !== undefined) key.push(ESCAPES[letter] ?? 0)
    else if (plain !== undefined) key.push(plain.charCodeAt(0))
  }
  return Uint8Array.from(key)
}

/** @param {Uint8Array} key */
function escaped(key) {
  return Array.from(key, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
}
