/**
 * Root hooks of mocha: `.mocharc.json` loads this file first. After the last spec these hooks name what keeps the event
 * loop alive, and fail the run for it. Mocha then ends the process (`exit`): left to itself Node 20 once went round for
 * ever in its own clean-up of handles, with none of ours left and all specs passed. They also clean
 * up after specs that fail, and fail the run when a spec has written into the checkout.
 */
import { Server, Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { specBegins, specEnds } from './left-behind.ts'
import { changedFiles, differences } from './source-tree.ts'

/** How long what was closed last may take to be gone, ms. */
const GRACE_MS_MAX = 5000
const LOOK_AGAIN_MS = 20
/** How long the report may take once the run is over, ms. */
const REPORT_MS = 1000

/** What is there before any spec: the terminal, or the pipe to a reader. */
const BEFORE = 'nothing'

/** By handle: the spec after which it was seen first. */
const firstSeen = new WeakMap<object, string>()
/** The types of what is there before any spec, as far as it keeps the event loop alive. */
let usual: readonly string[] = []
/** The files of the checkout that were changed before any spec. */
let changedBefore: readonly string[] = []

/** Node documents it as internal, and has nothing else that tells one handle from another. */
function handles(): readonly object[] {
  return (process as unknown as { _getActiveHandles(): object[] })._getActiveHandles()
}

/** The types of what keeps the event loop alive, but for the usual ones. */
function leaks(): string[] {
  const found = process.getActiveResourcesInfo()
  for (const type of usual) {
    const at = found.indexOf(type)
    if (at >= 0) found.splice(at, 1)
  }
  return found
}

function described(handle: object): string {
  const when = `first seen after "${firstSeen.get(handle) ?? 'the last spec'}"`
  if (handle instanceof Server) return `server at ${JSON.stringify(handle.address())}, ${when}`
  if (handle instanceof Socket) {
    return `socket from port ${handle.localPort} to port ${handle.remotePort}, ${when}`
  }
  return `${handle.constructor.name}, ${when}`
}

before(() => {
  // Mocha has a timer of its own while it waits for the hook below.
  usual = [...process.getActiveResourcesInfo(), 'Timeout']
  for (const handle of handles()) firstSeen.set(handle, BEFORE)
  changedBefore = changedFiles()
})

beforeEach(() => specBegins())

afterEach(async function () {
  await specEnds(this.currentTest?.state === 'failed')
  const title = this.currentTest?.fullTitle() ?? 'a hook'
  for (const handle of handles()) if (!firstSeen.has(handle)) firstSeen.set(handle, title)
})

after(async () => {
  const endMs = performance.now() + GRACE_MS_MAX
  let left: readonly string[]
  do {
    await pause(LOOK_AGAIN_MS)
    left = leaks()
    if (left.length === 0) return
  } while (performance.now() < endMs)
  setTimeout(() => process.exit(), REPORT_MS).unref()
  const lines = handles()
    .filter((handle) => firstSeen.get(handle) !== BEFORE)
    .map(described)
  throw new Error(`the specs left open: ${left.join(', ')}\n${lines.join('\n')}`)
})

after(() => {
  const written = differences(changedBefore, changedFiles())
  if (written.length === 0) return
  throw new Error(
    `the checkout is not as it was before the specs (if you changed it, run them again):\n${written.join('\n')}`,
  )
})
