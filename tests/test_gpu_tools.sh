#!/bin/sh
# test_gpu_tools.sh - the tools with a Vulkan device (lavapipe): whole worlds through `adit run --tiers vulkan` and volumes through `adit mesh --tier vulkan` give the
# bytes of the scalar tier; drivers that are missing, broken or listed twice are one line or one device; who shares the work with threads is not given what they
# do sooner.
set -u
cd "$(dirname -- "$0")/.." || exit 1
adit=build/release/bin/adit
dir=$(mktemp -d "${TMPDIR:-/tmp}/adit-gpu-tools-XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
XDG_RUNTIME_DIR=$dir XDG_CACHE_HOME=$dir
export XDG_RUNTIME_DIR XDG_CACHE_HOME
lavapipe=$(ls /usr/share/vulkan/icd.d/lvp_icd.*.json 2>/dev/null | head -n 1)
[ -n "$lavapipe" ] || { echo "lavapipe is not installed (mesa-vulkan-drivers)"; exit 77; }
VK_DRIVER_FILES=$lavapipe
export VK_DRIVER_FILES
failures=0

fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# The number at key $2 of the JSON object in file $1.
number() {
    sed -nE "s/.*\"$2\": *([0-9]+).*/\1/p" "$1" | head -n 1
}

# World $1 by the device alone and by the scalar tier: the same files, and all chunks that are not air were the device's. Other arguments: options.
same_world() {
    world=$1
    shift
    $adit run "$world" --tiers scalar --quiet --out "$dir/scalar.quads" "$@" >"$dir/out" 2>&1 || fail "run $world scalar: $(cat "$dir/out")"
    $adit run "$world" --tiers vulkan --quiet --json --out "$dir/vulkan.quads" "$@" >"$dir/json" 2>"$dir/out" ||
        fail "run $world vulkan: $(cat "$dir/out")"
    cmp -s "$dir/scalar.quads" "$dir/vulkan.quads" || fail "run $world $*: the device's meshes are others"
    [ -s "$dir/vulkan.quads" ] || fail "run $world $*: no quads at all"
    [ "$(number "$dir/json" vulkan:0)" -ge 1 ] || fail "run $world $*: the device has meshed nothing"
}

# Refused with exit 2 and one line that holds $1.
refused() {
    wanted=$1
    shift
    "$@" >"$dir/out" 2>&1
    status=$?
    if [ "$status" != 2 ] || [ "$(wc -l <"$dir/out")" != 1 ] || ! grep -q "$wanted" "$dir/out"; then
        fail "$*: exit $status, $(cat "$dir/out")"
    fi
}

same_world terrain:7:3x2x3
same_world terrain:7:2x1x2 --ao
same_world terrain:7:2x1x2 --mode culled
same_world terrain:7:2x2x2 --edits 20
same_world noise50:3:2x1x1
same_world checker:1:1x1x1
# Whole, as users give them; regions where they are at hand.
for world in terrain noise50 checker tests/corpus/vox/scene.vox tests/corpus/vox/pack.vox tests/corpus/vox/large.vox; do
    same_world "$world"
done
worlds=../shared/worlds
for world in "$worlds"/anvil-tiny.mca "$worlds"/anvil-1.13.2.mca "$worlds"/anvil-1.18.2.mca "$worlds"/anvil-1.20.mca; do
    [ -f "$world" ] && same_world "$world"
done

# Where a device cannot read the arena itself, all is copied to it.
ADIT_DISABLE=import
export ADIT_DISABLE
same_world terrain
[ -f $worlds/anvil-1.18.2.mca ] && same_world $worlds/anvil-1.18.2.mca
$adit tiers --quiet >"$dir/out" 2>&1 || fail "tiers without import: $(cat "$dir/out")"
grep -q 'no imports' "$dir/out" || fail "ADIT_DISABLE=import takes nothing away: $(cat "$dir/out")"
unset ADIT_DISABLE

$adit run terrain:7:2x1x2 --quiet --raw "$dir/t.raw" >"$dir/out" 2>&1 || fail "run --raw: $(cat "$dir/out")"
# A byte a voxel, as there are 22 materials.
for options in '' '--ao' '--mode culled' '--mode exact' '--tt none' '--classes t:4,8-9;c:7' '--tt none --classes t:1-5;c:7 --ao'; do
    for tier in scalar vulkan; do
        # shellcheck disable=SC2086  # options are words
        $adit mesh "$dir/t.raw" --dim 128,64,128 --quiet --tier $tier --quads "$dir/$tier.lines" $options >"$dir/said" 2>&1 ||
            fail "mesh $options $tier: $(cat "$dir/said")"
    done
    cmp -s "$dir/scalar.lines" "$dir/vulkan.lines" || fail "mesh $options: the device's quads are others"
    [ -s "$dir/vulkan.lines" ] || fail "mesh $options: no quads"
done
refused 'multiples of 64' $adit mesh "$dir/t.raw" --dim 64,64,256 --border 1 --tier vulkan
refused 'several materials' $adit mesh "$dir/t.raw" --dim 128,64,128 --tier vulkan --merge any
refused 'there is vulkan:0;' $adit mesh "$dir/t.raw" --dim 128,64,128 --tier vulkan:1
refused 'give one' $adit mesh "$dir/t.raw" --dim 128,64,128 --tier scalar,vulkan
refused 'no tier .vulkan:x' $adit run terrain --tiers vulkan:x
refused 'no tier .vulkan:16' $adit run terrain --tiers vulkan:16

# Shared with threads, and all is edited again and again: some chunks to see what it costs, and one each half a second.
$adit run terrain:7:4x2x4 --tiers threads,vulkan --edits 200 --quiet --json >"$dir/json" 2>"$dir/out" || fail "run threads,vulkan: $(cat "$dir/out")"
[ "$(number "$dir/json" vulkan:0)" -le 8 ] || fail "lavapipe was given $(number "$dir/json" vulkan:0) chunks that threads do sooner"

# gpu-bench is carried to machines that have a driver and nothing else.
bench=build/release/bin/gpu-bench
ldd $bench >"$dir/out" || fail "ldd $bench"
grep -vE 'linux-vdso|/ld-linux|lib(c|m|gcc_s|dl|pthread)\.so' "$dir/out" && fail "gpu-bench needs libraries that a bare machine may not have"
$bench --help >"$dir/out" 2>&1 || fail "gpu-bench --help: exit $?"
for wrong in '--device x' '--device' '--device 1x' '--seconds -1' '--nonsense'; do
    # shellcheck disable=SC2086  # an option and its value
    $bench $wrong >"$dir/out" 2>&1
    [ $? = 2 ] && grep -q '^usage' "$dir/out" || fail "gpu-bench $wrong: $(cat "$dir/out")"
done
$bench --short --seconds 0 --json "$dir/bench.json" >"$dir/out" || fail "gpu-bench: $(cat "$dir/out")"
for line in 'of every kind, copied: 48 chunks: equal' 'of every kind, fetched: 48 chunks: equal' 'left out: the 0 s are over'; do
    grep -q "$line" "$dir/out" || fail "gpu-bench does not say '$line': $(cat "$dir/out")"
done
[ -s "$dir/bench.json" ] || fail "gpu-bench --json writes nothing"

# The default does not ask programs on the CPU.
$adit run terrain:7:2x1x2 --quiet --json >"$dir/json" 2>"$dir/out" || fail "run: $(cat "$dir/out")"
grep -q vulkan "$dir/json" && fail "the default takes lavapipe"

# Worker processes have devices of their own, and any of them may be killed.
$adit run terrain:7:2x2x2 --tiers vulkan --worker-processes 2 --edits 30 --kills 20 --quiet --json >"$dir/json" 2>"$dir/out" ||
    fail "run with kills: $(cat "$dir/out")"

# Drivers.
echo garbage >"$dir/garbage.json"
# One path twice is dropped by the loader, so its manifest has another.
cp "$lavapipe" "$dir/again.json"
VK_DRIVER_FILES=$lavapipe:$dir/again.json $adit run terrain:7:2x1x2 --tiers vulkan --quiet --json >"$dir/json" 2>"$dir/out" || fail "lavapipe twice: $(cat "$dir/out")"
grep -q 'vulkan:1' "$dir/json" && fail "lavapipe twice is two devices"
for drivers in /nowhere.json "$dir/garbage.json"; do
    VK_DRIVER_FILES=$drivers
    refused 'vulkan' $adit run terrain:7:2x1x2 --tiers vulkan --quiet
    $adit run terrain:7:2x1x2 --quiet >"$dir/out" 2>&1 || fail "run with drivers $drivers: $(cat "$dir/out")"
    $adit run terrain:7:2x1x2 --quiet --tiers threads,vulkan >"$dir/out" 2>&1 && fail "threads,vulkan with drivers $drivers says nothing"
done

echo "$failures failed"
[ "$failures" = 0 ]
