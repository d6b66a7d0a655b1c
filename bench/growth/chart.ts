/** Curves as an SVG, one panel beside the other: a logarithmic axis to the right, a linear one from 0 upwards. */

export interface Curve {
  readonly title: string
  /** What is counted to the right; 0 stands where the axis begins. */
  readonly unit: string
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

const [WIDTH, HEIGHT, MARGIN] = [320, 200, 44]
const [PLOT_WIDTH, PLOT_HEIGHT] = [WIDTH - MARGIN - 16, HEIGHT - 2 * MARGIN]

/** `label` says what is drawn upwards. */
export function chart(curves: readonly Curve[], label: string): string {
  const panels = curves.map((curve, i) => {
    return `<g transform="translate(${(i % 2) * WIDTH} ${Math.floor(i / 2) * HEIGHT})">\n${panel(curve)}</g>\n`
  })
  const height = Math.ceil(curves.length / 2) * HEIGHT + 24
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${2 * WIDTH} ${height}" font-family="sans-serif" font-size="11">\n` +
    `<title>${label}</title>\n` +
    `<rect width="100%" height="100%" fill="#fff"/>\n${panels.join('')}` +
    `<text x="${WIDTH}" y="${height - 8}" text-anchor="middle" fill="#555">${label}</text>\n</svg>\n`
  )
}

function panel({ title, unit, points }: Curve): string {
  const top = niceAbove(Math.max(...points.map(({ y }) => y)))
  const xMax = Math.log10(Math.max(...points.map(({ x }) => x), 10))
  const right = (x: number): number => MARGIN + (Math.log10(Math.max(x, 1)) / xMax) * PLOT_WIDTH
  // A point at 0 keeps its distance from one at 1.
  const xOf = (x: number): number => (x === 0 ? MARGIN - 12 : right(x))
  const yOf = (y: number): number => HEIGHT - MARGIN - (y / top) * PLOT_HEIGHT
  const places = points.map(({ x, y }) => [xOf(x).toFixed(1), yOf(y).toFixed(1)] as const)
  const grid = [0, top / 2, top].map((y) => {
    const at = yOf(y).toFixed(1)
    return (
      `<path d="M${MARGIN - 14} ${at}H${MARGIN + PLOT_WIDTH}" stroke="#ddd"/>\n` +
      `<text x="${MARGIN - 18}" y="${at}" dy="4" text-anchor="end" fill="#555">${y}</text>\n`
    )
  })
  const ticks = points.map(({ x }, i) => {
    const [at] = places[i] ?? []
    return `<text x="${at}" y="${HEIGHT - MARGIN + 14}" text-anchor="middle" fill="#555">${x}</text>\n`
  })
  return [
    `<text x="${MARGIN}" y="${MARGIN - 20}" font-size="13">${title}</text>\n`,
    ...grid,
    ...ticks,
    `<text x="${MARGIN + PLOT_WIDTH}" y="${HEIGHT - MARGIN + 28}" text-anchor="end" fill="#555">${unit}</text>\n`,
    `<polyline points="${places.map((place) => place.join()).join(' ')}" fill="none" stroke="#1f6feb" stroke-width="2"/>\n`,
    ...places.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="3" fill="#1f6feb"/>\n`),
  ].join('')
}

/** 1, 2, 5 or 10 times a power of ten, above `y`. */
function niceAbove(y: number): number {
  const power = 10 ** Math.floor(Math.log10(y))
  return ([1, 2, 5, 10].find((step) => step * power > y) ?? 10) * power
}
