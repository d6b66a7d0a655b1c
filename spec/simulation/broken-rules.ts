/** The rules of the data path, and how each could be broken in the compiled code. */

export interface Mutation {
  /** What is no longer so. */
  readonly rule: string
  /** Below lib/, without its extension. */
  readonly file: string
  /** Stands there exactly once. */
  readonly find: string
  readonly replace: string
  /** Below spec/; each of them must notice. */
  readonly specs: readonly string[]
}

const SIMULATION = 'simulation/simulation'
const FIFO = 'upstream/connection/fifo'
const CONNECTION = 'upstream/connection/connection'
const RUNS = 'upstream/connection/runs'
const QUEUE = 'downstream/reply-queue'
const VIEW = 'topology/locators/master-view'
const LOCATOR = 'topology/locators/sentinel-locator'
const SCRIPTED = 'topology/locators/scripted-sentinels'
const SENTINELS = 'control/sentinel/sentinels'
const READ_LINE = 'upstream/replicas/read-line'
const REPLICA_READS = 'simulation/replicas/reads'
const SESSION_READS = 'upstream/replicas/session-reads'

const NEAR_CACHE = 'integration/near-cache'
const NEAR_HISTORY = 'integration/near-cache-history'
const SINGLE_READS = 'nearcache/reads/single-reads'
const SEVERAL_READS = 'nearcache/reads/several-reads'
const SOURCE = 'nearcache/tracking/source'
const SOURCES = 'nearcache/tracking/sources'
const FEED = 'nearcache/tracking/feed'
const TOUCHING = 'nearcache/tracking/touching'
const OWNERSHIP = 'nearcache/tracking/ownership'

