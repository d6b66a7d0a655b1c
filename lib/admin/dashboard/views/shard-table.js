/**
 * The table of shards: a row for each, kept and updated in place, in the order of the configuration
 * or by a column.
 *
 * @typedef {import('../stats.d.ts').ShardStats} ShardStats
 * @typedef {object} Row
 * @property {HTMLTableRowElement} element
 * @property {Map<string, HTMLTableCellElement>} cells
 * @property {SVGRectElement} bar
 * @property {SVGRectElement} notch
 * @property {ShardStats} shard
 */
import { html, setAttributes, setText, svg } from '../dom.js'
import { bytes, count, percent, rate, seconds } from '../format.js'
import { COLOURS } from './ring.js'

/** @param {ShardStats} shard */
const errorsOf = ({ errors }) => Object.values(errors).reduce((sum, each) => sum + each, 0)

/** Nothing was measured in the last seconds. @param {number} value */
const measured = (value) => (value > 0 ? seconds(value) : '–')

/**
 * By column: what it is called, what it sorts by, what it shows.
 * @type {readonly { readonly id: string, readonly title: string, readonly hint: string, readonly value: (shard: ShardStats) => number | string, readonly show: (shard: ShardStats) => string }[]}
 */
const COLUMNS = [
  { id: 'name', title: 'Shard', hint: '', value: ({ name }) => name, show: ({ name }) => name },
  {
    id: 'state',
    title: 'State',
    hint: '',
    value: ({ state }) => state,
    show: ({ state }) => state,
  },
  {
    id: 'rate',
    title: 'Req/s',
    hint: 'requests per second',
    value: ({ window }) => window.requestsPerSecond,
    show: ({ window }) => rate(window.requestsPerSecond),
  },
  {
    id: 'load',
    title: 'Load',
    hint: 'part of all requests',
    value: ({ window }) => window.requestsPerSecond,
    show: () => '',
  },
  {
    id: 'share',
    title: 'Ring',
    hint: 'part of the ring',
    value: ({ ringShare }) => ringShare,
    show: ({ ringShare }) => (ringShare === 0 ? 'none' : percent(ringShare)),
  },
  {
    id: 'p50',
    title: 'p50',
    hint: 'half of the replies took less',
    value: ({ window }) => window.p50Seconds,
    show: ({ window }) => measured(window.p50Seconds),
  },
  {
    id: 'p99',
    title: 'p99',
    hint: 'one reply of a hundred took more',
    value: ({ window }) => window.p99Seconds,
    show: ({ window }) => measured(window.p99Seconds),
  },
  {
    id: 'errors',
    title: 'Errors',
    hint: 'since start',
    value: errorsOf,
    show: (shard) => count(errorsOf(shard)),
  },
  {
    id: 'in-flight',
    title: 'In flight',
    hint: 'sent and not answered',
    value: ({ inFlight }) => inFlight,
    show: ({ inFlight }) => count(inFlight),
  },
  {
    id: 'memory',
    title: 'Memory',
    hint: 'used_memory of the Redis',
    value: ({ usedMemoryBytes }) => usedMemoryBytes ?? -1,
    show: ({ usedMemoryBytes }) => (usedMemoryBytes === null ? '–' : bytes(usedMemoryBytes)),
  },
  {
    id: 'requests',
    title: 'Requests',
    hint: 'since start',
    value: ({ requests }) => requests,
    show: ({ requests }) => count(requests),
  },
]

const TEXT_COLUMNS = new Set(['name', 'state'])

/** The bar of a load, in its own units. */
const BAR = { width: 64, height: 12 }

export class ShardTable {
  #body
  #headings
  /** @type {Map<string, Row>} By name, in the order of the configuration. */
  #rows = new Map()
  /** @type {{ readonly id: string, readonly descending: boolean } | undefined} */
  #order
  /** @type {(name: string | undefined) => void} */
  onLook = () => {}

