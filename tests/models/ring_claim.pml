/* ring_claim.pml - an MPMC ring goes on whoever dies in push or pop: what was handed over comes out once, and nobody is stuck.
 *
 * Stands for shm/ring.c: claim(), walk(), mpmc_push_one(), mpmc_pop_one(), recover_mpmc().
 *
 *   here                     there
 *   at_[s], phase[s], by[s]  the word of slot s: index, phase, owner
 *   element[s]               what lies in it; 0: half copied
 *   tail, head               the hints; stored late, or never
 *   running[]                process p runs; the keeper has seen the pidfd of one that does not
 *   handed[], seen[]         elements whose push returned, and how often a popper got each
 *
 * Abstracted: a full (empty) ring is waited for in place of being told; a ring of SLOTS slots, two pushers and two poppers, of
 * which one may die at any step. Each compare-and-swap has the whole word as it was read.
 *
 *   BUG 1  nobody recovers the dead
 *   BUG 2  what a dead popper had claimed is given out again, though heads have gone by
 *   BUG 3  an index is announced by the hint before its slot is claimed
 *   BUG 4  poppers do not step over a slot that was given up
 *   BUG 5  a claim of a live process is given up (no pidfd asked)
 */
#define SLOTS 2
#define ELEMENTS 3 /* 1 by process 1, 2 and 3 by process 2; processes 3 and 4 pop; 1 and 3 may die */

#define FREE 0
#define FILLING 1
#define FILLED 2
#define DRAINING 3

byte at_[SLOTS], phase[SLOTS], by[SLOTS], element[SLOTS];
byte tail, head;
bool running[5];
bool handed[ELEMENTS + 1];
byte seen[ELEMENTS + 1];

#define S (at % SLOTS)
#define LEAD(want) ((at_[S] * 4 + phase[S]) - (at * 4 + want))

/* When it may: walks from the hint, claims, and tells the hint. A look at a slot and what is done about it are one step: it is a compare-and-swap, or changes at alone. */
inline claim(may, hint, want)
{
    atomic { may -> at = hint };
end_full_or_empty:
    if
#if BUG == 3
    :: atomic { hint <= at -> hint = at + 1; goto end_full_or_empty }
#endif
    :: atomic { LEAD(want) == 0 -> phase[S] = want + 1; by[S] = me }
#if BUG == 4
    :: atomic { LEAD(want) > 0 && (want == FREE || at_[S] == at) -> at = (hint > at + 1 -> hint : at + 1); goto end_full_or_empty }
#else
    :: atomic { LEAD(want) > 0 -> at = (hint > at + 1 -> hint : at + 1); goto end_full_or_empty }
#endif
    fi;
    hint = at + 1
}

proctype pusher(byte me)
{
    byte at, i = me;
    {
        do
        :: claim(i <= (me == 1 -> 1 : ELEMENTS), tail, FREE);
            element[S] = 0;
            element[S] = i;
            atomic { phase[S] = FILLED; by[S] = 0 };
            atomic { handed[i] = true; i++; at = 0 }
        :: i > (me == 1 -> 1 : ELEMENTS) -> break
        od
    } unless { !running[me] };
    atomic { at = 0; i = 0 }
}

proctype popper(byte me)
{
    byte at, got;
    {
        do
        :: claim(true, head, FILLED);
            got = element[S];
            atomic { phase[S] = FREE; at_[S] = at + SLOTS; by[S] = 0 };
            atomic { assert(got); seen[got]++; assert(seen[got] == 1); got = 0; at = 0 }
        od
    } unless { !running[me] };
    atomic { at = 0; got = 0 }
}

inline give_up(s, p)
{
    d_step {
        if
        :: by[s] == p && (phase[s] == FILLING || phase[s] == DRAINING) ->
#if BUG == 2
            if
            :: phase[s] == DRAINING -> phase[s] = FILLED
            :: else -> phase[s] = FREE; at_[s] = at_[s] + SLOTS
            fi;
#else
            phase[s] = FREE;
            at_[s] = at_[s] + SLOTS;
#endif
            by[s] = 0
        :: else
        fi
    }
}

/* Kills one, or not; then recovers it. */
proctype keeper()
{
    byte p;
    if
    :: p = 1
    :: p = 3
    :: goto over
    fi;
#if BUG != 5
    running[p] = false;
#endif
#if BUG != 1
    give_up(0, p);
    give_up(1, p);
#endif
over:
    skip
}

active proctype judge()
{
    byte e, lost;
    atomic {
        at_[1] = 1;
        e = 1;
        do
        :: e <= 4 -> running[e] = true; e++
        :: else -> break
        od;
        e = 0;
        run pusher(1); run pusher(2); run popper(3); run popper(4); run keeper()
    }
    timeout;
    d_step {
        assert(handed[2] && handed[3]); /* who lives was not stuck */
        e = 1;
        do
        :: e <= ELEMENTS ->
            lost = lost + (handed[e] && !seen[e] -> 1 : 0);
            e++
        :: else -> break
        od;
        assert(lost <= (running[3] -> 0 : 1));
        assert(phase[0] == FREE && phase[1] == FREE)
    }
}
