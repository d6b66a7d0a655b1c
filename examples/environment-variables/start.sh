#!/bin/sh
# The ambassador from environment variables alone, as a container platform would start it.
#
#   npm ci && npm run build
#   for port in 7001 7002 7003; do redis-server --port $port --save '' --daemonize yes; done
#   examples/environment-variables/start.sh
#
# Every option has such a variable: node dist/bin.js --help. Those already set are kept.

# The name before = is what the ring hashes: give shards names, and their addresses may change.
: "${AMBASSADOR_SHARDS:=a=127.0.0.1:7001,b=127.0.0.1:7002,c=127.0.0.1:7003}"
: "${AMBASSADOR_LISTEN:=localhost:6379}"
: "${AMBASSADOR_ADMIN_LISTEN:=localhost:9380}"
: "${AMBASSADOR_REQUEST_TIMEOUT_MS:=1000}"
: "${AMBASSADOR_LOG_LEVEL:=info}"
: "${AMBASSADOR_ENV:=production}"
export AMBASSADOR_SHARDS AMBASSADOR_LISTEN AMBASSADOR_ADMIN_LISTEN
export AMBASSADOR_REQUEST_TIMEOUT_MS AMBASSADOR_LOG_LEVEL AMBASSADOR_ENV

# exec, so that signals reach the ambassador and not a shell.
exec node "$(dirname "$0")/../../dist/bin.js" "$@"
