#!/bin/sh
# test_shmtop_tmux.sh - shmtop on a terminal, driven in tmux and read from its pane: every screen at 80x24 and 200x50, resize, sort, filter, find, detail, pause, history, mouse, quit; an arena at
# work, one whose processes are stopped, one whose processes are dead but one, and an image. Waits for what is to be seen, never for a time. (tried: filter not applied, sort mark left
# out, always 80 columns wide, no more samples, no half-blocks, clicks not heard, p never going on, images not known, the verifier not asked.)
set -u
cd "$(dirname -- "$0")/.." || exit 1
command -v tmux >/dev/null || { echo "tmux is not installed: sh tools/check installs it"; exit 77; }
adit=build/release/bin/adit
shmtop=$PWD/build/release/bin/shmtop
dir=$(mktemp -d "${TMPDIR:-/tmp}/adit-shmtop-tmux-XXXXXX") || exit 1
XDG_RUNTIME_DIR=$dir XDG_CACHE_HOME=$dir TMUX_TMPDIR=$dir LC_ALL=C.UTF-8
export XDG_RUNTIME_DIR XDG_CACHE_HOME TMUX_TMPDIR LC_ALL
unset TMUX
pids=
failures=0

the_end() {
    tops_end
    for pid in $pids; do
        kill -CONT "$pid" 2>/dev/null
        kill -KILL "$pid" 2>/dev/null
    done
    wait
    rm -rf "$dir"
}
trap the_end EXIT
trap 'exit 130' INT TERM

fail() {
    echo "FAILED: $*"
    echo "the pane:"
    pane
    failures=$((failures + 1))
}

turn=0 term=screen-256color
tm() { tmux -L top$turn -f /dev/null "$@"; }
pane() { tm capture-pane -p -t top 2>/dev/null; }
key() { tm send-keys -t top "$@"; }

# The pane has a line that matches the expression $1: waits for it, a minute at most.
sees() {
    tries=0
    while ! pane | grep -qE -- "$1"; do
        tries=$((tries + 1))
        [ "$tries" -lt 600 ] || { fail "no line matches '$1'"; return 1; }
        sleep 0.1
    done
}

# No line matches.
sees_not() {
    tries=0
    while pane | grep -qE -- "$1"; do
        tries=$((tries + 1))
        [ "$tries" -lt 600 ] || { fail "a line matches '$1'"; return 1; }
        sleep 0.1
    done
}

# Ends the terminal, and waits until its processes have ended, too.
tops_end() {
    terminal=$(tm list-panes -a -F '#{pid} #{pane_pid}' 2>/dev/null)
    tm kill-server 2>/dev/null
    for pid in $terminal; do
        tries=0
        while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 600 ]; do
            tries=$((tries + 1))
            sleep 0.1
        done
    done
}

# The row below the head that matches $1 has the text $2.
first_is() {
    tries=0
    until pane | grep -A1 -- "$1" | tail -n 1 | grep -q -- "$2"; do
        tries=$((tries + 1))
        [ "$tries" -lt 600 ] || { fail "below '$1' there is no '$2' first"; return 1; }
        sleep 0.1
    done
}

# shmtop in a terminal of $1 x $2, with arguments. It stays when shmtop ends, and says so.
top_begin() {
    columns=$1 rows=$2
    shift 2
    tops_end
    turn=$((turn + 1)) # a server that ends is another one's, with its socket
    # A command of tmux's is a line of sh.
    tm new-session -d -s top -x "$columns" -y "$rows" "TERM=$term $shmtop $* --interval 100; echo it ended with \$?; sleep 1000" \; set-option -g status off ||
        { fail "tmux cannot begin"; exit 1; }
    tm set-option -t top window-size manual 2>/dev/null
    tm resize-window -t top -x "$columns" -y "$rows"
}

size() { tm resize-window -t top -x "$1" -y "$2"; }

