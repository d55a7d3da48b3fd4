#!/bin/sh
# bare_debian.sh - proves that `sh tools/quickstart` and `sh tools/check` work on a Debian 12 that has nothing but git.
#
#     sudo sh tests/bare_debian.sh [quickstart | check]        (sh tools/check --bare calls it)
#
# debootstrap makes the system once (minbase, git, ca-certificates; kept as build/bare/clean.tar). Each command then runs
# in fresh copies of it, in a clone of HEAD, in a namespace of processes and mounts of its own: as root, as a user with
# sudo, and as a user without, who must be told in one line what to do. Needs root, 8 GiB of disk below build/, a mirror.
# The apt sources and proxy settings of this machine are taken along, nothing else of it.
set -u
commands=${1:-quickstart check}
cd "$(dirname -- "$0")/.." || exit 1
bare=$(pwd)/build/bare
failures=0
passes=0

fail() {
    echo "bare_debian.sh: $*" >&2
    exit 1
}

case $commands in
quickstart | check | 'quickstart check') ;;
*) fail "quickstart or check, not '$commands'" ;;
esac
[ "$(id -u)" = 0 ] || fail "needs root (for chroot): sudo sh tools/check --bare"
command -v debootstrap >/dev/null || fail "debootstrap is missing: apt-get install debootstrap"
mkdir -p "$bare" || exit 1

make_clean() {
    [ ! -s "$bare/clean.tar" ] || return 0
    mirror=$(sed -n 's/^URIs: *//p; s/^deb \(http[^ ]*\) .*/\1/p' /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list \
        2>/dev/null | grep '/debian/*$' | head -n 1)
    echo "bare_debian.sh: making a Debian 12 from ${mirror:=http://deb.debian.org/debian}"
    rm -rf "$bare/root"
    debootstrap --variant=minbase --include=git,ca-certificates bookworm "$bare/root" "$mirror" >"$bare/debootstrap.log" 2>&1 ||
        { tail -n 5 "$bare/debootstrap.log" >&2; fail "debootstrap failed ($bare/debootstrap.log)"; }
    tar -C "$bare/root" -cf "$bare/clean.part" . && mv "$bare/clean.part" "$bare/clean.tar" || exit 1
    rm -rf "$bare/root"
}

# Runs a command line in the system at $bare/root as user $1, at home. Processes left behind end with the namespace; its
# first process is a shell that waits, and so reaps orphans as an init does.
inside() {
    # shellcheck disable=SC2016  # expanded by the inner shell
    unshare --mount --pid --fork sh -c '
        mount --make-rprivate / && mount -t proc proc "$1/proc" && mount --rbind /sys "$1/sys" && mount --rbind /dev "$1/dev" &&
        mount -t tmpfs tmpfs "$1/tmp" && chroot "$1" su -l "$2" -c "$3"
        exit $?' inside "$bare/root" "$1" "$2" </dev/null
}

# A fresh system with user $1 and the extra packages $2, and a clone in that user's home.
prepare() {
    rm -rf "$bare/root"
    mkdir -p "$bare/root"
    tar -C "$bare/root" -xf "$bare/clean.tar" || exit 1
    cp -L /etc/resolv.conf /etc/hosts "$bare/root/etc/"
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources; do
        [ ! -f "$file" ] || { rm -f "$bare/root/etc/apt/sources.list" && cp "$file" "$bare/root$file"; }
    done
    grep -lsE 'Proxy|Check-Valid-Until' /etc/apt/apt.conf.d/* | while IFS= read -r file; do cp "$file" "$bare/root$file"; done
    home=/root
    if [ "$1" != root ]; then
        home=/home/$1
        inside root "useradd -m -s /bin/bash $1" || exit 1
    fi
    if [ -n "$2" ]; then
        inside root "apt-get -qq update && apt-get -qq -y install --no-install-recommends $2" >"$bare/prepare.log" 2>&1 ||
            fail "could not install $2 ($bare/prepare.log)"
        inside root "rm -rf /var/lib/apt/lists/* && echo '$1 ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/$1" || exit 1
    fi
    git -c safe.directory='*' clone -q --no-hardlinks "file://$(pwd)" "$bare/root$home/adit" || exit 1
    inside root "chown -R $1: $home/adit" || exit 1
}

# $1: passed or not, $2: what
report() {
    if [ "$1" = 0 ]; then
        passes=$((passes + 1))
        echo "bare_debian.sh: passed: $2"
    else
        failures=$((failures + 1))
        echo "bare_debian.sh: FAILED: $2"
    fi
}

# Runs tools/$2 as user $1 from a folder that is not the clone's, and looks for litter.
prove() {
    begin=$(date +%s)
    log=$bare/$1-$2.log
    inside "$1" "sh adit/tools/$2; status=\$?; cd adit
        { git status --porcelain --ignored | grep -v '^!! build/\$'; ls -d /tmp/*
          ls -A .. | grep -vE '^(\.bash.*|\.profile|\.sudo_as_admin_successful|adit)\$'; } 2>/dev/null | sed 's/^/litter: /'
        exit \$status" >"$log" 2>&1
    status=$?
    seconds=$(($(date +%s) - begin))
    tail -n 12 "$log" | sed 's/^/    /'
    report $status "tools/$2 as $1 in $seconds s ($log)"
    ! grep -q '^litter: ' "$log"
    report $? "tools/$2 as $1 leaves nothing outside build/"
    [ "$2" = check ] || report "$([ $seconds -le 300 ]; echo $?)" "tools/$2 as $1 ends in under 5 minutes ($seconds s)"
}

make_clean
for command in $commands; do
    prepare root ''
    prove root "$command"
    prepare digger sudo
    prove digger "$command"
done

prepare guest ''
inside guest 'sh adit/tools/quickstart' >"$bare/guest.log" 2>&1
status=$?
sed 's/^/    /' "$bare/guest.log"
[ $status = 1 ] && [ "$(wc -l <"$bare/guest.log")" = 1 ] && grep -q 'as root run: apt-get install' "$bare/guest.log"
report $? "a user without sudo is told in one line what to install"
rm -rf "$bare/root"

echo "$passes passed, $failures failed"
[ $failures = 0 ]
