/** The options in words, for --help and for docs/configuration.md, from the schema's rows. */
import {
  fileOptionName,
  flagName,
  OPTION_NAMES,
  type OptionName,
  optionOf,
  variableName,
} from './schema.ts'

const WIDTH = 84

interface OptionText {
  readonly fileKeys: readonly string[]
  readonly flag: string
  readonly variables: readonly string[]
  /** undefined: not set. */
  readonly defaultText: string | undefined
  readonly doc: string
  readonly takes: string
}

function optionText(name: OptionName): OptionText {
  const { format, default: text, doc, secret, part } = optionOf(name)
  const names = secret === true ? [name, fileOptionName(name)] : [name]
  return {
    fileKeys: part === 'input' ? [] : names,
    flag: `--${flagName(names.at(-1) ?? name)}`,
    variables: names.map(variableName),
    defaultText: text,
    doc,
    takes:
      secret === true
        ? `${name} takes the text itself, ${fileOptionName(name)} the path of a file that holds it.`
        : `Takes ${format.accepts}.`,
  }
}

/** A Markdown table, one row for each option. */
export function optionsTable(): string {
  const code = (words: readonly string[]) => words.map((word) => `\`${word}\``).join(', ') || '-'
  const rows = OPTION_NAMES.map(optionText).map((option) => [
    code(option.fileKeys),
    code([option.flag]),
    code(option.variables),
    code(option.defaultText === undefined ? [] : [option.defaultText]),
    `${option.doc} ${option.takes}`.replaceAll('<', '&lt;'),
  ])
  const header = ['In a file', 'Flag', 'Variable', 'Default', 'Meaning']
  const lines = [header, header.map(() => '---'), ...rows]
  return lines.map((cells) => `| ${cells.map(escapeCell).join(' | ')} |\n`).join('')
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|')
}

/** The options for --help: flag, meaning, what it takes, variable and default. */
export function optionsHelp(): string {
  return OPTION_NAMES.map(optionText)
    .map(({ flag, variables, defaultText, fileKeys, doc, takes }) => {
      const facts = [variables.join(', ')]
      if (defaultText !== undefined) facts.push(`default ${defaultText}`)
      if (fileKeys.length === 0) facts.push('not in files')
      return `  ${flag} VALUE\n${[doc, takes, facts.join('; ')].map(indented).join('')}`
    })
    .join('')
}

/** A paragraph with line ends at spaces. */
function indented(text: string): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line.length + word.length > WIDTH) {
      lines.push(line)
      line = ''
    }
    line += line === '' ? word : ` ${word}`
  }
  return [...lines, line].map((each) => `      ${each}\n`).join('')
}
