#!/bin/sh
# test_columns.sh - every column that a program prints is defined in its manual page: the heads of the tables of `adit ls`, `dump`, `stats` and of perf-lab, and the keys of all tables of shmtop, in their order.
#
# A line of heads is one of nothing but capitals. (tried: a column printed that the page has not; two columns the other way round in the page; a table of shmtop left out of its page.)
set -u
bin=build/release/bin
work=${TMPDIR:-/tmp}/columns.$$
mkdir -p -m 700 "$work/run" || exit 1
export XDG_RUNTIME_DIR="$work/run" XDG_CACHE_HOME="$work/run"
failures=0
trap '[ -z "$serve" ] || kill "$serve"; wait; rm -rf "$work"' EXIT
serve=

wrong() {
    echo "$1"
    failures=$((failures + 1))
}

# The columns of the page of "$@" --man, a line a table: 'TABLE|HEAD|HEAD...'.
tables_of() {
    "$@" --man | sed 's/\\-/-/g; s/\\(dq/"/g' | awk '
        /^\.SH / { inside = /^\.SH COLUMNS/; next }
        !inside { next }
        /^\.SS / { if (line != "") print line; line = substr($0, 5); next }
        /^\.B / { line = line "|" substr($0, 5, length($0) - 5) }
        END { if (line != "") print line }'
}

# Whether the text $1 is the heads of the table $2, as a line of tables_of.
is_of() {
    echo "$1" | awk -v table="$2" '
        {
            n = split(table, head, "|")
            for (i = 2; i <= n; i++) {
                sub(/^ +/, "")
                if (index($0, head[i]) != 1)
                    exit 1
                $0 = substr($0, length(head[i]) + 1)
                if ($0 != "" && $0 !~ /^ /)
                    exit 1
            }
            exit $0 !~ /^ *$/
        }'
}

# Every line of heads in the file $1 is of a table in the file $2, and each of the tables $3... was there.
heads_are_of() {
    printed=$1 tables=$2
    shift 2
    : >"$work/seen"
    grep -E "^ *[A-Z][A-Z0-9/%']*( +[+A-Zn][A-Z0-9/%' x]*)+$" "$printed" | while IFS= read -r line; do
        while IFS= read -r table; do
            is_of "$line" "$table" && { echo "${table%%|*}" >>"$work/seen"; continue 2; }
        done <"$tables"
        echo "no page defines the columns '$line'" >>"$work/seen"
    done
    unknown=$(grep '^no page' "$work/seen")
    [ -z "$unknown" ] || wrong "$unknown"
    for table; do
        grep -qx "$table" "$work/seen" || wrong "the heads of the table '$table' of the page are printed nowhere: $(grep "^$table|" "$tables")"
    done
}

is_ready() { grep -qs "is ready" "$work/serve"; }

"$bin/adit" serve cave --size 64M >"$work/serve" 2>&1 &
serve=$!
tries=0
until is_ready || [ "$tries" -ge 600 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
"$bin/adit" feed cave terrain:1:2x1x2 --quiet >/dev/null || wrong "adit feed: exit $?"

for command in ls dump stats; do
    tables_of "$bin/adit" $command >"$work/$command"
done
"$bin/adit" ls >"$work/out"
heads_are_of "$work/out" "$work/ls" arenas
"$bin/adit" dump cave >"$work/out"
heads_are_of "$work/out" "$work/dump" segments participants materials chunks
"$bin/adit" stats cave >"$work/out"
heads_are_of "$work/out" "$work/stats" metrics participants
"$bin/adit" stats cave --save "$work/before" && "$bin/adit" stats --diff "$work/before" >"$work/out"
heads_are_of "$work/out" "$work/stats" "changes (--diff)"
tables_of "$bin/perf-lab" >"$work/lab"
"$bin/perf-lab" run raw-slot --short >"$work/out" 2>/dev/null
heads_are_of "$work/out" "$work/lab" figures
for command in tiers run; do
    [ -n "$(tables_of "$bin/adit" $command)" ] || wrong "adit-$command(1) defines no column"
done

# shmtop: the keys of each screen's tables, as CSV has them, in brackets behind the heads.
tables_of "$bin/shmtop" >"$work/shmtop"
screens=$("$bin/shmtop" --help | sed -nE 's/^  ([a-z]+) \(.*\): .*/\1/p')
[ "$(echo "$screens" | wc -l)" -ge 9 ] || wrong "shmtop --help lists the screens: $screens"
for screen in $screens; do
    "$bin/shmtop" cave --csv "$screen" | awk 'NR == 1 || was == "" { print } { was = $0 }' >"$work/keys"
    sed -nE "s/^$screen(: [a-z_]+)?\|//p" "$work/shmtop" | sed -E 's/(^|\|)[^|]*\(([a-z0-9_]+)\)/\1\2/g' | tr '|' ',' >"$work/defined"
    cmp -s "$work/keys" "$work/defined" || wrong "shmtop(1) and --csv $screen: $(diff "$work/defined" "$work/keys" | head -n 4)"
done
[ "$failures" = 0 ]
