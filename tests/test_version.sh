#!/bin/sh
# test_version.sh - one version, told alike by everybody: runtime/adit_version.h is where it stands. Every program and subcommand has --version, pages of the manual and the library carry it, the name that programs load the library by
# follows from it, CHANGELOG.md begins with it, and README.md's rule names the layout's number.
set -u
bin=build/release/bin
lib=build/release/lib
work=${TMPDIR:-/tmp}/version
failures=0
rm -rf "$work"
mkdir -p "$work/tools" "$work/runtime" "$work/shm" || exit 1
[ -x $bin/adit ] || { echo "$bin/adit is not built: ninja"; exit 1; }

# same WHAT SAID WANTED
same() {
    [ "$2" = "$3" ] || { echo "$1: '$2', not '$3'"; failures=$((failures + 1)); }
}

version=$(sh tools/version) || exit 1
soname=$(sh tools/version --soname)
layout=$(sh tools/version --layout)
for program in "$bin"/*; do
    name=${program##*/}
    case $name in *[!a-z-]*) continue ;; esac
    same "$name --version" "$($program --version 2>&1)" "$name $version"
done
for command in $($bin/adit --help | sed -nE 's/^  ([a-z]+) .*/\1/p'); do
    same "adit $command --version" "$($bin/adit "$command" --version 2>&1)" "adit $version"
    same "adit $command --man" "$($bin/adit "$command" --man | sed -n '1s/.*"\(adit [^"]*\)".*/\1/p')" "adit $version"
done

# The library: its name, who is linked with it, what it says of itself beside what was compiled against. (Tried: a soname without a number, a library that says 0.1.1.)
same "the soname of libadit.so" "$(readelf -d $lib/libadit.so | sed -nE 's/.*SONAME.*\[(.*)\]/\1/p')" "$soname"
same "what is there by that name" "$(readlink -f "$lib/$soname")" "$(readlink -f $lib/libadit.so)"
cat >"$work/says.c" <<'END'
#include <stdio.h>
#include "runtime/adit.h"
int main(void) { return printf("%s %s %d.%d.%d %d\n", adit_version(), ADIT_VERSION, ADIT_VERSION_MAJOR, ADIT_VERSION_MINOR, ADIT_VERSION_PATCH, ADIT_VERSION_NUMBER) < 0; }
END
number=$(echo "$version" | awk -F. '{ print $1 * 10000 + $2 * 100 + $3 }')
if gcc -I. "$work/says.c" -L$lib -ladit -Wl,-rpath,"$(pwd)/$lib" -o "$work/says"; then
    same "the library and its header" "$("$work/says")" "$version $version $version $number"
    same "what it loads" "$(readelf -d "$work/says" | sed -nE 's/.*NEEDED.*\[(libadit.*)\]/\1/p')" "$soname"
else
    echo "a program with libadit.so cannot be linked"
    failures=$((failures + 1))
fi
same "the newest entry of CHANGELOG.md" "$(sed -nE 's/^## ([0-9.]+) .*/\1/p' CHANGELOG.md | head -n 1)" "$version"
grep -qE "layout version .*\(now $layout\)" README.md || { echo "README.md's rule of versions does not say that the layout version is $layout now"; failures=$((failures + 1)); }

# The control: other headers, other answers, and a clear end where a number is missing.
cp tools/version "$work/tools"
sed 's/MAJOR 0/MAJOR 7/; s/MINOR [0-9]*/MINOR 8/; s/PATCH [0-9]*/PATCH 9/' runtime/adit_version.h >"$work/runtime/adit_version.h"
echo '#define ADIT_LAYOUT_VERSION 12u' >"$work/shm/layout.h"
same "another header" "$(sh "$work/tools/version")" 7.8.9
same "another header's soname" "$(sh "$work/tools/version" --soname)" libadit.so.7
same "another layout" "$(sh "$work/tools/version" --layout)" 12
sed 's/MAJOR 0/MAJOR 0x/' runtime/adit_version.h >"$work/runtime/adit_version.h"
sh "$work/tools/version" >"$work/log" 2>&1 && { echo "a header without a number has a version: $(cat "$work/log")"; failures=$((failures + 1)); }
grep -q 'no number ADIT_VERSION_MAJOR in runtime/adit_version.h' "$work/log" || { echo "a header without a number: $(cat "$work/log")"; failures=$((failures + 1)); }
[ $failures = 0 ]
