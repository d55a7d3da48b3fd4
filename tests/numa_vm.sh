#!/usr/bin/env bash
# numa_vm.sh - runs a command in a throw-away machine of several memory nodes (QEMU, emulated), for machines that have one.
#
#     bash tests/numa_vm.sh [-n NODES] [-c CPUS] [-m MIB] [-F MIB]... [-d DISTANCE] [-g PAGES[,PAGES]...]
#                           [-G PAGES[,PAGES]...] [-f FILE]... [-t SECONDS] [-p] [-v] -- COMMAND [ARGUMENT]...
#
#   -n  nodes with processors (2)                  -c  processors of each of them (2)
#   -m  MiB of memory of each of them (384)        -F  a memory-only far node of that many MiB; may repeat
#   -d  distance of far nodes (30)                 -g  2 MiB huge pages of node 0, 1, ... (16); the last one repeats
#   -G  1 GiB huge pages of node 0, 1, ... (none)
#   -f  a file for the guest's working directory, with the libraries it needs; may repeat
#   -t  seconds for everything, boot included (90) -v  shows the guest's console
#   -p  nodes in pairs: 0 and 1 near one another, 2 and 3, and so on, everything else further
#
# The command's output is our output and its exit status ours; 124: it did not end in time; 125: there was no guest, with
# the reason in one line. The guest is the kernel of build/guest (tools/check fetches one) or else the newest in /boot,
# and an initial file system of busybox and the given files: no disk, no network, no rights needed. Emulated, so the same
# on every host: AVX2, no AVX-512, and a kernel older than most, which makes it the test for that too.
set -u
shopt -s nullglob

nodes=2 cpus=2 memory_mib=384 far_mib=() far_distance=30 pages=16 gigantic= files=() limit_s=90 verbose= pairs=
boot_s=45 boots_max=3

fail() {
    echo "numa_vm.sh: $*" >&2
    exit 125
}

while getopts n:c:m:F:d:g:G:f:t:pv option; do
    case $option in
    n) nodes=$OPTARG ;;
    c) cpus=$OPTARG ;;
    m) memory_mib=$OPTARG ;;
    F) far_mib+=("$OPTARG") ;;
    d) far_distance=$OPTARG ;;
    g) pages=$OPTARG ;;
    G) gigantic=$OPTARG ;;
    f) files+=("$OPTARG") ;;
    t) limit_s=$OPTARG ;;
    p) pairs=1 ;;
    v) verbose=1 ;;
    *) fail "see the head of tests/numa_vm.sh for its options" ;;
    esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || fail "no command given"

