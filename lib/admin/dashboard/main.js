/** The dashboard: figures come from the feed and go to the parts of the page. */

import { byId, setText } from './dom.js'
import { Feed, getJson } from './feed.js'
import { bytes, count, duration, percent, plain, rate, seconds } from './format.js'
import { History } from './history.js'
import { startTheme } from './theme.js'
/** @typedef {import('./stats.d.ts').Stats} Stats */
import { Chart, fromZero, logarithmic } from './views/chart.js'
import { showCluster } from './views/cluster.js'
import { Lists } from './views/lists.js'
import { showPreflight } from './views/preflight.js'
import { RingView } from './views/ring.js'
import { RouteBox } from './views/route.js'
import { ShardTable } from './views/shard-table.js'

/** How often the lists are asked for, ms. */
const LISTS_MS = 5000
/** Names of shards that are down which the head line tells. */
const NAMED_MAX = 3

startTheme()
const history = new History()
const lists = new Lists()
const route = new RouteBox()
const ring = new RingView(byId('ring'))
const shards = new ShardTable(/** @type {HTMLTableElement} */ (byId('shards')))

const rateChart = new Chart(byId('rate-chart'), {
  title: 'Requests per second',
  lines: [{ name: 'requests', of: ({ requests }) => requests }],
  scale: fromZero(rate),
  readout: byId('rate-readout'),
  read: (sample) => {
    if (sample === undefined) return ''
    return `${count(sample.requests)} requests, ${count(sample.errors)} errors`
  },
})

const latencyChart = new Chart(byId('latency-chart'), {
  title: 'Latency',
  lines: [
    { name: 'p99', of: ({ p99Seconds }) => p99Seconds || undefined },
    { name: 'p50', of: ({ p50Seconds }) => p50Seconds || undefined },
  ],
  scale: logarithmic((value) => plain(seconds(value))),
  readout: byId('latency-readout'),
  read: (sample) => {
    if (sample === undefined) return ''
    if (sample.p99Seconds === 0) return 'no requests'
    return `p50 ${seconds(sample.p50Seconds)}, p99 ${seconds(sample.p99Seconds)}`
  },
})

/** What the ring was drawn from: it is asked for again when that changes. */
let ringKey = ''
let listsAtMs = Number.NEGATIVE_INFINITY
/** @type {string | undefined} The shard that the route box has found. */
let found

/** @param {string | undefined} name the shard under the pointer */
function look(name) {
  shards.look(name ?? found)
  ring.look(name ?? found)
}
shards.onLook = look
ring.onLook = look
route.onFound = (shard, turn) => {
  found = shard
  ring.point(turn)
  look(undefined)
}

new Feed({
  stats: show,
  shard: (name, state) => shards.showState(name, state),
  reload: () => {
    ringKey = ''
    route.askAgain()
  },
  link: showLink,
})

/** @param {Stats} stats */
function show(stats) {
  const { startedAt, uptimeSeconds } = stats
  // The ambassador's clock, not the browser's: they may differ by minutes.
  const nowMs = Date.parse(startedAt) + uptimeSeconds * 1000
  showHead(stats)
  showNow(stats)
  history.add(startedAt, stats.history)
  const newest = history.samples.at(-1)
  const chartNowMs = newest === undefined ? nowMs : Math.max(nowMs - 2000, Date.parse(newest.at))
  rateChart.show(history.samples, chartNowMs)
  latencyChart.show(history.samples, chartNowMs)
  showShards(stats)
  showCluster(stats.cluster)
  lists.commands(stats.commands)
  if (performance.now() - listsAtMs >= LISTS_MS) {
    listsAtMs = performance.now()
    void lists.refresh(nowMs)
    void showPreflight()
  }
}

/** @param {Stats} stats */
function showHead({ version, environment, ready, draining, shards: all, uptimeSeconds }) {
  const down = all.filter(({ state }) => state !== 'up').map(({ name }) => name)
  setText(byId('version'), version)
  setText(byId('environment'), environment.name)
  byId('environment').title = `from ${environment.source}`
  setText(byId('uptime'), `up ${duration(uptimeSeconds)}`)
  const [level, text] = health({ ready, draining, down, all: all.length })
  byId('health').dataset['level'] = level
  setText(byId('health-text'), text)
  document.title = `${level === 'good' ? '' : `${text} – `}${environment.name} – redis-ambassador`
}

