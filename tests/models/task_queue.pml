/* task_queue.pml - no QUEUED task stays behind its workers, although all that says where to look is hints.
 *
 * Stands for runtime/task_queue.h, take_open(), go_on(), raise_tail() (task_submit.c), claim_up(), step_at(), adit_task_claim_any() (task_claim.c), adit_task_return()
 * (task_end.c), adit_tasks_recover() (task_recover.c).
 *
 *   here                     there
 *   word[s]                  adit_task_slot.word: | round 3 | attempt 2 | state 2 | owner 1 |; owner: 1 is who may die
 *   tail, head               adit_task_level.tail, and the position of .head
 *   returned                 the count of returns in head is not that of the worker's cursor
 *   stale, stale_other       head is not what the worker (the other one) loaded: its compare-and-swap will fail
 *   next, is_held_up         the worker's cursor
 *   news                     something was announced since the worker began to look
 *   submitter                two, each with one task; 1 may die
 *   holder                   a worker of another process: it has the task at position 0, which ends or fails; may die
 *   worker                   claims while there is something, from where its cursor stands; what it claims ends (the slot is FREE in the next round)
 *   other                    another worker, which looks once
 *   keeper                   recovery of submitter 1 or of the holder, or what the next keeper does when the first was killed between two steps
 *
 * Claimed: in the end nothing is QUEUED, though the worker looks when something was announced only, from where its cursor stands; the look at every slot
 * before sleeping (adit_task_claim_any) is needed, and made here, only when somebody has died. No task is claimed twice, none is lost.
 * Abstracted: a level of two slots, of which the first round's second has ended; a walk that ends a round behind tail is followed by the next; tasks that cannot
 * be run here, or are delayed (their way back into the queue is the failed one's); with a death one submitter and one worker. Memory is sequentially
 * consistent: the plain stores are those of who has FILLING, and a late one is one that is made later, as nobody announces before it has
 * arrived (task_wake.pml has that fence).
 *
 *   BUG 1  a submitter does not look at tail again
 *   BUG 2  a worker does not look at the word again
 *   BUG 3  a returned task lowers head, but does not count returns
 *   BUG 4  a returned task counts, but does not lower head
 *   BUG 5  head is lowered before the word is QUEUED
 *   BUG 6  a worker passes FILLING for good
 *   BUG 7  there is no look before sleeping
 *   BUG 8  it goes by the positions before tail, instead of by what is in the slots
 */
#define SLOTS 2
#define FREE 0
#define FILLING 1
#define QUEUED 2
#define RUNNING 3

#define WORD(round, attempt, state, owner) ((round) << 5 | (attempt) << 3 | (state) << 1 | (owner))
#define ROUND(w) ((w) >> 5)
#define STATE(w) ((w) >> 1 & 3)
#define OWNER(w) ((w) & 1)
#define WITH(w, state, owner) ((w) & 248 | (state) << 1 | (owner))
#define LEAD(w, p) (ROUND(w) - (p) / SLOTS)

byte word[SLOTS], tail = 2, head = 2, submitted = 1, ended;
bool news, returned, stale = true, stale_other = true, submitter_dead, holder_dead;

#define ANNOUNCE news = true
#define RAISE_TAIL(to) atomic { tail = (tail < (to) -> (to) : tail) }
#define CHANGED stale = true; stale_other = true
#define COUNT returned = true; CHANGED
#define LOWER head = (head < at -> head : at)

inline lower_head(at) /* TASK:return */
{
#if BUG == 3
    atomic { LOWER; CHANGED }
#elif BUG == 4
    atomic { COUNT }
#else
    atomic { LOWER; COUNT }
#endif
}

/* Slot s is open, but in a later round than that of the last positions looked at. */
#define IS_AHEAD(s) (STATE(word[s]) == FREE && AHEAD(s) >= p)
#define AHEAD(s) (ROUND(word[s]) * SLOTS + s)

