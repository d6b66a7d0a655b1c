/** Every bound of the product: its unit, its value and the reason for it. */

/** Largest bulk string in a request, bytes. Redis: `proto-max-bulk-len`, 512 MB. */
export const BULK_BYTES_MAX = 512 * 1024 * 1024

/** Most arguments in one request. Redis 7 takes INT_MAX, Redis 6 took 1024 * 1024; nobody sends more. */
export const ARGUMENTS_MAX = 1024 * 1024

/** Longest inline command and longest `*n` or `$n` line, bytes. Redis: PROTO_INLINE_MAX_SIZE. */
export const LINE_BYTES_MAX = 64 * 1024

/** Foreign text in one of our error lines, bytes. Redis cuts at 128 as well. */
export const ERROR_TEXT_BYTES_MAX = 128

/**
 * Most rows in the command table. Redis has 450; the commands of modules fit, and a shard cannot fill our
 * memory.
 */
export const COMMAND_ROWS_MAX = 16_384

/** Largest request as a whole, bytes. Redis: `client-query-buffer-limit`, 1 GB. */
export const REQUEST_BYTES_MAX = 1024 * 1024 * 1024

/** Before a client has authenticated: most arguments, and the largest one in bytes. As in Redis. */
export const UNAUTHENTICATED_ARGUMENTS_MAX = 10
export const UNAUTHENTICATED_BULK_BYTES_MAX = 16 * 1024

/** Largest string in a shard's reply, bytes. Redis strings end at 512 MB; replies may be escaped. */
export const REPLY_BULK_BYTES_MAX = 1024 * 1024 * 1024

/** Most elements in one aggregate of a shard's reply. Redis' own lists end at 2^32 - 1. */
export const REPLY_ELEMENTS_MAX = 2 ** 32 - 1

/**
 * Wait before connecting again, milliseconds. The upper bound keeps "serving again within 100 ms of
 * its return"; ten attempts a second are no burden for a Redis that accepts thousands.
 */
export const RECONNECT_MS_MIN = 20
export const RECONNECT_MS_MAX = 80
/** Longest wait before connecting again to a shard that refused our connection, milliseconds. */
export const REJECTED_MS_MAX = 2000
/** A connection that lasted this long counts as recovered, milliseconds. */
export const RECOVERED_AFTER_MS = 1000

/** Bytes that may wait for one shard connection before requests are refused as overload. */
export const UNSENT_BYTES_MAX = 64 * 1024 * 1024
/** As UNSENT_BYTES_MAX, while nearly all of `maxClientMemoryMb` is in use, bytes. */
export const UNSENT_BYTES_SHORT_MAX = 4 * 1024 * 1024
/** Requests that may wait for replies on one shard connection. */
export const FIFO_LENGTH_MAX = 1024 * 1024

/**
 * Redirects that one request to a cluster follows in a row. A slot that moves makes one or two; more mean
 * nodes that disagree.
 */
export const REDIRECTS_MAX = 16
/** Wait before a refused request is sent again, milliseconds: the first, and each twice the one before. */
export const RESEND_MS_MIN = 5
/** Longest such wait, milliseconds: during a failover a request is tried twenty times a second. */
export const RESEND_MS_MAX = 50
/** Requests that may wait for the owners of their slots, over all clients. More are refused as overload. */
export const WAITING_REQUESTS_MAX = 256 * 1024
/**
 * Bytes of requests to a cluster that may be kept until their replies come, over all clients: four times
 * UNSENT_BYTES_MAX.
 */
export const KEPT_BYTES_MAX = 256 * 1024 * 1024

/** Servers of a cluster that own no slot and are connected to: they are about to get slots. */
export const GUEST_NODES_MAX = 64
/**
 * How long a node that has handed its slots over may take to finish what it was sent, milliseconds. Before a planned
 * failover it stops executing writes for ten seconds, and its heir takes over within the first five.
 */
export const HANDOVER_MS = 1000
/** How long the start waits for the map of a cluster, milliseconds, before clients are accepted without it. */
export const FIRST_MAP_MS = 1000
/**
 * Least time between two questions about a server that nodes name and the map lacks, milliseconds.
 */
export const STRANGER_ASK_MS = 100