  /** @param {HTMLTableElement} table */
  constructor(table) {
    const [body] = table.tBodies
    const row = table.tHead?.rows[0]
    if (body === undefined || row === undefined) throw new Error('the table is not the page’s')
    this.#body = body
    this.#headings = COLUMNS.map(({ id, title, hint }) => {
      const button = html('button', { type: 'button' }, title)
      if (hint !== '') button.title = hint
      button.addEventListener('click', () => this.#sortBy(id))
      const numeric = TEXT_COLUMNS.has(id) ? '' : 'number'
      return html(
        'th',
        { scope: 'col', class: `${numeric} ${id}`.trim(), 'aria-sort': 'none' },
        button,
      )
    })
    row.append(...this.#headings)
    body.addEventListener('pointerover', ({ target }) => this.onLook(nameOf(target)))
    body.addEventListener('pointerleave', () => this.onLook(undefined))
  }

  /** @param {readonly ShardStats[]} shards */
  show(shards) {
    const names = shards.map(({ name }) => name)
    const same =
      names.length === this.#rows.size &&
      [...this.#rows.keys()].every((name, at) => name === names[at])
    if (!same) {
      this.#rows = new Map(
        shards.map((shard, at) => [shard.name, makeRow(shard, swatch(at, shards.length))]),
      )
      this.#body.replaceChildren(...[...this.#rows.values()].map(({ element }) => element))
    }
    const total = shards.reduce((sum, { window }) => sum + window.requestsPerSecond, 0)
    const largest = Math.max(
      ...shards.map(({ window, ringShare }) =>
        Math.max(part(window.requestsPerSecond, total), ringShare),
      ),
    )
    const slow = slowShards(shards)
    for (const shard of shards) {
      const row = /** @type {Row} */ (this.#rows.get(shard.name))
      row.shard = shard
      fill(row, total, largest)
      row.cells.get('p99')?.classList.toggle('slow', slow.has(shard.name))
    }
    this.#arrange()
  }

  /** At once, before the next figures. @param {string} name @param {string} state */
  showState(name, state) {
    const row = this.#rows.get(name)
    if (row !== undefined) fillState(row, state)
  }

  /** Marks a shard, or none. @param {string | undefined} name */
  look(name) {
    for (const [own, { element }] of this.#rows) element.classList.toggle('looked-at', own === name)
  }

  /** Downwards first, for numbers; then upwards; then as configured. @param {string} id */
  #sortBy(id) {
    const first = !TEXT_COLUMNS.has(id)
    if (this.#order?.id !== id) this.#order = { id, descending: first }
    else if (this.#order.descending === first) this.#order = { id, descending: !first }
    else this.#order = undefined
    for (const [at, heading] of this.#headings.entries()) {
      const sorted = COLUMNS[at]?.id === this.#order?.id
      const direction = this.#order?.descending ? 'descending' : 'ascending'
      heading.setAttribute('aria-sort', sorted ? direction : 'none')
    }
    this.#arrange()
  }

  #arrange() {
    const rows = [...this.#rows.values()]
    const order = this.#order
    const column = COLUMNS.find(({ id }) => id === order?.id)
    if (column !== undefined) {
      const sign = order?.descending ? -1 : 1
      rows.sort((a, b) => sign * compare(column.value(a.shard), column.value(b.shard)))
    }
    for (const [at, { element }] of rows.entries()) {
      if (this.#body.rows[at] !== element)
        this.#body.insertBefore(element, this.#body.rows[at] ?? null)
    }
  }
}

/** @param {number | string} a @param {number | string} b */
function compare(a, b) {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return String(a).localeCompare(String(b), 'en', { numeric: true })
}

/** @param {EventTarget | null} target */
function nameOf(target) {
  const row = target instanceof Element ? target.closest('tr') : null
  return row?.dataset['shard']
}

/** The shard's colour in the ring, where it has one. @param {number} at @param {number} shards */
function swatch(at, shards) {
  if (shards > COLOURS) return []
  const square = svg('rect', { class: `shard-${at}`, width: 9, height: 9 })
  return [svg('svg', { class: 'swatch', 'aria-hidden': 'true' }, square)]
}

/** @param {ShardStats} shard @param {readonly Node[]} before @returns {Row} */
function makeRow(shard, before) {
  const { name } = shard
  const bar = svg('rect', { class: 'load-bar', x: 0, y: 2, height: BAR.height - 4, width: 0 })
  const notch = svg('rect', { class: 'load-notch', y: 0, height: BAR.height, width: 1.5 })
  const picture = svg('svg', { ...BAR, viewBox: `0 0 ${BAR.width} ${BAR.height}`, role: 'img' })
  picture.append(bar, notch)
  const cells = new Map(
    COLUMNS.map(({ id }) => {
      const kind = TEXT_COLUMNS.has(id) ? id : `number ${id}`
      if (id !== 'name') return [id, html('td', { class: kind })]
      const heading = html('th', { scope: 'row', class: kind }, ...before, html('b', {}, name))
      heading.append(html('span', { class: 'address' }), html('span', { class: 'address' }))
      return [id, heading]
    }),
  )
  cells.get('load')?.append(picture)
  cells
    .get('state')
    ?.append(html('span', { class: 'mark', 'aria-hidden': 'true' }), html('span', {}))
  const element = html('tr', { 'data-shard': name }, ...cells.values())
  return { element, cells, bar, notch, shard }
}

/** @param {number} value @param {number} total */
function part(value, total) {
  return total > 0 ? value / total : 0
}

/**
 * @param {Row} row
 * @param {number} total requests per second of all shards
 * @param {number} largest load or share of all shards: as wide as a bar gets
 */
function fill(row, total, largest) {
  const { shard, cells, bar, notch } = row
  for (const { id, show } of COLUMNS) {
    const cell = cells.get(id)
    if (cell !== undefined && id !== 'name' && id !== 'state' && id !== 'load')
      setText(cell, show(shard))
  }
  cells.get('errors')?.classList.toggle('some', shard.window.errorsPerSecond > 0)
  fillState(row, shard.state)
  fillServer(row)
  const load = part(shard.window.requestsPerSecond, total)
  const width = (/** @type {number} */ ratio) => ((BAR.width - 2) * ratio) / (largest || 1)
  setAttributes(bar, { width: width(load).toFixed(1) })
  setAttributes(notch, { x: width(shard.ringShare).toFixed(1) })
  const label = `${percent(load)} of the requests, ${percent(shard.ringShare)} of the ring`
  if (bar.parentElement !== null) setAttributes(bar.parentElement, { 'aria-label': label })
}

/** Its server, which may be another by now, and its replicas. @param {Row} row */
function fillServer({ shard, cells }) {
  const heading = cells.get('name')
  const [address, more] = heading?.querySelectorAll('.address') ?? []
  if (!heading || !address || !more) return
  setText(address, placeOf(shard))
  const { replicas, lastMove } = shard
  const serving = replicas?.filter(({ serves }) => serves).length ?? 0
  const parts = [
    replicas === null ? '' : `${serving} of ${replicas.length} replicas read`,
    lastMove === null
      ? ''
      : `moved ${new Date(lastMove.at).toLocaleTimeString()} in ${lastMove.tookSeconds.toFixed(1)} s`,
  ]
  setText(more, parts.filter((part) => part !== '').join(', '))
  const lines = (replicas ?? []).map((replica) => {
    return `replica ${replica.address}: ${replica.reason ?? `${replica.lagBytes ?? 0} bytes behind`}`
  })
  const since = `since ${new Date(shard.since).toLocaleString()}`
  setAttributes(heading, { title: [`${shard.name} ${shard.address}`, since, ...lines].join('\n') })
}

/** A name that is the address's host need not be read twice. @param {ShardStats} shard */
function placeOf({ name, address }) {
  if (address === name) return ''
  return address.startsWith(`${name}:`) ? address.slice(name.length) : address
}

/** @param {Row} row @param {string} state */
function fillState({ element, cells }, state) {
  element.dataset['state'] = state
  const text = cells.get('state')?.lastElementChild
  if (text) setText(text, state)
}

/** Those whose p99 stands out: over a millisecond, and over three times that of the shard in the middle. @param {readonly ShardStats[]} shards */
function slowShards(shards) {
  const times = shards.map(({ window }) => window.p99Seconds).sort((a, b) => a - b)
  const middle = times[Math.floor((times.length - 1) / 2)] ?? 0
  const bound = Math.max(0.001, middle * 3)
  return new Set(shards.filter(({ window }) => window.p99Seconds > bound).map(({ name }) => name))
}
