#!/bin/sh
# test_tool_options.sh - whoever is told to use an option has it: every --option in a text of tools/, shm/ or runtime/ stands in the
# --help of a program, and one that is named as `adit COMMAND ... --option` in that command's. Examples are programs of whoever reads them.
#
# Texts are the string literals of C sources. Options of --help are the lines of its table alone, since its prose is a text like any other. A
# literal that is nothing but an option may also be one that has no help: these are what adit's processes tell each other (tools/options.h).
set -u
adit=build/release/bin/adit
shmtop=build/release/bin/shmtop
work=${TMPDIR:-/tmp}/tool_options.$$
mkdir -p "$work" || exit 1
trap 'rm -rf "$work"' EXIT
for program in $adit $shmtop; do
    [ -x $program ] || { echo "$program is not built: ninja"; exit 1; }
done

# The table of a --help on standard input, as 'COMMAND --option' lines.
table_of() {
    sed -nE "s/^  (--[a-z][a-z0-9-]*)( .*)?\$/$1 \\1/p"
}

# What the sources on the command line name, a line each: 'FILE:LINE COMMAND --option text|bare'; COMMAND is - when none is named before it
# in the same literal.
named_in() {
    awk '
        {
            line = $0
            gsub(/\047\\?"\047/, "", line) # a quote as a character is no literal
            while (match(line, /"([^"\\]|\\.)*"/)) {
                literal = substr(line, RSTART + 1, RLENGTH - 2)
                line = substr(line, RSTART + RLENGTH)
                literal_look(literal)
            }
        }
        function literal_look(text,    bare, before, option, command, words, n) {
            bare = text ~ /^--[a-z][a-z0-9-]*$/ ? "bare" : "text"
            before = ""
            while (match(text, /--[a-z][a-z0-9-]*/)) {
                option = substr(text, RSTART, RLENGTH)
                before = before substr(text, 1, RSTART - 1)
                text = substr(text, RSTART + RLENGTH)
                if (before !~ /[A-Za-z0-9-]$/) {
                    command = "-"
                    if (match(before, /`adit [a-z]+[^`]*$/)) {
                        n = split(substr(before, RSTART), words, " ")
                        command = n > 1 ? words[2] : "-"
                    }
                    print FILENAME ":" FNR, command, option, bare
                }
                before = before option
            }
        }' "$@"
}

# Of the lines of named_in, those that name what is not in the tables.
missing() {
    awk '
        FILENAME == ARGV[1] { has[$1, $2] = 1; has["-", $2] = 1; next }
        FILENAME == ARGV[2] { hidden[$1] = 1; next }
        !(($2, $3) in has) && !($4 == "bare" && ($3 in hidden)) {
            print $1 ": " $3 " is in no --help" ($2 == "-" ? "" : " of adit " $2)
        }' "$work/tables" "$work/hidden" "$1"
}

: >"$work/tables"
for command in $($adit --help | sed -nE 's/^  ([a-z]+) .*/\1/p'); do
    $adit "$command" --help | table_of "$command" >>"$work/tables"
done
$shmtop --help | table_of shmtop >>"$work/tables"
[ "$(wc -l <"$work/tables")" -gt 60 ] || { echo "the help of adit shows too few options"; exit 1; }

# {"name", "ARGUMENT" or NULL, ADIT_OPTION_KIND, target, min, max, NULL}
sed -nE 's/^ *\{"([a-z0-9-]+)", [^,]*, ADIT_OPTION_[A-Z]+, .*, NULL\},$/--\1/p' tools/*.c >"$work/hidden"

# The control: what is wrong here must be found, and nothing else.
cat >"$work/control.c" <<'END'
say("make it larger with --size, or --frob it; `adit serve --chunks` and `adit feed NAME --chunks`");
if (c == '"') put("--tether"), put("--nowhere"), say("use --tether");
/* ---- a heading -- */ say("a--b ---- %s--%s");
END
named_in "$work/control.c" >"$work/named"
missing "$work/named" | sed 's,.*/,,' >"$work/found"
cat >"$work/wanted" <<'END'
control.c:1: --frob is in no --help
control.c:1: --chunks is in no --help of adit feed
control.c:2: --nowhere is in no --help
control.c:2: --tether is in no --help
END
cmp -s "$work/found" "$work/wanted" || { echo "the control: found"; cat "$work/found"; exit 1; }

# shellcheck disable=SC2046  # names of sources have no spaces
named_in $(find tools shm runtime -path tools/examples -prune -o -name '*.[ch]' -print | sort) >"$work/named"
named=$(wc -l <"$work/named")
[ "$named" -gt 80 ] || { echo "only $named options are named in texts: the search is wrong"; exit 1; }
missing "$work/named" >"$work/found"
cat "$work/found"
echo "$named options named in texts, $(wc -l <"$work/found") of them nowhere to be had"
[ ! -s "$work/found" ]
