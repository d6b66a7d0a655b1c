/** Numbers as people read them: the unit that fits, three digits that count. */

const COUNT = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

/** @param {number} value */
export function count(value) {
  return COUNT.format(value)
}

/** Three significant digits, no exponent. @param {number} value */
function short(value) {
  if (value === 0) return '0'
  if (value >= 99.95) return COUNT.format(value)
  return value.toFixed(value >= 9.995 ? 1 : 2)
}

/** Events per second. @param {number} perSecond */
export function rate(perSecond) {
  if (perSecond >= 99_995) return `${short(perSecond / 1000)}k`
  if (perSecond >= 99.95 || Number.isInteger(perSecond)) return COUNT.format(perSecond)
  return perSecond.toFixed(perSecond >= 0.1 ? 1 : 2)
}

/** @param {number} value in seconds */
export function seconds(value) {
  if (value === 0) return '0'
  if (value < 0.0009995) return `${short(value * 1e6)} µs`
  if (value < 0.9995) return `${short(value * 1000)} ms`
  return `${short(value)} s`
}

const BYTE_UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB']

/** By 1024, as Redis counts. @param {number} value */
export function bytes(value) {
  let unit = 0
  let scaled = value
  while (scaled >= 999.5 && unit < BYTE_UNITS.length - 1) {
    scaled /= 1024
    unit++
  }
  return `${unit === 0 ? COUNT.format(scaled) : short(scaled)} ${BYTE_UNITS[unit]}`
}

/** @param {number} ratio 0 to 1 */
export function percent(ratio) {
  const value = ratio * 100
  if (value === 0) return '0 %'
  if (value < 0.05) return '<0.1 %'
  return `${value.toFixed(1)} %`
}

/** How long, in the two largest units. @param {number} value in seconds */
export function duration(value) {
  const all = Math.floor(value)
  const days = Math.floor(all / 86_400)
  const hours = Math.floor(all / 3600) % 24
  const minutes = Math.floor(all / 60) % 60
  if (days > 0) return `${days} d ${hours} h`
  if (hours > 0) return `${hours} h ${minutes} min`
  if (minutes > 0) return `${minutes} min ${all % 60} s`
  return `${all} s`
}

/** How long ago. @param {string} iso @param {number} nowMs */
export function ago(iso, nowMs) {
  const past = Math.max(0, (nowMs - Date.parse(iso)) / 1000)
  if (past < 1) return 'now'
  if (past < 60) return `${Math.floor(past)} s ago`
  if (past < 3600) return `${Math.floor(past / 60)} min ago`
  if (past < 86_400) return `${Math.floor(past / 3600)} h ago`
  return `${Math.floor(past / 86_400)} d ago`
}

/** Without decimals that are nought, for bounds and scales. @param {string} text */
export function plain(text) {
  return text.replace(/\.0+(?= |$)/, '')
}
