/** Prometheus' text format, read strictly: what breaks its rules throws. */

export interface ReadFamily {
  readonly type: string
  readonly help: string
  readonly samples: { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]
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
    const type = match(lines[at++], `# TYPE (${NAME}) (gauge|counter)`)
    const name = help[1] as string
    if (type[1] !== name) throw new Error(`TYPE of ${type[1]} after HELP of ${name}`)
    if (families.has(name)) throw new Error(`${name} comes twice`)
    const samples: ReadFamily['samples'] = []
    const seen = new Set<string>()
    for (; at < lines.length && !lines[at]?.startsWith('#'); at++) {
      const sample = match(lines[at], `(${NAME})(?:\\{(.*)\\})? (-?[0-9.e+-]+|NaN|[+-]Inf)`)
      if (sample[1] !== name) throw new Error(`sample of ${sample[1]} under ${name}`)
      const labels = readLabels(sample[2] ?? '')
      if (seen.has(JSON.stringify(labels))) throw new Error(`${lines[at]} comes twice`)
      seen.add(JSON.stringify(labels))
      samples.push({ labels, value: Number(sample[3]) })
    }
    families.set(name, { type: type[2] as string, help: help[2] as string, samples })
  }
  return families
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
