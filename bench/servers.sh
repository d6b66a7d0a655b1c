#!/bin/bash
# Fetches servers newer than the system's, for specs: Redis 8 and Valkey 9 as Debian unstable has them, with the
# libraries they need. Nothing is installed: all is unpacked below DIRECTORY and runs through its own loader.
# Debian or Ubuntu on amd64 or arm64, with apt, and Debian's keyring (debian-archive-keyring).
#
#   bench/servers.sh [DIRECTORY]        default: build/servers
set -euo pipefail
directory=$(realpath -m "${1:-build/servers}")
libraries=(libc6 libssl3t64 libjemalloc2 liblzf1 libatomic1 libstdc++6 libgcc-s1 libsystemd0 libcap2 zlib1g libzstd1)

# apt with a memory of its own: the system's sources and lists stay as they are.
apt=$directory/apt
mkdir -p "$apt"/{etc/apt.conf.d,etc/preferences.d,state/lists/partial,cache/archives/partial} "$directory/packages"
chmod 755 "$apt"
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror unstable main" >"$apt/etc/sources.list"
touch "$apt/state/status"
options=(
  -o "Dir::Etc::sourcelist=$apt/etc/sources.list" -o 'Dir::Etc::sourceparts=-' -o "Dir::Etc::preferencesparts=$apt/etc/preferences.d"
  -o "Dir::State=$apt/state" -o "Dir::State::status=$apt/state/status" -o "Dir::Cache=$apt/cache"
  -o 'APT::Sandbox::User=root' -o 'Acquire::Languages=none' -q
)
apt-get "${options[@]}" update
(cd "$directory/packages" && apt-get "${options[@]}" download redis-tools valkey-tools "${libraries[@]}")

unpack() { # NAME PACKAGE...: into a root of its own
  local root=$directory/$1/root package
  rm -rf "$root" && mkdir -p "$root"
  for package in "${@:2}"; do
    # The newest, should an older one lie there from before.
    dpkg-deb -x "$(ls -t "$directory/packages/${package}"_*.deb | head -n 1)" "$root"
  done
}

wrap() { # NAME PROGRAM BINARY: a script that runs the binary of that root under the program's name
  local root=$directory/$1/root loader paths
  loader=$(find "$root" -name 'ld-linux-*.so.*' | head -n 1)
  paths=$(find "$root" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd:)
  printf '#!/bin/sh\nexec %q --argv0 %q --library-path %q %q "$@"\n' "$loader" "$2" "$paths" "$root/usr/bin/$3" >"$directory/$1/$2"
  chmod +x "$directory/$1/$2"
}

unpack redis redis-tools "${libraries[@]}"
unpack valkey valkey-tools "${libraries[@]}"
# The checker is the server, by another name.
wrap redis redis-server redis-check-rdb
wrap redis redis-cli redis-cli
wrap valkey valkey-server valkey-check-rdb
wrap valkey valkey-cli valkey-cli

"$directory/redis/redis-server" --version
"$directory/valkey/valkey-server" --version
cat <<END
Run specs with them:
  REDIS_SERVER=$directory/redis/redis-server npm run spec -- spec/integration/sentinel.spec.ts
  REDIS_SERVER=$directory/valkey/valkey-server npm run spec -- spec/integration/sentinel.spec.ts
END
