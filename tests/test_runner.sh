#!/bin/sh
# test_runner.sh - the runner's own test: what must fail is seen to fail. A check that cannot fail says nothing.
set -u
check_dir=${TMPDIR:-/tmp}/runner
export check_dir
mkdir -p "$check_dir"
failures=0

# expect RESULT PART-OF-REASON SECONDS COMMAND
expect() {
    : >"$check_dir/results"
    sh tests/run_one.sh "control|$3|$4" >"$check_dir/out" 2>&1
    line=$(cat "$check_dir/results")
    case $line in
    "$1|control|"*"|"*"$2"*) ;;
    *)
        echo "not caught: $4: wanted '$1 ... $2', got '$line'"
        failures=$((failures + 1))
        ;;
    esac
}

expect passed '' 10 'true'
expect skipped 'no such device' 10 'sh -c "echo no such device; exit 77"'
expect failed 'exit status 1' 10 'false'
expect failed 'exit status 127' 10 './no-such-program'
expect failed 'signal 11' 10 'sh -c "kill -SEGV \$\$"'
expect failed 'signal 9' 10 'sh -c "kill -KILL \$\$"'
expect failed 'hung' 1 'sleep 60'
expect failed 'hung' 1 'sh -c "trap : TERM; while :; do sleep 1; done"'
expect failed 'left running' 10 'sh -c "setsid sleep 60 & exit 0"'
expect failed 'sanitizer' 10 'sh -c "echo WARNING: ThreadSanitizer: data race; exit 0"'
expect failed 'sanitizer' 10 'sh -c "echo x.c:1:2: runtime error: shift; exit 0"'

if grep -lzsx "ADIT_TEST_MARK=adit-.*" /proc/[0-9]*/environ | xargs -r -n 1 dirname | while read -r dir; do
    { tr '\0' ' ' <"$dir/cmdline"; } 2>/dev/null
    echo
done | grep '^sleep 60'; then
    echo "not ended: a process that a control left behind"
    failures=$((failures + 1))
fi
[ "$failures" = 0 ] && echo "all controls were judged as they should be"
