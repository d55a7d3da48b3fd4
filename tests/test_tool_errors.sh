#!/bin/sh
# test_tool_errors.sh - what adit says to bad usage and bad input: one line that names the culprit, and exit 2.
#
# Runs the asan build, so a parser that reads past a damaged file does not get away with it. What was sound in a damaged
# file is kept, with a note and exit 0. Each case runs under a deadline of its own.
set -u
adit=build/asan/bin/adit
work=${TMPDIR:-/tmp}/errors
failures=0
cases=0
mkdir -p "$work" || exit 1
[ -x $adit ] || { echo "$adit is not built: ninja asan"; exit 1; }

wrong() {
    echo "$1:"
    sed 's/^/    /' "$work/out" "$work/err"
    failures=$((failures + 1))
}

# refused PART COMMAND...: exit 2 and one line of error, which contains PART.
refused() {
    part=$1
    shift
    cases=$((cases + 1))
    timeout 60 "$@" >"$work/out" 2>"$work/err" </dev/null
    status=$?
    grep -vE '^adit run: (note: |[0-9,]+ of (at most )?[0-9,]+ )' "$work/err" >"$work/lines"
    [ $status = 2 ] || { wrong "exit $status, not 2: $*"; return; }
    [ "$(grep -c '^adit' "$work/lines")$(grep -vc '^adit' "$work/lines")" = 10 ] || { wrong "not one line: $*"; return; }
    grep -qF -- "$part" "$work/lines" || wrong "the line does not name '$part': $*"
}

# A file made by printf from $2 as $1 in the work folder.
make() {
    # shellcheck disable=SC2059  # the bytes are the format
    printf "$2" >"$work/$1"
}

# ---- usage ----
refused 'give a command' $adit
refused 'frobnicate' $adit frobnicate
for command in run serve feed watch mesh ls dump check tiers; do
    refused '--frobnicate' $adit $command --frobnicate
done
refused 'WORLD' $adit run
refused 'producers' $adit run terrain --producers 0
refused 'producers' $adit run terrain --producers many
refused 'from 1 to 256' $adit run checker --workers 500
refused 'from 1 to 256' $adit serve cave --workers 500
for command in 'run terrain' 'serve cave' 'work cave'; do
    # shellcheck disable=SC2086  # words
    refused '--worker-processes' $adit $command --tiers vulkan --worker-processes 2
    refused 'least_loaded' $adit $command --policy fastest
done
refused '1 TiB' $adit run checker --size 2T
refused '65536' $adit run checker:99999x1x1
refused 'classes' $adit run terrain --classes gaseous
refused 'tiers' $adit run terrain --tiers abacus
refused 'terrain:x' $adit run terrain:x
refused '0x0x0' $adit run terrain:1:0x0x0
refused '99999999' $adit run terrain:1:99999999x99999999x99999999
refused 'picture.gif' $adit run terrain:1:1x1x1 --picture "$work/no/folder/picture.gif"
refused 'x.stl' $adit run terrain:1:1x1x1 --out "$work/x.stl"

# ---- files ----
make empty.mca ''
make short.mca 'not a region'
make empty.vox ''
make short.vox 'VOX '
make other.vox 'RIFF\226\000\000\000'
make absurd.vox 'VOX \226\000\000\000MAIN\000\000\000\000\377\377\377\177SIZE\014\000\000\000\000\000\000\000\377\377\377\177\377\377\377\177\377\377\377\177'
make tiny.raw '\001\002\003\004'
make unknown.xyz 'x'
mkdir -p "$work/folder.mca" "$work/folder.vox"
for file in absent.mca absent.vox empty.mca short.mca empty.vox short.vox other.vox absurd.vox unknown.xyz folder.mca folder.vox; do
    refused "$file" $adit run "$work/$file"
done
head -c 8192 /dev/zero | tr '\000' '\377' >"$work/wild.mca"
refused 'wild.mca' $adit run "$work/wild.mca"

