/**
 * What came up: slow requests, hot keys, big replies, commands. Asked for every few seconds; an
 * ambassador that does not have one of them (it is off) leaves a sentence instead.
 *
 * @typedef {import('./stats.d.ts').Stats} Stats
 * @typedef {import('./stats.d.ts').SlowLog} SlowLog
 * @typedef {import('./stats.d.ts').HotKeys} HotKeys
 * @typedef {import('./stats.d.ts').BigReplies} BigReplies
 */
import { byId, html, setText } from './dom.js'
import { getJson } from './feed.js'
import { ago, bytes, count, percent, plain, rate, seconds } from './format.js'

/** Most entries that are shown: the others are at the same path as JSON. */
const SHOWN_MAX = 50

export class Lists {
  #nowMs = 0

  /** @param {number} nowMs the ambassador's time */
  async refresh(nowMs) {
    this.#nowMs = nowMs
    await Promise.all([
      load('slow', 'slowlog', (/** @type {SlowLog} */ log) => this.#slow(log)),
      load('hot', 'hotkeys', (/** @type {HotKeys} */ keys) => this.#hot(keys)),
      load('big', 'bigreplies', (/** @type {BigReplies} */ replies) => this.#big(replies)),
    ])
  }

  /** @param {Stats['commands']} commands */
  commands(commands) {
    const all = commands.reduce((sum, { requests }) => sum + requests, 0)
    if (commands.length === 0) {
      byId('commands').replaceChildren(empty('No command yet.'))
      return
    }
    const rows = commands.map(({ name, requests, errors }) => {
      const failed = number(count(errors))
      if (errors > 0) failed.classList.add('some')
      return [
        cell(name.toUpperCase(), 'command'),
        number(count(requests)),
        number(percent(requests / all)),
        failed,
      ]
    })
    byId('commands').replaceChildren(table(['Command', 'Requests', 'Part', 'Errors'], rows))
  }

  /** @param {SlowLog} log */
  #slow({ thresholdSeconds, entries }) {
    if (thresholdSeconds === null) return notKept('The slow log is off.')
    setText(byId('slow-summary'), `over ${plain(seconds(thresholdSeconds))}, newest first`)
    if (entries.length === 0)
      return empty(`No request has taken over ${plain(seconds(thresholdSeconds))}.`)
    const rows = entries
      .slice(0, SHOWN_MAX)
      .map(({ at, command, key, shard, totalSeconds, shardSeconds }) => [
        this.#when(at),
        cell(command.toUpperCase(), 'command'),
        keyCell(key),
        cell(shard ?? '–'),
        number(seconds(totalSeconds)),
        number(shardSeconds === null ? '–' : seconds(shardSeconds)),
      ])
    return table(['When', 'Command', 'Key', 'Shard', 'Total', 'In shard'], rows)
  }

  /** @param {HotKeys} hot */
  #hot({ enabled, sampledRequests, keys }) {
    if (!enabled) return notKept('Hot keys are not looked for: the option is off.')
    setText(byId('hot-summary'), `of ${count(sampledRequests)} sampled requests`)
    if (keys.length === 0) return empty('No key stands out.')
    const rows = keys
      .slice(0, SHOWN_MAX)
      .map(({ key, shard, share, requestsPerSecond }) => [
        keyCell(key),
        cell(shard ?? '–'),
        number(percent(share)),
        number(rate(requestsPerSecond)),
      ])
    return table(['Key', 'Shard', 'Part', 'Req/s'], rows)
  }

  /** @param {BigReplies} replies */
  #big({ thresholdBytes, entries }) {
    if (thresholdBytes === null) return notKept('Big replies are not looked for.')
    setText(byId('big-summary'), `over ${plain(bytes(thresholdBytes))}`)
    if (entries.length === 0) return empty(`No reply was over ${plain(bytes(thresholdBytes))}.`)
    const rows = entries
      .slice(0, SHOWN_MAX)
      .map(({ at, command, key, shard, bytes: size }) => [
        this.#when(at),
        cell(command.toUpperCase(), 'command'),
        keyCell(key),
        cell(shard ?? '–'),
        number(bytes(size)),
      ])
    return table(['When', 'Command', 'Key', 'Shard', 'Size'], rows)
  }

  /** @param {string} at */
  #when(at) {
    return html(
      'td',
      { class: 'when' },
      html('time', { datetime: at, title: at }, ago(at, this.#nowMs)),
    )
  }
}

/** @param {string} id @param {string} path @param {(answer: any) => Element} show */
async function load(id, path, show) {
  let shown
  try {
    shown = show(await getJson(path))
  } catch {
    shown = empty(`/${path} gave no answer.`)
  }
  const host = byId(id)
  // The same again would end a selection and a scroll for nothing.
  if (host.firstElementChild?.isEqualNode(shown) !== true) host.replaceChildren(shown)
}

/** @param {readonly string[]} titles @param {readonly (readonly HTMLElement[])[]} rows */
function table(titles, rows) {
  const numeric = rows[0]?.map(({ classList }) => classList.contains('number')) ?? []
  const headings = titles.map((title, at) =>
    html('th', { scope: 'col', class: numeric[at] ? 'number' : '' }, title),
  )
  return html(
    'table',
    {},
    html('thead', {}, html('tr', {}, ...headings)),
    html('tbody', {}, ...rows.map((cells) => html('tr', {}, ...cells))),
  )
}

/** @param {string} text @param {string} [kind] */
function cell(text, kind = '') {
  return html('td', { class: kind, title: text }, text)
}

/** @param {string} text */
function number(text) {
  return html('td', { class: 'number' }, text)
}

/** A key, its hash, or none. @param {string | null} key */
function keyCell(key) {
  return key === null
    ? cell('–', 'key')
    : html('td', { class: 'key', title: key }, html('code', {}, key))
}

/** @param {string} text */
function empty(text) {
  return html('p', { class: 'empty' }, text)
}

/** @param {string} text */
function notKept(text) {
  return html('p', { class: 'empty off' }, text)
}
