#!/bin/sh
# test_examples.sh - the examples as a user has them: compiled as they stand, linked both ways, run together on one arena.
#
# The public header must be clean C11 and C++17, and libadit.so must show adit_* and nothing else. Then a server, a producer
# linked with libadit.a, an editor and a consumer linked with libadit.so meet in an arena. stream, which has its own, is judged by what is heard, never by when.
set -u
work=${TMPDIR:-/tmp}/examples
failures=0
server=
rm -rf "$work"
mkdir -p "$work" || exit 1
trap '[ -z "$server" ] || kill "$server" 2>/dev/null' EXIT

# must WHAT COMMAND...
must() {
    what=$1
    shift
    "$@" >"$work/log" 2>&1 </dev/null || { echo "$what: exit $?"; sed 's/^/    /' "$work/log"; failures=$((failures + 1)); }
}

echo '#include "runtime/adit.h"' >"$work/header.c"
must 'the header as C11' gcc -std=c11 -pedantic -Wall -Wextra -Wconversion -Werror -I. -c "$work/header.c" -o "$work/header.o"
must 'the header as C++17' clang -x c++ -std=c++17 -pedantic -Wall -Wextra -Werror -I. -fsyntax-only "$work/header.c"

libs=$(sed -n 's/^libs = //p' build.ninja)
for example in producer consumer editor stream; do
    # shellcheck disable=SC2086  # a list of libraries
    must "$example with libadit.a" gcc -Wall -I. tools/examples/$example.c build/release/lib/libadit.a $libs -pthread -o "$work/$example.a"
    must "$example with libadit.so" gcc -Wall -I. tools/examples/$example.c -Lbuild/release/lib -ladit -lm -o "$work/$example.so" \
        -Wl,-rpath,"$(pwd)/build/release/lib"
done
foreign=$(nm -D --defined-only build/release/lib/libadit.so | awk '$2 != "A" && $3 !~ /^adit_/ { print $3 }')
[ -z "$foreign" ] || { echo "libadit.so exports what is not adit's: $foreign"; failures=$((failures + 1)); }

build/release/bin/adit serve cave >"$work/server" 2>&1 </dev/null &
server=$!
tries=0
until build/release/bin/adit ls 2>/dev/null | grep -q cave || [ $tries -ge 100 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
must "the producer" "$work/producer.a" cave
must "the editor" "$work/editor.so" cave 20
must "the consumer" "$work/consumer.so" cave
grep -qE '^chunk 0,0,0: [1-9][0-9]* quads cover [1-9][0-9]* faces$' "$work/log" ||
    { echo "the consumer says:"; cat "$work/log"; failures=$((failures + 1)); }
kill -INT "$server"
wait "$server"
status=$?
[ "$status" = 0 ] || { echo "the server ends with $status:"; cat "$work/server"; failures=$((failures + 1)); }
server=
must "no arena is left" sh -c "! build/release/bin/adit ls | grep cave"

build/release/tools/examples/consumer nobody >"$work/log" 2>&1 && { echo "a consumer without an arena succeeds"; failures=$((failures + 1)); }
grep -q nobody "$work/log" || { echo "a consumer without an arena says: $(cat "$work/log")"; failures=$((failures + 1)); }

# heard SAMPLES: what stream says in $work/log. (Tried: a gain of 1 in its filter, a hop left out, a frame sent twice, a window of ones: each ends with 1.)
heard() {
    grep -qE "^$1 samples sent, $1 heard; " "$work/log" && grep -qE '^2200 Hz: 0\.(499|500|501) of 0\.500 are left; 9000 Hz: 0\.00[01][0-9] of 0\.250$' "$work/log" &&
        grep -qE '^FFT of 512 points: [0-9.]+ us as a task, [0-9.]+ us as a call ' "$work/log" || { echo "stream says:"; cat "$work/log"; failures=$((failures + 1)); }
}
must "a stream of a second" "$work/stream.so" --seconds 1
heard 48000
"$work/stream.a" --seconds 60 >"$work/log" 2>&1 </dev/null &
server=$!
tries=0
until build/release/bin/adit dump "stream-$server" --brief 2>/dev/null | awk '$2 == "wet" && $8 >= 24000 { heard = 1 } END { exit !heard }' || [ $tries -ge 300 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
kill -INT "$server"
wait "$server"
status=$?
[ "$status" = 0 ] || { echo "an interrupted stream ends with $status:"; cat "$work/log"; failures=$((failures + 1)); }
heard '[1-9][0-9]*'
must "no stream's arena is left" sh -c "! build/release/bin/adit ls | grep stream-$server"
server=
[ $failures = 0 ]
