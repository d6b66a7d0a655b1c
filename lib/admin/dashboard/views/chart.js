/**
 * Lines over the last five minutes, as SVG in the size that it is shown in, so that a pixel is a
 * pixel. The newest second is at the right.
 *
 * @typedef {import('../stats.d.ts').Sample} Sample
 * @typedef {object} Scale
 * @property {readonly { readonly value: number, readonly label: string }[]} ticks
 * @property {(value: number) => number} at 0 at the bottom, 1 at the top
 */
import { setAttributes, setText, svg } from '../dom.js'
import { ago } from '../format.js'
import { HISTORY_SECONDS } from '../history.js'

const HEIGHT = 148
const MARGIN = { left: 48, right: 4, top: 8, bottom: 18 }
/** Samples further apart are not joined: nobody knows what was between them, ms. */
const GAP_MS = 3500
const MINUTES = [5, 4, 3, 2, 1, 0]
/** Narrower than this there is room for every other one, pixels. */
const NARROW = 420

export class Chart {
  #host
  #options
  #root = svg('svg', { role: 'img', class: 'chart-svg' })
  #width = 0
  /** @type {readonly Sample[]} */
  #samples = []
  #nowMs = 0
  /** @type {number | undefined} Where the pointer is, in pixels from the left. */
  #pointer