/** From this size on a reply is passed on in parts, bytes. */
export const REPLY_PART_BYTES = 64 * 1024

/** No byte from a shard for this long while it owes replies: the connection is dead, milliseconds. */
export const STALLED_MS = 10_000

/** Largest configuration file, bytes. A thousand shards take 60 KB; more is the wrong file. */
export const CONFIG_BYTES_MAX = 1024 * 1024

/** Largest secret file, bytes. Tokens reach some KB; more is the wrong file. */
export const SECRET_BYTES_MAX = 64 * 1024

/** Most shards. Rings of hundreds are known; a typo in a brace range must not ask for a billion. */
export const SHARDS_MAX = 1024

/** Longest shard name, bytes: it stands in error lines and, with a point number, on the ring. */
export const SHARD_NAME_BYTES_MAX = 255

/** Largest weight. The ratio counts, not the size; twemproxy's example goes to 100,000. */
export const SHARD_WEIGHT_MAX = 1_000_000

/** Most connections for one shard. One carries a full core of Redis; beyond a few, only sockets grow. */
export const CONNECTIONS_PER_SHARD_MAX = 64

/** Most clients. Beyond the usual limit of open files (1,048,576) none could connect. */
export const CLIENTS_MAX = 1_000_000

/** Longest time for a timer, ms: setTimeout's own bound; above it Node fires at once. */
export const TIMER_MS_MAX = 2_147_483_647

/** Longest path of a unix socket, bytes: sun_path has 108 with its NUL; Node cuts longer ones. */
export const UNIX_PATH_BYTES_MAX = 107

/** Log lines waiting for a slow reader, bytes. Beyond it lines are dropped and counted. */
export const LOG_BYTES_WAITING_MAX = 1024 * 1024

/** Lines about one subject (a shard, or a message) that are written at once; later ones are summed up. */
export const LOG_BURST_LINES = 8

/** Time between two lines that sum up others, ms: the log shows a shard's state at most this late. */
export const LOG_SUM_MS = 10_000

/** How long the end of the process waits for the log to be read, ms. */
export const LOG_FLUSH_MS_MAX = 500

/** How long `healthcheck` waits, ms. Docker's and Kubernetes' own limits are longer. */
export const HEALTHCHECK_MS_MAX = 2_000

/** Longest line that `diff --keys` takes for a key, bytes. */
export const DIFF_KEY_BYTES_MAX = 1024 * 1024

/** How long `doctor` waits in each of its steps, milliseconds, if connectTimeoutMs is not less. */
export const DOCTOR_STEP_MS_MAX = 5000
/**
 * `doctor` notes a clock that differs from ours by this or more, milliseconds: TTLs count in
 * seconds.
 */
export const DOCTOR_CLOCK_MS = 1000
/** `doctor` notes a PING that takes longer, milliseconds: in one zone it takes less than one. */
export const DOCTOR_LATENCY_MS = 5
/** `doctor` notes a shard whose memory or connections are used to this percentage or more. */
export const DOCTOR_FULL_PERCENT = 90
/** `doctor` notes a shard whose part of the ring exceeds its weight by more than this percentage: points are lumpy. */
export const DOCTOR_RING_EXCESS_PERCENT = 30

/** Length of the runs of keys with ascending numbers by which `check` and `doctor` see whether a hash clumps. */
export const CLUMP_RUN_KEYS = 1000
/** Fewest keys for each shard in such a run: fewer would look uneven by chance. */
export const CLUMP_RUN_KEYS_PER_SHARD = 100
/** A hash clumps if the keys of a run on the fullest shard exceed its share by more than this percentage. */
export const CLUMP_EXCESS_PERCENT = 60

/** Requests that one client may have in flight before we stop reading from it. */
export const WINDOW_REQUESTS_MAX = 1024
/**
 * Requests that one of several clients may have in flight while its shards are near: more would not speed it up, and
 * would delay the others.
 */
