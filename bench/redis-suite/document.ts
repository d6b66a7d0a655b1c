/** The page that a run of everything leaves behind. */
import { DIFFERENCES, DIFFERENCES_OF_CLUSTER, DIFFERENCES_OF_SEVERAL } from './differences.ts'
import { markdownDifferences, markdownTable, type Results, type Surprise } from './report.ts'
import type { WorldName } from './worlds.ts'

export interface Run {
  readonly rows: readonly Results[]
  readonly worlds: readonly WorldName[]
  /** As the server prints it. */
  readonly version: string
  readonly tags: string
  readonly unexplained: readonly Surprise[]
}

/** From runs by hand with `--server` and `--worlds direct,through`. */
const NEWER_SERVERS = `On 24 November 2026 the suite of Redis 7.0.15 was run with Redis 8.0.6 and with Valkey 9.1.2 as servers,
directly and through one shard. Nothing differs that does not differ with 7.0.15: what passes directly
passes through, or is listed above. Tests that fail directly, as they are about what has changed since
7.0.15, say nothing about the ambassador: with both servers unit/sort and most of unit/type/list are
among them.`

export function document({ rows, worlds, version, tags, unexplained }: Run): string {
  const open = unexplained.map(({ file, world, test }) => `- ${file} (${world}): “${test}”`)
  return `# Redis's own test suite

Written by \`npm run redis-suite -- --source DIR\`, where DIR is a source tree of Redis 7 that you have:
its suite is Tcl, is read there and never changed, and none of it is in this repository. Each file of the
suite runs against servers of its own, in the suite's mode for servers that it has not started
(\`--host\`, \`--port\`), first against a Redis and then through the ambassador in front of such a Redis.
The script exits with 1 when a test passes directly and not through, unless its reason is below. A file
in which something fails that should not is run once more, and that run counts: many tests are about
time, and need a machine that has little else to do.

Server: ${version}. Tags: \`${tags}\`; \`needs:repl\` marks tests that become a replica by SYNC, which is
refused always. The figures are tests that passed. “Left out” are those below, which are not run
through the ambassador; where a cell says “of”, the others failed.

${markdownTable(rows, worlds)}

“Refused” are tests that use DEBUG, CONFIG SET and their like, which the ambassador refuses without
\`allowAdmin\`, and says so; the others of their file are counted without them. A file “ends early” when
that happens outside of its tests. The suite's \`--cluster-mode\` keeps to keys of one slot at a time, by hash
tags, which are on one shard as well.

## Differences by design

${markdownDifferences(DIFFERENCES)}

## With several shards

${DIFFERENCES_OF_SEVERAL.length > 0 ? markdownDifferences(DIFFERENCES_OF_SEVERAL) : 'Nothing besides.'}

## In a cluster

${markdownDifferences(DIFFERENCES_OF_CLUSTER)}

## Newer servers

${NEWER_SERVERS}
${open.length > 0 ? `\n## Without a reason\n\n${open.join('\n')}\n` : ''}`
}
