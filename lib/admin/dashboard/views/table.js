/** Tables that are made anew with their figures. */
import { html } from '../dom.js'

/** @param {readonly string[]} titles @param {readonly (readonly HTMLElement[])[]} rows */
export function table(titles, rows) {
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
export function cell(text, kind = '') {
  return html('td', { class: kind, title: text }, text)
}

/** @param {string} text */
export function number(text) {
  return html('td', { class: 'number' }, text)
}
