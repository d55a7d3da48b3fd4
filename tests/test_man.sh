#!/bin/sh
# test_man.sh - every program and subcommand has a manual page, made of the same table as its --help: all options are in it, and mandoc finds nothing wrong.
set -u
bin=build/release/bin
man=build/man
failures=0
command -v mandoc >/dev/null || { echo "no mandoc: sh tools/check installs it"; exit 77; }

wrong() {
    echo "$1"
    failures=$((failures + 1))
}

# Of page $1: what $2... --help lists.
same_as_help() {
    page=$man/$1.1
    shift
    [ -s "$page" ] || { wrong "there is no $page"; return; }
    mandoc -Tlint -Werror "$page" >"$page.lint" 2>&1 || wrong "mandoc: $(head -n 1 "$page.lint")"
    rm -f "$page.lint"
    text=$(mandoc -Tutf8 -Owidth=200 "$page" | sed "s,.\x08,,g")
    options=$("$@" --help | sed -nE 's/^ +(--?[a-z0-9-]+).*/\1/p')
    [ -n "$options" ] || wrong "$*: --help lists no option"
    for option in $options; do
        echo "$text" | grep -qE -- "^ +$option( |\$)" || wrong "$page leaves out $option"
    done
    echo "$text" | grep -q "^EXIT STATUS" || wrong "$page does not say how it ends"
}

commands=$($bin/adit --help | sed -nE 's/^  ([a-z]+) .*/\1/p')
[ "$(echo "$commands" | wc -l)" -ge 12 ] || wrong "adit --help lists: $commands"
[ "$(ls $man/*.1 | wc -l)" = "$(($(echo "$commands" | wc -l) + 4))" ] || wrong "not a page each in $man: $(ls $man)"
for command in $commands; do
    same_as_help "adit-$command" $bin/adit "$command"
    grep -q "adit\\\\-$command (1)" $man/adit.1 || wrong "adit(1) does not name adit-$command(1)"
done
same_as_help shmtop $bin/shmtop
same_as_help perf-lab $bin/perf-lab
mandoc -Tlint -Werror $man/adit-worker.1 || wrong "mandoc finds something in adit-worker.1"
grep -q "\"adit $(sh tools/version)\"" $man/adit-worker.1 || wrong "adit-worker.1 is of another version"

# The control: a page that lacks an option, or has a request that there is none of, is found. Text that looks like a request is none.
sed '/\\-\\-json/d' $man/adit-ls.1 >$man/adit-planted.1
before=$failures
same_as_help adit-planted $bin/adit ls >/dev/null
[ "$failures" -gt "$before" ] || { echo "the control was not caught: a page without --json passes"; before=$((failures + 1)); }
failures=$before
rm -f $man/adit-planted.1
[ "$failures" = 0 ]