# Each screen: its name in the title, and what its table begins with.
each_screen() {
    while read -r number name head; do
        key "$number"
        sees "^cave  $name  (up|image)" || return
        sees "$head" || return
    done <<END
1 overview NODE +PAGE +SEGMENTS
2 participants PID.* STATE +LABEL
3 chunks W +LOD +X +Y +Z +STATE
4 kinds KIND +NAME +RUN.BY
5 tasks QUEUE +LEVEL
6 memory SEGMENT.* SIZE +PUBLISHED
7 locks NAME +STATE +OWNER
8 rings NAME +KIND +FILLED
9 viewers VIEWER +PID +STATE
e events AGE +PID +WHO +EVENT
a alerts ALERT +OF +SINCE
g frames LOOP +PID +WHO +STATE
i tiers TIER +OF +DONE
v findings INV +WHERE +WHAT
END
}

# The values in a column of a table.
csv_column() {
    "$shmtop" --csv "$1" cave | tail -n +2 | cut -d, -f"$2"
}

serve_pid='' work_pid=''
$adit serve cave --size 64M --quiet >"$dir/serve" 2>&1 &
serve_pid=$!
pids=$serve_pid
$adit work cave --quiet >"$dir/work" 2>&1 &
work_pid=$!
pids="$pids $work_pid"
$adit feed cave terrain:7:3x2x3 --quiet >"$dir/feed" 2>&1 || { echo "feed: $(cat "$dir/feed")"; exit 1; }

# ---- at work -----------------------------------------------------------------------------------------------------
top_begin 80 24 cave
sees '^cave  overview  up'
sees '15 \(15 of'
sees '^  latency +publish to mesh p50 [0-9.]+ .?s, p99'
each_screen
sees '^1-9 screens.* q quit'
[ "$(pane | wc -l)" -le 24 ] || fail "more than 24 lines at 80x24"
size 200 50
each_screen
key 2
sees 'AGE +PUBLISHED' # which 80 columns have no room for
size 80 24
sees_not 'AGE +PUBLISHED'
size 40 8
sees 'too small'
size 200 50

# What the screen says is what the same arena says for programs.
key 2
for pid in $(csv_column participants 2); do
    sees "(^| )$pid .*alive"
done
sees "$serve_pid producer.*adit serve"
sees "$work_pid producer.*adit work"
key 3
sees '[▀█]{3}'
key t
for z in $(csv_column chunks 5 | sort -u); do
    sees "^ 0 +0 +[0-9]+ +[0-9]+ +$z +clean"
done

# Sorted by a column, both ways: the first row is the one with the least, the most.
key 2
sees 'participants'
key '>' '>'
sees 'PID\^'
least=$(csv_column participants 2 | sort -n | head -n 1)
most=$(csv_column participants 2 | sort -n | tail -n 1)
first_is 'PID^' " $least "
key r
sees 'PIDv'
first_is 'PIDv' " $most "
key '<' '<'

