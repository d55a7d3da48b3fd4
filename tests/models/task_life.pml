/* task_life.pml - a task that was submitted is committed once, whoever dies, and its slot is free in the end.
 *
 * Stands for the word of a task (shm/layout_tasks.h), hand_over() (runtime/task_submit.c), claim_at(), adit_task_release_due() (task_claim.c), adit_task_commit(), decide(),
 * adit_task_put_back(), adit_task_due() (task_end.c), hold_up(), look_once(), tell() (task_after.c), adit_wait(), adit_cancel() (task_wait.c), recover_at() (task_recover.c).
 *
 *   here                     there
 *   word                     adit_task_slot.word: | round 2 | attempt 2 | CANCEL, DETACHED, WAITED | state 4 | owner 2 |
 *   by                       .submitter, stored while FILLING
 *   sort                     of the task of round 0, and of who runs it: PLAIN; AFTER another one; LATE, also before it is tried again; WRITES a buffer; CLOSES: pools close meanwhile
 *   submitter                submits that task, DETACHED or not (AFTER, LATE, WRITES: DETACHED), or runs its first attempt itself (adit_run; PLAIN); begins when the slot is FILLING; may die
 *   next_submitter           that of round 1, DETACHED, as soon as the slot is free; another process, which stays
 *   worker                   A may die, B stays. An attempt fails, or commits; asked to stop, it ends as CANCELLED or as DONE. AFTER: A ends the other one first
 *   before_ended, awaited    the word of that one: it has ended; AWAITED
 *   blocks                   task_blockers names it
 *   due                      adit_queue_slot.due_ns: nothing, the task's time, or that somebody looks (DUE_LOOK); whatever it says is past
 *   replaced                 the buffer holds what the task of round 0 wrote
 *   canceller                cancels the task of round 0
 *   waiter                   waits for it in a process of its own, and takes the result
 *   waiters, mode            adit_queue_slot.done: waiters; NEAR: seq has not moved since the waiter read it; ASLEEP: it is in futex_wait
 *   killed, dead             SIGKILL was sent to one of the two; its pidfd is readable, it does not run any more
 *   keeper                   recovers the dead one; may be killed between any two steps, then the next does the rest
 *   runs, ended[]            attempts begun of the task that is there; the task of a round was committed, cancelled, or poisoned
 *
 * Claimed: no task is committed twice, and in the end each that was submitted was, unless it was cancelled or poisoned; no attempt is begun beyond
 * attempts_max, and none is POISONED before; what is DONE has its buffer replaced, what was decided is not run again; nobody frees a slot that another has; the waiter is told; the slot is FREE.
 * Abstracted: a load and the compare-and-swap from it are one step, as whatever is read in between belongs to the word that was loaded; other ends than DONE,
 * CANCELLED, POISONED; more than one task before, and how it ends; how a buffer is replaced (publish_recovery.pml is that of chunks); how workers and submitters find the slot
 * (task_queue.pml) and are woken (task_wake.pml); naps.
 *
 *   BUG 1   a commit is a load and a store, not a compare-and-swap
 *   BUG 2   recovery begins when the signal is sent
 *   BUG 3   recovery sets DETACHED by a load and a store
 *   BUG 4   recovery leaves tasks of the dead submitter that have ended
 *   BUG 5   who commits looks for WAITED in the word that it claimed
 *   BUG 6   a claim does not count the attempt
 *   BUG 7   recovery frees whatever is FILLING
 *   BUG 8   the waiter counts itself after its last look
 *   BUG 9   recovery does not post for an end that the dead one did not tell of
 *   BUG 10  a result is taken by a load and a store
 *   BUG 11  recovery does not look whose RUNNING is
 *   BUG 12  recovery does not look after HELD
 *   BUG 13  who waits for another task says so before it names it as its blocker
 *   BUG 14  AWAITED is set by a load and a store
 *   BUG 15  the submitter does not look after what it has made HELD
 *   BUG 16  recovery does not say when DELAYED is due
 *   BUG 17  who has looked for what is due takes the time away whatever it is by then
 *   BUG 18  recovery makes COMMITTED QUEUED again
 *   BUG 19  recovery ends COMMITTED without its buffer
 *   BUG 20  putting back leaves the attempt
 *   BUG 21  putting back is a load and a store
 *   BUG 22  recovery takes a task that its submitter runs itself for one that was never submitted
 */
#define FREE 0
#define FILLING 1
#define HELD 2
#define DELAYED 3
#define QUEUED 4
#define RUNNING 5
#define COMMITTED 6
#define DONE 7
#define CANCELLED 8
#define POISONED 9