top=$(cd "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd) || fail "no such folder"
kernel=${ADIT_GUEST_KERNEL-}
for candidate in /boot/vmlinuz-* "$top"/build/guest/vmlinuz-*; do
    [ -n "${ADIT_GUEST_KERNEL-}" ] || [ ! -r "$candidate" ] || kernel=$candidate
done
[ -r "$kernel" ] || fail "no kernel for the guest: run sh tools/check once, it fetches one into build/guest"
for program in qemu-system-x86_64 busybox cpio; do
    command -v "$program" >/dev/null || fail "$program is missing: run sh tools/check, it installs what it needs"
done

work=$(mktemp -d) || fail "no temporary folder"
qemu_pid=
trap '[ -n "$qemu_pid" ] && kill "$qemu_pid" 2>/dev/null; rm -rf "$work"' EXIT

# ---- the guest's file system ----

root=$work/root
mkdir -p "$root"/{bin,dev,proc,sys,tmp,t} || fail "cannot write $work"
cp "$(command -v busybox)" "$root/bin/busybox"
for file in "${files[@]}"; do
    # Without what is for debuggers, a program has a fifth of its size: all of it is copied twice by emulated processors.
    strip -g -o "$root/t/${file##*/}" "$file" 2>/dev/null || cp -L "$file" "$root/t/" || fail "cannot copy $file"
    while read -r library; do
        [ -e "$root$library" ] || { mkdir -p "$root${library%/*}" && cp -L "$library" "$root$library"; }
    done < <(ldd "$file" 2>/dev/null | grep -oE '/[^ ]+')
done
printf '%q ' "$@" >"$root/command"

# The console is ttyS0, the command's output ttyS1, our own words (boot, status) ttyS2.
cat >"$root/init" <<END
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/t:/bin HOME=/tmp TMPDIR=/tmp
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm
mount -t tmpfs shm /dev/shm
mount -t tmpfs tmp /tmp
list=$pages
for node in \$(ls -d /sys/devices/system/node/node* | sort -V); do
    echo \${list%%,*} >\$node/hugepages/hugepages-2048kB/nr_hugepages
    list=\${list#*,}
done
for port in 1 2; do stty -F /dev/ttyS\$port raw -echo; done
echo boot >/dev/ttyS2
cd /t
sh /command >/dev/ttyS1 2>&1 </dev/null
status=\$?
for try in 1 2 3 4 5 6 7 8 9 10; do # the host ends the machine once it has read this
    echo "status \$status" >/dev/ttyS2
    sleep 1
done
reboot -f
END
chmod +x "$root/init"
(cd "$root" && find . -print0 | cpio -o0 -H newc --quiet -R 0:0) >"$work/initrd" || fail "cannot pack the guest's files"

# ---- the machine ----

node_mib=()
for ((node = 0; node < nodes; node++)); do node_mib+=("$memory_mib"); done
node_mib+=("${far_mib[@]}")
machine=() distances=() total_mib=0
for node in "${!node_mib[@]}"; do
    processors=
    [ "$node" -ge "$nodes" ] || processors=,cpus=$((node * cpus))-$((node * cpus + cpus - 1))
    machine+=(-object "memory-backend-ram,id=m$node,size=${node_mib[node]}M" -numa "node,nodeid=$node,memdev=m$node$processors")
    total_mib=$((total_mib + node_mib[node]))
    for other in "${!node_mib[@]}"; do
        [ "$other" != "$node" ] || continue
        apart=$((node > other ? node - other : other - node))
        distance=$((11 + 10 * apart))
        [ -z "$pairs" ] || distance=$((node / 2 == other / 2 ? 12 : 30))
        [ "$node" -lt "$nodes" ] && [ "$other" -lt "$nodes" ] || distance=$far_distance
        distances+=(-numa "dist,src=$node,dst=$other,val=$distance")
    done
done
arguments="console=ttyS0 panic=-1 reboot=t nokaslr no5lvl mitigations=off audit=0 nowatchdog random.trust_cpu=1"
if [ -n "$gigantic" ]; then # only at boot is there room for them
    by_node=() node=0
    for n in ${gigantic//,/ }; do by_node+=("$((node++)):$n"); done
    arguments+=" hugepagesz=1G hugepages=$(IFS=, && echo "${by_node[*]}") default_hugepagesz=2M"
fi
arguments+=" tsc=reliable no_timer_check loglevel=5 8250.nr_uarts=4 rcupdate.rcu_expedited=1"

start_s=$SECONDS

has_status() {
    grep -qs '^status [0-9][0-9]*$' "$work/words"
}

# One boot. Leaves the guest's words in $work; returns 0 when the guest ended or time is up, 1 when it has no result to show.
boot() {
    local since_s=$SECONDS
    rm -f "$work"/{console,output,words}
    qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -accel tcg -cpu max \
        -kernel "$kernel" -initrd "$work/initrd" -append "$arguments" \
        -M pc -m "${total_mib}M" -smp "$((nodes * cpus)),sockets=$nodes,cores=$cpus,threads=1" "${machine[@]}" "${distances[@]}" \
        -serial "file:$work/console" -serial "file:$work/output" -serial "file:$work/words" \
        </dev/null >"$work/qemu" 2>&1 &
    qemu_pid=$!
    while kill -0 "$qemu_pid" 2>/dev/null && ! has_status; do
        [ $((SECONDS - start_s)) -lt "$limit_s" ] || break
        [ -s "$work/words" ] || [ $((SECONDS - since_s)) -lt "$boot_s" ] || break
        sleep 0.05
    done
    kill "$qemu_pid" 2>/dev/null
    wait "$qemu_pid" 2>/dev/null
    qemu_status=$?
    qemu_pid=
    has_status || [ $((SECONDS - start_s)) -ge "$limit_s" ]
}

# An emulated guest hangs early or resets now and then, on a busy host: that is no result, so it is booted again.
for ((try = 1; try <= boots_max; try++)); do
    boot && break
done
[ ! -s "$work/output" ] || cat "$work/output"
[ -z "$verbose" ] || cat "$work/console" >&2
status=$(sed -n 's/^status \([0-9][0-9]*\)$/\1/p;T;q' "$work/words" 2>/dev/null)
[ -z "$status" ] || exit "$status"
if [ -s "$work/words" ] && [ $((SECONDS - start_s)) -ge "$limit_s" ]; then
    echo "numa_vm.sh: $1 did not end within $limit_s s" >&2
    exit 124
fi
tail -n 5 "$work/qemu" "$work/console" >&2
fail "the guest ended without a result $boots_max times (kernel $kernel; exit status $qemu_status); above: qemu and the console"
