#!/bin/sh
# test_tidy.sh - house style, kept by a test. Prints 'RULE: FILE[:LINE]: what' for each breach, and fails if there is one.
#
#     sh tests/test_tidy.sh [FOLDER]
#
# Without a FOLDER it first judges a small tree that breaks every rule once (the control: each must be reported), then the
# repository, by what git knows of it (new files included, ignored ones not).
#
#   length    a source file has at most 700 lines, a function at most 80
#   words     nothing is left for later: no to-do marks, no stand-ins
#   types     no typedef of a struct or union, no name_t of our own
#   paths     nothing names a folder of somebody's machine
#   unique    a file's name is unique in the repository, so that grep is true (README.md, build.ninja and seeds may repeat)
#   include   shm <- runtime <- gpu, kernels a leaf, tools and perf above, tests on top; quoted paths start at the root
#   chapter   every folder with sources has a README.md, which names every one of them
#   build     every .c stands in exactly one build.ninja, and every test program among what that builds by default
set -u
work=${TMPDIR:-/tmp}/tidy.$$
mkdir -p "$work" || exit 1
trap 'rm -rf "$work"' EXIT

files() {
    if [ -e .git ]; then
        git -c safe.directory='*' ls-files -co --exclude-standard | while IFS= read -r file; do
            [ ! -f "$file" ] || echo "$file"
        done
    else
        find . -type f ! -path './build/*' | sed 's,^\./,,'
    fi | sort
}

# Files of the list whose name matches the extended expression $1, on one line each.
like() {
    grep -E "$1" "$work/files"
}

# grep over the files on standard input. $1 names the rule, $2 what is wrong, $3 is the expression.
forbid() {
    xargs -r -d '\n' grep -nHIE "$3" | awk -F: -v rule="$1" -v what="$2" '{ print rule ": " $1 ":" $2 ": " what }'
}

sources='\.(c|h|sh|comp|glsl)$'

rule_length() {
    { like "$sources"; like '^tools/[a-z]+$'; } | xargs -r -d '\n' awk '
        FNR == 1 { if (lines > 700) report(); file = FILENAME; open = 0 }
        { lines = FNR }
        /^\{/ { open = FNR }
        /^\}/ { if (open && FNR - open > 81) print "length: " file ":" open ": a function of " FNR - open - 1 " lines"; open = 0 }
        END { if (lines > 700) report() }
        function report() { print "length: " file ": " lines " lines" }'
}

rule_words() {
    # The brackets keep this file from matching itself.
    grep -vE '^tests/corpus/' "$work/files" |
        forbid words 'left for later' '(^|[^A-Za-z_])(TO[D]O|FIX[M]E|X[X]X|HA[C]K)([^A-Za-z_]|$)'
    { like "$sources"; like '\.md$'; like '^tools/[a-z]+$'; } |
        forbid words 'a stand-in' '[Nn]ot (yet )?implemente[d]|(^|[^A-Za-z_])[Ss]tu[b](bed)?([^A-Za-z_]|$)|[Pp]laceholde[r]|[^A-Za-z][Ff]or no[w]([^A-Za-z]|$)'
}

rule_types() {
    like '\.[ch]$' | forbid types 'a typedef of a struct or union' '^[[:space:]]*typedef[[:space:]]+(struct|union)'
    like '\.[ch]$' | forbid types 'a name_t of our own' '(struct|union|enum)[[:space:]]+[a-z0-9_]+_t([^a-z0-9_]|$)|^[[:space:]]*typedef[^(]*[a-z0-9]_t;'
}

rule_paths() {
    forbid paths 'a folder of one machine' '(^|[^A-Za-z0-9_.])/(wor[k]|far[m]|hom[e]|Use[r]s)/[a-z]' <"$work/files"
}

