#!/bin/sh
# test_api_man.sh - the manual pages of calls: each public header has one, mandoc finds nothing wrong in it, and every call, struct, enum and constant that the header declares stands in it, each call with words of its own. What is looked for is found
# by other means than tools/api_man.awk has: by the margins of the headers alone, and in the text as mandoc sets it.
set -u
work=${TMPDIR:-/tmp}/api_man
man=build/man
failures=0
rm -rf "$work"
mkdir -p "$work" || exit 1
command -v mandoc >/dev/null || { echo "no mandoc: sh tools/check installs it"; exit 77; }

# Calls that are described together with the one above them, and by its comment: any other has one of its own.
together='adit_ring_pop adit_ring_wait_item adit_samples_underrun adit_samples_wait_fill adit_route_policy_name'

wrong() {
    echo "$1"
    failures=$((failures + 1))
}

# Calls of a header with what ends the comment above each, 'NAME|LAST LINE OF THE COMMENT'; nothing behind the bar: there is none right above it.
calls_of() {
    awk '
        /^ADIT_API / {
            name = $0
            sub(/\(.*/, "", name)
            sub(/.*[ *]/, "", name)
            said = above
            if (said !~ /\*\/$/ || said !~ /^(\/\*| \*)/)
                said = ""
            sub(/^(\/\*| \*) ?/, "", said)
            sub(/ *\*\/$/, "", said)
            print name "|" said
        }
        { above = $0 }' "$1"
}

# The words of a page, as people read them, with one blank between two.
words_of() {
    mandoc -Tascii -Owidth=150 "$1" | sed 's,.\x08,,g' | tr -s ' \n' ' '
}

# judge HEADER PAGE
judge() {
    calls_of "$1" >"$work/calls"
    words_of "$2" >"$work/words"
    mandoc -Tascii -Owidth=1000 "$2" | sed 's,.\x08,,g' >"$work/lines"
    while IFS='|' read -r name said; do
        grep -qE "(^|[ *])$name\(.*\);\$" "$work/lines" || wrong "$2: no declaration of $name"
        sed -n '/^NAME/,/^SYN/p' "$work/lines" | grep -qE "[ ,]$name(,| |\$)" || wrong "$2: its head does not name $name"
        case " $together " in *" $name "*) continue ;; esac
        if [ -z "$said" ]; then
            wrong "$1: $name has no comment of its own"
        elif ! grep -qF -- "$(echo "$said" | tr -s ' ')" "$work/words"; then
            wrong "$2: of what is said about $name this is missing: $said"
        fi
        # Behind the declaration, further in, there are words.
        awk -v name="$name" '
            index($0, name "(") && /\);$/ && match($0, /[^ ]/) <= 8 { found = 1; next }
            found && /^ +[a-z].*\);$/ && match($0, /[^ ]/) <= 8 { next }
            found { exit !(match($0, /[^ ]/) > 8 && $0 ~ /[a-z][a-z]+/) }
            END { if (!found) exit 1 }' "$work/lines" || wrong "$2: nothing is said about $name"
    done <"$work/calls"
    for name in $(sed -nE 's/^(struct|enum) ([a-z_]+) \{.*/\2/p; s/^#define (ADIT_[A-Z_]+)( .*|\(.*|$)/\1/p' "$1"); do
        case $name in *_H | ADIT_API) continue ;; esac
        grep -qE "(struct|enum) $name \{|#define $name([^A-Za-z_]|\$)" "$work/lines" || wrong "$2: $name is left out"
    done
}

# (Tried: a comment of adit_frames.h taken away, comments not put into pages.)
calls=0
for header in runtime/adit*.h kernels/quad.h; do
    page=${header##*/}
    page=${page%.h}
    case $page in adit*) ;; *) page=adit_$page ;; esac
    [ -s "$man/$page.3" ] || { wrong "there is no $man/$page.3"; continue; }
    mandoc -Tlint -Werror "$man/$page.3" || wrong "mandoc finds something in $page.3"
    judge "$header" "$man/$page.3"
    calls=$((calls + $(wc -l <"$work/calls")))