proctype submitter(byte me)
{
    byte p, i;
    {
        skip;
again:
        atomic { p = tail; i = 0 }
        do
        :: atomic {
               i < SLOTS ->
               if
               :: STATE(word[p % SLOTS]) == FREE && LEAD(word[p % SLOTS], p) <= 0 ->
                   word[p % SLOTS] = WORD(p / SLOTS, 0, FILLING, me == 1) /* TASK:fill */
               :: else -> p++; i++; goto looked
               fi
           }
#if BUG != 1
           atomic {
               if
               :: tail <= p
               :: else -> goto give_up
               fi
           }
#endif
           atomic { word[p % SLOTS] = WORD(p / SLOTS, 0, QUEUED, 0); submitted++; break } /* TASK:queued */
#if BUG != 1
give_up:
           atomic { word[p % SLOTS] = WORD(p / SLOTS + 1, 0, FREE, 0); p = tail; i = 0 }
#endif
looked:
           skip
        :: atomic { i == SLOTS && !IS_AHEAD(0) && !IS_AHEAD(1) -> goto again } /* full */
        :: atomic { /* tail lags: go_on() */
               i == SLOTS && (IS_AHEAD(0) || IS_AHEAD(1)) ->
               p = (IS_AHEAD(0) && (!IS_AHEAD(1) || AHEAD(0) < AHEAD(1)) -> AHEAD(0) : AHEAD(1));
               i = 0
           }
           RAISE_TAIL(p)
        od;
        RAISE_TAIL(p + 1);
        ANNOUNCE
    } unless { me == 1 && submitter_dead };
    d_step { p = 0; i = 0 }
}

/* A worker of another process. */
proctype holder()
{
    {
        if
        :: atomic { ended++; word[0] = WORD(1, 0, FREE, 0) } /* DETACHED */
        :: true ->
#if BUG == 5
            lower_head(0);
            word[0] = WORD(0, 1, QUEUED, 0);
#else
            word[0] = WORD(0, 1, QUEUED, 0);
            lower_head(0);
#endif
            ANNOUNCE
        fi
    } unless { holder_dead }
}

#define TAKE w = WITH(word[p % SLOTS] + 8, RUNNING, 0); word[p % SLOTS] = w; next = (is_solid -> p + 1 : next)
#define ON next = (is_solid -> p + 1 : next); p++; i++; w = 0
#define LEADS LEAD(word[p % SLOTS], p)
#define IS STATE(word[p % SLOTS])
#if BUG == 6
#define IS_LEFT LEADS == 0 && false
#define IS_PASSED LEADS > 0 || (LEADS == 0 && (IS == RUNNING || IS == FILLING))
#else
#define IS_LEFT LEADS == 0 && IS == FILLING
#define IS_PASSED LEADS > 0 || (LEADS == 0 && IS == RUNNING)
#endif

#if BUG == 8
#define IS_THERE(s) (STATE(word[s]) == QUEUED && ROUND(word[s]) * SLOTS + s < tail)
#else
#define IS_THERE(s) (STATE(word[s]) == QUEUED)
#endif
#define END_OF(s) ended++; word[s] = FREED(word[s])
#define FREED(w) WORD(ROUND(w) + 1, 0, FREE, 0)

