/** Prometheus' text format, read strictly: what breaks its rules throws. */

export interface ReadSample {
  /** Of histograms: `_bucket`, `_sum` or `_count`; else empty. */
  readonly suffix: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface ReadFamily {
  readonly type: string
  readonly help: string
  readonly samples: ReadSample[]
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y

/** By name. Each family has one HELP, then one TYPE, then all its samples, none of them twice. */
export function readExposition(text: string): Map<string, ReadFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end')
  const families = new Map<string, ReadFamily>()
  const lines = text.slice(0, -1).split('\n')
  for (let at = 0; at < lines.length; ) {
    const help = match(lines[at++], `# HELP (${NAME}) (.+)`)
    const type = match(lines[at++], `# TYPE (${NAME}) (gauge|counter|histogram)`)
    const name = help[1] as string
    if (type[1] !== name) throw new Error(`TYPE of ${type[1]} after HELP of ${name}`)
    if (families.has(name)) throw new Error(`${name} comes twice`)
    const samples: ReadFamily['samples'] = []
    const seen = new Set<string>()
    for (; at < lines.length && !lines[at]?.startsWith('#'); at++) {
      const sample = match(lines[at], `(${NAME})(?:\\{(.*)\\})? (-?[0-9.e+-]+|NaN|[+-]Inf)`)
      const suffix = suffixOf(sample[1] as string, name, type[2] as string)
      const labels = readLabels(sample[2] ?? '')
      const key = suffix + JSON.stringify(labels)
      if (seen.has(key)) throw new Error(`${lines[at]} comes twice`)
      seen.add(key)
      samples.push({ suffix, labels, value: Number(sample[3]) })
    }
    families.set(name, { type: type[2] as string, help: help[2] as string, samples })
  }
  return families
}

function suffixOf(sample: string, family: string, type: string): string {
  const suffix = sample.slice(family.length)
  const known = type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']
  if (!sample.startsWith(family) || !known.includes(suffix)) {
    throw new Error(`sample of ${sample} under ${family}`)
  }
  return suffix
}

function match(line: string | undefined, pattern: string): RegExpExecArray {
  const found = new RegExp(`^${pattern}$`).exec(line ?? '')
  if (found === null) throw new Error(`${JSON.stringify(line)} is not ${pattern}`)
  return found
}

function readLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  LABEL.lastIndex = 0
  while (LABEL.lastIndex < text.length) {
    const from = LABEL.lastIndex
    const found = LABEL.exec(text)
    if (found === null) throw new Error(`labels are wrong from ${text.slice(from)}`)
    const [, name = '', value = ''] = found
    labels[name] = value.replace(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped))
  }
  return labels
}
