#!/bin/sh
# test_documents.sh - what README.md, CONTRIBUTING.md, CHANGELOG.md and the chapters name is there: what their links lead to, and of the first three also each path of this tree, each target of ninja, each test and each manual page.
set -u
work=${TMPDIR:-/tmp}/documents
failures=0
rm -rf "$work"
mkdir -p "$work" || exit 1

# Links of a document, a line each: 'LINK'; those to the web and to places in the document itself are not looked after.
links_of() {
    grep -oE '\]\([^)]*\)' "$1" | sed -E 's/^\]\(//; s/\)$//; s/#.*//' | grep -vE '^(https?:|$)'
}

# What is said in `...` and in indented lines of a document, a piece a line.
code_of() {
    sed -n 's/^    //p' "$1"
    grep -v '^    ' "$1" | grep -oE '`[^`]+`' | tr -d '`'
}

ninja -t targets all | sed 's/: .*//' | sort >"$work/targets"

# judge FILE: says what it names and is not there.
judge() {
    folder=$(dirname -- "$1")
    for link in $(links_of "$1"); do
        [ -e "$folder/$link" ] || echo "$1: a link to $link"
    done
    case $1 in */README.md) return ;; esac
    code_of "$1" >"$work/code"
    # Paths: of folders that are the tree's own. A pattern is as good as what it finds.
    for path in $(grep -oE '(^|[^A-Za-z0-9_./-])(shm|runtime|kernels|gpu|tools|tests|perf)/[A-Za-z0-9_./*<>-]*' "$work/code" | sed -E 's/^[^a-z]//; s/<[a-z]*>/*/; s/[.]$//'); do
        # shellcheck disable=SC2086  # a pattern is meant
        ls -d $path >/dev/null 2>&1 || echo "$1: $path"
    done
    for target in $(grep -oE '(^|[^A-Za-z0-9_./-])ninja [a-z/_]+' "$work/code" | sed 's,.*ninja ,,'); do
        grep -qxF "$target" "$work/targets" || echo "$1: ninja $target"
    done
    # Names of many words are tests.
    for name in $(grep -xE '[a-z]+(_[a-z]+){5,}' "$work/code"); do
        grep -rqF "$name(" tests || echo "$1: the test $name"
    done
    for page in $(grep -oE 'man (-l )?[a-z_]+$' "$work/code" | sed 's/.* //'); do
        grep -qsF "$page" build/man/*.3 build/man/*.1 || echo "$1: the page $page"
    done
}

for document in README.md CONTRIBUTING.md CHANGELOG.md */README.md tools/*/README.md; do
    judge "$document"
done >"$work/found"
cat "$work/found"
[ ! -s "$work/found" ] || failures=1

# (Tried: in CONTRIBUTING.md a script that was renamed, and a target with a slip of the pen.)
# The control: each of these is found, and nothing else.
mkdir -p "$work/there" || exit 1
cat >"$work/there/README.md" <<'END'
See [that](nowhere.md), [this](README.md#here) and [the web](https://example.org/x).
END
cat >"$work/NOTES.md" <<'END'
Say `ninja frobnicate`, `PREFIX=/x ninja install`, or `ninja`. Read `shm/layout.h`, `runtime/adit*.h`, `runtime/nothing.h` and `tests/no*thing.c`; `a_test_that_is_nowhere_to_be_found`; `man adit_submit`, `man adit_nothing`.

    sh tools/no-such-tool --now
END
{ judge "$work/there/README.md"; judge "$work/NOTES.md"; } | sed "s,^[^ ]*/,," >"$work/found"
cat >"$work/wanted" <<'END'
README.md: a link to nowhere.md
NOTES.md: tools/no-such-tool
NOTES.md: runtime/nothing.h
NOTES.md: tests/no*thing.c
NOTES.md: ninja frobnicate
NOTES.md: the test a_test_that_is_nowhere_to_be_found
NOTES.md: the page adit_nothing
END
cmp -s "$work/found" "$work/wanted" || { echo "the control: found"; cat "$work/found"; failures=1; }
[ $failures = 0 ]
