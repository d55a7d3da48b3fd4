#!/bin/sh
# test_fly.sh - a minute of `adit fly` through a world without end, as a release: 20 chunks a second, 50 edits, a worker process killed every second, in 512 MiB and a store of 4,096 keys. Nothing is torn,
# leaked or broken, and arena and store are not full. Then a quarter of a minute where they are. How long chunks were bare is printed for reading.
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

# The same in an arena too small for what is seen: it goes on, what is nearest is there, nothing is made and removed in turns (each chunk that came into sight, or stood there, is made once at most, and hardly any besides), nothing breaks.
"$adit" fly --seconds 15 --speed 5 --radius 8 --size 48M --chunks 256 --edits 5 --kill-every 1000 --anyway --json --quiet >"$work/said" 2>"$work/error" || { echo "adit fly --anyway: exit code $?"; cat "$work/error" "$work/said"; exit 1; }
came=$(number came_into_sight)
wanted chunks_evicted 1 $((came + 500))
wanted chunks_made_in_flight 100 $((came + came / 4 + 100))
wanted bytes_most 1 $((48 << 20))
for none in torn breaches; do
    wanted "$none" 0 0
done
find "$work" ! -type d ! -name said ! -name error | grep . && { echo "left behind"; failures=$((failures + 1)); }
tr -d '\n' <"$work/said" | sed 's/  */ /g'
echo
[ "$failures" = 0 ]
