#!/bin/sh
# test_perf_lab.sh - perf-lab as a program: it lists every scene there is, in both forms, and a run gives rows. No figure is judged.
set -u
lab=build/release/bin/perf-lab
work=${TMPDIR:-/tmp}/perf
failures=0
mkdir -p "$work" || exit 1
[ -x $lab ] || { echo "$lab is not built: ninja"; exit 1; }

wrong() {
    echo "$1"
    failures=$((failures + 1))
}

scenes=$(sed -nE 's/^ *\.name = "([a-z-]+)",$/\1/p' perf/scene_*.c)
[ "$(echo "$scenes" | wc -l)" = "$(ls perf/scene_*.c | wc -l)" ] || wrong "not every perf/scene_*.c names one scene"

$lab list >"$work/list" 2>"$work/err" || wrong "perf-lab list: exit $?"
$lab list --json >"$work/list.json" 2>>"$work/err" || wrong "perf-lab list --json: exit $?"
[ ! -s "$work/err" ] || wrong "perf-lab list says something on stderr: $(head -n 1 "$work/err")"
for scene in $scenes; do
    grep -qE "^$scene +[a-z]+ +[a-z0-9]" "$work/list" || wrong "perf-lab list leaves out $scene, or says nothing of it"
    grep -qF "\"name\": \"$scene\"" "$work/list.json" || wrong "perf-lab list --json leaves out $scene"
done
[ "$(wc -l <"$work/list")" = "$(echo "$scenes" | wc -l)" ] || wrong "perf-lab list has other lines than one a scene"

# A row has its median and a sound machine's line of no failure; what it measured is for reading.
$lab run raw-slot --short --out "$work" >"$work/table" 2>"$work/err" || wrong "perf-lab run raw-slot: exit $?"
grep -qE '^raw-slot +[a-z].* ns +[0-9.]+ ' "$work/table" || wrong "perf-lab run raw-slot gives no row"
grep -q '"state": "measured"' "$work"/perf-lab-*.json || wrong "perf-lab run --out keeps no figure"

$lab run no-such-scene >"$work/table" 2>"$work/err"
[ $? = 2 ] || wrong "an unknown scene does not end with exit 2"

[ $failures = 0 ]