export const WINDOW_REQUESTS_NEAR_MAX = 256
/** Shards are near if half a full window is answered within this time, milliseconds. */
export const WINDOW_NEAR_MS = 10
/** A client that is alone for this time, milliseconds, may have the full window: no other client waits. */
export const WINDOW_ALONE_MS = 250
/** Requests that a new client may have in flight. Each answer raises it by one, so that an unknown load starts small. */
export const WINDOW_REQUESTS_FIRST = 8
/**
 * Bytes that the replies to one client's requests in flight may come to, estimated from recent
 * replies.
 */
export const WINDOW_BYTES = 8 * 1024 * 1024
/**
 * Bytes that one client's large requests in flight may come to: if one client could fill
 * UNSENT_BYTES_MAX of a hanging shard, the others would be refused.
 */
export const WINDOW_REQUEST_BYTES = 8 * 1024 * 1024
/** Reply bytes waiting for one client: from here on we stop reading from it. */
export const CLIENT_OUTPUT_BYTES_MARK = 1024 * 1024
/** From here on its connection is closed at the next reply. A single larger reply still passes. */
export const CLIENT_OUTPUT_BYTES_MAX = 16 * 1024 * 1024
/**
 * A client that for this time, milliseconds, wants to send and reads nothing is in an impasse: it waits for
 * us to read, and we wait for it to read. Then more replies may wait for it, and both bounds rise.
 */
export const IMPASSE_MS = 50
/**
 * Without room for more replies one such client is closed after this time, milliseconds: it could wait for ever.
 */
export const IMPASSE_MS_MAX = 1000
/** Where there is room for one large request only, its client has so long to send more of it, milliseconds. */
export const UPLOAD_IDLE_MS = 3000
/** What the process takes beside what it holds for clients, MB: its code, the heap, the garbage collector's delay. */
export const PROCESS_MEMORY_MB = 128
/** Most worker processes. More is a slip. */
export const WORKERS_MAX = 64
/** How long a worker may take to answer a question about its clients or counts, milliseconds. */
export const WORKER_ANSWER_MS = 2000
/** Between the death of a worker and the start of the next in its place, milliseconds: at first, and at most. */
export const WORKER_RESTART_MS = 100
export const WORKER_RESTART_MS_MAX = 10_000
/** A worker that has served so long has died for a new reason, and its successor starts without more delay, milliseconds. */
export const WORKER_SETTLED_MS = 60_000
/** How long after drainTimeoutMs a worker may take to end by itself, milliseconds. */
export const WORKER_END_MS = 5000
/** Ids that one worker gives, to clients or to log entries: more than it will need. */
export const WORKER_IDS = 2 ** 38
/** How much memory all clients may take together by default, where no memory limit is known, MB. */
export const CLIENT_MEMORY_MB_DEFAULT = 256
/** Least memory that may be allowed for all clients, MB: a few large values must have room. */
export const CLIENT_MEMORY_MB_MIN = 16
/**
 * Most pools beside the default one, and most routes to them. More is a slip, or a list that a program
 * made.
 */
export const POOLS_MAX = 64
/** Databases that are a pool or a shard: each has a dispatcher of its own, and Redis has 16 databases unless told. */
export const DATABASES_MAX = 64
export const ROUTES_MAX = 1000
/** Most memory that may be allowed for all clients, MB: a terabyte. More is a slip. */
export const CLIENT_MEMORY_MB_MAX = 1024 * 1024
/** Most memory that may be allowed for replies that are kept, MB: offsets in it are numbers of 31 bits. */
export const NEAR_CACHE_MB_MAX = 2047
/** Most bytes of a reply that is kept, with its request: each length is a number of 16 bits. */
export const NEAR_CACHE_ENTRY_BYTES_MAX = 32_768
/** Least value of nearCacheStaleMs, milliseconds: a silent shard is asked four times within it. */
export const NEAR_CACHE_STALE_MS_MIN = 50
/**
 * How often the memory of clients is looked at, milliseconds; the second once a quarter of
 * maxClientMemoryMb is in use.
 */
export const WATCH_MS = 100
export const WATCH_BUSY_MS = 10
/**
 * A client that for this time, milliseconds, reads nothing of what waits, or leaves a request
 * incomplete, is closed.
 */
export const CLIENT_STALL_MS = 60_000
/** A client has one more second to complete a request for each of these bytes that came: slow lines are no attack. */
export const PARTIAL_REQUEST_BYTES_PER_SECOND_MIN = 16 * 1024
/** Between our FIN and a forced close of a client's connection, milliseconds. */
export const LINGER_MS = 2000

