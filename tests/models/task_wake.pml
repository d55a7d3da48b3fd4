/* task_wake.pml - no task waits in a queue while a worker sleeps, although submitting costs one fence and wakes at most as many as were submitted.
 *
 * Stands for adit_task_announce() (runtime/task_submit.c), spin(), pass_on(), sleep_until_told() (runtime/worker.c), the end of
 * adit_tasks_recover() (runtime/task_recover.c).
 *
 *   here                     there
 *   queued                   how many words say QUEUED, as others see them
 *   late                     stores of QUEUED that are on their way (x86-TSO); memory() lets them arrive at any time
 *   spinner, waiters         adit_queue_slot.spinner, .work.waiters
 *   own                      adit_queue_slot.sleepers of worker 1's process; of the others, who do not die, it is not kept
 *   mode[w]                  NEAR: worker w has read work.seq, which has not moved since; ASLEEP: it is in futex_wait
 *   has                      a task is RUNNING, worker 1's
 *   ends                     how many of the tasks may end still
 *   submitter                submits two at once, with one wake, then one
 *   worker                   runs what it claims, for ever or not; 1 is a process of its own
 *   dead                     who was killed, at any step: worker 1 or the submitter
 *   keeper                   adit_tasks_recover() of the dead, which may be killed (keeper_killed) and is begun again
 *
 *   between, torn            worker 1 is, or was when it was killed, between its changes of own and of waiters; likewise keepers that were killed
 *
 * Claimed: in the end waiters is who sleeps, and what those who were killed between its change and that of own have left (runtime/task_sleepers.h); no task is QUEUED while a worker sleeps, whoever died; naps are not needed for that, so nobody takes any here. (They
 * are for who is stopped while it spins, and for workers that cannot run every kind.) A worker that runs a task does not count: it may never end.
 * Abstracted: any QUEUED task can be claimed by any worker that looks (task_queue.pml is about that); a look is one step: what is stored
 * behind its back is stored after TASK:sleep; seq + 1 and the wake are one step; how long a spinner spins; one death, and with one two workers, whose tasks do not end; the rest of recovery.
 *
 *   BUG 1   no fence between QUEUED and the look for sleepers
 *   BUG 2   who goes to sleep takes the spinner's name away after its look
 *   BUG 3   it counts itself after its look
 *   BUG 4   it reads seq after its look
 *   BUG 5   it takes away its own name only
 *   BUG 6   a spinner that found a task keeps its name
 *   BUG 7   or does not look whether there are more
 *   BUG 8   who found a task in the look before sleeping does not look whether there are more
 *   BUG 9   nor does one who was woken
 *   BUG 10  recovery wakes workers only when it has itself made a task QUEUED
 *   BUG 11  recovery leaves a dead spinner's name
 *   BUG 12  who goes to sleep says that it is its own before it counts itself
 *   BUG 13  who wakes says so after it has taken itself away
 *   BUG 14  recovery takes from waiters before it takes from own
 *   BUG 15  recovery leaves a dead sleeper counted
 */
#define WORKERS 3
#define AWAKE 0
#define NEAR 1
#define ASLEEP 2

byte ends = 1, queued, late, spinner, waiters, mode[WORKERS + 1];
byte own, torn;
bool has, worker_dead, submitter_dead, keeper_killed, between;

proctype memory()
{
end:
    do
    :: d_step { late > 0 -> late--; queued++ }
    od
}

/* seq + 1, as worker w sees it. */
#define STIR(w) mode[w] = (mode[w] == NEAR -> AWAKE : mode[w])
#define NOBODY_SLEEPS (mode[1] != ASLEEP && mode[2] != ASLEEP && mode[3] != ASLEEP)

inline wake_one()
{
    if
    :: mode[1] == ASLEEP -> mode[1] = AWAKE
    :: mode[2] == ASLEEP -> mode[2] = AWAKE
    :: mode[3] == ASLEEP -> mode[3] = AWAKE
    :: NOBODY_SLEEPS
    fi
}

#define ANNOUNCE(wake)                                                  \
    if                                                                  \
    :: spinner != 0                                                     \
    :: else ->                                                          \
        if                                                              \
        :: waiters > 0 -> atomic { STIR(1); STIR(2); STIR(3); wake }    \
        :: else                                                         \
        fi                                                              \
    fi

proctype submitter()
{
    {
        late = 2; /* adit_submit_n */
#if BUG != 1
        late == 0; /* TASK:queued */
#endif
        ANNOUNCE(wake_one(); wake_one());
        late = late + 1; /* adit_submit */
#if BUG != 1
        late == 0;
#endif
        ANNOUNCE(wake_one())
    } unless { submitter_dead }
}

