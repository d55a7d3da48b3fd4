#!/bin/sh
# test_models.sh - the protocols that must hold whoever dies, as Spin models, searched exhaustively.
#
#     sh tests/test_models.sh [MODEL...]        names below tests/models without .pml; all of them by default
#
# A model is sound when the whole of its state space was searched (no limit of depth or memory was met), no assertion failed, nobody
# was stuck, and every statement was reached by some execution (a step that none takes proves nothing). It must be able to
# fail: with each of its planted bugs (#if BUG == N, listed as 'BUG N' in its head) the same search must find an error and
# leave a trail. Prints a line a model, and more only when something is wrong. About a minute on one processor.
# A model is kept small: what is one's own has no step of its own (nobody sees when it happens), and is reset when it is of no use any more.
set -u
top=$(cd "$(dirname -- "$0")/.." && pwd) || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/models-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
failures=0
depth_max=100000
memory_max_mib=1000
limit_s=200

command -v spin >/dev/null || { echo "spin is missing: apt-get install spin"; exit 1; }

fail() {
    echo "$1"
    failures=$((failures + 1))
}

# A planted bug is found within a second by most searches: there the compiler costs more than the search, and clang -O0 is the
# quickest of gcc and clang. Of the whole of a model gcc -Og makes as quick a search as -O2, in a third of the time.
command -v clang >/dev/null && quick='clang -O0' || quick='gcc -O0'

# search MODEL BUG COMPILER [OPTIONS-OF-PAN...]: builds the search in a folder of its own and runs it; what it says is in $said.
# No partial order reduction: it does not go with 'unless', by which processes die here.
search() {
    place=$work/$1.$2
    said=$place/said
    model=$top/tests/models/$1.pml
    defines="-DSAFETY -DNOREDUCE -DMEMLIM=$memory_max_mib"
    bug=$2
    compiler=$3
    shift 3
    mkdir -p "$place"
    # shellcheck disable=SC2086  # a list of words is meant
    (cd "$place" && spin -DBUG="$bug" -a "$model" && $compiler -w $defines -o pan pan.c &&
        timeout "$limit_s" ./pan -m$depth_max -b "$@") >"$said" 2>&1
}

is_error='^pan:1: (assertion violated|invalid end state)'

# What is wrong with a search that should have found nothing; no words: nothing. (pan's exit status says little.)
complaint() {
    if grep -qE "$is_error" "$said"; then
        echo "an error: $(grep -m 1 -E "$is_error" "$said")"
    elif grep -qE 'depth limit reached|reached -DMEMLIM|out of memory|Search not completed' "$said"; then
        echo "the search was cut short: $(grep -m 1 -E 'depth limit|-DMEMLIM|memory|not completed' "$said")"
    elif ! grep -q ', errors: 0$' "$said"; then
        echo "no result: $(tail -n 2 "$said" | tr '\n' ' ')"
    else
        awk '/^\t.*, state [0-9]+, / && !/"-end-"$/ { print "no execution reaches " $0; exit }' "$said"
    fi
}

has_caught() {
    grep -qE "$is_error" "$said" && ls "$place"/*.trail >/dev/null 2>&1
}

judge() {
    bugs=$(grep -oE 'BUG [!=]= [0-9]+' "$model" | sed 's/.* //' | sort -nu | tr '\n' ' ')
    listed=$(sed -nE 's/^ \*   BUG ([0-9]+)  .*/\1/p' "$model" | sort -nu | tr '\n' ' ')
    [ -n "$bugs" ] && [ "$bugs" = "$listed" ] || fail "$1: bugs planted: $bugs; bugs in its head: $listed"
    search "$1" 0 'gcc -Og'
    wrong=$(complaint)
    states=$(sed -nE 's/^ *([0-9.e+]+) states, stored.*/\1/p' "$said")
    [ -z "$wrong" ] || fail "$1: $wrong"
    rm -rf "$place"
    caught=0
    for n in $bugs; do
        search "$1" "$n" "$quick"
        if has_caught; then caught=$((caught + 1)); else fail "$1: BUG $n is not caught: $(complaint)"; fi
        rm -rf "$place"
    done
    echo "$1: ${states:-no} states${wrong:+, not sound}, $caught planted bugs caught of $(echo "$bugs" | wc -w)"
}

# The judge must be able to condemn: a search cut short by depth or by memory, a model with an error, one with an idle step.
control() {
    search slot_reaping 0 "$quick" -m20
    case $(complaint) in 'the search was cut short: '*depth*) ;; *) fail "control: a search cut by depth: '$(complaint)'" ;; esac
    memory_max_mib=1
    search slot_reaping 0 "$quick"
    case $(complaint) in 'the search was cut short: '*) ;; *) fail "control: a search cut by memory: '$(complaint)'" ;; esac
    memory_max_mib=1000
    search slot_reaping 1 "$quick"
    case $(complaint) in 'an error: pan:1: '*) ;; *) fail "control: an error: '$(complaint)'" ;; esac
    ! search slot_reaping 0 "$quick" || has_caught && fail "control: a bug caught where there is none"
    sed 's/^proctype victim() *$/active proctype idler() { do :: break :: false -> killed = true od }\n&/' "$model" >"$work/idle.pml"
    top_kept=$top
    top=$work
    mkdir -p "$work/tests/models" && mv "$work/idle.pml" "$work/tests/models/"
    search idle 0 "$quick"
    case $(complaint) in 'no execution reaches '*) ;; *) fail "control: an idle step: '$(complaint)'" ;; esac
    top=$top_kept
}

control
for model in ${*:-$(cd "$top/tests/models" && ls -- *.pml)}; do
    model=$top/tests/models/${model%.pml}.pml
    [ -f "$model" ] || { fail "no such model: $model"; continue; }
    name=${model##*/}
    judge "${name%.pml}"
done
[ "$failures" = 0 ]