/** Time between two log lines about connections that a live shard refuses, milliseconds. */
export const CONNECTION_TROUBLE_MS = 60_000

/** Lanes (protocol, database, user) in use at a time; each costs connections to every shard. */
export const LANES_MAX = 256
/** Lanes without clients whose connections are kept for the next one. */
export const LANES_UNUSED_MAX = 16
/** Dedicated connections to one shard: transactions and blocked clients at a time. */
export const LEASES_MAX = 4096
/** Idle ones kept for the next transaction. */
export const LEASES_IDLE_MAX = 64
/** An idle dedicated connection is closed after this, milliseconds. */
export const LEASE_IDLE_MS = 60_000
/**
 * Keys of one shard that clients of one lane wait for together with keys of other shards. The shard tracks
 * them for us, a million for all of its clients by default.
 */
export const WATCHED_KEYS_MAX = 65_536
/** How often a shard is asked about such keys although it has announced nothing, milliseconds. */
export const WATCH_LOOK_MS = 5000
/** A connection over which a shard announces changes of them is closed after this without any, milliseconds. */
export const WATCH_IDLE_MS = 60_000
/** After something has happened to the slot of such a key, its shard is asked again after this, milliseconds. */
export const WATCH_ASTRAY_MS = 100
/** A shard that does not track for us is asked again after this, milliseconds. */
export const WATCH_AGAIN_MS = 1000
/** How long a shard may take to close a connection on which a client waited, milliseconds. */
export const CUT_SHORT_MS_MAX = 1000

/** Bytes taken from a client whose requests must wait; then we stop reading. */
export const BACKLOG_BYTES_MAX = 256 * 1024
/** Bytes taken from a blocked client, which is read so that its end is noticed. Beyond this it is closed. */
export const BLOCKED_BACKLOG_BYTES_MAX = 64 * 1024 * 1024
/** Commands of one transaction that wait here: those before its first key, and those that we execute. */
export const TRANSACTION_KEPT_MAX = 1024
/** Bytes of the commands of one transaction that wait here; scripts may be among them. */
export const TRANSACTION_KEPT_BYTES_MAX = 1024 * 1024
/** Places of one transaction with `transactions: split`: each takes a dedicated connection. */
export const TRANSACTION_PARTS_MAX = 256
/** Wrong passwords on one connection, then it is closed: a typo is forgiven, a word list is not. */
export const AUTH_FAILURES_MAX = 10

/** What one command may read of keys on several shards, bytes: all else waits while it is combined. */
export const CROSS_SHARD_READ_BYTES_MAX = 4 * 1024 * 1024
/** What all such commands may hold at a time, bytes. */
export const CROSS_SHARD_READS_BYTES_MAX = 64 * 1024 * 1024

/**
 * What replies to EXEC may take at a time, bytes, of transactions that are split or on slots of a cluster: they are
 * held until all are whole, and then once more.
 */
export const EXEC_REPLIES_BYTES_MAX = 16 * 1024 * 1024

/** Largest answer of a shard about itself, bytes: a Redis 8 with all modules describes its commands in 400 KB. */
export const CONTROL_REPLY_BYTES_MAX = 8 * 1024 * 1024
/** Longest line in such an answer that is looked at by itself, bytes. Errors are shorter. */
export const CONTROL_LINE_BYTES_MAX = 1024

/** Depth of arrays in such an answer: the key specifications of subcommands are eight deep. */
export const CONTROL_REPLY_DEPTH_MAX = 16
/**
 * Arguments of COMMAND INFO, CLIENT LIST and AMBASSADOR ROUTE, whose answers are long for each
 * argument: a thousand take some 20 ms, a million would take minutes and gigabytes.
 */
export const ANSWERED_ARGUMENTS_MAX = 1024

/** A shard that comes back within this time, milliseconds, is not asked for its commands again. */
export const LEARN_AGAIN_MS = 10_000
/** Commands that a log line names; the count tells the rest. */
export const LOGGED_NAMES_MAX = 10
/** Modules in our reply to HELLO, and bytes of each text about one. Shards tell both. */
export const GREETING_MODULES_MAX = 64
export const GREETING_TEXT_BYTES_MAX = 1024
/** Bytes of all that HELLO tells about modules: Redis 8 with its four takes less than 2 KB. */
export const GREETING_BYTES_MAX = 16 * 1024

