/** What became of each file of the suite in each world, as text and as a document. */
import type { Difference } from './differences.ts'
import type { FileResult } from './suite.ts'
import { WORLDS, type WorldName } from './worlds.ts'

export type Results = ReadonlyMap<WorldName, FileResult>

/** Part of the refusal that `allowAdmin` would lift, as the suite quotes it. */
export const ADMIN_REFUSED = 'AMBASSADOR_ALLOW_ADMIN=yes'

export interface Surprise {
  readonly file: string
  readonly world: WorldName
  readonly test: string
  readonly complaint: string
}

/** Tests that pass where they are expected to and not in `world`, and nobody has said why. */
export function surprises(world: WorldName, results: Results): Surprise[] {
  const { against } = WORLDS[world]
  const result = results.get(world)
  const expected = against === undefined ? undefined : results.get(against)
  if (result === undefined || expected === undefined) return []
  const { file, outcomes, complaints, broken } = result
  const found: Surprise[] = []
  for (const [test, outcome] of outcomes) {
    const complaint = complaints.get(test) ?? outcome
    if (outcome === 'ok' || outcome === 'refused' || expected.outcomes.get(test) !== 'ok') continue
    if (!complaint.includes(ADMIN_REFUSED)) found.push({ file, world, test, complaint })
  }
  if (broken !== undefined && expected.broken === undefined && !broken.includes(ADMIN_REFUSED)) {
    found.push({ file, world, test: '(the whole file)', complaint: broken })
  }
  return found
}

/** `236`, `230 + 6 left out`, `41 of 60`, `40, 6 refused`. */
export function cell(result: FileResult | undefined): string {
  if (result === undefined) return '-'
  const all = [...result.outcomes.values()]
  const ok = all.filter((outcome) => outcome === 'ok').length
  const refused = all.filter((outcome) => outcome === 'refused').length
  const judged = all.length - refused
  const share = ok === judged ? `${ok}` : `${ok} of ${judged}`
  const passed = refused === 0 ? share : `${share}, ${refused} refused`
  const end = result.broken === undefined ? '' : ', ends early'
  const left = result.skipped.length
  return left === 0 ? `${passed}${end}` : `${passed} + ${left} left out${end}`
}

export function markdownTable(rows: readonly Results[], worlds: readonly WorldName[]): string {
  const lines = rows
    .filter((results) => [...results.values()].some(({ outcomes }) => outcomes.size > 0))
    .map((results) => {
      const [first] = results.values()
      return `| ${first?.file} | ${worlds.map((world) => cell(results.get(world))).join(' | ')} |`
    })
  const titles = worlds.map((world) => WORLDS[world].title)
  const head = `| File | ${titles.join(' | ')} |\n| --- |${' --- |'.repeat(titles.length)}`
  return `${head}\n${lines.join('\n')}`
}

export function markdownDifferences(differences: readonly Difference[]): string {
  return differences
    .map(
      ({ file, tests, why }) =>
        `- ${file}: ${tests.map((test) => `“${test}”`).join(', ')}. ${why[0]?.toUpperCase()}${why.slice(1)}.`,
    )
    .join('\n')
}