  /**
   * @param {HTMLElement} host
   * @param {object} options
   * @param {readonly { readonly name: string, readonly of: (sample: Sample) => number | undefined }[]} options.lines
   * @param {(values: readonly number[]) => Scale} options.scale of all values of all lines
   * @param {(sample: Sample | undefined) => string} options.read one second in words
   * @param {HTMLElement} options.readout
   * @param {string} options.title
   */
  constructor(host, options) {
    this.#host = host
    this.#options = options
    host.append(this.#root)
    new ResizeObserver(() => this.#draw()).observe(host)
    this.#root.addEventListener('pointermove', (event) => {
      this.#pointer = event.clientX - this.#root.getBoundingClientRect().left
      this.#draw()
    })
    this.#root.addEventListener('pointerleave', () => {
      this.#pointer = undefined
      this.#draw()
    })
  }

  /** @param {readonly Sample[]} samples @param {number} nowMs */
  show(samples, nowMs) {
    this.#samples = samples
    this.#nowMs = nowMs
    this.#draw()
  }

  #draw() {
    this.#width = this.#host.clientWidth
    if (this.#width === 0) return
    const { lines, scale, read, readout, title } = this.#options
    const values = lines.flatMap(({ of }) => this.#samples.flatMap((sample) => of(sample) ?? []))
    const drawn = scale(values)
    const picked = this.#picked()
    setAttributes(this.#root, {
      width: this.#width,
      height: HEIGHT,
      viewBox: `0 0 ${this.#width} ${HEIGHT}`,
      'aria-label': `${title}, last five minutes: ${read(this.#samples.at(-1))}`,
    })
    this.#root.replaceChildren(
      ...this.#axes(drawn),
      ...this.#errorMarks(),
      ...lines.map(({ name, of }) => this.#line(name, of, drawn)),
      ...(picked === undefined ? [] : [this.#cursor(picked)]),
    )
    const when = picked === undefined ? '' : `${ago(picked.at, this.#nowMs)}: `
    setText(readout, `${when}${read(picked ?? this.#samples.at(-1))}`)
  }

  /** @param {string} at */
  #x(at) {
    const inner = this.#width - MARGIN.left - MARGIN.right
    const pastSeconds = (this.#nowMs - Date.parse(at)) / 1000
    return MARGIN.left + inner * (1 - pastSeconds / HISTORY_SECONDS)
  }

  /** @param {number} part */
  #y(part) {
    return HEIGHT - MARGIN.bottom - part * (HEIGHT - MARGIN.top - MARGIN.bottom)
  }

  #picked() {
    const pointer = this.#pointer
    if (pointer === undefined) return undefined
    const distance = (/** @type {Sample} */ { at }) => Math.abs(this.#x(at) - pointer)
    return this.#samples.reduce((/** @type {Sample | undefined} */ best, sample) => {
      return best === undefined || distance(sample) < distance(best) ? sample : best
    }, undefined)
  }

  /** @param {Scale} scale */
  #axes({ ticks, at }) {
    const right = this.#width - MARGIN.right
    const levels = ticks.flatMap(({ value, label }) => {
      const y = Math.round(this.#y(at(value))) + 0.5
      return [
        svg('line', { class: 'grid', x1: MARGIN.left, x2: right, y1: y, y2: y }),
        svg('text', { class: 'tick', x: MARGIN.left - 6, y: y + 3.5, 'text-anchor': 'end' }, label),
      ]
    })
    const inner = right - MARGIN.left
    const told = this.#width < NARROW ? MINUTES.filter((minute) => minute % 2 === 0) : MINUTES
    const times = told.map((minute) => {
      const x = MARGIN.left + inner * (1 - (minute * 60) / HISTORY_SECONDS)
      const anchor = minute === 0 ? 'end' : minute === 5 ? 'start' : 'middle'
      const label = minute === 0 ? 'now' : `−${minute} min`
      return svg('text', { class: 'tick', x, y: HEIGHT - 4, 'text-anchor': anchor }, label)
    })
    return [...levels, ...times]
  }

  /** Seconds with errors, on the base line: a few errors among many requests would not be seen as a line. */
  #errorMarks() {
    const bottom = this.#y(0)
    return this.#samples
      .filter(({ at, errors }) => errors > 0 && this.#x(at) >= MARGIN.left)
      .map(({ at }) => {
        const x = this.#x(at)
        return svg('line', { class: 'error-mark', x1: x, x2: x, y1: bottom, y2: bottom - 7 })
      })
  }

  /** @param {string} name @param {(sample: Sample) => number | undefined} of @param {Scale} scale */
  #line(name, of, { at }) {
    let previousMs = Number.NEGATIVE_INFINITY
    let path = ''
    for (const sample of this.#samples) {
      const value = of(sample)
      const x = this.#x(sample.at)
      if (value === undefined || x < MARGIN.left) continue
      const atMs = Date.parse(sample.at)
      const joined = atMs - previousMs <= GAP_MS
      // A point that stands alone is a dot: a line of no length with round ends.
      path += joined
        ? `L${x.toFixed(1)} `
        : `M${x.toFixed(1)} ${this.#y(at(value)).toFixed(1)}l0 0M${x.toFixed(1)} `
      path += this.#y(at(value)).toFixed(1)
      previousMs = atMs
    }
    return svg('path', { class: `line ${name}`, d: path })
  }

  /** @param {Sample} sample */
  #cursor({ at }) {
    const x = Math.round(this.#x(at)) + 0.5
    return svg('line', { class: 'cursor', x1: x, x2: x, y1: MARGIN.top, y2: this.#y(0) })
  }
}

/** From 0 to a round number above all. @param {(value: number) => string} label */
export function fromZero(label) {
  return (/** @type {readonly number[]} */ values) => {
    const most = Math.max(...values, 1)
    const power = 10 ** Math.floor(Math.log10(most))
    const top =
      [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((step) => step * power).find((each) => each >= most) ??
      most
    const ticks = [0, top / 2, top].map((value) => ({ value, label: label(value) }))
    return { ticks, at: (/** @type {number} */ value) => value / top }
  }
}

/** In powers of ten: a p99 is often a hundred times the p50, and both must be seen. @param {(value: number) => string} label */
export function logarithmic(label) {
  return (/** @type {readonly number[]} */ values) => {
    const known = values.filter((value) => value > 0)
    const low = Math.floor(Math.log10(Math.min(...known, 0.0002)))
    const high = Math.max(Math.ceil(Math.log10(Math.max(...known, 0.001))), low + 1)
    const ticks = Array.from({ length: high - low + 1 }, (_, at) => {
      const value = 10 ** (low + at)
      return { value, label: label(value) }
    })
    return { ticks, at: (/** @type {number} */ value) => (Math.log10(value) - low) / (high - low) }
  }
}