/** Lua scripts that are remembered for all shards: their number, and their bytes together. */
export const SCRIPTS_MAX = 4096
export const SCRIPT_BYTES_MAX = 16 * 1024 * 1024

/** Messages waiting for one subscriber, bytes: beyond it the client is closed. Redis's default hard limit. */
export const PUBSUB_OUTPUT_BYTES_MAX = 32 * 1024 * 1024
/** A subscriber for which more bytes wait during PUBSUB_SLOW_MS (milliseconds) is closed. Redis's default soft limit. */
export const PUBSUB_SLOW_BYTES = 8 * 1024 * 1024
export const PUBSUB_SLOW_MS = 60_000
/** Memory of a subscription besides its name, bytes, rounded up: it is in two maps and a set. */
export const SUBSCRIPTION_BYTES = 512
/** Subscriptions of one client, bytes: 130,000 channels. Some apps subscribe once for each user. */
export const CLIENT_SUBSCRIPTIONS_BYTES_MAX = 64 * 1024 * 1024
/** Subscriptions of all clients, bytes. */
export const SUBSCRIPTIONS_BYTES_MAX = 256 * 1024 * 1024
/** Between PINGs on a subscriber connection, milliseconds: silence there is no sign of life. */
export const SUBSCRIBER_PING_MS = 5000
/**
 * Topics that such a connection asks for at a time after a loss: the shard serves others in
 * between.
 */
export const SUBSCRIBER_BATCH = 1000
/** What a shard was too busy to confirm is asked for again after this, milliseconds. */
export const SUBSCRIBER_RETRY_MS = 1000
/** A subscriber connection without subscriptions is closed after this, milliseconds. */
export const SUBSCRIBER_IDLE_MS = 60_000

/** How often a shard that is no longer configured is checked for whether it can be closed, milliseconds. */
export const RETIRED_SHARD_MS = 100

/** Between two looks at whether the process rests, milliseconds: memory may be given back then. */
export const REST_LOOK_MS = 2000
/** A process rests that has used at most this much CPU time between two looks, milliseconds. */
export const REST_CPU_MS_MAX = 100
/** Memory is given back when it has grown by more than this since it was last, bytes. */
export const REST_GROWN_BYTES = 16 * 1024 * 1024

/** Between two looks at the configuration's files, milliseconds. A change is to be used within 5 s. */
export const CONFIG_LOOK_MS = 2000
/** After a look that found a change until the next, milliseconds: files are read once they are quiet. */
export const CONFIG_SETTLE_MS = 250
/** Looks in a row that find a new change; then files are read although they still change. */
export const CONFIG_RESTLESS_LOOKS_MAX = 8

/** How often a shard's name is resolved again, milliseconds. Cluster DNS answers live for 5 to 30 s. */
export const RESOLVE_AGAIN_MS = 30_000
/**
 * TCP keepalive: time without a byte before the first probe, milliseconds; then one a second, ten at most
 * (fixed in libuv). Routers and load balancers forget idle connections after 60 s (few), 240 s (Azure), 350
 * s (AWS), 600 s (Google Cloud): towards shards we stay below all of them.
 */
export const SHARD_KEEPALIVE_MS = 30_000
export const CLIENT_KEEPALIVE_MS = 60_000
/**
 * A dedicated connection that was silent for this time, milliseconds, gets a PING before it is used
 * again, which costs the first request a round trip.
 */
export const LEASE_FRESH_MS = 1000
/**
 * How long it may take to answer the PING, milliseconds. Then another is made, within the request's own
 * time.
 */
export const LEASE_PROBE_MS = 250
/**
 * Least time between two looks at where a shard is, milliseconds, when there are signs that it has moved
 * (READONLY, silence, a lost connection): a thousand sidecars ask five hundred times a second.
 */
