/**
 * What came up: slow requests, hot keys, big replies, commands. Asked for every few seconds; an
 * ambassador that does not have one of them (it is off) leaves a sentence instead.
 *
 * @typedef {import('../stats.d.ts').Stats} Stats
 * @typedef {import('../stats.d.ts').SlowLog} SlowLog
 * @typedef {import('../stats.d.ts').HotKeys} HotKeys
 * @typedef {import('../stats.d.ts').BigReplies} BigReplies
 */
import { byId, html, setText } from '../dom.js'
import { getJson } from '../feed.js'
import { ago, bytes, count, percent, plain, rate, seconds } from '../format.js'
import { cell, number, table } from './table.js'

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
      return [commandCell(name), number(count(requests)), number(percent(requests / all)), failed]
    })
    byId('commands').replaceChildren(table(['Command', 'Requests', 'Part', 'Errors'], rows))
  }

  /** @param {SlowLog} log */
  #slow({ thresholdSeconds, entries }) {
    setText(byId('slow-summary'), thresholdSeconds === null ? '' : 'newest first')
    if (thresholdSeconds === null) return empty('The slow log is off (slowRequestMs is 0).')
    if (entries.length === 0) {
      return empty(`No request took ${plain(seconds(thresholdSeconds))} or more.`)
    }
    const rows = entries
      .slice(0, SHOWN_MAX)
      .map(({ at, command, key, shard, totalSeconds, shardSeconds, ending }) => [
        this.#when(at),
        commandCell(command),
        keyCell(key),
        cell(shard ?? '–'),
        number(seconds(totalSeconds)),
        number(seconds(shardSeconds)),
        cell(ending, ending === 'answered' ? '' : 'some'),
      ])
    return table(['When', 'Command', 'Key', 'Shard', 'Total', 'In shard', 'Ending'], rows)
  }

  /** @param {HotKeys} hot */
  #hot({ enabled, sampledRequests, keys }) {
    setText(byId('hot-summary'), enabled ? `of ${count(sampledRequests)} sampled` : '')
    if (!enabled) return empty('Keys are not counted (hotKeys is off).')
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
    setText(byId('big-summary'), thresholdBytes === null ? '' : 'largest first')
    if (thresholdBytes === null) return empty('Replies are not measured (bigReplyBytes is 0).')
    if (entries.length === 0) return empty(`No reply had ${plain(bytes(thresholdBytes))} or more.`)
    const rows = entries
      .slice(0, SHOWN_MAX)
      .map(({ at, command, key, shard, bytes: size, times }) => [
        this.#when(at),
        commandCell(command),
        keyCell(key),
        cell(shard ?? '–'),
        number(bytes(size)),
        number(count(times)),
      ])
    return table(['When', 'Command', 'Key', 'Shard', 'Size', 'Times'], rows)
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

/** @template T @param {string} id @param {string} path @param {(answer: T) => Element} show */
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

/** `client|list` as it is typed: CLIENT LIST. @param {string} name */
function commandCell(name) {
  return cell(name.toUpperCase().replace('|', ' '), 'command')
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