#define SUBMITTER 1 /* owners */
#define A 2
#define B 3 /* and the next submitter: the same process */

#define WAITED 64
#define DETACHED 128
#define CANCEL 256
#define FLAGS (WAITED | DETACHED | CANCEL)
#define ATTEMPT 512
#define ATTEMPTS_MAX 2

#define STATE(w) ((w) >> 2 & 15)
#define OWNER(w) ((w) & 3)
#define ATTEMPTS(w) ((w) >> 9 & 3)
#define ROUND(w) ((w) >> 11)
#define WITH(w, state, owner) ((w) & 8128 | (state) << 2 | (owner))
#define FREED(w) (ROUND(w) + 1 << 11)
#define END(w, state) ((w) & DETACHED -> FREED(w) : WITH(w, state, 0))

#define AWAKE 0
#define NEAR 1
#define ASLEEP 2

#define PLAIN 0 /* sorts */
#define AFTER 1
#define LATE 2
#define WRITES 3
#define CLOSES 4

#define NOTHING 0 /* due */
#define ITS_TIME 1
#define LOOKED_FOR 2

short word = FILLING << 2 | SUBMITTER;
byte by, waiters, mode, dying, runs, sort, due;
bool ended[2], submitted, killed, dead, before_ended, awaited, blocks, decided, replaced;

#define ENDED(w) ended[ROUND(w)] = true; runs = 0
#define IS_DEAD(p) (dead && dying == p)

inline post() /* adit_event_post */
{
    if
    :: waiters > 0 -> mode = AWAKE
    :: waiters == 0
    fi
}

#define IS_OURS ((word & ~FLAGS) == (mine & ~FLAGS))

/* HELD to QUEUED when the task before has ended. */
inline release()
{
    d_step {
        if
        :: before_ended && STATE(word) == HELD -> word = WITH(word, QUEUED, 0)
        :: else
        fi
    }
}

/* The same, and if it has not, who ends it is told. */
inline look_after()
{
    if
    :: before_ended -> release()
    :: !before_ended ->
#if BUG == 13
        if
        :: atomic { !before_ended -> awaited = true };
           blocks = true
        :: before_ended -> release()
        fi
#elif BUG == 14
        blocks = true;
        awaited = true
#else
        blocks = true;
        if
        :: atomic { !before_ended -> awaited = true }
        :: before_ended -> release()
        fi
#endif
    fi
}

/* The end of the task before, and who waits for it. */
inline end_before()
{
    atomic { before_ended = true; tells_after = awaited };
    if
    :: tells_after && blocks -> release()
    :: !(tells_after && blocks)
    fi
}

proctype submitter()
{
    short mine, w;
    {
        by = SUBMITTER; /* it has made the word FILLING */
        atomic {
            assert(STATE(word) == FILLING && OWNER(word) == SUBMITTER);
            if
            :: sort == AFTER -> word = WITH(word, HELD, 0) | DETACHED
            :: sort == LATE -> word = WITH(word, DELAYED, 0) | DETACHED
            :: sort == PLAIN || sort == CLOSES -> word = WITH(word, QUEUED, 0)
            :: sort == PLAIN || sort >= WRITES -> word = WITH(word, QUEUED, 0) | DETACHED
            :: sort == PLAIN -> word = WITH(word, RUNNING, SUBMITTER) + ATTEMPT; runs++; mine = word
            fi;
            submitted = true
        }
        if
        :: mine ->
            if
            :: d_step { IS_OURS && !(word & CANCEL) -> word = WITH(word, QUEUED, 0) } /* it failed: again */
            :: atomic {
                   assert(IS_OURS);
                   w = word;
                   if
                   :: word = END(word, DONE)
                   :: word & CANCEL -> word = END(word, CANCELLED)
                   fi;
                   assert(!ended[ROUND(mine)]);
                   ENDED(mine)
               }
               if
               :: w & WAITED -> post()
               :: else
               fi
            fi
#if BUG != 15
        :: sort == AFTER -> look_after()
#endif
        :: sort == LATE -> due = ITS_TIME
        :: else
        fi
    } unless { IS_DEAD(SUBMITTER) };
    d_step { mine = 0; w = 0 }
}

proctype next_submitter()
{
    atomic { word == FREED(0) -> word = WITH(word, FILLING, B) }
    by = B;
    d_step { assert(STATE(word) == FILLING && OWNER(word) == B); word = WITH(word, QUEUED, 0) | DETACHED }
}