# ---- one volume ----
refused 'dim' $adit mesh "$work/tiny.raw" --quads "$work/q"
refused 'dim' $adit mesh "$work/tiny.raw" --dim 0,0,0 --quads "$work/q"
refused 'dim' $adit mesh "$work/tiny.raw" --dim 4,1 --quads "$work/q"
refused 'dim' $adit mesh "$work/tiny.raw" --dim 4000000000,4000000000,4000000000 --quads "$work/q"
refused 'tiny.raw' $adit mesh "$work/tiny.raw" --dim 5,1,1 --quads "$work/q"
refused 'absent.raw' $adit mesh "$work/absent.raw" --dim 4,1,1 --quads "$work/q"
refused 'classes' $adit mesh "$work/tiny.raw" --dim 4,1,1 --classes 'q:1' --quads "$work/q"
refused 'mode' $adit mesh "$work/tiny.raw" --dim 4,1,1 --mode lazy --quads "$work/q"
refused 'tier' $adit mesh "$work/tiny.raw" --dim 4,1,1 --tier abacus --quads "$work/q"
refused 'volume itself' $adit mesh "$work/tiny.raw" --dim 4,1,1 --quads "$work/tiny.raw"
refused 'folder' $adit mesh "$work/tiny.raw" --dim 4,1,1 --quads "$work/no/folder/q"

# ---- arenas ----
refused 'nobody' $adit feed nobody terrain:1:1x1x1
refused 'nobody' $adit watch nobody
refused 'nobody' $adit dump nobody
refused 'nobody' $adit check nobody
refused 'tiny.raw' $adit check "$work/tiny.raw"
refused 'a/b' $adit serve a/b
refused '--size' $adit run terrain:1:8x2x8 --size 2M

# ---- what is read is not written over ----
head -c 64 /dev/zero >"$work/own.raw"
ln -sf own.raw "$work/link.out.obj"
cp "$work/own.raw" "$work/own.kept"
refused 'the world' $adit run "$work/own.raw:4,4,4" --raw "$work/own.raw"
refused 'the world' $adit run "$work/own.raw:4,4,4" --out "$work/link.out.obj"
refused 'the volume itself' $adit mesh "$work/own.raw" --dim 4,4,4 --quads "$work/own.raw"
refused 'one name' $adit run "$work/own.raw:4,4,4" --out "$work/two.obj" --raw "$work/two.mtl"
cmp -s "$work/own.raw" "$work/own.kept" || wrong "a world that is read was written over"
refused 'several options begin so' $adit mesh --m exact "$work/own.raw"

# ---- an export is broken off ----
cases=$((cases + 1))
$adit run terrain:1:8x2x8 --ao --out "$work/big.obj" --no-t-junctions --quiet >"$work/out" 2>"$work/err" </dev/null &
pid=$!
tries=0
while [ $tries -lt 600 ] && ! ls "$work"/big.mtl.*.part >/dev/null 2>&1; do
    tries=$((tries + 1))
    sleep 0.1
done
kill -INT $pid
wait $pid
status=$?
[ $status = 130 ] || wrong "exit $status of an export that was interrupted"
grep -q 'cannot write' "$work/err" && wrong "an interrupted export speaks of a disk"
ls "$work"/*.part >/dev/null 2>&1 && wrong "an interrupted export left $(ls "$work"/*.part)"

# ---- output that is lost ----
cases=$((cases + 1))
timeout 60 $adit mesh --help >/dev/full 2>"$work/err"
status=$?
{ [ $status = 1 ] && grep -q 'stdout' "$work/err"; } || wrong "exit $status and no line when stdout is full"

# ---- worlds of others, where they are here ----
worlds=../shared/worlds
if [ -f $worlds/anvil-tiny.mca ]; then
    # Whole headers and half the columns; and a file that is damaged in itself.
    head -c 9000 $worlds/anvil-tiny.mca >"$work/cut.mca"
    refused 'cut.mca' $adit run "$work/cut.mca"
    # Damage further in: what is sound is done, one line says what is not, and the exit code says so, too.
    if [ -f $worlds/anvil-1.18.2.mca ]; then
        cases=$((cases + 1))
        head -c 700000 $worlds/anvil-1.18.2.mca >"$work/half.mca"
        timeout 60 $adit run "$work/half.mca" --json >"$work/out" 2>"$work/err" </dev/null
        status=$?
        [ $status = 2 ] || wrong "exit $status on half a region"
        grep -q 'half.mca: .* damaged and left out' "$work/err" || wrong "half a region: nothing says what is left out"
        grep -q '"voxels": [1-9]' "$work/out" || wrong "half a region: what is sound is not kept"
    fi
    cases=$((cases + 1))
    timeout 60 $adit run $worlds/anvil-broken.mca >"$work/out" 2>"$work/err" </dev/null
    status=$?
    [ $status = 2 ] || wrong "exit $status on anvil-broken.mca"
    grep -q 'anvil-broken.mca' "$work/err" || wrong "nothing is said about what is broken in anvil-broken.mca"
fi

echo "$cases cases, $failures wrong"
[ $failures = 0 ]