export const DOUBT_MS = 2000
/** A shard that refuses a write after this time without a refusal, milliseconds, is logged again. */
export const REPLICA_LOG_MS = 60_000
/**
 * A shard that answers LOADING or the like to everything is asked again after this time, milliseconds, then
 * after twice as long each time, up to the second value: its return is noticed soon, and a day of loading
 * costs little.
 */
export const REFUSING_ASK_MS_MIN = 50
export const REFUSING_ASK_MS_MAX = 1000
/**
 * After a shard has answered a new connection, how long an older one that owes replies may stay silent, milliseconds.
 */
export const SILENT_MS = 200

/** How long a client may take for its TLS handshake, milliseconds. It costs a descriptor and no password. */
export const TLS_HANDSHAKE_MS = 5000

/** Descriptors for the process itself: its standard streams, event loop, log, listeners, watched files. */
export const DESCRIPTORS_OWN = 32
/** Most free ports that are tried for both families, where the one of IPv4 is taken for IPv6. */
export const SAME_PORT_ATTEMPTS_MAX = 16
/** Clients beyond the limit that get an error at a time; more are closed without one. */
export const REFUSALS_MAX = 8
/** How often idle clients are looked for, milliseconds. */
export const IDLE_LOOK_MS = 1000

/** Largest value of ejectAfterFailures: more would mean never. */
export const EJECT_AFTER_FAILURES_MAX = 1000

/** Connections to the admin endpoint at a time: probes, Prometheus, and two browsers, which open 6 each. */
export const ADMIN_CONNECTIONS_MAX = 16
/**
 * Connections to the admin endpoint for a moment, so that each new one may ask before an older one is
 * closed.
 */
export const ADMIN_CONNECTIONS_BURST_MAX = 64
/** How long a new connection there is not closed for another, milliseconds: a busy probe is slow to ask. */
export const ADMIN_GRACE_MS = 250
/** How many of ADMIN_CONNECTIONS_MAX may be streams of events. */
export const ADMIN_STREAMS_MAX = 4
/** How long a client there may take to send its request, or to read its answer, milliseconds. */
export const ADMIN_REQUEST_MS = 5000
/** Largest request head there, bytes. It bounds a key in a URL, escapes included. */
export const ADMIN_HEADER_BYTES_MAX = 16 * 1024
/** Between two events with the statistics, milliseconds. */
export const ADMIN_EVENT_MS = 1000

/**
 * How old the figure of a shard's used memory may be before the shard is asked again, milliseconds.
 */
export const SHARD_MEMORY_MS = 5000
/** Shards asked at a time: each costs a connection. */
export const SHARD_MEMORY_ASKED_MAX = 16

/** Slow requests kept, the newest ones. As many as Redis keeps (`slowlog-max-len`). */
export const SLOW_LOG_LENGTH = 128
/** Big replies kept: the largest of the last hour, one for each command and key. */
export const BIG_REPLIES_LENGTH = 64
/** How long a big reply is listed, milliseconds. */
export const BIG_REPLY_MS = 3_600_000
/** Longest part of a key that is shown, bytes. Redis's SLOWLOG cuts at 128 as well. */
export const SHOWN_KEY_BYTES_MAX = 128
/** Patterns of keys that a rehearsal tells apart, over all commands; further ones are counted together. */
export const REHEARSED_PATTERNS_MAX = 512
/**
 * How many of the first requests of each kind and command are all looked at for the patterns of their
 * keys.
 */
export const REHEARSED_FIRST = 256
/** Of later requests one in this number is looked at, so that it costs a busy ambassador little. */
export const REHEARSED_SAMPLING = 256
/** Keys of one request whose patterns a rehearsal counts. */
export const REHEARSED_KEYS_MAX = 3
/** Keys with a counter: every key with more than a 512th of the requests has one. About 100 KB. */
export const HOT_KEYS_TRACKED = 512
/** Keys shown as hot, the hottest ones. */
export const HOT_KEYS_SHOWN = 20
/** One key in this number, chosen at random, is counted; the others cost a comparison. */
export const HOT_KEY_SAMPLING = 32
/** Time constant with which counts fade, milliseconds: after a minute a twentieth is left. */
export const HOT_KEY_FADE_MS = 20_000
/** Least share of the requests for a hot key: twice a counter's possible error. */
export const HOT_KEY_SHARE_MIN = 0.004
/** Least number of samples for a hot key, so that a few requests a minute make no key hot. */
export const HOT_KEY_SAMPLES_MIN = 4
/** Seconds that rates and quantiles on pages cover: short enough to see a change, long enough to read. */
export const STATS_WINDOW_SECONDS = 10
/** Seconds of history that are kept: enough to see what made an operator open the page. */
export const STATS_HISTORY_SECONDS = 300

