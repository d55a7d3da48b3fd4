#!/bin/sh
# test_guest.sh - runs tests of memory and processes in a machine of two nodes and a far one without processors, and those of placement in one of two pairs of nodes.
#
# Node 0 and 1 have huge pages enough for an arena, the far node has three. guest_nodes looks where pages lie; the others
# are programs of build/release that need nothing but a machine, here with two nodes, four processors that are emulated, an
# old kernel (6.1) and no AVX-512. The last run is the control: with placement taken away, guest_nodes must fail.
set -u
programs='guest_nodes
guest_placement
test_block
test_broker
test_dispatcher
test_material
test_ring
test_stats
test_store
test_syscalls
test_watch
torture_publish 1 4'
bin=build/release/tests

for kernel in build/guest/vmlinuz-* /boot/vmlinuz-*; do
    [ ! -r "$kernel" ] || break
done
[ -r "$kernel" ] || { echo "no kernel for the guest: sh tools/check fetches one into build/guest"; exit 77; }
for program in qemu-system-x86_64 busybox cpio; do
    command -v "$program" >/dev/null || { echo "no guest: $program is missing; sh tools/check installs it"; exit 77; }
done
[ -x $bin/guest_nodes ] || { echo "$bin/guest_nodes is not built: ninja"; exit 1; }

set --
for program in $(echo "$programs" | cut -d' ' -f1); do
    set -- "$@" -f "$bin/$program"
done

status=0
# shellcheck disable=SC2016  # expanded in the guest
bash tests/numa_vm.sh -n 2 -c 2 -m 448 -F 224 -g 48,48,3 -t 400 "$@" -- sh -c '
export ADIT_GUEST=1
failures=0
while read -r program; do
    begin=$(date +%s)
    timeout 60 ./$program >/tmp/log 2>&1 </dev/null
    status=$?
    echo "$program: exit status $status, $(($(date +%s) - begin)) s"
    case $status in
    0) ;;
    77) tail -n 1 /tmp/log ;;
    *) cat /tmp/log; failures=$((failures + 1)) ;;
    esac
done <<END
$1
END
if ADIT_DISABLE=numa ./guest_nodes >/tmp/log 2>&1; then
    echo "the control was not caught: guest_nodes passes with placement taken away"
    cat /tmp/log
    failures=$((failures + 1))
fi
exit $failures' guest "$programs" || status=1
# Of 1 GiB and some each, a node has no whole page of 1 GiB: the first one lies under the kernel, and there is a hole below 4 GiB. Untouched memory costs the host nothing.
# shellcheck disable=SC2016
bash tests/numa_vm.sh -n 2 -c 1 -m 2432 -g 32 -G 1,1 -t 120 -f $bin/guest_pages -- sh -c 'export ADIT_GUEST=1
./guest_pages || exit 1
if ADIT_DISABLE=numa ./guest_pages >/tmp/log 2>&1; then
    echo "the control was not caught: guest_pages passes with placement taken away"
    exit 1
fi' || status=1
bash tests/numa_vm.sh -n 4 -c 1 -p -m 160 -g 8 -t 300 -f $bin/guest_placement -- sh -c 'ADIT_GUEST=1 ./guest_placement' || status=1
exit $status
