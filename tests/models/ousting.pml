/* ousting.pml - a section that stays is marked and no longer waited for: what its reader then reads, it throws away; and nobody commits in one.
 *
 * Stands for shm/rcu.c (adit_rcu_oust, scan), shm/rcu.h (adit_rcu_is_ousted, exit) and runtime/publish.h (adit_intent_set, clear).
 *
 *   here                     there
 *   epoch                    control.epoch
 *   slot[p], mark[p]         a reader slot's epoch (0: out) and ousted (0, or the epoch of the section that it is for)
 *   intent[p]                the slot's intent
 *   link, used[]             which object is linked; it was reclaimed and is something else now
 *
 * Abstracted: two readers of two sections each, the second of whom commits; two objects replaced in turn by a reclaimer; the reclaimer may oust at
 * any time (the quota is a matter of when). Memory is sequentially consistent: the fences are the order of the steps.
 *
 *   BUG 1  a reader looks for the mark before it reads
 *   BUG 2  the reclaimer does not look for an intent after its mark
 *   BUG 3  the intent is told after the look for the mark
 *   BUG 4  a reader takes its mark away before it looks
 *   BUG 5  a section whose mark was withdrawn counts as passed
 *   BUG 6  a mark is taken for whatever section comes, not for its own
 */
#define SECTIONS 2
#define ROUNDS 2

byte epoch = 1, slot[2], mark[2], link;
bool intent[2], used[4]; /* objects 0, 1, 2: each is linked once */

#define OUSTED(p) (mark[p] != 0 && mark[p] == slot[p])

inline enter(p)
{
    e = epoch;
    slot[p] = e
}

inline leave(p)
{
    slot[p] = 0;
    mark[p] = 0 /* only this one's: a younger one is for another section, which has not begun */
}

proctype reader()
{
    byte e, seen, n;
    bool was_used, stale;
    do
    :: n < SECTIONS ->
        n++;
        enter(0);
        seen = link;
#if BUG == 1
        stale = OUSTED(0);
        was_used = used[seen];
#elif BUG == 4
        was_used = used[seen];
        mark[0] = 0;
        stale = OUSTED(0);
#else
        was_used = used[seen];
        stale = OUSTED(0);
#endif
        assert(stale || !was_used);
        leave(0);
        d_step { seen = 0; was_used = false; stale = false; e = 0 }
    :: n == SECTIONS -> break
    od
}

/* Replaces what is linked, unless somebody else has; retires it by saying so to the reclaimer. */
byte retired = 9;

proctype writer()
{
    byte e, seen;
    bool stale;
    enter(1);
    seen = link;
#if BUG == 3
    stale = OUSTED(1);
    intent[1] = true;
#else
    intent[1] = true;
    stale = OUSTED(1);
#endif
    if
    :: !stale ->
        assert(!used[seen]); /* what it compares with, by number and place, is still what it was */
        atomic {
            if
            :: link == seen && retired == 9 -> link = seen + 1; retired = seen
            :: else -> skip
            fi
        }
    :: stale -> skip
    fi;
    intent[1] = false;
    leave(1)
}

proctype reclaimer()
{
    byte mine, late, old, n, p;
    do
    :: n < ROUNDS ->
        n++;
        if
        :: atomic { retired != 9 -> old = retired; retired = 9 }
        :: atomic { retired == 9 && link < 3 -> old = link; link = link + 1 } /* one of its own */
        fi;
        atomic { epoch++; mine = epoch };
        p = 0;
        do /* waits for each section, or marks it */
        :: atomic { p < 2 && (slot[p] == 0 || slot[p] >= mine || OUSTED(p)) -> p++ }
#if BUG == 6
        :: atomic { p < 2 && mark[p] != 0 -> p++ }
#endif
        :: atomic { p < 2 && slot[p] != 0 && slot[p] < mine && !OUSTED(p) && !intent[p] -> late = slot[p] };
            mark[p] = late;
#if BUG != 2
            if
            :: intent[p] ->
                mark[p] = 0; /* a compare-and-swap there, as several reclaimers may oust */
#if BUG == 5
                p++
#else
                skip
#endif
            :: else -> skip
            fi
#endif
        :: p == 2 -> break
        od;
        used[old] = true
    :: n == ROUNDS -> break
    od
}

init { atomic { run reader(); run writer(); run reclaimer() } }
