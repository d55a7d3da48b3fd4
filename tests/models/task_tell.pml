/* task_tell.pml - workers that do not run all the same: a task is not left to one that cannot have it, and nobody is woken for ever because of it.
 *
 * Stands for tell(), look_again(), sleep_until_told(), pass_on(), adit_worker_step() (runtime/worker.c), adit_task_announce() (runtime/task_submit.c).
 *
 *   here                     there
 *   queued[k]                how many tasks of kind k are QUEUED; workers 1 and 3 run kind 0, worker 2 kind 1; all sleep by the same bits
 *   waiters, asleep          adit_queue_slot.work.waiters, and who is in futex_wait
 *   near[w]                  work.seq is what worker w sleeps on
 *   posted[w]                of its part that counts posts that is not so: POSTED; COUNTS: it would see that; 0: it has no use for it
 *   spinner, idle[w]         adit_queue_slot.spinner, adit_worker.is_idle
 *   left                     cursor.left
 *   tells                    how often anybody told the others since a task was submitted or claimed
 *
 * Claimed: in the end no task is QUEUED while a worker that runs its kind sleeps, without naps; and wakes end, however the tasks lie.
 * Abstracted: stores arrive at once, and who goes to sleep does it in one step (task_wake.pml is about these); where tasks of both kinds are left one worker is woken, not all; a look at the whole queue is one step, and so are seq + 1 and the wake; the bell, which is a hint; nobody dies or stops; a task ends
 * at once, or worker 2's never.
 *
 *   BUG 1   one that has only slept since it last ran something spins, and does not tell
 *   BUG 2   who was woken by another's telling tells, too
 *   BUG 3   who goes to sleep does not tell
 *   BUG 4   nor does who was woken
 */
#define TELLS_MAX 8
#define RUNS(w, k) ((w) != 2 && (k) == 0 || (w) == 2 && (k) == 1)
#define LEFT(w) (!RUNS(w, 0) && queued[0] || !RUNS(w, 1) && queued[1])

byte queued[2], waiters, spinner, tells;
bool asleep[4], idle[4], near[4];
byte posted[4];

inline wake_one()
{
    if
    :: asleep[1] -> asleep[1] = false
    :: asleep[2] -> asleep[2] = false
    :: asleep[3] -> asleep[3] = false
    :: !asleep[1] && !asleep[2] && !asleep[3]
    fi
}
#define WAKE_ALL asleep[1] = false; asleep[2] = false; asleep[3] = false
#define STIR near[1] = false; near[2] = false; near[3] = false /* seq is another */
#define COUNTS 1
#define POSTED 2
#define COUNT_POST(w) posted[w] = (posted[w] -> POSTED : 0)
#define POST STIR; COUNT_POST(1); COUNT_POST(2); COUNT_POST(3)

#define ANNOUNCE(wake)                                                  \
    if                                                                  \
    :: atomic { spinner == 0 && waiters > 0 -> POST; wake }             \
    :: spinner != 0 || waiters == 0                                     \
    fi

/* One look; goes there if it found a task. */
#define CLAIM(there)                                                    \
    atomic {                                                            \
        if                                                              \
        :: RUNS(me, 0) && queued[0] -> queued[0]--; FOUND; goto there   \
        :: RUNS(me, 1) && queued[1] -> queued[1]--; FOUND; goto there   \
        :: else -> left = LEFT(me)                                      \
        fi                                                              \
    }
#define FOUND tells = 0; left = false; idle[me] = false; near[me] = false; posted[me] = 0

#define COUNT_TELL tells++; assert(tells <= TELLS_MAX)

proctype submitter()
{
    byte n;
    do
    :: n < 2 ->
        atomic {
            if
            :: n == 1 -> queued[0]++
            :: queued[1]++ /* the first: of the kind that two of them cannot run */
            fi;
            tells = 0
        };
        ANNOUNCE(wake_one());
        n++
    :: n == 2 -> break
    od
}

#if BUG == 1
#define SPINS true
#else
#define SPINS !idle[me]
#endif
#define PARK waiters++; spinner = 0; near[me] = true; posted[me] = COUNTS; left = false
#define SLEEP asleep[me] = near[me]; near[me] = false; idle[me] = true; left = false /* the kernel compares in the same step */
#define REST idle[me] = !(posted[me] == POSTED && !left); left = false; posted[me] = 0

/* Tells if asked to, then does what is next. */
#define TELL(asks, next)                                                                                \
    if                                                                                                  \
    :: atomic { (asks) && spinner == 0 && waiters > 0 -> COUNT_TELL; STIR; WAKE_ALL }; d_step { next }  \
    :: (asks) && (spinner != 0 || waiters == 0) -> d_step { next }                                      \
    :: d_step { !(asks) -> next }                                                                       \
    fi

/* What only this worker reads and writes has no step of its own, and is reset when it is of no use any more: fewer states, the same executions. */
proctype worker(byte me)
{
    bool left;
again:
    CLAIM(busy);
    do /* spin() */
    :: atomic { SPINS && (spinner == 0 || spinner == me) -> spinner = me; left = false }
        CLAIM(pass_on)
    :: SPINS && spinner != 0 -> d_step { PARK }; break /* another does, or time is over */
    :: d_step { !(SPINS) -> PARK }; break
    od;
    CLAIM(found_before_sleep);
#if BUG == 3
    d_step { SLEEP };
#else
    TELL(left && !idle[me], SLEEP);
#endif
end_asleep:
    atomic { !asleep[me] -> waiters-- };
    CLAIM(pass_on);
#if BUG == 4
    goto again;
#endif
#if BUG == 2
    TELL(left, REST);
#else
    TELL(left && posted[me] == POSTED, REST);
#endif
    goto again;
found_before_sleep:
    waiters--;
pass_on: /* it was relied on: whatever came meanwhile is for others */
    if
    :: waiters > 0 ->
        spinner = 0;
        if
        :: queued[0] || queued[1] -> ANNOUNCE(wake_one())
        :: else
        fi
    :: else
    fi;
busy:
    if
    :: true -> goto again
    :: me == 2 ->
end_for_ever:
       false /* it does not end */
    fi
}

active proctype judge()
{
    atomic { run submitter(); run worker(1); run worker(2); run worker(3) }
    timeout;
    assert(!(queued[0] && (asleep[1] || asleep[3])) && !(queued[1] && asleep[2]))
}