done
[ "$(ls $man/*.3 | wc -l)" = "$(ls runtime/adit*.h kernels/quad.h | wc -l)" ] || wrong "not a page each in $man: $(ls $man)"

# What libadit.so shows are these calls and no others: none is public that no page has.
for header in runtime/adit*.h; do calls_of "$header"; done | cut -d'|' -f1 | grep -v '^adit_kinds_load$' | sort >"$work/told"
nm -D --defined-only build/release/lib/libadit.so | awk '$2 == "T" { print $3 }' | sort >"$work/shown"
comm -13 "$work/told" "$work/shown" | while IFS= read -r name; do
    # Calls of shm/ that tools of this tree make, and no program outside.
    grep -qE "^ADIT_API .*[ *]$name\(" shm/*.h || echo "$name"
done >"$work/untold"
[ ! -s "$work/untold" ] || wrong "libadit.so shows what no public header has: $(tr '\n' ' ' <"$work/untold")"
comm -23 "$work/told" "$work/shown" >"$work/missing"
[ ! -s "$work/missing" ] || wrong "libadit.so does not have: $(tr '\n' ' ' <"$work/missing")"
[ "$calls" -gt 120 ] || wrong "only $calls calls were found"

# The control, on a small header: as it is nothing is wrong; each of these is found.
cat >"$work/adit_toy.h" <<'END'
/* adit_toy.h - a toy. Part of adit.h.
 */
#ifndef ADIT_TOY_H
#define ADIT_TOY_H

/* ---- toys ---- */

struct adit_toy {
    int wheels; /* how many,
                 * if any */
};
/* Rolls it, for as far
 * as 10 voxels. */
ADIT_API int adit_toy_roll(struct adit_toy *toy,
                           int far);
/* Stops it. */
ADIT_API int adit_toy_stop(struct adit_toy *toy);

#endif
END
make_page() {
    awk -v version=0 -v pages=adit -f tools/api_man.awk "$work/adit_toy.h" >"$work/adit_toy.3" 2>"$work/said"
}
# caught WHAT WORDS: judging finds that.
caught() {
    before=$failures
    judge "$work/adit_toy.h" "$work/adit_toy.3" >"$work/found"
    failures=$before
    grep -qF -- "$2" "$work/found" || wrong "the control was not caught: $1; found: $(cat "$work/found")"
}
make_page || wrong "the control makes no page: $(cat "$work/said")"
judge "$work/adit_toy.h" "$work/adit_toy.3"
cp "$work/adit_toy.3" "$work/whole.3"
sed -i '/Stops it/d' "$work/adit_toy.3"
caught "a call of which the page says nothing" "nothing is said about adit_toy_stop"
sed '/^\.B "int adit_toy_roll/d' "$work/whole.3" >"$work/adit_toy.3"
caught "a call that is left out" "no declaration of adit_toy_roll"
sed '/^\.B "struct adit_toy/d' "$work/whole.3" >"$work/adit_toy.3"
caught "a struct that is left out" "adit_toy is left out"
sed 's/voxels\./meters./' "$work/whole.3" >"$work/adit_toy.3"
caught "other words" "of what is said about adit_toy_roll this is missing: as 10 voxels."
sed -i '/^\/\* Stops it/d' "$work/adit_toy.h"
make_page
caught "a call without a comment" "adit_toy_stop has no comment of its own"
sed -i 's/if any \*\//if any/' "$work/adit_toy.h"
make_page && wrong "a header that is not whole makes a page"
grep -q 'a declaration without an end' "$work/said" || wrong "of a header that is not whole it says: $(cat "$work/said")"
[ $failures = 0 ] && echo "$calls calls"
[ $failures = 0 ]