# Clicked on: with the mouse of old, as TERM=screen has it. The head is the third line; LABEL begins at the 33rd character or so.
column=$(pane | sed -n 3p | awk '{ print index($0, "LABEL") }')
# shellcheck disable=SC2059  # the format is the sequence
tm send-keys -t top -l "$(printf "\\033[M \\$(printf %o $((32 + column)))#")"
sees 'LABEL\^'

# Filtered, found, in detail.
key / w o r k Enter
sees "filter 'work'"
sees 'adit work'
sees_not 'adit serve'
key Enter
sees 'What it calls itself\.'
sees 'KEEPER'
key Escape
sees 'PUB/s'
key Escape
sees 'adit serve'
key f w o r k Enter Enter
sees '^LABEL +adit work'
key Escape
key h
sees '^Keys'
key Escape
sees_not '^Keys'

# What happened: the feeder has left, and said so.
key e
sees 'adit feed +leave'
key / l e a v e Enter
sees "filter 'leave'"
sees_not ' join '
key 2

# Who meshed, all of it; the verifier, asked.
meshed=$("$shmtop" --csv tiers.tiers cave | tail -n +2 | awk -F, '$2 == "meshes" && $3 > 0 { print $1 }')
[ -n "$meshed" ] || fail "no tier has meshed"
for tier in $meshed; do
    key i
    sees "^$tier +meshes +[0-9,]+ "
    sees "^$tier +meshes +0\.00 ns +[0-9]" # what a chunk costs
done
key v
sees '^  nothing is wrong: looked at [0-9:]+, for '
key 2

# Paused, and back in time.
key p
sees 'PAUSED [1-9]'
sees 'p go on'
key p
sees_not PAUSED
key '[' '['
sees 'PAUSED'
tries=0
while pane | grep -q PAUSED && [ "$tries" -lt 6000 ]; do # one snapshot on, as often as it takes to come to the newest
    key ']'
    tries=$((tries + 1))
done
sees_not PAUSED
key 1
sees '^cave  overview'

# Alerts, by limits of ours.
echo 'memory_used = 1 %' >"$dir/low.conf"
top_begin 80 24 cave --config "$dir/low.conf"
sees '^  grade +[DEF]:'
sees '^  alert +memory_used: '
key a
sees '^  memory_used: See who holds it'
sees '^memory_used +data of the arena .* 1 %'
size 200 50
sees '^memory_used +data of the arena .* 1 % +See who holds it'

# Frames: who flies keeps a loop at sixty a second.
$adit fly sky --seconds 600 --radius 1 --layers 1 --speed 0 --edits 0 --workers 1 --worker-processes 0 --size 64M --quiet >"$dir/fly" 2>&1 &
fly_pid=$!
pids="$pids $fly_pid"
for size in '80 24' '200 50'; do
    # shellcheck disable=SC2086  # two words
    top_begin $size sky
    sees '^sky  overview'
    key g
    sees "^  pid $fly_pid adit fly: the last 100 frames of 16\.7 ms"
    sees '^ +100 \+[-#]{50}'
    sees '^ +25 \|#'
    sees "^ +[0-9] +$fly_pid adit fly +open"
done
sees '[-#]{100}'
kill -KILL "$fly_pid"
wait "$fly_pid" 2>/dev/null
pids="$serve_pid $work_pid"
key a
sees "^participant_lost +pid $fly_pid adit fly"
key e
sees "$fly_pid adit fly +[a-z]"
key g
sees "^ +[0-9] +$fly_pid adit fly" # dead, with all others: what it has said stays as long as somebody looks

# ---- all stopped ---------------------------------------------------------------------------------------------------
top_begin 80 24 cave
sees '^cave  overview'
kill -STOP "$serve_pid" "$work_pid"
was=$(pane | head -n 1)
tries=0
while [ "$(pane | head -n 1)" = "$was" ] && [ "$tries" -lt 600 ]; do
    tries=$((tries + 1))
    sleep 0.1
done
[ "$tries" -lt 600 ] || fail "the clock stands while the arena's processes are stopped"
each_screen
kill -CONT "$serve_pid" "$work_pid"

# ---- all dead but one ----------------------------------------------------------------------------------------------
kill -KILL "$serve_pid"
wait "$serve_pid" 2>/dev/null
key 2
sees_not 'adit serve'
sees "$work_pid producer.*adit work"
key a
sees "^participant_lost +pid $serve_pid adit serve"
key e
sees "adit work +death .*pid $serve_pid"
kill -STOP "$work_pid"
each_screen
kill -CONT "$work_pid"
top_begin 200 50 cave # who comes later is served by the one that is left
each_screen
key q
sees 'it ended with 0'

# ---- an image ------------------------------------------------------------------------------------------------------
$adit dump cave --image "$dir/cave" --json >/dev/null 2>&1 || fail "adit dump --image"
kill -TERM "$work_pid"
wait "$work_pid"
pids=
cd "$dir" || exit 1
term=screen # of eight colours
for size in '80 24' '200 50'; do
    # shellcheck disable=SC2086  # two words
    top_begin $size cave
    sees '^cave  overview  image'
    each_screen
done
key 3
sees '[▀█]{3}'
key t
sees '^ 0 +0 +2 +1 +2 +clean'
key e
sees 'adit (work|feed) +(leave|mesh|grace|put)'
key a
sees "^participant_lost +pid $serve_pid adit serve"
key v
sees '^  nothing is wrong: looked at [0-9:]+, for '
sees '^  came past [1-9][0-9]* blocks'
key i
sees '^(scalar|avx2|avx512) +meshes +[1-9]'
key q
sees 'it ended with 0'

echo "$failures failed"
[ "$failures" = 0 ]
