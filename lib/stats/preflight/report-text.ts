/** The report of a rehearsal for people. */
import type { LoadReport } from './loads.ts'
import type { FindingReport, MirrorReport, PreflightReport } from './rehearsal.ts'

export function reportText(report: PreflightReport): string {
  const { whatIf, since, requests, passed, split, combined, refused, undeclared, unseen } = report
  const total = `${passed} pass, ${split} split, ${combined} combined, ${refused} refused`
  return [
    `What if: ${whatIf}`,
    `${requests} requests since ${since}: ${total}`,
    ...(undeclared === 0
      ? []
      : [`${undeclared} of those that pass name no key and may touch some`]),
    ...(unseen === 0
      ? []
      : [
          `${unseen} of those that pass are scripts that name keys: whether they use others cannot be seen`,
        ]),
    ...report.findings.flatMap(findingLines),
    ...loadLines(report.shards),
    ...mirrorLines(report.mirrors),
    '',
  ].join('\n')
}

function findingLines({ outcome, command, requests, why, help, patterns }: FindingReport) {
  return [
    '',
    `${outcome}  ${command.replace('|', ' ')}  ${requests}`,
    `    because ${why}`,
    ...(help === null ? [] : [`    helps: ${help}`]),
    ...patterns.map(({ pattern, example, share }) => {
      const seen = example === null ? '' : `, such as ${example}`
      return `    keys: ${pattern} (${percent(share)}${seen})`
    }),
  ]
}

function loadLines(shards: readonly LoadReport[]): string[] {
  const sum = (of: (shard: LoadReport) => number) => shards.reduce((all, each) => all + of(each), 0)
  const keys = Math.max(
    sum((shard) => shard.keys),
    1,
  )
  const requests = Math.max(
    sum((shard) => shard.requests),
    1,
  )
  const width = Math.max(...shards.map(({ name }) => name.length))
  const lines = shards.map((shard) => {
    const load = `${percent(shard.keys / keys)} of keys, ${percent(shard.requests / requests)} of requests`
    return `${shard.name.padEnd(width)}  ${load}`
  })
  return ['', ...lines]
}

function mirrorLines(mirrors: readonly MirrorReport[]): string[] {
  const lines = mirrors.map(({ pool, mirror, sent, errors, unanswered, dropped }) => {
    const bad = `${errors} answered with an error, ${unanswered} without a reply`
    return `mirror ${mirror} of ${pool}: ${sent} copies sent, ${bad}; ${dropped} not sent`
  })
  return lines.length === 0 ? [] : ['', ...lines]
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
