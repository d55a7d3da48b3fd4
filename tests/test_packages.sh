#!/bin/sh
# test_packages.sh - tools/packages installs what is missing and nothing else, and says in one line when it cannot.
#
# dpkg-query, apt-get, id and sudo are played by programs in a folder that stands first in PATH: which packages are there
# is the file 'there', what apt-get was asked is the file 'asked', and how often apt-get fails is the file 'fails'.
set -u
work=${TMPDIR:-/tmp}/packages
top=$(pwd)
failures=0
rm -rf "$work"
mkdir -p "$work/bin" "$work/build/log" || exit 1

program() {
    { echo '#!/bin/sh'; cat; } >"$work/bin/$1"
    chmod +x "$work/bin/$1"
}
program dpkg-query <<'END'
shift 3
for package; do ! grep -qx "$package" there || echo "$package installed"; done
echo "halfway not-installed"
END
program apt-get <<'END'
while :; do case $1 in -o) shift 2 ;; -*) shift ;; *) break ;; esac; done
echo "$*" >>asked
[ "$1" != install ] || [ "$(cat fails)" -le 0 ] || { echo $(($(cat fails) - 1)) >fails; exit 100; }
END
program id <<'END'
cat uid
END
program sudo <<'END'
[ -f sudoer ] || exit 1
[ "$1" != -n ] || shift
exec "$@"
END

# expect NAME STATUS WORDS ASKED: calls packages_install for a, b and halfway; WORDS are what its one line must say.
expect() {
    : >"$work/asked"
    sh -c 'cd "$0" && PATH=$0/bin:$PATH && me=control && . "$1/tools/packages" && packages_install "a  why
b        why
halfway  why
"' "$work" "$top" >"$work/said" 2>&1 </dev/null
    status=$?
    asked=$(tr '\n' ';' <"$work/asked")
    if [ $status != "$2" ] || [ "$asked" != "$4" ] || [ "$(grep -c "${3:-.}" "$work/said")" != "$([ -z "$3" ]; echo $?)" ]; then
        echo "$1: status $status, asked '$asked', said:"
        cat "$work/said"
        failures=$((failures + 1))
    fi
}

set_up() {
    printf '%s\n' "$1" | tr ' ' '\n' >"$work/there"
    echo "$2" >"$work/uid"
    echo "$3" >"$work/fails"
}

set_up 'a b halfway' 1000 0
expect 'nothing is missing' 0 '' ''
set_up 'a' 0 0
expect 'only what is missing' 0 'installing b halfway$' 'install --no-install-recommends b halfway;'
set_up 'b halfway' 0 1
expect 'stale lists are fetched anew' 0 'installing a$' 'install --no-install-recommends a;update;install --no-install-recommends a;'
set_up 'b halfway' 1000 0
expect 'no right to install' 1 'as root run: apt-get install --no-install-recommends a$' ''
: >"$work/sudoer"
expect 'with sudo' 0 'installing a$' 'install --no-install-recommends a;'
set_up 'b halfway' 0 2
expect 'a failure is told' 1 'apt-get failed .*as root try: apt-get update && apt-get install --no-install-recommends a$' \
    'install --no-install-recommends a;update;install --no-install-recommends a;'

# What the build links against comes from the packages it installs, or a bare machine could not build; what peers do, from theirs.
me=control
. tools/packages
for library in $(grep -hv "^#" build.ninja ./*/build.ninja tools/*/build.ninja | tr " " "\n" | sed -n "s/^-l//p" | sort -u); do
    file=$(realpath -ms "$(gcc -print-file-name="lib$library.so")")
    package=$(dpkg -S "$file" 2>/dev/null | cut -d: -f1)
    case $package$packages_peers in *"
lib$library-dev "*) package=${package:-lib$library-dev} ;; esac # of peers that may be missing, and were not built then
    case $packages_build$packages_test$packages_peers in
    *"
$package "*) ;;
    *)
        echo "-l$library: its package '$package' is not in tools/packages"
        failures=$((failures + 1))
        ;;
    esac
done
[ $failures = 0 ]