/**
 * How often sentinels are asked about their masters, milliseconds; the second value while something is
 * wrong.
 */
export const SENTINEL_ASK_MS = 10_000
export const SENTINEL_ASK_SOON_MS = 1000
/**
 * How long a sentinel may take to answer, milliseconds. It is idle, so a longer silence means that it
 * is away.
 */
export const SENTINEL_ANSWER_MS = 1000
/** Wait before a sentinel that is lost or refuses us is tried again, milliseconds. */
export const SENTINEL_RETRY_MS = 1000
/**
 * Most sentinels that are listened to: three to seven are usual, and the names that they tell must
 * not fill our memory.
 */
export const SENTINELS_MAX = 32
/** Most replicas of one master that are taken from one sentinel's answer. */
export const SENTINEL_REPLICAS_MAX = 64
/** Most host names of one master's servers that are looked up: its own, and those of its replicas. */
export const SERVER_NAMES_MAX = 1 + SENTINEL_REPLICAS_MAX
/** How often one of them is looked up while sentinels tell it, milliseconds. */
export const SERVER_NAME_LOOKUP_MS = 5000
/** A name that no sentinel has told for so long is forgotten, milliseconds: each is asked every ten seconds. */
export const SERVER_NAME_MS = 60_000

/** Most replicas that one shard may list. */
export const SHARD_REPLICAS_MAX = 16
/** The bound of option replicaMaxLagBytes: 1 TB is more than any backlog. */
export const REPLICA_LAG_BYTES_MAX = 1_099_511_627_776
/** How often a master and its replicas are asked for their replication offsets, milliseconds. */
export const REPLICATION_ASK_MS = 1000
/**
 * How long the map of a cluster is looked at once a second because a master has other replicas than it says,
 * milliseconds: until a former master has copied its heir.
 */
export const REPLICAS_LOOKED_FOR_MS = 10_000
/** How long they may take to answer, milliseconds. */
export const REPLICATION_ANSWER_MS = 1000
/**
 * A replica that has not heard from its master for longer is not read from, seconds: a master sends PINGs
 * at this rate.
 */
export const REPLICA_LAST_IO_S_MAX = 10
/** Rounds of SCANs that are remembered, of all clients: those that are forgotten begin anew. */
export const SCAN_ROUNDS_MAX = 256
/** How often a SCAN waits at the end of a round for a map in which all slots have owners, and how long, milliseconds. */
export const SCAN_LOOKS_MAX = 20
export const SCAN_LOOK_MS = 25
/** How often KEYS or FLUSHALL goes to all masters because slots have come to one meanwhile: moves end before that. */
export const EVERY_KEY_ROUNDS_MAX = 16
/**
 * A master of a cluster that owes replies and says nothing for so long may have been replaced, milliseconds:
 * Redis replaces it after cluster-node-timeout, which is seldom below this.
 */
export const MASTER_SILENT_MS = 1000
/** How often masters are looked at for that, milliseconds. */
export const MASTER_SILENT_LOOK_MS = 100
/** How long a replica that has failed a read is left alone, milliseconds. */
export const REPLICA_OUT_MS = 1000
/**
 * A slot of a cluster to which something has happened, a redirect or a move, is read where it is for so long,
 * milliseconds: usually more of it is to come.
 */
export const SLOT_SETTLES_MS = 1000
/**
 * How long reads wait for a replica to catch up with what their session has seen of the master,
 * milliseconds.
 */
export const HANDOVER_MS_MAX = 50
/** Wait between two such attempts, milliseconds; it grows while attempts fail. */
export const HANDOVER_PAUSE_MS = 100
export const HANDOVER_PAUSE_MS_MAX = 10_000
/** How often replicas are asked meanwhile, milliseconds. */
export const HANDOVER_ASK_MS = 2
/**
 * How many answers of a master are remembered to compare replicas with: those of about a minute.
 */
