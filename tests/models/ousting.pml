/* ousting.pml - a section that stays is marked and no longer waited for: what its reader then reads, it throws away; and nobody commits in one.
 *
 * Stands for shm/rcu.c (adit_rcu_oust, scan), shm/rcu.h (adit_rcu_is_ousted, exit) and runtime/publish.h (adit_intent_set, clear).
 *
 *   here                     there
 *   epoch                    control.epoch
 *   slot, mark               a reader slot's epoch (0: out) and ousted: 0, the epoch of the section that it is for, or PENDING + who is about to
 *                            mark it
 *   intent                   the slot's intent
 *   link, used[]             which object is linked; it was reclaimed and is something else now
 *
 * Abstracted: one participant with two sections, in each of which it reads or commits; objects replaced in turn by two reclaimers, which may
 * oust at any time (the quota is a matter of when). Memory is sequentially consistent: the fences are the order of the steps.
 *
 *   BUG 1  a reader looks for the mark before it reads
 *   BUG 2  a reclaimer does not look for an intent before its mark counts
 *   BUG 3  the intent is told after the look for the mark
 *   BUG 4  a reader takes its mark away before it looks
 *   BUG 5  a mark counts at once and is withdrawn when there is an intent: another reclaimer has passed the section meanwhile
 *   BUG 6  a mark is taken for whatever section comes, not for its own
 *   BUG 7  a pending mark says not whose it is: one is made good that another reclaimer has withdrawn and set anew
 */
#define SECTIONS 2
#define PENDING 100

byte epoch = 1, slot, mark, link, retired = 9;
bool intent, used[4]; /* objects 0, 1, 2, 3: each is linked once */

#define OUSTED (mark != 0 && mark == slot)
#define MAY_BE_OUSTED (OUSTED || mark >= PENDING)

inline enter()
{
    e = epoch;
    slot = e
}

inline leave()
{
    slot = 0;
    mark = 0 /* only this one's: a younger one is for another section, which has not begun */
}

inline read_link()
{
    enter();
    seen = link;
#if BUG == 1
    stale = OUSTED;
    was_used = used[seen];
#elif BUG == 4
    was_used = used[seen];
    mark = 0;
    stale = OUSTED;
#else
    was_used = used[seen];
    stale = OUSTED;
#endif
    assert(stale || !was_used);
    leave()
}

/* Replaces what is linked, unless somebody else has; retires it by saying so to a reclaimer. */
inline commit()
{
    enter();
    seen = link;
#if BUG == 3
    stale = MAY_BE_OUSTED;
    intent = true;
#else
    intent = true;
    stale = MAY_BE_OUSTED;
#endif
    if
    :: !stale ->
        assert(!used[seen]); /* what it compares with, by number and place, is still what it was */
        atomic {
            if
            :: link == seen && retired == 9 && link < 3 -> link = seen + 1; retired = seen
            :: else -> skip
            fi
        }
    :: stale -> skip
    fi;
    intent = false;
    leave()
}

proctype participant()
{
    byte e, seen, n;
    bool was_used, stale;
    do
    :: n < SECTIONS -> n++; read_link(); d_step { seen = 0; was_used = false; stale = false; e = 0 }
    :: n < SECTIONS -> n++; commit(); d_step { seen = 0; was_used = false; stale = false; e = 0 }
    :: n == SECTIONS -> break
    od
}

/* mark: was -> is, if it is was. */
#define SWAP(was, is) d_step { if :: mark == was -> mark = is :: else -> skip fi }

proctype reclaimer(byte me; byte rounds)
{
    byte mine, late, old, n, was, pending;
#if BUG == 7
    pending = PENDING;
#else
    pending = PENDING + me;
#endif
    do
    :: n < rounds ->
        n++;
        if
        :: atomic { retired != 9 -> old = retired; retired = 9 }
        :: atomic { retired == 9 && link < 3 -> old = link; link = link + 1 } /* one of its own */
        :: atomic { retired == 9 && link == 3 -> break }
        fi;
        atomic { epoch++; mine = epoch };
        do /* waits for the section, or marks it */
        :: atomic { slot == 0 || slot >= mine || OUSTED -> break }
#if BUG == 6
        :: atomic { mark != 0 -> break }
#endif
        :: atomic { slot != 0 && slot < mine && !OUSTED && !intent -> late = slot; was = mark };
#if BUG == 5
            SWAP(was, late);
            if
            :: intent -> SWAP(late, 0)
            :: else -> skip
            fi
#else
            d_step { if :: mark == was -> mark = pending; was = pending :: else -> was = 0 fi };
            if
            :: was != pending -> skip /* another one was quicker: look again */
#if BUG == 2
            :: else -> SWAP(pending, late)
#else
            :: was == pending && intent -> SWAP(pending, 0)
            :: was == pending && !intent -> SWAP(pending, late)
#endif
            fi
#endif
        od;
        used[old] = true;
        d_step { mine = 0; late = 0; old = 0; was = 0 }
    :: n == rounds -> break
    od
}

init { atomic { run participant(); run reclaimer(0, 2); run reclaimer(1, 1) } }
