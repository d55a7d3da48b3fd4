/* guest_proxy.pml - a guest that keeps to the rules never takes a freed object for a good one, whatever the proxy has got to.
 *
 * Stands for shm/proxy.h, shm/proxy.c, shm/guest.c (enter, look, exit), and ousting by reclaimers (shm/rcu.c).
 *
 *   here                     there
 *   epoch                    adit_control.epoch
 *   page, buffer             a section's word in the guest's page; what the guest has stored and nobody else sees yet (x86-TSO). Stores that
 *                            are late matter at enter alone: a late exit keeps the slot where it is
 *   slot, mark, ousts        adit_reader_slot.epoch, ousted, ousts of the guest's slot
 *   current, freed[]         a link; blocks given back
 *   updater                  replaces the object twice and frees after a grace period; ousts at will
 *   proxy                    looks, for ever; it may stop at any step and never go on (a keeper that is stopped)
 *   bad, told                the guest has read what was freed; it was told so (-ESTALE)
 *
 * Abstracted: one section at a time (a page's words are looked at one after the other, each for itself); pins and watches; the proxy's and
 * the updater's own stores are seen at once (each of theirs that matters is a locked instruction or followed by one); what a dead
 * keeper's successor does (it begins when the process of the first has ended).
 *
 *   BUG 1  the guest's enter is a plain store
 *   BUG 2  the proxy looks at the page before it loads the epoch
 *   BUG 3  the slot is moved to the epoch whatever the page says
 *   BUG 4  the proxy takes the mark away before it has counted the oust
 *   BUG 5  enter looks for a mark first, and takes the count of ousts then
 *   BUG 6  enter does not look for a mark
 *   BUG 7  the look at a section's end asks for a mark only, not for the count
 */
#define FIRST 3
#define STEP 2
#define UPDATES 2
#define ODD(w) ((w) & 1)

byte epoch = FIRST, page, slot = FIRST, mark, ousts, current;
bool freed[UPDATES + 1];
chan buffer = [2] of { byte };

#if BUG == 1
proctype memory()
{
end:
    do
    :: atomic { buffer?page }
    od
}
#endif

/* told: whether the section counts no more; adit_guest_is_ousted(). */
inline look()
{
    told = stale || mark != 0; /* OUST:look */
#if BUG != 7
    told = told || ousts != mine
#endif
}

proctype guest()
{
    byte e, object, mine;
    bool bad, stale, told;
end:
    do
    :: /* enter */
       e = epoch;
#if BUG == 1
       buffer!e;
#else
       page = e; /* GUEST:enter */
#endif
#if BUG == 5
       stale = mark != 0;
       mine = ousts;
#else
       mine = ousts;
#if BUG != 6
       stale = mark != 0;
#endif
#endif
       object = current;
       bad = freed[object];
       bad = bad || freed[object];
       look();
       assert(told || !bad);
#if BUG == 1
       buffer!0;
#else
       page = 0; /* GUEST:exit */
#endif
       d_step { e = 0; object = 0; mine = 0; bad = false; stale = false; told = false }
    od
}

proctype proxy()
{
    byte e, p, found;
end:
    do
    ::
#if BUG == 2
       p = page;
       e = epoch;
#else
       e = epoch; /* PROXY:epoch */
       p = page; /* PROXY:look */
#endif
       if
       :: ODD(p) && p < e
#if BUG == 3
          -> p = e
#endif
       :: else -> p = e
       fi;
       found = mark;
       if
       :: found ->
#if BUG != 4
          ousts++;
#endif
          p = epoch
       :: else
       fi;
#if BUG == 4
       if
       :: d_step { found && mark == found -> mark = 0 }
       :: !found || mark != found
       fi;
#endif
       if
       :: p > slot -> slot = p /* PROXY:move */
       :: else
       fi;
#if BUG == 4
       if
       :: found -> ousts++
       :: else
       fi;
#endif
#if BUG != 4
       if
       :: d_step { found && mark == found -> mark = 0 }
       :: !found || mark != found
       fi;
#endif
       d_step { e = 0; p = 0; found = 0 }
    :: break /* stopped */
    od
}

/* One look at the slot; passed: the grace period of epoch target need not wait. */
inline scan()
{
    word = slot; /* RCU:scan */
    passed = word >= target;
    if
    :: !passed -> passed = mark == word
    :: else
    fi
}

proctype updater()
{
    byte n, target, word;
    bool passed;
    do
    :: n < UPDATES ->
       current = n + 1; /* unlink */
       d_step { epoch = epoch + STEP; target = epoch }; /* RCU:advance */
       do
       :: passed -> break
       :: else ->
          scan();
          if
          :: !passed -> mark = word /* OUST:mark */
          :: skip
          fi
       od;
       freed[n] = true;
       d_step { n++; target = 0; word = 0; passed = false }
    :: else -> break
    od
}

init {
#if BUG == 1
    atomic { run memory(); run guest(); run proxy(); run updater() }
#else
    atomic { run guest(); run proxy(); run updater() }
#endif
}
