/**
 * The last step of `npm run build`: all that `dist/bin.js` runs, packages included, in one script, dist/program.js.
 * Node spends most of a start on finding, reading and linking files, of which there were 600.
 * docs/decisions/0025-one-script.md says what it brought. The embedding API, dist/index.js, stays as it is.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const TARGET = 'program.js'

const { metafile, outputFiles } = await build({
  entryPoints: ['lib/cli/main.ts'],
  outfile: join('dist', TARGET),
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'cjs',
  // Optional, and a tool of development: they are looked for when they are wanted.
  external: ['pino-pretty', 'js-redis-server'],
  // import() in a script is an experiment of Node's, and warns; both packages can be required.
  supported: { 'dynamic-import': false },
  // Names stay as they are, for stack traces and profiles.
  minifyWhitespace: true,
  minifySyntax: true,
  sourcemap: 'external',
  sourcesContent: false,
  define: { 'import.meta.url': 'bundleUrl' },
  // lib/bundle/bundle.ts calls it.
  banner: { js: '(function (module, require, bundleUrl, __filename, __dirname) {' },
  footer: { js: '})' },
  legalComments: 'none',
  write: false,
  metafile: true,
  logLevel: 'warning',
})
for (const file of readdirSync('dist').filter((name) => name.startsWith(TARGET))) {
  rmSync(join('dist', file))
}
for (const { path, text } of outputFiles) {
  // Compiled code that was kept belongs to one text: lib/bundle/bundle.ts reads its mark at the end.
  const mark = createHash('sha256').update(text).digest('hex').slice(0, 16)
  writeFileSync(path, path.endsWith('.js') ? `${text.trimEnd()}//${mark}` : text)
}
const licenses = packagesOf(Object.keys(metafile.inputs)).map(licenseOf)
writeFileSync(join('dist', 'BUNDLED-LICENSES.txt'), licenses.join('\n'))

/** Directories of the packages that the files belong to. */
function packagesOf(files) {
  const directories = files.flatMap((file) => {
    return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []
  })
  return [...new Set(directories)].sort()
}

function licenseOf(directory) {
  const text = readFileSync(join(directory, 'package.json'), 'utf8')
  const { name, version, license, licenses, author } = JSON.parse(text)
  const files = readdirSync(directory).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
  const texts = files.map((file) => readFileSync(join(directory, file), 'utf8').trim())
  const holder = texts.length > 0 ? [] : [`by ${author?.name ?? author}`]
  const kind = license ?? licenses.map(({ type }) => type).join(', ')
  return [`${name} ${version} (${kind})`, ...holder, ...texts, `${'-'.repeat(80)}\n`].join('\n\n')
}
