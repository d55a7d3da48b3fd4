# api_man.awk - the manual page (man(7)) of a public header: what it declares, call by call, each with the comment that stands above it. `ninja man` makes all of them; tests/test_api_man.sh sees to it that nothing is left out.
#
#     awk -v version=0.1.0 -v pages="adit adit_tasks" -f tools/api_man.awk runtime/adit_tasks.h >adit_tasks.3
#
# What it goes by is how these headers are written:
#   - the comment at the head is the name with its one line, then the description
#   - "/* ---- title ---- */" is a section
#   - a comment at the margin belongs to the declarations below it, up to the next empty line or comment: it comes behind them
#   - a comment behind a member of a struct or a value of an enum belongs to that, and comes below it
#   - lines of comments that begin with more than one blank are drawings or code and stay as they are
# Bodies of inline functions, guards and includes are no user's business. A header that is not written so ends this with an error.

function fail(what) {
    print FILENAME ":" at ": " what >"/dev/stderr"
    failed = 1
    exit 1
}

# Text as man(7) reads it back.
function escaped(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    gsub(/`/, "\\(ga", text)
    gsub(/\^/, "\\(ha", text)
    gsub(/~/, "\\(ti", text)
    sub(/[ \t]+$/, "", text)
    if (text ~ /^[.']/)
        text = "\\\\&" text
    return text
}

function bold(code) {
    code = escaped(code)
    gsub(/"/, "\\(dq", code)
    print ".B \"" code "\""
}

# The n lines of text: paragraphs are filled, lines that begin with a blank are not, empty ones are between paragraphs.
function put_text(text, n,    i, as_is, gap) {
    as_is = gap = 0
    for (i = 1; i <= n; i++) {
        if (text[i] ~ /^[ \t]*$/) {
            gap = i > 1
            continue
        }
        if ((text[i] ~ /^ /) != as_is) {
            if (as_is)
                print ".fi"
            if (gap)
                print ".PP"
            as_is = !as_is
            if (as_is)
                print ".nf"
        } else if (gap)
            print as_is ? "" : ".PP"
        gap = 0
        print escaped(text[i])
    }
    if (as_is)
        print ".fi"
}

# Reads the comment that begins in line `at` into comment[1..comment_n]; `at` is then its last line.
function read_comment(    line) {
    comment_n = 0
    for (;; at++) {
        if (at > lines_n)
            fail("a comment without an end")
        line = lines[at]
        sub(/^\/\* ?/, "", line)
        sub(/^ \*($| )/, "", line)
        if (line ~ /\*\/[ \t]*$/) {
            sub(/[ \t]*\*\/[ \t]*$/, "", line)
            if (line != "" && line != " *")
                comment[++comment_n] = line
            return
        }
        comment[++comment_n] = line
    }
}

# ---- code: pieces, each with the comment behind it ----

# Adds a line of code to the unit at hand: piece[], said[] (its comment, "" without), and what of its brackets is open.
function add_line(line,    k, code, rest) {
    rest = line
    do {
        if (in_comment) {
            k = index(rest, "*/")
            code = k ? substr(rest, 1, k - 1) : rest
            sub(/^[ \t]*(\* ?)?/, "", code)
            sub(/[ \t]+$/, "", code)
            said[piece_n] = said[piece_n] (said[piece_n] != "" && code != "" ? " " : "") code
            if (!k)
                return
            in_comment = 0
            rest = substr(rest, k + 2)
            if (match(rest, /^[ \t]*[,;]/)) { # it belongs to what the comment is about
                piece[piece_n] = piece[piece_n] substr(rest, RLENGTH, 1)
                count_brackets(substr(rest, RLENGTH, 1))
                rest = substr(rest, RLENGTH + 1)
            }
            if (rest ~ /^[ \t]*$/)
                return
        }
        k = index(rest, "/*")
        code = k ? substr(rest, 1, k - 1) : rest
        sub(/[ \t]+$/, "", code)
        count_brackets(code)
        if (code != "" || !piece_n) {
            piece[++piece_n] = code
            said[piece_n] = ""
        }
        if (k) {
            in_comment = 1
            rest = substr(rest, k + 2)
            sub(/^[ \t]+/, "", rest)
        }
    } while (k)
}

function count_brackets(code,    text) {
    text = code
    gsub(/"[^"]*"/, "", text)
    depth += gsub(/[({]/, "", text) - gsub(/[)}]/, "", text)
    if (code ~ /[^ \t]/)
        last = substr(code, length(code))
}

# A declaration on one line: of what is inline up to its body.
function signature(    i, text) {
    text = ""
    for (i = 1; i <= piece_n; i++)
        text = text " " piece[i]
    sub(/^ *(ADIT_API|static inline) +/, "", text)
    if (is_inline)
        sub(/[ \t]*\{.*/, ";", text)
    gsub(/[ \t]+/, " ", text)
    sub(/^ /, "", text)
    return text
}

# Of a function's declaration.
function name_of(text) {
    if (text ~ /^typedef /)
        return ""
    sub(/\(.*/, "", text)
    sub(/.*[ *]/, "", text)
    return text
}

# Reads one declaration, from line `at` on, into the group; `at` is then its last line.
function read_unit(    i) {
    piece_n = depth = in_comment = 0
    last = ""
    is_inline = lines[at] ~ /^static inline /
    is_define = lines[at] ~ /^#define /
    for (;; at++) {
        if (at > lines_n)
            fail("a declaration without an end")
        add_line(lines[at])
        if (!in_comment && (is_define ? lines[at] !~ /\\$/ : depth == 0 && (last == ";" || (is_inline && last == "}"))))
            break
    }
    unit_n++
    if (lines_of_function()) {
        is_call[unit_n] = 1
        unit[unit_n] = signature()
        if (name_of(unit[unit_n]) != "")
            names[++names_n] = name_of(unit[unit_n])
        return
    }
    is_call[unit_n] = 0
    first[unit_n] = kept_n + 1
    # Values of an enum that begin on its first line get a line each, as members of structs have.
    is_split = piece_n > 1 && match(piece[1], /^enum [a-z_]*[ ]*\{ */)
    if (is_split) {
        kept[++kept_n] = substr(piece[1], 1, RLENGTH)
        sub(/ +$/, "", kept[kept_n])
        kept_said[kept_n] = ""
        piece[1] = substr(piece[1], RLENGTH + 1)
    }
    for (i = 1; i <= piece_n; i++) {
        if (is_split) {
            sub(/^[ \t]+/, "", piece[i])
            piece[i] = (piece[i] ~ /^}/ ? "" : "    ") piece[i]
        }
        kept[++kept_n] = piece[i]
        kept_said[kept_n] = said[i]
    }
    final[unit_n] = kept_n
}
function lines_of_function() { return piece[1] ~ /^(ADIT_API|static inline|typedef) / }

# ---- out: a group of declarations, and what is said of them ----

# A paragraph begins, but not right behind a section's head.
function paragraph() {
    if (!is_fresh)
        print ".PP"
    is_fresh = 0
}

function put_said() {
    if (!pending_n)
        return
    print ".RS 4"
    put_text(pending, pending_n)
    print ".RE"
    pending_n = 0
}

# The comment comes below the calls that it stands above; above structs and constants it is about all of what follows, and comes first.
function flush(    u, i) {
    if (pending_n && !(unit_n && is_call[1])) {
        paragraph()
        put_text(pending, pending_n)
        pending_n = 0
    }
    for (u = 1; u <= unit_n; u++) {
        if (u > 1 && is_call[u - 1] && is_call[u])
            print ".br"
        else
            paragraph()
        if (is_call[u]) {
            bold(unit[u])
            if (u == unit_n || !is_call[u + 1])
                put_said()
            continue
        }
        print ".nf"
        for (i = first[u]; i <= final[u]; i++) {
            if (kept[i] ~ /[^ \t]/)
                bold(kept[i])
            if (kept_said[i] != "")
                print ".fi\n.RS 8\n" escaped(kept_said[i]) "\n.RE\n.nf"
        }
        print ".fi"
        while (u < unit_n && !is_call[u + 1] && final[u] == first[u] && final[u + 1] == first[u + 1]) { # one line behind the other
            u++
            print ".nf"
            bold(kept[first[u]])
            print ".fi"
            if (kept_said[first[u]] != "")
                print ".RS 8\n" escaped(kept_said[first[u]]) "\n.RE"
        }
    }
    unit_n = kept_n = 0
}

function section(title) {
    flush()
    sub(/^\/\* -+ /, "", title)
    sub(/ -+ \*\/$/, "", title)
    print ".SH " escaped(toupper(title))
    is_fresh = 1
}

# Everything below the head; what comes out is kept back by the caller, who needs names[] first.
function walk(    line) {
    for (at++; at <= lines_n; at++) {
        line = lines[at]
        if (line ~ /^[ \t]*$/)
            flush()
        else if (line ~ /^\/\* ----/)
            section(line)
        else if (line ~ /^\/\*/) {
            flush()
            read_comment()
            for (pending_n = 0; pending_n < comment_n;) {
                pending_n++
                pending[pending_n] = comment[pending_n]
            }
        } else if (line ~ /^#define [A-Z_]+_H$/ || line ~ /^#define ADIT_API / || line ~ /^#(if|ifdef|ifndef|else|endif|error|include)/ || line ~ /^extern "C"/ || line == "}")
            continue
        else
            read_unit()
    }
    flush()
}

function find_names(    line) { # as walk does, without a word
    for (at++; at <= lines_n; at++) {
        line = lines[at]
        if (line ~ /^(ADIT_API|static inline|typedef) /)
            read_unit()
    }
    unit_n = kept_n = 0
}

{ lines[++lines_n] = $0 }

END {
    if (failed)
        exit 1
    at = 1
    page = FILENAME
    sub(/.*\//, "", page)
    sub(/\.h$/, "", page)
    if (lines[1] !~ "^/\\* " page "\\.h - ")
        fail("its first line is not '/* " page ".h - what it is'")
    page = page ~ /^adit/ ? page : "adit_" page
    read_comment()
    body_at = at
    summary = comment[1]
    sub(/^[a-z_]+\.h - /, "", summary)
    for (i = 2; summary !~ /\. |\.$/ && i <= comment_n; i++)
        summary = summary " " comment[i]
    k = match(summary, /\.( |$)/)
    if (!k)
        fail("its summary does not end")
    rest_n = 0
    rest[1] = substr(summary, k + 2)
    if (rest[1] != "")
        rest_n = 1
    for (; i <= comment_n; i++)
        rest[++rest_n] = comment[i]
    summary = substr(summary, 1, k - 1)

    find_names()
    print ".TH " toupper(page) " 3 \"\" \"adit " version "\" \"adit\""
    print ".nh\n.SH NAME"
    line = page
    for (i = 1; i <= names_n; i++)
        line = line ", " names[i]
    print line " \\- " escaped(summary)
    print ".SH SYNOPSIS\n.B #include <adit/adit.h>\n.PP\ncc ... $(pkg\\-config \\-\\-cflags \\-\\-libs adit)\n.SH DESCRIPTION"
    put_text(rest, rest_n)
    is_fresh = 0
    at = body_at
    walk()
    print ".SH SEE ALSO"
    n = split(pages, other, " ")
    for (i = 1; i <= n; i++)
        if (other[i] != page)
            print ".BR " other[i] " (3),"
    print ".BR adit (1)"
}