proctype worker(byte me)
{
    short mine, w;
    bool tells_after;
    {
end:
        do
        :: sort == AFTER && !before_ended && (me == A || IS_DEAD(A)) -> end_before()
        :: due != NOTHING -> /* time has passed */
            due = LOOKED_FOR;
            d_step {
                if
                :: STATE(word) == DELAYED -> word = WITH(word, QUEUED, 0)
                :: else
                fi
            };
#if BUG == 17
            due = NOTHING
#else
            d_step {
                if
                :: due == LOOKED_FOR -> due = NOTHING
                :: else
                fi
            }
#endif
        :: d_step {
               STATE(word) == QUEUED ->
               mine = WITH(word, RUNNING, me);
#if BUG != 6
               mine = mine + ATTEMPT;
#endif
               word = mine;
               runs++;
               assert(runs <= ATTEMPTS_MAX)
           }
           if
           :: d_step { ATTEMPTS(mine) < ATTEMPTS_MAX && IS_OURS && !(word & CANCEL) && sort != LATE -> word = WITH(word, QUEUED, 0); mine = 0 } /* it failed: again */
           :: d_step { ATTEMPTS(mine) < ATTEMPTS_MAX && IS_OURS && !(word & CANCEL) && sort == LATE -> word = WITH(word, DELAYED, 0); mine = 0 };
               due = ITS_TIME
#if BUG == 21
           :: sort == CLOSES && !(word & CANCEL) ->
               w = word;
               d_step { word = WITH(w, QUEUED, 0) - ATTEMPT; runs--; mine = 0; w = 0 }
#else
           :: d_step {
                  sort == CLOSES && !(word & CANCEL) ->
                  assert(IS_OURS);
                  word = WITH(word, QUEUED, 0);
#if BUG != 20
                  word = word - ATTEMPT;
#endif
                  runs--;
                  mine = 0
              }
#endif
           :: if /* result is stored */
              :: d_step {
                     sort == WRITES && ROUND(mine) == 0 ->
                     assert(IS_OURS && !decided);
                     word = WITH(word, COMMITTED, me);
                     mine = WITH(mine, COMMITTED, me);
                     decided = true
                 };
                 replaced = true
              :: !(sort == WRITES && ROUND(mine) == 0)
              fi;
#if BUG == 1
              w = word;
#endif
              atomic {
#if BUG == 5
                  w = mine;
#elif BUG != 1
                  w = word;
#endif
                  assert(IS_OURS);
                  if
                  :: word = END(word, DONE)
                  :: word & CANCEL && STATE(word) == RUNNING -> word = END(word, CANCELLED)
                  fi;
#if BUG == 1
                  word = END(w, DONE);
#endif
                  assert(!ended[ROUND(mine)]);
                  ENDED(mine);
                  mine = 0
              }
              if
              :: w & WAITED -> post(); w = 0
              :: d_step { !(w & WAITED) -> w = 0 }
              fi
           fi
        od
    } unless { me == A && IS_DEAD(A) };
    atomic { mine = 0; w = 0; tells_after = false }
}

proctype canceller()
{
    bool tells;
end:
    atomic {
        submitted ->
        if
        :: ROUND(word) == 0 && STATE(word) == QUEUED ->
            tells = (word & WAITED) != 0;
            word = END(word, CANCELLED);
            ENDED(0)
        :: ROUND(word) == 0 && STATE(word) == RUNNING -> word = word | CANCEL
        :: else
        fi
    }
    if
    :: tells -> post()
    :: else
    fi
}

/* Goes there if the task has ended or is gone, else sets WAITED. */
#define LOOK(there)                                              \
    atomic {                                                     \
        if                                                       \
        :: ROUND(word) != 0 || STATE(word) >= DONE -> goto there \
        :: else -> word = word | WAITED                          \
        fi                                                       \
    }

proctype waiter()
{
    short w;
end:
    if
    :: submitted
    :: IS_DEAD(SUBMITTER) -> goto gone /* nobody waits: it would have done so itself */
    fi;
#if BUG != 8
    waiters++;
#endif
again:
    mode = NEAR;
    LOOK(over);
#if BUG == 8
    waiters++;
#endif
    mode = (mode == NEAR -> ASLEEP : AWAKE); /* the kernel compares seq in the same step */
    mode == AWAKE;
#if BUG == 8
    waiters--;
#endif
    goto again;
over:
    atomic { waiters = 0; mode = AWAKE }
#if BUG == 10
    w = word;
    d_step {
        if
        :: ROUND(w) == 0 && STATE(w) >= DONE -> word = FREED(w)
        :: else
        fi
    }
#else
    d_step {
        w = word;
        if
        :: ROUND(w) == 0 && STATE(w) >= DONE -> word = FREED(w)
        :: else
        fi
    }
#endif
gone:
    skip
}

