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
[ "$(echo "$scenes" | grep -vc -e '-soak$')" = "$(ls perf/scene_*.c | wc -l)" ] || wrong "not every perf/scene_*.c names one scene, and its soak besides"

$lab list >"$work/list" 2>"$work/err" || wrong "perf-lab list: exit $?"
$lab list --json >"$work/list.json" 2>>"$work/err" || wrong "perf-lab list --json: exit $?"
[ ! -s "$work/err" ] || wrong "perf-lab list says something on stderr: $(head -n 1 "$work/err")"
for scene in $scenes; do
    grep -qE "^$scene +[a-z]+ +[a-z0-9]" "$work/list" || wrong "perf-lab list leaves out $scene, or says nothing of it"
    grep -qF "\"name\": \"$scene\"" "$work/list.json" || wrong "perf-lab list --json leaves out $scene"
done
[ "$(wc -l <"$work/list")" = "$(echo "$scenes" | wc -l)" ] || wrong "perf-lab list has other lines than one a scene"

# A soak is run by its whole name alone.
$lab run frames-soa --short >/dev/null 2>"$work/err"
[ $? = 2 ] || wrong "a soak is run by a part of its name"

# A row has its median and a sound machine's line of no failure; what it measured is for reading.
$lab run raw-slot --short --out "$work" >"$work/table" 2>"$work/err" || wrong "perf-lab run raw-slot: exit $?"
grep -qE '^raw-slot +[a-z].* ns +[0-9.]+ ' "$work/table" || wrong "perf-lab run raw-slot gives no row"
grep -qE '^alone +before: (quiet|loud: .*); after: (quiet|loud: .*)$' "$work/table" || wrong "perf-lab run does not say whether it was alone"
grep -q '"state": "measured"' "$work"/perf-lab-*.json || wrong "perf-lab run --out keeps no figure"

# Without a peer the scene says what cures it, and nothing has failed.
ADIT_PEERS="$work/none" $lab run peer-mesh --short >"$work/table" 2>"$work/err" || wrong "peer-mesh without a peer: exit $?"
grep -qE 'skipped: no peer at .*/none/libpeer_mesher.so; .*ADIT_PEERS=DIR' "$work/table" || wrong "peer-mesh does not say that there is no peer"

ADIT_PEERS="$work/none" $lab run range --short >"$work/table" 2>"$work/err" || wrong "range without a peer: exit $?"
grep -qE 'skipped: no peer at .*/none/libpeer_range.so; .*libtbb-dev.*ninja peers.*ADIT_PEERS=DIR' "$work/table" || wrong "range does not say how to have a peer"

# With one: a row a world, and a level file beside it is read: 131,070 voxels of stone, then air, so inside the outermost layer 62 x 62 faces of the
# ground and one towards the two voxels that are missing in its last row.
peers=$work/peers
mkdir -p "$peers" && cp build/release/tests/peers/libpeer_mesher.so "$peers" || wrong "no peer to copy: ninja"
{
    printf '\001\000\000\000\000\015\000\000\000\012\010\000\000'
    for material in '\003' '\000'; do
        run=0
        while [ $run -lt 514 ]; do printf "$material\377"; run=$((run + 1)); done
    done
    printf '\000\004'
} >"$peers/demo_terrain_64"
ADIT_WORLDS="$work/none" ADIT_PEERS="$peers" $lab run peer-mesh --short >"$work/table" 2>"$work/err" || wrong "peer-mesh with a peer: exit $?"
grep -qE '^peer-mesh +hills .* us +[0-9.]+ .*the peer ' "$work/table" || wrong "peer-mesh gives no row for hills"
grep -qF '1 of 62^3: 3845 faces' "$work/table" || wrong "peer-mesh does not mesh the level beside the peer"
grep -qE 'Minecraft 1.20 +- +skipped: .*none/anvil-1.20.mca' "$work/table" || wrong "peer-mesh does not say which region is missing"

# A peer that covers other faces is not compared, and one of another ABI not called. (tried: faces not compared)
ADIT_PEER_FIXTURE=lies ADIT_PEERS="$peers" $lab run peer-mesh --short >"$work/table" 2>"$work/err" && wrong "a peer that lies is believed"
grep -qE 'hills .*volume 0: ours covers 6055 unit faces, the peer 6056' "$work/table" || wrong "peer-mesh does not say how a peer lies"
ADIT_PEER_FIXTURE=old ADIT_PEERS="$peers" $lab run peer-mesh --short >"$work/table" 2>"$work/err" || wrong "a peer of another ABI: exit $?"
grep -qE 'skipped: .*/peers/libpeer_mesher.so exports no adit_peer_mesher of version 1' "$work/table" || wrong "peer-mesh does not say that a peer is of another ABI"

# Two results beside each other: a folder means its newest, bad files are one line that names file, place and cure, and times decide nothing.
$lab compare "$work" "$work" >"$work/table" 2>"$work/err" || wrong "perf-lab compare: exit $?"
grep -qE '^raw-slot .*within noise$' "$work/table" || wrong "a result compared with itself is not within noise"
$lab compare "$work" "$work" --json >"$work/compared.json" 2>>"$work/err" || wrong "perf-lab compare --json: exit $?"
grep -q '"verdict": "within noise"' "$work/compared.json" || wrong "perf-lab compare --json has no verdict"
[ ! -s "$work/err" ] || wrong "perf-lab compare says something on stderr: $(head -n 1 "$work/err")"
sed 's/"median": .*/"median": "much",/' "$(ls "$work"/perf-lab-*.json | tail -n 1)" >"$work/bad.json"

# The page: whole and well-formed, by xmllint where it is.
$lab report "$work" --out "$work/page.html" >"$work/table" 2>"$work/err" || wrong "perf-lab report: exit $?: $(cat "$work/err")"
[ ! -s "$work/table$work/err" ] && grep -q '</html>' "$work/page.html" || wrong "perf-lab report --out does not write a page"
grep -q '<td>store, compiler barrier, release store</td>' "$work/page.html" || wrong "the page leaves a figure out"
! command -v xmllint >/dev/null || xmllint --noout "$work/page.html" 2>"$work/err" || wrong "the page is malformed: $(head -n 1 "$work/err")"
[ "$($lab report "$work" | tail -n 1)" = '</html>' ] || wrong "perf-lab report without --out does not write the page to stdout"
# refused PART ARGUMENTS...: exit 2 and one line that holds PART
refused() {
    part=$1
    shift
    $lab "$@" >"$work/table" 2>"$work/err"
    [ $? = 2 ] || wrong "perf-lab $*: not exit 2"
    [ "$(wc -l <"$work/err")" = 1 ] && grep -qF -- "$part" "$work/err" || wrong "perf-lab $* does not say '$part': $(cat "$work/err")"
}
refused "bad.json: scenes[0].median is not a number" compare "$work" "$work/bad.json"
refused "none: No such file" compare "$work/none" "$work"
refused "give results" report
refused "bad.json: scenes[0].median" report "$work" "$work/bad.json"
refused "report does not take --json" report "$work" --json
refused "needs two results" compare "$work"
refused "one argument too many" compare a b c
refused "no count of instructions is in both" compare "$work" "$work" --gate 2
refused "compare does not take --short" compare a b --short
refused "run does not take --gate" run raw-slot --gate 2

$lab run no-such-scene >"$work/table" 2>"$work/err"
[ $? = 2 ] || wrong "an unknown scene does not end with exit 2"

[ $failures = 0 ]
