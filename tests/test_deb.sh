#!/bin/sh
# test_deb.sh - Debian packages, made of what is built: the same bytes twice, installed by dpkg into a folder that stands for / (with this system's list of packages, so what they depend on is looked for), whole, run, used by a program outside, and
# purged again without a trace.
set -u
work=${TMPDIR:-/tmp}/deb
failures=0
rm -rf "$work"
mkdir -p "$work/again" || exit 1
trap 'rm -rf "$work"' EXIT
for program in dpkg dpkg-deb dpkg-shlibdeps pkg-config mandoc; do
    command -v $program >/dev/null || { echo "no $program: sh tools/check installs it, on Debian"; exit 77; }
done
rights=
[ "$(id -u)" = 0 ] || rights=fakeroot
[ -z "$rights" ] || command -v fakeroot >/dev/null || { echo "neither root nor fakeroot: sh tools/check installs it"; exit 77; }

wrong() {
    echo "$1"
    failures=$((failures + 1))
}
# must WHAT COMMAND...: what it says is in $work/log.
must() {
    what=$1
    shift
    "$@" >"$work/log" 2>&1 </dev/null || { wrong "$what: exit $?"; tail -n 20 "$work/log" | sed 's/^/    /'; }
}

must "tools/deb" sh tools/deb --as-built --out "$work"
must "tools/deb once more" sh tools/deb --as-built --out "$work/again"
version=$(sh tools/version)
soname=$(sh tools/version --soname)
tool=$(ls "$work"/adit_"$version"-1_*.deb) && dev=$(ls "$work"/libadit-dev_"$version"-1_*.deb) || exit 1
for package in "$tool" "$dev"; do
    cmp "$package" "$work/again/${package##*/}" || wrong "the same sources make other bytes"
    dpkg-deb -c "$package" | awk '$2 != "root/root" || $6 !~ /^\.\/(usr\/.*)?$/ { print; wrong = 1 } END { exit wrong }' || wrong "${package##*/} has files outside of usr, or somebody's"
done
# (Tried: a package that depends on libc6 and on one that is nowhere: this finds what is left out, and installing fails. Files with the times of now: other bytes.)
for package in libc6 libnuma1 liburcu8 libncursesw6 libpng16-16; do
    dpkg-deb -f "$tool" Depends | grep -q "$package (>= " || wrong "adit does not depend on $package"
done
dpkg-deb -f "$dev" Depends | grep -qF "adit (= $version-1), " || wrong "libadit-dev does not depend on adit of its version"

# A system of its own in a folder: what is installed here counts as installed there.
root=$work/root
info=$root/var/lib/dpkg
mkdir -p "$info/info" "$info/updates" "$root/var/log" || exit 1
# shellcheck disable=SC2086  # none, or one word
in_root() {
    LC_ALL=C $rights dpkg --root="$root" --log=/dev/null --force-not-root --force-bad-path "$@"
}
# This system's list, without its own adit.
awk 'BEGIN { RS = ""; ORS = "\n\n" } !/^Package: (adit|libadit-dev)\n/' /var/lib/dpkg/status >"$info/status"
: >"$info/available"
must "installing" in_root -i "$tool" "$dev"
[ "$(in_root -s adit libadit-dev 2>/dev/null | grep -c '^Status: install ok installed$')" = 2 ] || wrong "dpkg does not have both installed: $(in_root -l adit libadit-dev 2>&1 | tail -n 2)"
must "what dpkg knows of the files" in_root -V adit libadit-dev
! grep -v '^dpkg: warning' "$work/log" || wrong "files are not those of the package"

# Installed programs, one that is built outside with the shared library, and pages.
[ "$("$root/usr/bin/adit" --version)" = "adit $version" ] || wrong "the installed adit is not of version $version"
must "a world by installed programs" "$root/usr/bin/adit" run terrain:1:1x1x1 --worker-processes 1 --quiet
lib=$(dirname "$(find "$root/usr/lib" -name "$soname")")
PKG_CONFIG_LIBDIR=$lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root
export PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR
# shellcheck disable=SC2046,SC2086  # words are meant
must "a program outside" cc $(pkg-config --cflags adit) "$root/usr/share/doc/libadit-dev/examples/whole.c" $(pkg-config --libs adit) -L"$lib" -o "$work/whole"
must "its object" cc -shared -fPIC -I"$root/usr/include" "$root/usr/share/doc/libadit-dev/examples/sum.c" -o "$work/sum.so"
must "running it" env PATH=/nowhere LD_LIBRARY_PATH="$lib" "$work/whole" "$work/sum.so"
grep -q 'says another process$' "$work/log" || wrong "no task ran in a worker process"
for page in "$root"/usr/share/man/man[13]/*.gz; do
    [ -e "$page" ] || { wrong "${page##*/} leads nowhere"; continue; }
    [ -L "$page" ] || gzip -dc "$page" | mandoc -Tlint -Werror || wrong "${page##*/} is no page"
done

[ "$(readlink "$root/usr/share/man/man3/adit_chunk_put.3.gz")" = adit.3.gz ] || wrong "adit_chunk_put has no page by its name"

# The control: what something depends on does not go alone, and a changed file is found.
in_root -r adit >"$work/log" 2>&1 && wrong "adit goes though libadit-dev depends on it"
echo changed >>"$root/usr/include/adit/quad.h"
in_root -V libadit-dev 2>/dev/null | grep -q 'usr/include/adit/quad.h' || wrong "a changed file is not found"
must "purging" in_root -P libadit-dev adit
[ -z "$(find "$root" -mindepth 1 ! -path "$root/var*")" ] || wrong "after a purge there is $(find "$root" -mindepth 1 ! -path "$root/var*" | tr '\n' ' ')"

sh tools/deb --frob >"$work/log" 2>&1 && wrong "tools/deb takes --frob"
grep -q '^tools/deb: no such option: --frob$' "$work/log" || wrong "tools/deb says: $(cat "$work/log")"
[ $failures = 0 ]