/* Of worker 1 the two steps are such: it may die between them. */
#if BUG == 12
#define ENTER if :: d_step { me == 1 -> own++ }; waiters++ :: d_step { me != 1 -> waiters++ } fi
#else
#define ENTER if :: d_step { me == 1 -> waiters++; between = true }; d_step { own++; between = false } :: d_step { me != 1 -> waiters++ } fi
#endif
#if BUG == 13
#define LEAVE if :: d_step { me == 1 -> waiters-- }; own-- :: d_step { me != 1 -> waiters-- } fi
#else
#define LEAVE if :: d_step { me == 1 -> own--; between = true }; d_step { waiters--; between = false } :: d_step { me != 1 -> waiters-- } fi
#endif

#define HAS(it) has = (me == 1 -> it : has)
/* One look; goes there if it found a task. */
#define CLAIM(there) atomic { if :: queued > 0 -> queued--; HAS(true); goto there :: queued == 0 fi }

proctype worker(byte me)
{
    {
        skip;
again:
        CLAIM(busy);
        do /* spin() */
        ::  atomic {
                if
                :: spinner == 0 || spinner == me -> spinner = me
                :: else -> break
                fi
            }
            CLAIM(found_spinning)
        ::  spinner == me -> break /* time is over */
        od;
        goto park;
found_spinning:
#if BUG == 6
        goto busy;
#else
        goto pass_on;
#endif
park:
#if BUG == 2
        ENTER;
        mode[me] = NEAR;
        CLAIM(found_before_sleep);
        spinner = 0;
#elif BUG == 3
        spinner = 0;
        mode[me] = NEAR;
        CLAIM(busy);
        ENTER;
#elif BUG == 4
        ENTER;
        spinner = 0;
        CLAIM(found_before_sleep);
        mode[me] = NEAR;
#elif BUG == 5
        ENTER;
        d_step { spinner = (spinner == me -> 0 : spinner) };
        mode[me] = NEAR;
        CLAIM(found_before_sleep);
#else
        ENTER; /* TASK:sleep */
        spinner = 0; /* TASK:spinner */
        mode[me] = NEAR;
        CLAIM(found_before_sleep);
#endif
        mode[me] = (mode[me] == NEAR -> ASLEEP : AWAKE); /* the kernel compares seq in the same step */
end_asleep:
        mode[me] == AWAKE;
        LEAVE;
#if BUG == 9
        CLAIM(busy);
#else
        CLAIM(pass_on);
#endif
        goto again;
found_before_sleep:
        mode[me] = AWAKE;
        LEAVE;
#if BUG == 8
        goto busy;
#endif
pass_on: /* it was relied on: whatever came meanwhile is for others */
        atomic {
            if
            :: waiters > 0
            :: waiters == 0 -> goto busy
            fi
        }
        spinner = 0; /* TASK:spinner */
#if BUG != 7
        atomic {
            if
            :: queued > 0
            :: queued == 0 -> goto busy
            fi
        }
        ANNOUNCE(wake_one());
#endif
busy:
        if
        :: atomic { ends > 0 -> ends--; HAS(false); goto again } /* DONE */
        :: true ->
end_for_ever:
           false /* it does not end */
        fi
    } unless { atomic { me == 1 && worker_dead -> mode[me] = AWAKE } }
}

/* Kills one, or none. */
proctype killer()
{
    if
    :: worker_dead = true
    :: submitter_dead = true
    fi;
    if
    :: keeper_killed = true
    :: true
    fi
}

proctype keeper()
{
    bool is_news;
end:
    worker_dead || (submitter_dead && late == 0); /* its stores have arrived when it is seen to have ended */
    do
    ::  {
#if BUG != 11
            d_step { spinner = (worker_dead && spinner == 1 -> 0 : spinner) };
#endif
#if BUG == 14
            if
            :: worker_dead && own > 0 -> waiters = (waiters > 0 -> waiters - 1 : 0); own--
            :: else
            fi;
#elif BUG != 15
            if
            :: d_step { worker_dead && own > 0 -> own--; torn++ }; d_step { waiters = (waiters > 0 -> waiters - 1 : 0); torn-- }
            :: else
            fi;
#endif
            d_step {
                if
                :: worker_dead && has -> has = false; queued++; is_news = true
                :: else
                fi
            };
            if
#if BUG == 10
            :: waiters > 0 && is_news ->
#else
            :: waiters > 0 ->
#endif
                d_step { mode[1] = AWAKE; mode[2] = AWAKE; mode[3] = AWAKE }
            :: else
            fi;
            is_news = false;
            break
        } unless { d_step { keeper_killed -> keeper_killed = false; is_news = false } }
    od
}

active proctype judge()
{
    atomic {
        run memory(); run submitter(); run worker(1); run worker(2);
        if
        :: run worker(3) /* nobody dies */
        :: ends = 0; run keeper(); run killer()
        fi
    }
    timeout;
    assert(queued == 0 || NOBODY_SLEEPS);
    assert(waiters == (mode[1] == ASLEEP) + (mode[2] == ASLEEP) + (mode[3] == ASLEEP) + between + torn)
}