/**
 * @param {{ ready: boolean, draining: boolean, down: readonly string[], all: number }} state
 * @returns {['good' | 'warn' | 'bad', string]}
 */
function health({ ready, draining, down, all }) {
  if (draining) return ['warn', 'Draining: no new clients']
  if (down.length === all)
    return ['bad', all === 1 ? 'The shard is down' : `All ${all} shards are down`]
  const named = down.slice(0, NAMED_MAX).join(', ')
  const more = down.length > NAMED_MAX ? ` and ${down.length - NAMED_MAX} more` : ''
  const which = `${down.length} of ${all} shards down: ${named}${more}`
  if (!ready) return ['bad', down.length === 0 ? 'Not ready' : `Not ready, ${which}`]
  if (down.length > 0) return ['bad', which]
  return ['good', all === 1 ? 'Healthy, the shard is up' : `Healthy, all ${all} shards up`]
}

/** @param {Stats} stats */
function showNow({ window, clients, clientsMax, inFlight, requests, errors, process, nearCache }) {
  const { total, own } = window.latencySeconds
  const failed = Object.values(errors).reduce((sum, each) => sum + each, 0)
  setText(byId('now-rate'), rate(window.requestsPerSecond))
  setText(byId('now-errors'), rate(window.errorsPerSecond))
  byId('now-errors').classList.toggle('some', window.errorsPerSecond > 0)
  setText(byId('now-p50'), total.p50 > 0 ? seconds(total.p50) : '–')
  setText(byId('now-p99'), total.p99 > 0 ? seconds(total.p99) : '–')
  setText(byId('now-own'), total.p99 > 0 ? seconds(own.p99) : '–')
  setText(byId('now-clients'), count(clients))
  byId('now-clients').title = `of at most ${count(clientsMax)}`
  setText(byId('now-in-flight'), count(inFlight))
  setText(byId('total-requests'), count(requests))
  setText(byId('total-errors'), count(failed))
  byId('total-errors').title = Object.entries(errors)
    .map(([kind, times]) => `${kind} ${times}`)
    .join(', ')
  setText(byId('now-memory'), bytes(process.residentBytes))
  setText(byId('now-lag'), seconds(process.lagSeconds.p99))
  showNearCache(nearCache)
}

/** @param {Stats['nearCache']} nearCache */
function showNearCache(nearCache) {
  byId('near-cache').hidden = nearCache === null
  if (nearCache === null) return
  const saved = nearCache.hits + nearCache.joined
  const missed = Object.values(nearCache.misses).reduce((sum, each) => sum + each, 0)
  setText(byId('now-near-cache'), saved + missed === 0 ? '–' : percent(saved / (saved + missed)))
  const untracked =
    nearCache.untracked > 0 ? `; ${nearCache.untracked} connections not tracked` : ''
  byId('now-near-cache').title = `${count(saved)} reads saved${untracked}`
}

/** @param {Stats} stats */
function showShards({ startedAt, shards: all }) {
  shards.show(all)
  const down = new Set(all.filter(({ state }) => state !== 'up').map(({ name }) => name))
  const up = all.length - down.size
  setText(byId('shards-summary'), down.size === 0 ? `${up} up` : `${up} up, ${down.size} down`)
  ring.mark(down)
  const key = JSON.stringify([startedAt, all.map(({ name, ringShare }) => [name, ringShare])])
  if (key === ringKey) return
  ringKey = key
  void drawRing(down)
}

/** @param {ReadonlySet<string>} down */
async function drawRing(down) {
  try {
    const picture = await getJson('ring')
    ring.show(picture)
    ring.mark(down)
    setText(
      byId('ring-summary'),
      `${picture.distribution}, ${picture.hash}${picture.hashTag === '' ? '' : `, hash tag ${picture.hashTag}`}`,
    )
    look(undefined)
    route.askAgain()
  } catch {
    // Again with the next figures.
    ringKey = ''
  }
}

/** @param {'live' | 'asking' | 'lost'} link */
function showLink(link) {
  const texts = { live: 'live', asking: 'every 2 s', lost: 'no answer, trying again' }
  byId('link').dataset['link'] = link
  setText(byId('link'), texts[link])
  document.documentElement.classList.toggle('stale', link === 'lost')
}
