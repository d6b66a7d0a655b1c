/** A future configuration to rehearse: the path of its file, or a list of shards. */
import { existsSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import type { Format } from './formats.ts'
import { shardList } from './lists/shard-list.ts'
import type { ShardList } from './types.ts'

/** `file`: an absolute path. */
export type WrittenWhatIf = { readonly file: string } | { readonly list: ShardList }

/** Whether the text names a file, or a directory of them, rather than shards. */
export function namesFile(text: string, directory: string): boolean {
  return /^[^=,]*\.(?:ya?ml|json)$/.test(text) || existsSync(resolve(directory, text))
}

/** A path is absolute by now, so its first character tells it from a list. */
export const whatIf: Format<WrittenWhatIf> = {
  accepts: `the path of a configuration file, or ${shardList.accepts}`,
  text: (value) => ('file' in value ? value.file : shardList.text(value.list)),
  parse: (raw) => {
    if (typeof raw === 'string' && isAbsolute(raw)) return { value: { file: raw } }
    const parsed = shardList.parse(raw)
    return 'value' in parsed ? { value: { list: parsed.value } } : parsed
  },
}
