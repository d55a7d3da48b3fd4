/* grace_period.pml - no reader meets a freed object inside a section, on a machine that delays stores (x86-TSO).
 *
 * Stands for shm/rcu.h, shm/rcu.c and the inline enter, exit and rest of runtime/adit.h.
 *
 *   here                     there
 *   epoch                    adit_control.epoch; FIRST, STEP: ADIT_EPOCH_FIRST, ADIT_EPOCH_STEP
 *   slot[]                   adit_reader_slot.epoch: 0, OUT (2), or the odd epoch of an open section
 *   buffer[]                 what a reader has stored to its slot and nobody else sees; memory() lets it arrive, in order, at any time
 *   fenced                   adit_reader.fenced: the next enter exchanges, which lets all arrive before anything later
 *   current                  a link: the object that readers find; writes: the updater's store buffer
 *   freed[]                  blocks given back
 *   other                    another process's grace period: the epoch moves under everybody
 *   PASSED, INSIDE, UNSURE   adit_slot_state()
 *
 * Abstracted: two readers, one updater that replaces the object twice; the spins of wait_for() (a look at an unsure slot that
 * becomes sure is a look made later); slots that are opened meanwhile (slot_reaping.pml has one); machines weaker than x86, where
 * the orders named RCU:enter, RCU:exit, RCU:scan give what TSO gives here. The unlink is a plain store, weaker than the real one.
 *
 *   BUG 1  an unsure slot is taken as passed, without a membarrier
 *   BUG 2  the first enter after a rest is a plain store
 *   BUG 3  the epoch is compared the wrong way round: an older section passes, a later one is waited for
 *   BUG 4  the slots are scanned before the epoch advances
 *   BUG 5  after the membarrier nobody looks again
 *   BUG 6  exit stores 0, but the next enter is not fenced
 */
#define FIRST 3
#define STEP 2
#define OUT 2
#define READERS 2
#define UPDATES 2

byte epoch = FIRST, slot[READERS], current;
bool freed[UPDATES + 1];
chan buffer[READERS] = [2] of { byte };
chan writes = [1] of { byte };

#define ODD(w) ((w) & 1)
#if BUG == 3
#define PASSED(w, e) ((w) == 0 || ((w) <= (e) && ODD(w)))
#else
#define PASSED(w, e) ((w) == 0 || (w) >= (e))
#endif
#define INSIDE(w, e) (!PASSED(w, e) && ODD(w))

proctype memory()
{
end:
    do
    :: atomic { buffer[0]?slot[0] }
    :: atomic { buffer[1]?slot[1] }
    :: atomic { writes?current }
    od
}

proctype reader(byte me)
{
    byte e, object;
    bool fenced = true;
end:
    do
    :: /* enter */
       e = epoch; /* RCU:enter */
#if BUG == 2
       fenced = false;
#endif
       if
       :: d_step { fenced && empty(buffer[me]) -> slot[me] = e; fenced = false; e = 0 }
       :: atomic { !fenced && nfull(buffer[me]) -> buffer[me]!e; e = 0 }
       fi;
       object = current;
       assert(!freed[object]); /* a read, and a later one */
       atomic { assert(!freed[object]); object = 0 };
#if BUG == 6
       buffer[me]!0 /* RCU:exit */
#else
       buffer[me]!OUT /* RCU:exit */
#endif
    :: atomic { !fenced && nfull(buffer[me]) -> buffer[me]!0; fenced = true } /* rest */
    od
}

inline advance()
{
    d_step { empty(writes) -> epoch = epoch + STEP; mine = epoch } /* RCU:advance */
}

/* scan_slots(): sets unsure; one that is inside is waited for. */
inline scan()
{
    d_step { !INSIDE(slot[0], mine); unsure = unsure || !PASSED(slot[0], mine) } /* RCU:scan */
    d_step { !INSIDE(slot[1], mine); unsure = unsure || !PASSED(slot[1], mine) }
}

#define FREE freed[n] = true; n++; unsure = false; mine = 0

proctype updater()
{
    byte n, mine;
    bool unsure;
    do
    :: atomic { n < UPDATES && nfull(writes) -> writes!n + 1 }; /* unlink */
#if BUG == 4
        mine = epoch + STEP;
        scan();
        advance();
#else
        advance();
        scan();
#endif
#if BUG == 1
        d_step { FREE }
#else
        if
        :: unsure && empty(buffer[0]) -> /* membarrier: each reader executes a full barrier at some moment, not all at one */
            empty(buffer[1]);
#if BUG != 5
            scan();
#endif
            d_step { FREE }
        :: d_step { !unsure -> FREE }
        fi
#endif
    :: n == UPDATES -> break
    od
}

proctype other()
{
    epoch = epoch + STEP
}

init {
    atomic { run memory(); run reader(0); run reader(1); run updater(); run other() }
}