proctype worker()
{
    byte next = 2, p, i, w;
    bool is_solid, is_held_up;
end:
    do
    :: atomic {
           news ->
           news = false;
begin:
           stale = false;
           next = (returned || next < head -> head : next);
           returned = false;
           is_solid = !is_held_up || tail < next + SLOTS;
           p = (is_solid -> next : tail - SLOTS);
           i = 0
       }
       do
       :: atomic { i < SLOTS && IS_LEFT -> is_solid = false; ON } /* look on, but come back */
       :: atomic { i < SLOTS && (IS_PASSED) -> ON }
       :: atomic { i < SLOTS && LEADS == 0 && IS == QUEUED -> TAKE; break }
       :: atomic {
              i < SLOTS && (LEADS < 0 || (LEADS == 0 && IS == FREE)) -> /* busy with an older one, or open */
again:
              w = word[p % SLOTS]
          }
          atomic {
              if
              :: tail <= p -> w = 0; break
              :: else
              fi
          }
          atomic {
              if
#if BUG != 2
              :: word[p % SLOTS] != w -> /* TASK:past */
                  if
                  :: LEADS < 0 || (LEADS == 0 && IS == FREE) -> goto again
                  :: else -> w = 0
                  fi
#endif
              :: word[p % SLOTS] == w && STATE(w) == QUEUED -> TAKE; break
              :: else -> ON
              fi
          }
       :: atomic { /* it was a round behind: so is the next claim, or the look before sleeping, not */
              i == SLOTS && p < tail ->
              is_held_up = !is_solid;
              goto begin
          }
       :: atomic { i == SLOTS && p >= tail -> break }
       od;
       atomic {
           is_held_up = !is_solid;
           is_solid = false;
           p = p % SLOTS;
           i = 0;
           if
           :: next > head && !stale -> head = next; CHANGED
           :: else -> stale = true
           fi
       }
       atomic {
           if
           :: w -> assert(word[p] == w); ended++; word[p] = WORD(ROUND(w) + 1, 0, FREE, 0) /* DETACHED */
           :: else
           fi;
           p = 0;
           if
           :: w -> w = 0; goto begin
           :: else
           fi
       }
#if BUG != 7
       atomic { /* adit_task_claim_any */
           if
           :: submitter_dead || holder_dead ->
               next = (tail > SLOTS -> tail - SLOTS : 0);
               if
               :: IS_THERE(0) -> END_OF(0); goto begin
               :: !IS_THERE(0) && IS_THERE(1) -> END_OF(1); goto begin
               :: else
               fi
           :: else
           fi
       }
#endif
    od
}

/* Another worker, which looks once, in one step, and raises head and ends its task later. */
proctype other()
{
    byte next = 2, p, w;
    bool is_solid = true;
    atomic { stale_other = false; next = (next < head -> head : next); p = next }
    atomic {
        do
        :: p < next + SLOTS && LEADS == 0 && IS == QUEUED -> TAKE; break
        :: p < next + SLOTS && (LEADS > 0 || (LEADS == 0 && IS == RUNNING) || ((LEADS < 0 || IS == FREE) && tail > p)) -> p++
        :: else -> break
        od;
        next = (w -> p + 1 : p);
        p = p % SLOTS
    }
    atomic {
        if
        :: next > head && !stale_other -> head = next; CHANGED
        :: else -> stale_other = true
        fi;
        next = 0
    }
    atomic {
        if
        :: w -> ended++; word[p] = WORD(ROUND(w) + 1, 0, FREE, 0)
        :: else
        fi;
        w = 0; p = 0
    }
}

#define IS_OF_DEAD(s) (OWNER(word[s]) == 1 && STATE(word[s]) == (submitter_dead -> FILLING : RUNNING))
/* One dies; one word at most is its. */
proctype keeper()
{
    byte s = 2, low = 255;
    if
    :: submitter_dead = true
    :: holder_dead = true
    fi;
    atomic {
        s = (IS_OF_DEAD(0) -> 0 : (IS_OF_DEAD(1) -> 1 : SLOTS));
        if
        :: s < SLOTS && submitter_dead -> word[s] = WORD(ROUND(word[s]) + 1, 0, FREE, 0)
        :: s < SLOTS && holder_dead -> word[s] = WITH(word[s], QUEUED, 0); low = ROUND(word[s]) * SLOTS + s
        :: else
        fi
    }
    if
    :: low < 255 -> lower_head(low)
    :: true /* the keeper itself was killed, and the next finds nothing of the dead one's */
    fi;
    ANNOUNCE;
    atomic { low = 0; s = 0 }
}

active proctype judge()
{
    atomic {
        word[0] = WORD(0, 1, RUNNING, 1);
        word[1] = WORD(1, 0, FREE, 0);
        run submitter(1); run worker(); run holder();
        if
        :: run keeper()
        :: run submitter(2); run other()
        fi
    }
    timeout;
    assert(STATE(word[0]) == FREE && STATE(word[1]) == FREE);
    assert(submitted == ended)
}