proctype kernel()
{
    atomic {
        if
        :: dying = SUBMITTER
        :: dying = A
        fi;
#if BUG == 2
        killed = true
    }
    dead = true
#else
        killed = true;
        dead = true
    }
#endif
}

proctype keeper()
{
    short w;
    bool tells;
#if BUG == 2
#define NOTICED killed
#else
#define NOTICED dead
#endif
#if BUG == 12
    NOTICED;
#else
    if
    :: NOTICED && STATE(word) == HELD -> look_after()
    :: NOTICED && STATE(word) != HELD
    fi;
#endif
    do
    :: atomic {
           w = word;
           if
#if BUG == 7
           :: STATE(w) == FILLING -> word = FREED(w)
#else
           :: STATE(w) == FILLING && OWNER(w) == dying -> word = FREED(w)
#if BUG == 22
           :: STATE(w) == RUNNING && OWNER(w) == SUBMITTER && dying == SUBMITTER -> word = FREED(w); break
#endif
           :: STATE(w) == FILLING && OWNER(w) != dying -> break
#endif
           :: STATE(w) == FREE -> break
           :: STATE(w) >= HELD && by == dying && !(w & DETACHED) ->
               if
#if BUG == 4
               :: STATE(w) >= DONE -> break
#else
               :: STATE(w) >= DONE -> word = FREED(w)
#endif
               :: else -> goto detach
               fi
           :: STATE(w) >= HELD && !(by == dying && !(w & DETACHED)) ->
               if
#if BUG == 11
               :: STATE(w) != RUNNING && STATE(w) != COMMITTED -> break
#else
               :: OWNER(w) != dying -> break
#endif
               :: else
               fi;
               if
#if BUG == 18
               :: STATE(w) == COMMITTED -> word = WITH(w, QUEUED, 0)
#else
#if BUG != 19
               :: STATE(w) == COMMITTED && !replaced -> replaced = true
               :: STATE(w) == COMMITTED && replaced ->
#else
               :: STATE(w) == COMMITTED ->
#endif
                   word = END(w, DONE); ENDED(w); tells = true
#endif
               :: STATE(w) == RUNNING && w & CANCEL -> word = END(w, CANCELLED); ENDED(w); tells = true
               :: STATE(w) == RUNNING && !(w & CANCEL) && ATTEMPTS(w) >= ATTEMPTS_MAX ->
                   assert(runs >= ATTEMPTS_MAX);
                   word = END(w, POISONED); ENDED(w); tells = true
               :: else -> word = WITH(w, QUEUED, 0)
               fi
           fi;
           goto told
       }
detach:
#if BUG == 3
       word = w | DETACHED;
#else
       atomic {
           if
           :: word == w -> word = w | DETACHED
           :: else
           fi
       }
#endif
told:
       if
       :: tells && (w & WAITED) -> post()
       :: true /* nobody waits; or it was killed, and the next goes on at the top */
       fi;
       atomic { tells = false; w = 0 }
    od;
    atomic {
        w = 0;
#if BUG != 16
        if
        :: STATE(word) == DELAYED -> due = ITS_TIME
        :: else
        fi
#endif
    }
#if BUG != 9
    post()
#endif
}

active proctype judge()
{
    atomic {
        run submitter(); run worker(B);
        if /* those with few states first: their bugs are found soon */
        :: run worker(A); run keeper(); run kernel(); sort = AFTER; ended[1] = true
        :: run worker(A); run keeper(); run kernel(); sort = LATE; ended[1] = true
        :: run worker(A); run keeper(); run kernel(); sort = WRITES; ended[1] = true
        :: run worker(A); run keeper(); run kernel(); sort = CLOSES; ended[1] = true
        :: run waiter(); run worker(A); run keeper(); run kernel(); run canceller(); ended[1] = true
        :: run waiter(); run worker(A); run keeper(); run kernel(); run next_submitter()
        :: run waiter(); run canceller(); run next_submitter()
        fi
    }
    timeout;
    assert(word == FREED(FREED(0)) || word == FREED(0) || sort == CLOSES && STATE(word) >= DONE && !IS_DEAD(SUBMITTER)); /* CLOSES: without waiter, the result is still there */
    assert((ended[0] || !submitted) && ended[1] && mode == AWAKE && replaced == decided)
}
