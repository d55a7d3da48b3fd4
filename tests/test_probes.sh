#!/bin/sh
# test_probes.sh - the library has the USDT probes that shm/README.md lists, no others, and a tracer sees them fire where the kernel and the rights are there for that.
set -u
lib=build/release/lib/libadit.so
failures=0

wrong() {
    echo "$1"
    failures=$((failures + 1))
}

[ -e /usr/include/sys/sdt.h ] || [ -e "/usr/include/$(gcc -print-multiarch)/sys/sdt.h" ] || { echo "no sys/sdt.h: sh tools/check installs it (systemtap-sdt-dev)"; exit 77; }
there=$(readelf -n $lib | sed -nE '/Provider: adit$/{n;s/^ *Name: //p}' | sort -u)
listed=$(sed -nE 's/^\| `adit:([a-z_]+)` .*/\1/p' shm/README.md | sort)
[ -n "$there" ] || wrong "$lib has no probes of the provider adit"
[ "$there" = "$listed" ] || wrong "$lib has $(echo $there), shm/README.md lists $(echo $listed)"
readelf -n build/release/bin/adit | grep -q 'Provider: adit$' || wrong "build/release/bin/adit has none"

# With a tracer: chunks published, meshes made and tasks committed of a run, which says how many there were.
if ! command -v bpftrace >/dev/null || ! bpftrace -e 'BEGIN { exit(); }' >/dev/null 2>&1; then
    [ "$failures" = 0 ] || exit 1
    echo "no bpftrace that may trace here: only what is in the library was looked at"
    exit 0
fi
out=${TMPDIR:-/tmp}/probes
adit=$(pwd)/build/release/bin/adit
bpftrace -e "BEGIN { printf(\"ready\\n\"); } usdt:$adit:adit:publish { @publish = count(); } usdt:$adit:adit:mesh { @mesh = count(); } interval:s:60 { exit(); }" >"$out" 2>"$out.err" &
tracer=$!
tries=0
until grep -q ready "$out" || [ "$tries" -ge 300 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
"$adit" run terrain:1:2x1x2 --quiet >/dev/null || wrong "adit run: exit $?"
kill -INT $tracer
wait $tracer
for probe in publish mesh; do
    grep -qE "^@$probe: [1-9]" "$out" || wrong "$probe never fired: $(tail -n 3 "$out")"
done
[ "$failures" = 0 ]
