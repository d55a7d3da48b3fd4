#!/bin/sh
# test_install.sh - what tools/install puts below a prefix is all that people and programs elsewhere need: installed programs run, headers stand by themselves in C and C++, every example of the installed tree is compiled by pkg-config's words, with the
# shared library and with the static one, and run: a chunk is published, meshed and read, between processes, too, and a task runs in a worker process, whose program is found wherever the library lies. Then it is taken away, and nothing is left.
set -u
work=${TMPDIR:-/tmp}/install
failures=0
server=
rm -rf "$work"
mkdir -p "$work/empty" || exit 1
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
command -v pkg-config >/dev/null || { echo "no pkg-config: sh tools/check installs it"; exit 77; }

wrong() {
    echo "$1"
    failures=$((failures + 1))
}
# must WHAT COMMAND...: what it says is in $work/log.
must() {
    what=$1
    shift
    "$@" >"$work/log" 2>&1 </dev/null || { wrong "$what: exit $?"; sed 's/^/    /' "$work/log"; }
}
# says WHAT EXPRESSION: about $work/log.
says() {
    grep -qE "$2" "$work/log" || { wrong "$1 says:"; sed 's/^/    /' "$work/log"; }
}
# refused STATUS WORDS COMMAND...: one line with these words.
refused() {
    status=$1 words=$2
    shift 2
    "$@" >"$work/log" 2>&1 </dev/null
    [ $? = "$status" ] || wrong "not exit $status: $*"
    says "$*" "$words"
}

there=$work/there
must "an install" env PREFIX="$there" sh tools/install --quiet
# (Tried: without quad.h, or libworker_stamp.so; a program looked for in ../bin alone; folders left; DESTDIR in adit.pc.)
[ ! -s "$work/log" ] || wrong "--quiet says: $(cat "$work/log")"
must "the same once more" sh tools/install --quiet --prefix "$there"
version=$(sh tools/version)
for program in adit adit-worker shmtop perf-lab; do
    [ "$("$there/bin/$program" --version)" = "$program $version" ] || wrong "the installed $program is not of version $version"
done
must "a world by installed programs" "$there/bin/adit" run terrain:1:1x1x1 --worker-processes 1 --quiet
must "perf-lab with the object that its workers load" "$there/bin/perf-lab" run idle --short
says "perf-lab" '^idle .* us +[0-9]'
[ "$(readlink -f "$there/lib/libadit.so")" = "$there/lib/libadit.so.$version" ] || wrong "libadit.so is no link to libadit.so.$version"
for page in build/man/*.1; do
    case $page in *planted*) continue ;; esac # of test_man, which may run beside
    [ -s "$there/share/man/man1/${page##*/}" ] || wrong "there is no ${page##*/}"
done

for call in adit_chunk_put=adit adit_enter=adit adit_submit=adit_tasks adit_quad_pack=adit_quad; do
    [ "$(readlink "$there/share/man/man3/${call%=*}.3")" = "${call#*=}.3" ] || wrong "${call%=*} has no page by its name"
done
[ -z "$(find "$there" -type l ! -exec test -e {} ';' -print)" ] || wrong "links that lead nowhere: $(find "$there" -type l ! -exec test -e {} ';' -print)"
for page in build/man/*.3; do
    cmp -s "$page" "$there/share/man/man3/${page##*/}" || wrong "${page##*/} is not installed as it is"
done

# Headers: nothing of the source tree is in their includes, and each language takes them as they are.
PKG_CONFIG_PATH=$there/lib/pkgconfig
export PKG_CONFIG_PATH
[ "$(pkg-config --modversion adit)" = "$version" ] || wrong "adit.pc is of version $(pkg-config --modversion adit)"
flags=$(pkg-config --cflags adit)
! grep -nE '^ *# *include +"' "$there"/include/adit/*.h || wrong "includes of the source tree in installed headers"
echo '#include <adit/adit.h>' >"$work/header.c"
# shellcheck disable=SC2086  # words are meant
must "adit.h as C11" cc -std=c11 -pedantic -Wall -Wextra -Werror -fsyntax-only $flags "$work/header.c"
cxx=$(command -v g++ || command -v clang)
[ -z "$cxx" ] || must "adit.h as C++17" "$cxx" -x c++ -std=c++17 -pedantic -Wall -Wextra -Werror -fsyntax-only $flags "$work/header.c"

# Examples, as they are installed, both ways.
static=$(pkg-config --variable=static_libs adit)
mkdir "$work/outside" || exit 1
for example in "$there"/share/doc/adit/examples/*.c; do
    name=${example##*/}
    name=${name%.c}
    # shellcheck disable=SC2086
    if [ "$name" = sum ]; then
        must "sum.so" cc -Wall -Werror -shared -fPIC $flags "$example" -o "$work/outside/sum.so"
    else
        must "$name with libadit.so" cc -Wall -Werror "$example" $(pkg-config --cflags --libs adit) -lm -o "$work/outside/$name.shared"
        must "$name with libadit.a" cc -Wall -Werror $flags "$example" $static -o "$work/outside/$name.static"
    fi
