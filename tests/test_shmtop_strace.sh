#!/bin/sh
# test_shmtop_strace.sh - shmtop stores nothing: as the kernel sees it, it maps an arena's memory to be read alone, makes none of it writable later, and gives no file of an arena, nor any other, to a call that
# writes. On a terminal, in batches, and `adit stats --listen` likewise.
#
# strace -y names each descriptor's file: an arena's are memfd. The control is `adit feed`, which maps the same memory to write and must be found to.
# (tried: shmtop as a consumer, whose control segment is writable; shmtop that writes a file.)
set -u
bin=build/release/bin
work=${TMPDIR:-/tmp}/shmtop_strace.$$
mkdir -p -m 700 "$work/run" || exit 1
export XDG_RUNTIME_DIR="$work/run" TERM=xterm
failures=0
serve=
trap '[ -z "$serve" ] || kill "$serve"; wait; rm -rf "$work"' EXIT
command -v strace >/dev/null || { echo "no strace: sh tools/check installs it"; exit 77; }
strace -f -o "$work/true" true 2>"$work/why" || { echo "strace may not trace here: $(head -n 1 "$work/why")"; exit 77; }

wrong() {
    echo "$1"
    failures=$((failures + 1))
}

# Waits until the command $2... succeeds; $1 says what for.
await() {
    what=$1
    shift
    tries=0
    until "$@"; do
        [ "$tries" -lt 600 ] || { wrong "no $what within a minute"; return 1; }
        sleep 0.1
        tries=$((tries + 1))
    done
}

# The calls by which memory is mapped, and files are opened and written.
trace="strace -f -qq -y -s 0 -e signal=none -e trace=mmap,mremap,mprotect,pkey_mprotect,remap_file_pages,open,openat,creat,write,writev,pwrite64,pwritev,pwritev2"
trace="$trace,sendfile,splice,copy_file_range,ftruncate,truncate,fallocate,process_vm_writev,ptrace,io_uring_setup,userfaultfd,memfd_create"

# What stores, or could, of the log $1: one line each.
stores_in() {
    sed -E 's/^[0-9]+ +//' "$1" | sed -nE '
        /^mmap\([^,]*, [^,]*, PROT_READ, MAP_SHARED[^,]*, [0-9]+<[^>]*memfd:/d
        /^mmap\([^,]*, [^,]*, PROT_NONE, /d
        /^mmap\(.*<[^>]*memfd:/p
        /^(mremap|remap_file_pages|process_vm_writev|ptrace|io_uring_setup|userfaultfd|memfd_create|ftruncate|truncate|fallocate|creat)\(/p
        /^(write|writev|pwrite64|pwritev|pwritev2|sendfile|splice|copy_file_range)\(.*memfd:/p
        /^open(at)?\(.*(O_WRONLY|O_RDWR|O_CREAT|O_TRUNC)/{ /"\/dev\/(null|tty)"/!p; }'
    # A range that is an arena's and is made writable. Addresses are numbers of one shell word.
    sed -nE 's/^[0-9]+ +mmap\([^,]*, ([0-9]+), .*memfd:.*\) = (0x[0-9a-f]+)$/\2 \1/p' "$1" >"$work/mapped"
    sed -nE 's/^[0-9]+ +(pkey_)?mprotect\((0x[0-9a-f]+), ([0-9]+), [^)]*PROT_WRITE.*/\2 \3/p' "$1" | while read -r address bytes; do
        while read -r from length; do
            [ $((address + bytes)) -le $((from)) ] || [ $((address)) -ge $((from + length)) ] || echo "mprotect($address, $bytes, PROT_WRITE) of memory of an arena"
        done <"$work/mapped"
    done
}

# Of the log $2 of $1: it looked at the arena, and stored nothing.
looks_alone() {
    grep -q 'mmap(.*PROT_READ, MAP_SHARED.*memfd:' "$2" || wrong "$1: it mapped no memory of an arena, so nothing was looked at: $(tail -n 3 "$2")"
    stores=$(stores_in "$2" | head -n 5)
    [ -z "$stores" ] || wrong "$1 stores: $stores"
}

is_ready() { grep -qs "is ready" "$work/serve"; }
is_drawn() { [ -f "$work/live.log" ] && [ "$(grep -c 'write(1<' "$work/live.log")" -ge "$1" ]; }
is_listening() { grep -qs "/metrics" "$work/listen"; }

"$bin/adit" serve cave --size 64M >"$work/serve" 2>&1 &
serve=$!
await "arena" is_ready || exit 1

# The control first, so that there is something to look at.
$trace -o "$work/feed.log" "$bin/adit" feed cave terrain:1:2x1x2 --quiet >/dev/null || wrong "adit feed: exit $?"
stores_in "$work/feed.log" | grep -q 'mmap(.*PROT_READ|PROT_WRITE, MAP_SHARED.*memfd:' || wrong "the control: adit feed maps an arena to write, and was not found to"

$trace -o "$work/batch.log" "$bin/shmtop" cave --batch -n 5 --interval 100 >"$work/batch" || wrong "shmtop --batch: exit $?"
grep -q cave "$work/batch" || wrong "shmtop --batch said nothing of cave"
looks_alone "shmtop --batch" "$work/batch.log"

# On a terminal of script's: some keys, then q.
mkfifo "$work/keys"
script -qec "$trace -o $work/live.log $bin/shmtop cave --interval 100" /dev/null <"$work/keys" >"$work/live" 2>&1 &
live=$!
exec 3>"$work/keys"
await "screen" is_drawn 3 && printf '234567891' >&3
await "more of it" is_drawn 12
printf 'q' >&3
wait $live || wrong "shmtop on a terminal: exit $?"
exec 3>&-
looks_alone "shmtop on a terminal" "$work/live.log"

$trace -o "$work/listen.log" "$bin/adit" stats cave --listen 0 >"$work/listen" 2>&1 &
listen=$!
await "listener" is_listening && kill "$(sed -n '1s/ .*//p' "$work/listen.log")"
wait $listen || wrong "adit stats --listen: exit $?"
looks_alone "adit stats --listen" "$work/listen.log"
[ "$failures" = 0 ]
