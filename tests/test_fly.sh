#!/bin/sh
# test_fly.sh - a minute of `adit fly` through a world without end, as a release: 20 chunks a second, 50 edits, a worker process killed every second, in 512 MiB and a store of 4,096 keys. Nothing is torn,
# leaked or broken, and arena and store are not full. How long chunks were bare is printed for reading.
set -u
top=$(cd "$(dirname -- "$0")/.." && pwd) || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/fly-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
export XDG_RUNTIME_DIR="$work"
adit=$top/build/release/bin/adit

"$adit" fly --seconds "${FLY_SECONDS:-60}" --kill-every 1000 --json --quiet >"$work/said" 2>"$work/error" || { echo "adit fly: exit code $?"; cat "$work/error" "$work/said"; exit 1; }

# number NAME: of the top level
number() { sed -nE "s/.*\"$1\": *([0-9]+).*/\1/p" "$work/said" | head -n 1; }

# wanted NAME LOW HIGH
failures=0
wanted() {
    value=$(number "$1")
    if [ -z "$value" ] || [ "$value" -lt "$2" ] || [ "$value" -gt "$3" ]; then
        echo "$1: ${value:-none}; wanted: $2 to $3"
        failures=$((failures + 1))
    fi
}
seconds=${FLY_SECONDS:-60}
wanted chunks_made $((seconds * 300)) $((seconds * 900)) # some 530 a second come into reach
wanted chunks_removed $((seconds * 250)) $((seconds * 900))
wanted edits $((seconds * 30)) $((seconds * 50))
wanted killed $((seconds / 2)) "$seconds"
wanted bytes_most 1 $((256 << 20))
wanted keys_most 500 5000 # of 8,192 places: swept from 4,096 on
for none in torn edits_failed breaches; do
    wanted "$none" 0 0
done
find "$work" ! -type d ! -name said ! -name error | grep . && { echo "left behind"; failures=$((failures + 1)); }
tr -d '\n' <"$work/said" | sed 's/  */ /g'
echo
[ "$failures" = 0 ]