done
# And as README.md says it, word by word.
cp "$there/share/doc/adit/examples/producer.c" "$work/outside/game.c"
grep '^    cc game\.c ' README.md >"$work/said"
[ "$(wc -l <"$work/said")" = 2 ] || wrong "README.md has other lines for a program elsewhere: $(cat "$work/said")"
while IFS= read -r line; do
    must "README.md's $line" sh -c "cd '$work/outside' && $line"
done <"$work/said"

LD_LIBRARY_PATH=$there/lib
export LD_LIBRARY_PATH
"$there/bin/adit" serve outside >"$work/server" 2>&1 </dev/null &
server=$!
tries=0
until "$there/bin/adit" ls 2>/dev/null | grep -q outside || [ $tries -ge 300 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
must "a producer with libadit.so" "$work/outside/producer.shared" outside
must "a consumer with libadit.a" "$work/outside/consumer.static" outside
says "the consumer" '^chunk 0,0,0: [1-9][0-9]* quads cover [1-9][0-9]* faces$'
kill -INT "$server"
wait "$server" || wrong "the server ends with $?: $(cat "$work/server")"
server=

# whole HOW PROGRAM [NAME=VALUE...]: where the program of worker processes is found. No system's own: PATH has nothing else in it.
whole() {
    how=$1 program=$2
    shift 2
    must "$how" env PATH="$work/empty" "$@" "$program" "$work/outside/sum.so"
    says "$how" '^a floor: 6 quads cover 8448 faces$'
    says "$how" '^the sum of 1 to 100 is 5050, says another process$'
    says "$how" "^adit $version, compiled with $version\$"
}
[ ! -e /usr/bin/adit-worker ] || echo "this system has an adit-worker of its own"
whole "whole with libadit.so" "$work/outside/whole.shared"
whole "whole with libadit.a, by PATH" "$work/outside/whole.static" PATH="relative:$there/nowhere:$there/bin"
whole "whole with libadit.a, by ADIT_WORKER" "$work/outside/whole.static" ADIT_WORKER="$there/bin/adit-worker"
# The control: by nothing at all.
refused 1 'no program adit-worker beside .* nor on \$PATH; name it by worker_path or \$ADIT_WORKER' env PATH="$work/empty" "$work/outside/whole.static" "$work/outside/sum.so"

# Libraries in a folder of their architecture; files of others, and folders that were there, stay when all of it goes.
mkdir -p "$work/other/share/man/man1" "$work/other/bin" && echo keep >"$work/other/bin/kept" || exit 1
must "an install with --libdir" sh tools/install --strip --prefix "$work/other" --libdir "$work/other/lib/some-arch" --quiet
whole "whole with a stripped libadit.so in lib/some-arch" "$work/outside/whole.shared" LD_LIBRARY_PATH="$work/other/lib/some-arch"
must "uninstall with --libdir" sh tools/install --uninstall --prefix "$work/other" --libdir "$work/other/lib/some-arch"
[ "$(cd "$work/other" && find . | sort | tr '\n' ' ')" = ". ./bin ./bin/kept ./share ./share/man ./share/man/man1 " ] || wrong "after uninstall there is $(cd "$work/other" && find . | tr '\n' ' ')"

# A folder that stands for /: nothing in it knows of that.
must "an install with DESTDIR" env DESTDIR="$work/root" PREFIX=/opt/adit sh tools/install
! grep -rlF "$work" "$work/root/opt/adit/lib/pkgconfig" "$work/root/opt/adit/include" "$work/root/opt/adit/share" || wrong "what is installed knows of DESTDIR"
[ -x "$work/root/opt/adit/bin/adit" ] || wrong "nothing is below DESTDIR"
must "uninstall with DESTDIR" env DESTDIR="$work/root" PREFIX=/opt/adit sh tools/install --uninstall
must "uninstall" sh tools/install --uninstall --prefix "$there"
[ ! -e "$there" ] && [ -z "$(find "$work/root" -mindepth 1)" ] || wrong "after uninstall there is $(find "$there" "$work/root" -mindepth 1 | tr '\n' ' ')"

refused 1 '^tools/install: nothing is installed below ' sh tools/install --uninstall --prefix "$there"
refused 2 "^tools/install: 'here' must begin with a slash\$" sh tools/install --prefix here
refused 2 "names of letters, digits" sh tools/install --prefix "/tmp/a b"
refused 2 '^tools/install: --prefix needs a value$' sh tools/install --prefix
refused 2 '^tools/install: no such option: --frob$' sh tools/install --frob
[ $failures = 0 ]
