/** That the dashboard and the alerts of examples/observability ask for what there is. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { METRICS } from '../../lib/admin/metrics/metrics.ts'
import { temporaryFiles } from '../support/temporary-files.ts'

const DIRECTORY = 'examples/observability'

/** Names of series, those of histograms' parts included. */
const SERIES = new Set(
  METRICS.flatMap(({ name, type }) => {
    return type === 'histogram' ? ['_bucket', '_sum', '_count'].map((part) => name + part) : [name]
  }),
)
const LABELS = new Set(['job', 'instance', 'le', ...METRICS.flatMap(({ labels }) => labels)])

function seriesIn(text: string): string[] {
  return text.match(/\b(?:ambassador|process|nodejs)_[a-z0-9_]+/g) ?? []
}

interface Target {
  readonly expr: string
  readonly refId: string
}

interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly gridPos: {
    readonly x: number
    readonly y: number
    readonly w: number
    readonly h: number
  }
  readonly targets?: readonly Target[]
}

describe('the Grafana dashboard', () => {
  const dashboard = JSON.parse(readFileSync(`${DIRECTORY}/dashboard.json`, 'utf8'))
  const panels: readonly Panel[] = dashboard.panels
  const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))

  it('asks for metrics and labels that there are', () => {
    expect(expressions.length).to.be.greaterThan(25)
    const variables = dashboard.templating.list.map(({ definition = '' }) => definition)
    for (const text of [...expressions, ...variables]) {
      for (const name of seriesIn(text)) expect(SERIES.has(name), name).to.equal(true)
      for (const [, label = ''] of text.matchAll(/[{,]\s*(\w+)\s*(?:=~|!~|!=|=)/g)) {
        expect(LABELS.has(label), label).to.equal(true)
      }
    }
    for (const text of expressions) expect(seriesIn(text), text).not.to.have.lengthOf(0)
  })

  it('is as Grafana wants it: ids once, panels beside each other, variables that are there', () => {
    const ids = panels.map(({ id }) => id)
    expect(new Set(ids).size).to.equal(ids.length)
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => {
      expect(x + w).to.be.at.most(24)
      return Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`)
    })
    expect(new Set(cells).size).to.equal(cells.length)
    const names = dashboard.templating.list.map(({ name }: { name: string }) => name)
    const used = JSON.stringify(dashboard).matchAll(/\$\{?(\w+)/g)
    for (const [, name] of used) expect([...names, '__rate_interval']).to.include(name)
  })

  it('has no expression that Prometheus could not read', () => {
    const rules = expressions.map((expression, at) => {
      const expr = expression.replaceAll('$__rate_interval', '5m').replaceAll(/\$\w+/g, 'x')
      return { record: `panel:${at}`, expr }
    })
    const text = JSON.stringify({ groups: [{ name: 'panels', rules }] })
    const directory = temporaryFiles({ 'panels.yml': text })
    const output = promtool(['check', 'rules', `${directory}/panels.yml`])
    expect(output).to.contain(`${rules.length} rules found`)
  })
})

describe('the alert rules', () => {
  const text = readFileSync(`${DIRECTORY}/alerts.yml`, 'utf8')

  it('are rules as Prometheus wants them, and ask for metrics that there are', () => {
    expect(promtool(['check', 'rules', `${DIRECTORY}/alerts.yml`])).to.contain('8 rules found')
    for (const name of seriesIn(text)) expect(SERIES.has(name), name).to.equal(true)
  })

  it('fire when they should, and not when they should not', () => {
    expect(promtool(['test', 'rules', `${DIRECTORY}/alerts-test.yml`])).to.contain('SUCCESS')
  })

  it('are all listed in the README beside them', () => {
    const readme = readFileSync(`${DIRECTORY}/README.md`, 'utf8')
    const names = [...text.matchAll(/alert: (\w+)/g)].map(([, name = '']) => name)
    expect(names).to.have.lengthOf(8)
    for (const name of names) expect(readme).to.contain(`\`${name}\``)
  })
})

function promtool(args: readonly string[]): string {
  return String(execFileSync('promtool', args))
}