rule_unique() {
    grep -vE '(^|/)(README\.md|build\.ninja|\.git[a-z]*)$|^tests/corpus/' "$work/files" | awk '
        { name = $0; sub(/.*\//, "", name) }
        name in first { print "unique: " $0 ": the same name as " first[name]; next }
        { first[name] = $0 }'
}

rule_include() {
    like '\.[ch]$' | xargs -r -d '\n' awk '
        BEGIN {
            may["kernels"] = "kernels"
            may["shm"] = "shm"
            may["runtime"] = "runtime shm kernels"
            may["gpu"] = "gpu runtime shm kernels"
            may["tools"] = "tools gpu runtime shm kernels"
            may["perf"] = "perf tools gpu runtime shm kernels"
            may["tests"] = "tests perf tools gpu runtime shm kernels"
        }
        /^[ \t]*#[ \t]*include[ \t]*"/ {
            path = $0
            sub(/^[^"]*"/, "", path)
            sub(/".*/, "", path)
            split(FILENAME, from, "/")
            split(path, to, "/")
            if (path !~ /\// || path ~ /^\./)
                print "include: " FILENAME ":" FNR ": \"" path "\" does not start at the root"
            else if (from[1] in may && index(" " may[from[1]] " ", " " to[1] " ") == 0)
                print "include: " FILENAME ":" FNR ": " from[1] " must not include " path
            if (FILENAME ~ /^tools\/examples\// && path != "runtime/adit.h")
                print "include: " FILENAME ":" FNR ": an example needs runtime/adit.h alone, not " path
        }'
}

# A chapter may name a family of files as one, like scene_*.c.
is_in_family() {
    for family in $(set -f; grep -oE '[a-z0-9_]+_\*[a-z0-9_.]*' "$2"); do
        # shellcheck disable=SC2254  # a pattern is meant
        case $1 in $family | ${family%.*}.[ch]) return 0 ;; esac
    done
    return 1
}

rule_chapter() {
    { like "$sources"; like '^tools/[a-z]+$'; } | while IFS= read -r file; do
        case $file in
        tests/corpus/*) continue ;;
        */*) chapter=${file%/*}/README.md ;;
        *) chapter=README.md ;;
        esac
        name=${file##*/}
        if [ ! -f "$chapter" ]; then
            echo "chapter: ${file%/*}: no README.md"
        elif ! grep -qE "(^|[^A-Za-z0-9_])${name%.*}([^A-Za-z0-9_]|\$)" "$chapter" && ! is_in_family "$name" "$chapter"; then
            echo "chapter: $file: not named in $chapter"
        fi
    done | sort -u
}

rule_build() {
    like '(^|/)build\.ninja$' | xargs -r -d '\n' awk '
        FNR == 1 { text = "" }
        { text = text $0 }
        /\$$/ { sub(/\$$/, "", text); next }
        text ~ /^build / {
            n = split(text, word, /[ :]+/)
            for (i = 2; i <= n; i++)
                if (word[i] ~ /\.c$/ && word[i] !~ /^\$/ && !((FILENAME, word[i]) in seen)) {
                    seen[FILENAME, word[i]] = 1
                    print "c", word[i]
                } else if (text ~ /: *phony/ && word[i] ~ /^\$v\/tests\//)
                    print "all", substr(word[i], 10)
        }
        { text = "" }' >"$work/built"
    like '\.c$' | while IFS= read -r file; do
        times=$(grep -cxF "c $file" "$work/built")
        [ "$times" = 1 ] || echo "build: $file: stands in $times build.ninja files"
        case $file in
        tests/test_*.c | tests/torture_*.c | tests/crash_*.c | tests/fuzz_*.c | tests/guest_*.c)
            name=${file#tests/}
            [ "$name" = fuzz_replay.c ] || grep -qxF "all ${name%.c}" "$work/built" ||
                echo "build: $file: its program is not in tests/all, so nobody runs it"
            ;;
        esac
    done
}

tidy() {
    cd "$1" || return 1
    files >"$work/files"
    rule_length
    rule_words
    rule_types
    rule_paths
    rule_unique
    rule_include
    rule_chapter
    rule_build
}

# A tree with one breach of each kind, and what must be said about it.
control() {
    mkdir -p "$work/tree/shm" "$work/tree/runtime" "$work/tree/tests" "$work/tree/tools/examples" || return 1
    cd "$work/tree" || return 1
    echo 'fine.c long.c types.h fami_*.c' >shm/README.md
    : >shm/fami_ly.h
    echo 'fine.h same.h' >runtime/README.md
    echo 'test_idle' >tests/README.md
    echo 'same.h example_x' >tools/examples/README.md
    awk 'BEGIN { for (i = 0; i < 701; i++) print "" }' >shm/long.c
    awk 'BEGIN { print "int f(void)\n{"; for (i = 0; i < 81; i++) print "    ;"; print "}" }' >shm/fine.c
    printf 'typedef struct x {\n} x;\nstruct mine_t;\ntypedef int mine_t;\nint other_t_fine;\n' >shm/types.h
    printf '/* TO%s: later */\n/* a place%s */\n#include "runtime/same.h"\n#include "types.h"\n' DO holder >shm/unnamed.h
    printf '/* /hom%s/me/adit */\n#include "shm/types.h"\n#include "tests/test_idle.h"\n' e >runtime/same.h
    echo '#include "shm/types.h"' >tools/examples/example_x.c
    : >tools/examples/same.h
    : >tests/test_idle.c
    : >tools/alone.c
    cat >build.ninja <<'END'
build $v/shm/fine.o: cc shm/fine.c
build $v/shm/long.o: cc $
    shm/long.c
build $v/tests/test_idle.o: cc tests/test_idle.c
build $v/tests/test_idle: link $v/tests/test_idle.o
build $v/tools/examples/example_x.o: cc tools/examples/example_x.c
END
    mkdir -p again && echo 'build $v/again.o: cc shm/fine.c' >again/build.ninja

    tidy . >"$work/control"
    while IFS= read -r wanted; do
        grep -qF "$wanted" "$work/control" || echo "control: not reported: $wanted"
    done <<'END'
length: shm/long.c: 701 lines
length: shm/fine.c:2: a function of 81 lines
words: shm/unnamed.h:1: left for later
words: shm/unnamed.h:2: a stand-in
types: shm/types.h:1: a typedef of a struct
types: shm/types.h:3: a name_t
types: shm/types.h:4: a name_t
paths: runtime/same.h:1:
unique: tools/examples/same.h: the same name as runtime/same.h
include: shm/unnamed.h:3: shm must not include runtime/same.h
include: shm/unnamed.h:4: "types.h" does not start at the root
include: runtime/same.h:3: runtime must not include tests/test_idle.h
include: tools/examples/example_x.c:1: an example needs
chapter: shm/unnamed.h: not named in shm/README.md
chapter: tools: no README.md
build: shm/fine.c: stands in 2 build.ninja files
build: tools/alone.c: stands in 0 build.ninja files
build: tests/test_idle.c: its program is not in tests/all
END
    # And what is in order stays unmentioned.
    grep -E 'types\.h:5|fami_|same\.h:2|long\.c: stands|README\.md: ' "$work/control" | sed 's/^/control: wrongly reported: /'
}

if [ -n "${1-}" ]; then
    (tidy "$1") >"$work/found"
else
    top=$(cd "$(dirname -- "$0")/.." && pwd) || exit 1
    (control) >"$work/found"
    (tidy "$top") >>"$work/found"
fi
cat "$work/found"
[ ! -s "$work/found" ]
