#!/bin/sh
# run_one.sh - runs one test and says what became of it; tools/check calls it for each, several at once.
#
#     sh tests/run_one.sh 'NAME|SECONDS|COMMAND'        e.g. 'asan/test_ring|120|build/asan/tests/test_ring'
#
# Adds a line 'passed|NAME|SECONDS|' (or failed, skipped, with the reason last) to $check_dir/results and keeps what the
# command wrote in $check_dir/log/NAME. Prints that log's end when the command failed, and one line about every test when
# $check_verbose is set. Always exits 0: the results file is the answer.
#
# Failed means: an exit status that is neither 0 nor 77 (skipped), death by a signal, no end in time, a sanitizer's report
# even if a child made it, or a process left behind. Those are found by a mark in their environment, and ended.
set -u
check_dir=${check_dir:-build/check}
name=${1%%|*}
rest=${1#*|}
limit_s=${rest%%|*}
command=${rest#*|}
log=$check_dir/log/$(echo "$name" | tr '/ ' '._')
mark=adit-$$-$(date +%s%N)
home=$(mktemp -d /tmp/adit-XXXXXX) || exit 1
trap 'rm -rf "$home"' EXIT
trap 'exit 130' INT TERM

# Processes of this test that still run, one pid a line. A zombie has no environment.
leftovers() {
    grep -lzsx "ADIT_TEST_MARK=$mark" /proc/[0-9]*/environ | sed 's,/proc/\([0-9]*\)/.*,\1,'
}

describe() {
    for pid in $left; do
        { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null
        echo "(pid $pid)"
    done | tr '\n' ' '
}

mkdir -p "$check_dir/log"
begin=$(date +%s.%N)
ADIT_TEST_MARK=$mark XDG_RUNTIME_DIR=$home XDG_CACHE_HOME=$home TMPDIR=$home \
    timeout -k 5 "$limit_s" sh -c "exec $command" >"$log" 2>&1 </dev/null
status=$?
seconds=$(echo "$begin $(date +%s.%N)" | awk '{ printf "%.1f", $2 - $1 }')

# What was killed may need a moment to unmap an arena.
left=$(leftovers)
tries=0
while [ -n "$left" ] && [ "$tries" -lt 20 ]; do
    sleep 0.1
    tries=$((tries + 1))
    left=$(leftovers)
done

result=failed
if [ "$status" = 124 ] || { [ "$status" = 137 ] && [ "${seconds%.*}" -ge "$limit_s" ]; }; then
    reason="hung: no end within $limit_s s"
elif [ "$status" -gt 128 ]; then
    reason="died of signal $((status - 128)) ($(kill -l $((status - 128)) 2>/dev/null))"
elif [ "$status" = 77 ]; then
    result=skipped
    reason=$(tail -n 1 "$log")
elif [ "$status" != 0 ]; then
    reason="exit status $status"
elif [ -n "$left" ]; then
    reason="left running: $(describe)"
elif grep -qE '^(==[0-9]+==)?(WARNING|ERROR): (Thread|Address|Leak|UndefinedBehavior)Sanitizer|: runtime error: ' "$log"; then
    reason="a sanitizer's report"
else
    result=passed
    reason=
fi
# shellcheck disable=SC2086  # a list of pids
[ -z "$left" ] || kill -9 $left 2>/dev/null

{
    flock 9
    echo "$result|$name|$seconds|$reason" >>"$check_dir/results"
    if [ "$result" = failed ]; then
        echo "FAILED $name: $reason; the end of $log, without the cases that passed:"
        awk '/^\[ RUN      \]/ { run = $0; next } /^\[       OK \]/ { run = ""; next } { if (run != "") print run; run = ""; print } END { if (run != "") print run }' "$log" | tail -n 40 | sed 's/^/    /'
        echo "    again: $command"
    elif [ -n "${check_verbose-}" ]; then
        printf '%-7s %6s s  %s%s\n' "$result" "$seconds" "$name" "${reason:+ ($reason)}"
    fi
} 9>>"$check_dir/lock"
