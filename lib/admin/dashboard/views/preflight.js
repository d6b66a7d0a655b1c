/**
 * A rehearsal: what the configuration in `whatIf` would do with the requests. Hidden where nothing is rehearsed.
 *
 * @typedef {import('../stats.d.ts').Preflight} Preflight
 */
import { byId, setText } from '../dom.js'
import { getJson } from '../feed.js'
import { count } from '../format.js'
import { cell, number, table } from './table.js'

/** Most findings that are shown: the others are at /preflight. */
const SHOWN_MAX = 50

export async function showPreflight() {
  /** @type {Preflight} */
  let report
  try {
    report = await getJson('preflight')
  } catch {
    // What was shown stays, as all else does while no answer comes.
    return
  }
  byId('preflight-section').hidden = !report.enabled
  if (report.enabled) show(report)
}

/** @param {Preflight} report */
function show({ whatIf, requests, passed, split, combined, refused, findings, mirrors }) {
  const outcomes = { pass: passed, split, combined, refused }
  setText(
    byId('preflight-summary'),
    Object.entries(outcomes)
      .map(([outcome, times]) => `${count(times)} ${outcome}`)
      .join(', '),
  )
  const rows = findings
    .slice(0, SHOWN_MAX)
    .map(({ outcome, command, requests: times, why, help, patterns }) => [
      cell(outcome, outcome === 'refused' ? 'some' : ''),
      cell(command.toUpperCase().replace('|', ' '), 'command'),
      number(count(times)),
      cell(why),
      cell(help ?? '–'),
      cell(patterns.map(({ pattern }) => pattern).join(', ') || '–', 'key'),
    ])
  const shown = table(['Outcome', 'Command', 'Requests', 'Because', 'What helps', 'Keys'], rows)
  const host = byId('preflight')
  // The same again would end a selection for nothing.
  if (host.firstElementChild?.isEqualNode(shown) !== true) host.replaceChildren(shown)
  const copies = mirrors.map(({ mirror, sent, errors, unanswered }) => {
    return `Mirror ${mirror}: ${count(sent)} copies, ${count(errors)} errors, ${count(unanswered)} unanswered.`
  })
  setText(
    byId('preflight-of'),
    [`${count(requests)} requests, if it were ${whatIf}.`, ...copies].join(' '),
  )
}
