/**
 * The ring: outside the hash space with each shard's points (coarsely: a pixel is wider than an arc
 * between two points), inside the shares that they add up to, in the middle the shard that is looked at.
 *
 * @typedef {import('../stats.d.ts').RingPicture} RingPicture
 */
import { setAttributes, setText, svg } from '../dom.js'
import { percent } from '../format.js'

const CENTRE = 120
const BAND = { from: 103, to: 117 }
const SHARES = { from: 72, to: 98 }
/** The most shards that have a colour of their own; more could not be told apart. */
export const COLOURS = 8

export class RingView {
  #root
  #arcs = svg('g')
  #name = svg('text', { class: 'ring-name', x: CENTRE, y: CENTRE - 4, 'text-anchor': 'middle' })
  #facts = svg('text', { class: 'ring-facts', x: CENTRE, y: CENTRE + 16, 'text-anchor': 'middle' })
  #needle = svg('path', { class: 'needle', visibility: 'hidden' })
  #idle = { name: '', facts: '' }
  /** @type {RingPicture | undefined} */
  #picture
  /** @type {(name: string | undefined) => void} */
  onLook = () => {}

  /** @param {HTMLElement} host */
  constructor(host) {
    this.#root = svg('svg', { viewBox: '0 0 240 240', class: 'ring-svg', role: 'group' })
    this.#root.append(this.#arcs, this.#needle, this.#name, this.#facts)
    this.#root.setAttribute('aria-label', 'Ring')
    this.#root.addEventListener('pointerover', (event) => this.onLook(shardOf(event.target)))
    this.#root.addEventListener('pointerleave', () => this.onLook(undefined))
    this.#root.addEventListener('focusin', (event) => this.onLook(shardOf(event.target)))
    this.#root.addEventListener('focusout', () => this.onLook(undefined))
    host.append(this.#root)
  }

  /** @param {RingPicture} picture */
  show(picture) {
    this.#picture = picture
    const { shards, owners, distribution } = picture
    this.#idle = {
      name: shards.length === 1 ? '1 shard' : `${shards.length} shards`,
      facts: distribution,
    }
    this.#arcs.replaceChildren(...this.#band(owners), ...this.#shares())
    this.look(undefined)
  }

  /** Marks a shard, or none. @param {string | undefined} name */
  look(name) {
    const shard = this.#picture?.shards.find((each) => each.name === name)
    this.#root.classList.toggle('looking', shard !== undefined)
    for (const arc of this.#arcs.children) {
      arc.classList.toggle('looked-at', shard !== undefined && shardOf(arc) === name)
    }
    setText(this.#name, cut(shard?.name ?? this.#idle.name))
    setText(
      this.#facts,
      shard === undefined ? this.#idle.facts : `${percent(shard.share)} of the ring`,
    )
  }

  /** @param {ReadonlySet<string>} down names */
  mark(down) {
    for (const arc of this.#arcs.children) {
      const isDown = down.has(shardOf(arc) ?? '')
      arc.classList.toggle('down', isDown)
      const label = arc.getAttribute('data-label')
      if (label !== null) setAttributes(arc, { 'aria-label': isDown ? `${label}, down` : label })
    }
  }

  /** Points to a place; undefined: to none. @param {number | undefined} turn 0 to 1 */
  point(turn) {
    if (turn === undefined) {
      setAttributes(this.#needle, { visibility: 'hidden' })
      return
    }
    const [x1, y1] = onCircle(SHARES.from - 4, turn)
    const [x2, y2] = onCircle(BAND.to + 3, turn)
    setAttributes(this.#needle, { visibility: 'visible', d: `M${x1} ${y1}L${x2} ${y2}` })
  }

  /** @param {readonly number[]} owners */
  #band(owners) {
    const arcs = []
    let start = 0
    for (let at = 1; at <= owners.length; at++) {
      if (at < owners.length && owners[at] === owners[start]) continue
      const shape = arc(BAND, start / owners.length, at / owners.length)
      arcs.push(svg('path', { ...this.#colourOf(owners[start] ?? 0), d: shape }))
      start = at
    }
    return arcs
  }

  #shares() {
    let start = 0
    return (this.#picture?.shards ?? []).map(({ name, share }, index) => {
      const end = start + share
      // One whole circle has no start and no end; nearly one has.
      const shape = arc(SHARES, start, Math.min(end, start + 0.99999))
      start = end
      const label = `${name}, ${percent(share)} of the ring`
      const attributes = { ...this.#colourOf(index), d: shape, tabindex: 0, role: 'img' }
      return svg('path', { ...attributes, 'data-label': label, 'aria-label': label })
    })
  }

  /** @param {number} index */
  #colourOf(index) {
    const shards = this.#picture?.shards ?? []
    const colour = shards.length <= COLOURS ? `shard-${index}` : `alternate-${index % 2}`
    return { class: `arc ${colour}`, 'data-shard': shards[index]?.name ?? '' }
  }
}

/** @param {EventTarget | null} target */
function shardOf(target) {
  return (target instanceof Element && target.getAttribute('data-shard')) || undefined
}

/** @param {string} name */
function cut(name) {
  return name.length > 18 ? `${name.slice(0, 17)}…` : name
}

/** @param {number} radius @param {number} turn from the top, clockwise */
function onCircle(radius, turn) {
  const angle = (turn - 0.25) * 2 * Math.PI
  return [CENTRE + radius * Math.cos(angle), CENTRE + radius * Math.sin(angle)].map((each) => {
    return Math.round(each * 100) / 100
  })
}

/** @param {{ readonly from: number, readonly to: number }} radii @param {number} start @param {number} end */
function arc({ from, to }, start, end) {
  const large = end - start > 0.5 ? 1 : 0
  const [x1, y1] = onCircle(to, start)
  const [x2, y2] = onCircle(to, end)
  const [x3, y3] = onCircle(from, end)
  const [x4, y4] = onCircle(from, start)
  return `M${x1} ${y1}A${to} ${to} 0 ${large} 1 ${x2} ${y2}L${x3} ${y3}A${from} ${from} 0 ${large} 0 ${x4} ${y4}Z`
}