export const REPLICATION_SAMPLES_MAX = 64

/**
 * How often the replica that sentinels have chosen as the next master is asked for its role,
 * milliseconds.
 */
export const EARLY_POLL_MS = 10
/** How long requests wait for that replica to become the master, milliseconds. */
export const EARLY_WAIT_MS = 2000
/** How long the new master is kept while sentinels still name the old one, milliseconds. */
export const EARLY_STAY_MS = 5000
/**
 * How often a server that sentinels name is asked whether it is the master yet, milliseconds: at first, and later.
 */
export const ROLE_POLL_MS = 50
export const ROLE_POLL_MS_MAX = 1000
/** How long requests wait for the sentinels' word on a master that refuses writes, milliseconds. */
export const MASTER_DOUBT_MS = 1000
/** How long a server may take to say its role, milliseconds. */
export const ROLE_ANSWER_MS = 500

/**
 * Least time between two looks at a cluster's map, milliseconds, and the usual one while a master is
 * away.
 */
export const CLUSTER_REFRESH_MS_MIN = 100
/** Least value of topologyRefreshMs, milliseconds: a map of a large cluster costs its node milliseconds. */
export const TOPOLOGY_REFRESH_MS_MIN = 1000
/**
 * How long a node may take to tell the map before another is asked, milliseconds; longer while no node
 * answers.
 */
export const CLUSTER_ANSWER_MS = 300
/** A cluster that lacks a master for longer than this is looked at less often, milliseconds. */
export const CLUSTER_URGENT_MS = 60_000
/** Time between two looks at such a cluster, milliseconds. */
export const CLUSTER_AWAY_MS = 1000
/** Most masters that are taken from one answer: Redis recommends no more than 1,000. */
export const CLUSTER_NODES_MAX = 1024
/** Most replicas of one master that are taken from one answer. */
export const CLUSTER_REPLICAS_MAX = 64
/** How long a seed's name may take to be looked up, milliseconds. */
export const CLUSTER_LOOKUP_MS = 1000
/** Most pairs in addressMap: one for each server of a large cluster. */
export const ADDRESS_MAPPINGS_MAX = 4096
/** Most addresses of one seed's name that are asked. */
export const CLUSTER_SEED_ADDRESSES_MAX = 64
/**
 * How long a redirect counts against answers that may be older, milliseconds: no answer takes that long.
 */
export const CLUSTER_MOVED_MS = 30_000
/** A connection over which the map was asked is closed after this time without a question, milliseconds. */
export const CLUSTER_IDLE_MS = 5000
/** Pairs of servers that one log line about a changed map names. */
export const CLUSTER_LOGGED_MOVES_MAX = 8

/** Largest output of a program, or file, with credentials, bytes: tokens of Entra ID take 4 KB. */
export const CREDENTIALS_BYTES_MAX = 65_536
/** How much error output of a program for credentials is kept, bytes: its first line is reported. */
export const CREDENTIALS_STDERR_BYTES_MAX = 1024
/** How long a program for credentials may take, milliseconds: command-line tools of clouds take seconds to start. */
export const CREDENTIALS_COMMAND_MS_MAX = 30_000
/** Shortest time between two questions for credentials, milliseconds, and the longest after failures. */
export const CREDENTIALS_RETRY_MS_MIN = 1000
export const CREDENTIALS_RETRY_MS_MAX = 60_000
/** Least time between two questions for credentials because shards refused valid ones, milliseconds. */
export const CREDENTIALS_REFUSED_MS = 5000
/** How often a file of credentials is read, milliseconds: its token may live only for minutes. */
export const CREDENTIALS_FILE_LOOK_MS = 2000
/** Most words in the command line of shardAuthCommand. */
export const CREDENTIALS_COMMAND_WORDS_MAX = 256

/** Copies of one pool's requests that may wait for replies of its mirror: half a second of a busy ambassador. */
export const MIRROR_REQUESTS_MAX = 32_768
/** Bytes of these copies: a mirror that hangs must not take the memory that clients need. */
export const MIRROR_BYTES_MAX = 16 * 1024 * 1024
