/** The options in words, for --help and for the README, from the schema's rows. */
import {
  fileOptionName,
  flagName,
  OPTION_NAMES,
  type OptionName,
  optionOf,
  variableName,
} from './schema.ts'

const WIDTH = 90

interface OptionText {
  readonly fileKeys: readonly string[]
  readonly flag: string
  readonly variables: readonly string[]
  /** undefined: not set. */
  readonly defaultText: string | undefined
  readonly meaning: string
}

function optionText(name: OptionName): OptionText {
  const { format, default: text, doc, secret, inFiles } = optionOf(name)
  const names = secret === true ? [name, fileOptionName(name)] : [name]
  const accepted = secret === true ? 'Given in clear or as the file that holds it' : format.accepts
  return {
    fileKeys: inFiles === false ? [] : names,
    flag: `--${flagName(names.at(-1) ?? name)}`,
    variables: names.map(variableName),
    defaultText: text,
    meaning: `${doc} ${accepted.charAt(0).toUpperCase()}${accepted.slice(1)}.`,
  }
}

/** A Markdown table, one row for each option. */
export function optionsTable(): string {
  const code = (words: readonly string[]) => words.map((word) => `\`${word}\``).join(', ') || '-'
  const rows = OPTION_NAMES.map(optionText).map(
    ({ fileKeys, flag, variables, defaultText, meaning }) => [
      code(fileKeys),
      code([flag]),
      code(variables),
      code(defaultText === undefined ? [] : [defaultText]),
      meaning.replaceAll('<', '&lt;'),
    ],
  )
  const lines = [
    ['In a file', 'Flag', 'Variable', 'Default', 'Meaning'],
    Array(5).fill('---'),
    ...rows,
  ]
  return lines.map((cells) => `| ${cells.map(escapeCell).join(' | ')} |\n`).join('')
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|')
}

/** The options for --help: flag, meaning, variable and default. */
export function optionsHelp(): string {
  return OPTION_NAMES.map(optionText)
    .map(({ flag, variables, defaultText, meaning }) => {
      const facts = [`${variables.join(', ')}`]
      if (defaultText !== undefined) facts.push(`default ${defaultText}`)
      return `  ${flag} VALUE\n${wrap(`${meaning} [${facts.join('; ')}]`, '      ')}\n`
    })
    .join('')
}

/** Breaks at spaces, each line indented. */
function wrap(text: string, indent: string): string {
  let line = indent
  let wrapped = ''
  for (const word of text.split(' ')) {
    if (line.length + word.length > WIDTH) {
      wrapped += `${line.trimEnd()}\n`
      line = indent
    }
    line += `${word} `
  }
  return `${wrapped}${line.trimEnd()}`
}
