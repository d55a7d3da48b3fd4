/* event.pml - no wait lasts for ever, although posting costs one load, and whoever posts may die before it does.
 *
 * Stands for shm/event.h, shm/event.c.
 *
 *   here                     there
 *   changed                  what is_ready() looks at: a ring's index, a bit of a set
 *   plain                    the poster's change is a plain release store (rings), not a read-modify-write (bit sets)
 *   buffer                   that store, on its way (x86-TSO); memory() lets it arrive at any time
 *   seq, waiters             adit_event
 *   asleep[]                 threads in futex_wait; the kernel compares seq and puts to sleep in one step
 *   first                    the next sleep is NAP_FIRST_NS long, later ones NAP_NS
 *   made, naps_late[]        the change is made, though perhaps not seen; sleeps begun since
 *   dead                     the poster was killed between its change and its post
 *
 * Time is one assumption: a store arrives before a nap that began after it was made ends. So a nap ends by itself only with the buffer
 * empty; and, once the change is made, only where that is needed (the store was plain, or the poster is dead): else a wake must come.
 * Claimed: nobody sleeps for ever (an end state in which somebody sleeps is invalid), and at most one sleep is begun after the change.
 * Abstracted: two waiters for one change; the caller's timeout; spins before sleeping (they are looks made later).
 *
 *   BUG 1  the first sleep has no bound
 *   BUG 2  later sleeps have none, and posters may die
 *   BUG 3  a waiter looks before it counts itself
 *   BUG 4  seq is read after the look
 *   BUG 5  the poster looks for waiters before it makes its change
 */
#define WAITERS 2

bool changed, made, plain, dead, asleep[WAITERS];
byte seq, waiters, naps_late[WAITERS];
chan buffer = [1] of { bool };

#if BUG == 1
#define BOUNDED(first) (!(first))
#elif BUG == 2
#define BOUNDED(first) (first)
#else
#define BOUNDED(first) true
#endif

proctype memory()
{
end:
    do
    :: atomic { buffer?changed }
    od
}

inline change()
{
    atomic {
        made = true;
        if
        :: plain -> buffer!true
        :: else -> changed = true
        fi
    }
}

proctype poster()
{
    byte seen;
    plain = true;
    if
    :: plain = false
    :: true
    fi;
#if BUG == 5
    seen = waiters;
    change();
#else
    change();
    if
    :: dead = true -> goto end
    :: true
    fi;
    seen = waiters; /* EVENT:post: may be done while the store is on its way */
#endif
    if
    :: seen > 0 ->
        d_step { empty(buffer) -> seq++ } /* a read-modify-write lets all arrive */
        d_step { asleep[0] = false; asleep[1] = false } /* futex_wake */
    :: else
    fi;
end:
    skip
}

proctype waiter(byte me)
{
    byte before;
    bool first = true;
#if BUG == 3
    if
    :: changed -> goto done
    :: else
    fi;
#endif
    waiters++; /* EVENT:wait */
    do
    ::
#if BUG != 4
       before = seq;
#endif
#if BUG == 3
       if
       :: !first && changed -> break
       :: else
       fi;
#else
       if
       :: changed -> break
       :: else
       fi;
#endif
#if BUG == 4
       before = seq;
#endif
       d_step { /* futex_wait */
           if
           :: seq == before ->
               asleep[me] = true;
               naps_late[me] = naps_late[me] + (made -> 1 : 0);
               assert(naps_late[me] <= 1)
           :: else
           fi
       }
       if
       :: !asleep[me] /* woken, or seq had moved */
       :: BOUNDED(first) && (!made || plain || dead) && empty(buffer) -> asleep[me] = false
       fi;
       first = false
    od;
    waiters--;
done:
    skip
}

init {
    atomic { run memory(); run poster(); run waiter(0); run waiter(1) }
}