export const MUTATIONS: readonly Mutation[] = [
  {
    rule: 'an expired request stays in the FIFO as a tombstone',
    file: FIFO,
    find: 'expired++;',
    replace: 'expired++; this.#tombstones--; this.#head++;',
    specs: [FIFO, SIMULATION],
  },
  {
    rule: 'replies go out in the order of the requests',
    file: QUEUE,
    find: 'this.#hold(ticket, bytes, start, end, last);',
    replace:
      'this.#output.append(bytes, start, end); if (last) this.#settleAt(ticket, bytes, 0, 0);',
    specs: [QUEUE, SIMULATION],
  },
  {
    rule: 'a bulk string in a request ends in CRLF',
    file: 'resp/request-scanner',
    find: 'if (!isCrlf(bytes, end))',
    replace: 'if (false)',
    specs: ['resp/request-scanner-errors'],
  },
  {
    rule: 'a bulk string in a reply ends in CRLF',
    file: 'resp/reply-scanner',
    find: 'return bytes[end - 1] === LF && (end - 2 < at || bytes[end - 2] === CR);',
    replace: 'return true;',
    specs: ['resp/reply-scanner', SIMULATION],
  },
  {
    rule: 'a reply that nobody asked for is noticed',
    file: FIFO,
    find: 'return false;',
    replace: 'return true;',
    specs: [FIFO, SIMULATION],
  },
  {
    rule: 'every request on a lost connection is told',
    file: FIFO,
    find: 'for (let n = head; n < tail; n++) {',
    replace: 'for (let n = head; n < tail - 1; n++) {',
    specs: [FIFO, SIMULATION],
  },
  {
    rule: 'of what waits for the next connection nothing was sent',
    file: FIFO,
    find: 'while (keep < tail && positions[keep & mask] < handedBytes)',
    replace: 'while (false)',
    specs: [FIFO, SIMULATION],
  },
  {
    rule: 'what was handed to the socket is not called "not sent"',
    file: FIFO,
    find: 'isLost ? lost : unsent',
    replace: 'isLost ? unsent : lost',
    specs: [FIFO, SIMULATION],
  },
  {
    rule: 'a connection that is renewed first gets the replies that it is owed',
    file: CONNECTION,
    find: 'if (!this.#isIdle)',
    replace: 'if (false)',
    specs: [SIMULATION],
  },
  {
    rule: 'a connection that is renewed hands nothing more to the old socket',
    file: CONNECTION,
    find: "this.#next = 'renewed';\n        this.#outbox.pause();",
    replace: "this.#next = 'renewed';",
    specs: [SIMULATION],
  },
  {
    rule: 'requests that wait for the next connection keep their deadlines',
    file: CONNECTION,
    find: 'this.#deadlines.watch(this.#options.turn.now());',
    replace: '',
    specs: [SIMULATION],
  },
  {
    rule: 'a push answers no request',
    file: 'upstream/connection/reply-cutter',
    find: 'this.#push = buffer[at] === PUSH;',
    replace: 'this.#push = false;',
    specs: ['upstream/connection/reply-cutter', SIMULATION],
  },
  {
    rule: 'half a reply that has gone out cannot be taken back',
    file: QUEUE,
    find: 'if (ticket === this.#head && this.#headStarted)',
    replace: 'if (false)',
    specs: [QUEUE],
  },
  {
    rule: 'an arena is given back when no reply is left in it',
    file: 'downstream/arena',
    find: 'if (this.#replies > 0 || ',
    replace: 'if (',
    specs: [QUEUE, SIMULATION],
  },
  {
    rule: 'a write chunk is given back when the kernel has taken all of it',
    file: 'io/outbox',
    find: 'if (target.writableLength === 0)',
    replace: 'if (true)',
    specs: ['io/outbox', SIMULATION],
  },
  {
    rule: 'what outlives the read buffer is copied: replies that wait for others',
    file: 'dispatcher/core/collector',
    find: 'shelve(bytes, start, end)',
    replace: '{ chunk: { bytes }, start, end }',
    specs: ['dispatcher/core/collector', SIMULATION],
  },
  {
    rule: 'what outlives the read buffer is copied: requests that wait',
    file: 'resp/request-scanner',
    find: 'const rest = Buffer.from(this.#chunk.subarray(this.#chunkAt, this.#chunkEnd));',
    replace: 'const rest = this.#chunk.subarray(this.#chunkAt, this.#chunkEnd);',
    specs: ['resp/request-scanner', SIMULATION],
  },
  {
    rule: 'a write of which a part was done is not called "not sent"',
    file: 'dispatcher/core/finish',
    find: 'const isWhole = isReadonly || failures === count;',
    replace: 'const isWhole = true;',
    specs: ['dispatcher/core/collector', SIMULATION],
  },
  {
    rule: 'an argument is where its offsets say, wherever its frame has moved',
    file: 'resp/request-scanner',
    find: 'offsets[i] = offsets[i] - start;',
    replace: '',
    specs: ['resp/request-scanner', SIMULATION],
  },
  {
    rule: 'what outlives the read buffer is copied: replies in parts',
    file: 'io/shelf',
    find: 'copyToChunk(chunk, at, bytes, start, end);',
    replace: '',
    specs: ['io/shelf', 'dispatcher/core/finish'],
  },
  {
    rule: 'a chunk goes back with the last piece that lies in it, and not before',
    file: 'io/shelf',
    find: 'if (--chunk.pieces > 0)',
    replace: 'if (--chunk.pieces < 0)',
    specs: ['io/shelf', SIMULATION],
  },
  {
    rule: 'the pieces of collected replies are given back',
    file: 'dispatcher/core/collector',
    find: 'unshelve(piece);',
    replace: '{}',
    specs: ['dispatcher/core/finish', SIMULATION],
  },
  {
    rule: 'an element of a split read may go on in the next piece',
    file: 'routing/merge/interleave',
    find: 'this.#cut = end < 0;',
    replace: 'this.#cut = false;',
    specs: ['routing/merge/interleave'],
  },
  {
    rule: 'of a run those parts are handed over that have no reply',
    file: 'upstream/connection/placed/run',
    find: 'let at = this.#at;',
    replace: 'let at = this.#first;',
    specs: [RUNS],
  },
  {
    rule: 'a run is owed a reply for each of its parts',
    file: 'upstream/connection/placed/placements',
    find: 'return count <= more;',
    replace: 'return false;',
    specs: [RUNS],
  },
  {
    rule: 'only parts of one key are in runs',
    file: 'upstream/connection/placed/runs',
    find: 'counts[part] === 1 ?',
    replace: 'true ?',
    specs: [RUNS],
  },
  {
    rule: 'each reply of a row is verified',
    file: 'resp/reply-row',
    find: 'isCrlf(bytes, lineEnd) && isCrlf(bytes, end - 2) ? end : 0',
    replace: 'end',
    specs: ['resp/reply-row'],
  },
  {
    rule: 'requests of another turn were sent at another moment',
    file: 'upstream/connection/batch',
    find: 'if (number === this.#turnsAt)',
    replace: 'if (false)',
    specs: [FIFO],
  },
  {
    rule: 'the sentinel that answers first is not believed',
    file: VIEW,
    find: 'voices.size * 2 > Math.max(sentinels - this.#ignorant.size, this.voices)',
    replace: 'true',
    specs: [VIEW],
  },
  {
    rule: 'silent sentinels do not agree',
    file: VIEW,
    find: 'Math.max(sentinels - this.#ignorant.size, this.voices)',
    replace: 'this.voices',
    specs: [VIEW],
  },
  {
    rule: 'one sentinel does not bring a deposed master back',
    file: VIEW,
    find: 'epoch <= this.#epoch || this.#wasMaster(address)',
    replace: 'false',
    specs: [VIEW],
  },
  {
    rule: 'a server moves a shard only when it says itself that it is the master',
    file: LOCATOR,
    find: "if (role === 'master')",
    replace: 'if (true)',
    specs: [SCRIPTED],
  },
  {
    rule: 'an heir is one that was a replica before',
    file: LOCATOR,
    find: "if (role !== 'master' || !chosen.wasReplica)",
    replace: "if (role !== 'master')",
    specs: [SCRIPTED],
  },
  {
    rule: 'only the sentinel that leads a failover aborts it',
    file: LOCATOR,
    find: 'if (this.#chosen?.sentinel === sentinel)',
    replace: 'if (true)',
    specs: [SCRIPTED],
  },
  {
    rule: 'the name of an event is compared',
    file: SENTINELS,
    find: 'for (const each of this.#of(master))\n                each.switched(voice, { host, port });',
    replace: 'this.#tellAll((each) => each.switched(voice, { host, port }));',
    specs: [SENTINELS],
  },
  {
    rule: 'the old server is left at once',
    file: CONNECTION,
    find: 'if (this.isOpen)\n            this.#replace();',
    replace: 'if (this.isOpen) this.renew();',
    specs: [SIMULATION, 'integration/sentinel-order'],
  },
  {
    rule: 'nothing that the old server was handed waits for the new one',
    file: 'upstream/connection/losses',
    find: 'this.#fifo.failSent(this.#outbox.handedBytes, lost',
    replace: 'this.#fifo.failSent(0, lost',
    specs: [SIMULATION, 'integration/sentinel-order'],
  },
  {
    rule: 'what a socket was handed is sent over no other',
    file: 'io/outbox',
    find: 'this.#full = [];\n        this.#fullChunks = [];\n        this.#handedBytes',
    replace:
      'this.#full = [...buffers];\n        this.#fullChunks = [];\n        this.#handedBytes',
    specs: [SIMULATION],
  },
  {
    rule: 'what waits goes to the next server in its order',
    file: 'io/outbox',
    find: 'kept.push(skip > 0 ? buffer.subarray(skip) : buffer);',
    replace: 'kept.unshift(skip > 0 ? buffer.subarray(skip) : buffer);',
    specs: [SIMULATION],
  },
  {
    rule: 'a client keeps to one connection of a shard, so that its requests keep their order',
    file: 'upstream/shard',
    find: 'connections[count === 1 ? 0 : sessionId % count]',
    replace: 'connections[Math.floor(Math.random() * count)]',
    specs: ['integration/sentinel-order'],
  },
  {
    rule: 'a server on hold is handed nothing',
    file: CONNECTION,
    find: "if (this.#state === 'ready')\n            this.#outbox.pause();",
    replace: '',
    specs: [SIMULATION],
  },
  {
    rule: 'a connection left before it was ready is not left again',
    file: CONNECTION,
    find: 'this.#next = undefined;\n        this.#cutter.reset();\n        if (this.#link.open())',
    replace: 'this.#cutter.reset();\n        if (this.#link.open())',
    specs: [CONNECTION],
  },
  {
    rule: 'what is held back from a server says nothing of it',
    file: CONNECTION,
    find: 'if (this.#isOnHold || !this.#isSilent(nowMs))',
    replace: 'if (!this.#isSilent(nowMs))',
    specs: [CONNECTION],
  },
  {
    rule: 'a session reads from no replica that lacks what it has seen',
    file: 'upstream/replicas/choose',
    find: 'coveredMs > past.floorMs',
    replace: 'true',
    specs: ['upstream/replicas/choose', READ_LINE, REPLICA_READS],
  },
  {
    rule: 'of what happens in one moment nobody knows the order',
    file: 'upstream/replicas/choose',
    find: 'coveredMs > past.floorMs',
    replace: 'coveredMs >= past.floorMs',
    specs: ['upstream/replicas/choose', REPLICA_READS],
  },
  {
    rule: 'what one replica has shown the next one must have',
    file: READ_LINE,
    find: 'this.#floorMs = Math.max(this.#floorMs, this.#readMs)',
    replace: '',
    specs: [REPLICA_READS],
  },
  {
    rule: 'what the master has shown a replica must have',
    file: READ_LINE,
    find: "if (source === 'master') {\n            this.#floorMs = nowMs;",
    replace: "if (source === 'master') {",
    specs: [REPLICA_READS],
  },
  {
    rule: 'a read overtakes none that is under way at another server',
    file: READ_LINE,
    find: 'this.#flying.length === 0 || this.#source === source',
    replace: 'true',
    specs: [REPLICA_READS],
  },
  {
    rule: 'a server that was connected to anew is another one until it is heard',
    file: 'upstream/replicas/replica',
    find: ' && this.server.stats.reconnects === this.#reconnects',
    replace: '',
    specs: ['upstream/replicas/replica', REPLICA_READS],
  },
  {
    rule: 'a session does not leave the master while its write is under way',
    file: SESSION_READS,
    find: 'this.#write.number >= this.#settled || ',
    replace: '',
    specs: [SESSION_READS, REPLICA_READS],
  },
  {
    rule: 'a login stands in line with requests',
    file: CONNECTION,
    find: 'this.#push(this.#loginReply, LOGIN).append(login, 0, login.length);',
    replace: 'this.#link.socket?.write(login);',
    specs: [CONNECTION, SIMULATION],
  },
  {
    rule: 'nothing is believed behind a login that has no answer',
    file: 'upstream/connection/making/login-reply',
    find: 'if (answersFence(answer)) {',
    replace: 'if (false) {',
    specs: [CONNECTION, 'upstream/connection/making/login-reply'],
  },
  {
    rule: 'other credentials reach a connection that there is',
    file: CONNECTION,
    find: "if (this.#state === 'ready') {\n            this.#login();",
    replace: "if (this.#state === 'ready') {",
    specs: [CONNECTION, SIMULATION],
  },
  {
    rule: 'credentials that change during a handshake go ahead of what waits for it',
    file: 'upstream/connection/making/greeting',
    find: 'if (this.#loginDue)',
    replace: 'if (false)',
    specs: [CONNECTION, SIMULATION],
  },
  {
    rule: 'of several credentials the newest is logged in with last',
    file: CONNECTION,
    find: 'this.#loginAfterOlder();',
    replace: '',
    specs: [CONNECTION],
  },
  {
    rule: 'a sentinel that is gone counts no more',
    file: SENTINELS,
    find: 'for (const voice of voices)',
    replace: 'for (const voice of [])',
    specs: [SENTINELS],
  },
  {
    rule: 'a server that is told by name and by IP is one',
    file: 'topology/locators/server-names',
    find: 'ipsOf(one.host)?.includes(other.host) === true || ipsOf(other.host)?.includes(one.host) === true',
    replace: 'false',
    specs: ['topology/locators/server-names', SCRIPTED],
  },
  {
    rule: 'a write waits for the reads of its session at replicas',
    file: 'dispatcher/reads/replica-reads',
    find: 'if (reads.onReplicas > 0)',
    replace: 'if (false)',
    specs: [READ_LINE],
  },
  {
    rule: 'an announced change poisons what is being read of the key',
    file: 'nearcache/reads/flights',
    find: "each.poison('push');",
    replace: ';',
    specs: ['nearcache/reads/flights'],
  },
  {
    rule: 'what is poisoned is not kept',
    file: 'nearcache/reads/single-reads',
    find: '!flight.isPoisoned && ',
    replace: '',
    specs: [SINGLE_READS, NEAR_HISTORY],
  },
  {
    rule: 'an own write removes what is kept before it is sent',
    file: 'nearcache/near-cache',
    find: 'this.#ownWrites.about(client, request, row);',
    replace: '',
    specs: [NEAR_CACHE, NEAR_HISTORY],
  },
  {
    rule: 'nothing is kept of a key while it is being written',
    file: 'nearcache/reads/single-reads',
    find: 'if (this.#writes.isBeingWritten(this.keyHash))',
    replace: 'if (false)',
    specs: [SINGLE_READS],
  },
  {
    rule: 'a change that is announced removes what is kept',
    file: 'nearcache/near-cache',
    find: 'this.#stats.invalidations.shard += this.#keeping.entries.removeKey(keyHash);',
    replace: '',
    specs: [NEAR_CACHE],
  },
  {
    rule: 'nothing is kept of a shard that gives no sign of life',
    file: 'nearcache/reads/single-reads',
    find: 'source.confirmedMs + settings.nearCacheStaleMs',
    replace: 'Number.POSITIVE_INFINITY',
    specs: [SINGLE_READS, NEAR_CACHE],
  },
  {
    rule: 'what was read over a connection is kept no more when that is lost',
    file: 'nearcache/tracking/source',
    find: "if (connection.state !== 'ready' || connection.incarnation !== this.#incarnation)",
    replace: 'if (false)',
    specs: [SOURCE, NEAR_CACHE],
  },
  {
    rule: 'what RESP2 clients read is kept no more when the feed is lost',
    file: 'nearcache/tracking/source',
    find: 'else if (feed !== undefined && feed.number !== this.#feedNumber)',
    replace: 'else if (false)',
    specs: [SOURCE, NEAR_CACHE],
  },
  {
    rule: 'a null says that all keys are concerned',
    file: 'nearcache/tracking/invalidations',
    find: "return 'all';",
    replace: "return 'keys';",
    specs: ['nearcache/tracking/invalidations', NEAR_CACHE],
  },
  {
    rule: 'what is kept lives no longer than the key',
    file: 'nearcache/reads/flight',
    find: 'this.#lifeMs = Math.min(this.#lifeMs, ms);',
    replace: ';',
    specs: ['nearcache/reads/flights', NEAR_CACHE],
  },
  {
    rule: 'how long a key lives is asked',
    file: 'nearcache/reads/single-reads',
    find: "const asksExpiry = nearCacheTtl === 'ask';",
    replace: 'const asksExpiry = false;',
    specs: [SINGLE_READS],
  },
  {
    rule: 'an MGET is answered from memory only if all its keys are',
    file: 'nearcache/reads/several-reads',
    find: 'found === this.#keys &&',
    replace: 'found > 0 &&',
    specs: [SEVERAL_READS],
  },
  {
    rule: 'an MGET that goes past what is kept takes away what it contradicts',
    file: 'nearcache/reads/passing',
    find: 'this.#compare(bytes, start, last ? end : start);',
    replace: '',
    specs: ['nearcache/reads/passing'],
  },
  {
    rule: 'no MGET is answered from memory behind one of its client for the same key that is on its way',
    file: 'nearcache/reads/several-reads',
    find: '!this.#isBehind(session)',
    replace: 'true',
    specs: [SEVERAL_READS, NEAR_HISTORY],
  },
  {
    rule: 'near-cache: a sign of life holds from when it was asked for',
    file: 'nearcache/tracking/feed',
    find: 'this.#confirmedMs = enteredMs;\n        });',
    replace: 'this.#confirmedMs = this.#owner.now();\n        });',
    specs: [FEED],
  },
  {
    rule: 'near-cache: an announcement that is not understood ends what it is about',
    file: 'nearcache/tracking/sources',
    find: "if (why === 'broken')\n                source.end(why);",
    replace: 'if (false)\n                source.end(why);',
    specs: [SOURCES],
  },
  {
    rule: 'near-cache: what goes past a flight may be newer than it',
    file: 'nearcache/reads/single-reads',
    find: "flight.poison('passed');",
    replace: '',
    specs: [SINGLE_READS],
  },
  {
    rule: 'near-cache: what is asked for once is not kept',
    file: 'nearcache/reads/single-reads',
    find: 'this.#keeping.entries.doorkeeper.knows(this.identity) && ',
    replace: '',
    specs: [SINGLE_READS],
  },
  {
    rule: 'near-cache: a shard that evicts by use hears of hits',
    file: 'nearcache/memory/entries',
    find: 'LIVE | HIT | UNTOLD;',
    replace: 'LIVE | HIT;',
    specs: [TOUCHING],
  },
  {
    rule: 'near-cache: what was read of a slot is kept no more once anything happens to it',
    file: 'nearcache/reads/single-reads',
    find: 'changedAt === 0 ? identity : mix(identity, changedAt)',
    replace: 'identity',
    specs: [SINGLE_READS],
  },
  {
    rule: 'near-cache: a slot that leaves a node is doubted',
    file: OWNERSHIP,
    find: 'this.#doubts.touch(slot);',
    replace: ';',
    specs: [OWNERSHIP],
  },
  {
    rule: 'near-cache: an answer of a node says nothing of its other slots',
    file: SOURCE,
    find: 'if (this.ownership === undefined)\n            this.#confirm(enteredMs);',
    replace: 'this.#confirm(enteredMs);',
    specs: [SOURCE],
  },
  {
    rule: 'near-cache: a shard that evicts nothing by use is left alone',
    file: 'nearcache/tracking/touching',
    find: 'return policy?.evictsByUse ?? false;',
    replace: 'return true;',
    specs: [TOUCHING, NEAR_CACHE],
  },
  {
    rule: 'a shard that says OK and does not track is not relied on',
    file: 'nearcache/tracking/tracking-support',
    find: 'if (isOn && isToThere)',
    replace: 'if (true)',
    specs: ['nearcache/tracking/tracking-support'],
  },
]

/** The compiled file with the rule broken. */
export function broken({ file, find, replace }: Mutation, code: string): string {
  const parts = code.split(find)
  if (parts.length !== 2) {
    throw new Error(`${file} has ${parts.length - 1} times instead of once: ${find}`)
  }
  return parts.join(replace)
}
