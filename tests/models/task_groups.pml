/* task_groups.pml - whoever looks for what is there in a queue, and goes by groups of slots that are marked, goes by nothing.
 *
 * Stands for runtime/task_groups.h, adit_task_group_enter(), take_open() (task_submit.c), adit_task_walk_on(), settle(), adit_tasks_recover().
 *
 *   here              there
 *   word[s]           adit_task_slot.word: | round | state 2 | owner 1 |; owner: 1 is who may die
 *   tail              adit_task_level.tail
 *   used, ended, freed    a group's word: the round, ENDED, FREE
 *   submitter         two, of one task and of two; 1 may die, or be as late as it likes
 *   life              workers, and who takes results: a task ends, and is free
 *   looker            one or two, each with one look: what it sees is as old as it likes by the time that it marks
 *   keeper            recovery of submitter 1; then there is one looker
 *
 * Claimed, after every step that marks a group or changes what is in a slot: one that is not FREE was taken for a round before its group's; nnone is in an ENDED group,
 * and nothing but FREE in a FREE one. In the end nothing of the dead one's is left.
 * Abstracted: a level of one group of two slots; what is HELD, DELAYED, RUNNING is QUEUED; a compare-and-swap of a slot from FREE, or of a group, may succeed where the mark, or a round that is as open, was another; tail is not raised over what a dead one left (task_queue.pml).
 *
 *   BUG 1  a slot is FILLING before its group says so
 *   BUG 2  a group is marked though it was entered meanwhile
 *   BUG 3  what is open in a round before the group's counts as ended wherever tail is
 *   BUG 4  tail is looked at after the slots
 *   BUG 5  what has ended counts as free
 *   BUG 6  what has not ended counts as if it had
 *   BUG 7  who enters leaves the marks
 *   BUG 8  what is open in a round before the group's counts as free
 */
#define TASKS (me == 1 -> 1 : 2)
#define SLOTS 2
#define FREE 0
#define FILLING 1
#define QUEUED 2
#define DONE 3

#define WORD(round, state, owner) ((round) << 3 | (state) << 1 | (owner))
#define ROUND(w) ((w) >> 3)
#define STATE(w) ((w) >> 1 & 3)
#define OWNER(w) ((w) & 1)
#define FREED(w) WORD(ROUND(w) + 1, FREE, 0)

byte word[SLOTS], tail, used;
bool ended, freed, dead;

#define IS_SOUND(w) (STATE(w) == FREE || (used > ROUND(w) && !freed && !(ended && STATE(w) == QUEUED)))
#define CHECK assert(IS_SOUND(word[0]) && IS_SOUND(word[1]))

inline enter() /* GROUP:enter */
{
    atomic {
#if BUG == 7
        used = (used < p / SLOTS + 1 -> p / SLOTS + 1 : used)
#else
        if
        :: used != p / SLOTS + 1 || ended || freed -> used = (used < p / SLOTS + 1 -> p / SLOTS + 1 : used); ended = false; freed = false
        :: else
        fi
#endif
    }
}

#define IS_OPEN (STATE(word[p % SLOTS]) == FREE && ROUND(word[p % SLOTS]) <= p / SLOTS)

proctype submitter(byte me)
{
    byte n, p;
    {
next:
        do
        :: n == TASKS -> break
        :: atomic { n < TASKS -> p = tail };
again:
            do
            :: atomic { p < tail + SLOTS && IS_OPEN -> break }
            :: atomic { p < tail + SLOTS && !IS_OPEN -> p++ }
            :: atomic { p >= tail + SLOTS -> n++; p = 0; goto next }
            od;
#if BUG != 1
            enter();
#endif
            atomic { /* TASK:fill */
                if
                :: IS_OPEN -> word[p % SLOTS] = WORD(p / SLOTS, FILLING, me == 1)
                :: else -> goto again
                fi;
#if BUG != 1
                CHECK
#endif
            }
#if BUG == 1
            atomic { skip; CHECK }
            enter();
#endif
            if
            :: atomic { tail <= p -> n++ }
                atomic { word[p % SLOTS] = WORD(p / SLOTS, QUEUED, 0); CHECK } /* TASK:queued */
                atomic { tail = (tail < p + 1 -> p + 1 : tail); p = 0 }
            :: atomic { tail > p -> word[p % SLOTS] = WORD(p / SLOTS + 1, FREE, 0); p = tail; goto again }
            fi
        od
    } unless { atomic { me == 1 && dead -> n = 0; p = 0 } }
}

proctype life()
{
end:
    do
    :: atomic { STATE(word[0]) == QUEUED -> word[0] = WORD(ROUND(word[0]), DONE, 0) }
    :: atomic { STATE(word[1]) == QUEUED -> word[1] = WORD(ROUND(word[1]), DONE, 0) }
    :: atomic { STATE(word[0]) == DONE -> word[0] = FREED(word[0]) }
    :: atomic { STATE(word[1]) == DONE -> word[1] = FREED(word[1]) }
    od
}

#define IS_PAST(w) (STATE(w) == FREE && ROUND(w) >= u)
#if BUG == 6
#define IS_ENDED(w) (STATE(w) == DONE || STATE(w) == QUEUED)
#else
#define IS_ENDED(w) (STATE(w) == DONE)
#endif
#if BUG == 3
#define IS_OVER(w, s) (STATE(w) == FREE || IS_ENDED(w))
#else
#define IS_OVER(w, s) ((IS_ENDED(w) && ROUND(w) == u - 1) || ((STATE(w) == FREE || IS_ENDED(w)) && ROUND(w) < u && t > (u - 1) * SLOTS + s))
#endif
#if BUG == 5
#define IS_FREE(w, s) (IS_PAST(w) || IS_OVER(w, s))
#elif BUG == 8
#define IS_FREE(w, s) (IS_PAST(w) || STATE(w) == FREE && IS_OVER(w, s))
#else
#define IS_FREE(w, s) IS_PAST(w)
#endif

inline see(s) { atomic { may_end = may_end && (IS_PAST(word[s]) || IS_OVER(word[s], s)); may_free = may_free && IS_FREE(word[s], s) } }

proctype looker()
{
    byte u, t, w0, w1;
    bool may_end, may_free;
    if
    :: atomic { used -> u = used; may_end = true; may_free = true } /* GROUP:look */
#if BUG == 4
        atomic { w0 = word[0] } atomic { w1 = word[1] } atomic { t = tail }
        atomic {
            may_end = (IS_PAST(w0) || IS_OVER(w0, 0)) && (IS_PAST(w1) || IS_OVER(w1, 1));
            may_free = IS_FREE(w0, 0) && IS_FREE(w1, 1)
        }
#else
        atomic { t = tail }
        see(0);
        see(1);
#endif
        atomic { /* GROUP:settle */
            if
#if BUG == 2
            :: may_end
#else
            :: may_end && used == u
#endif
                -> ended = true; freed = freed || may_free; CHECK
            :: else
            fi;
            u = 0; t = 0; w0 = 0; w1 = 0; may_end = false; may_free = false
        }
    :: !used
    fi
}

proctype keeper()
{
    dead = true;
    if
    :: !freed -> /* GROUP:look */
        atomic { word[0] = (STATE(word[0]) == FILLING && OWNER(word[0]) -> FREED(word[0]) : word[0]) }
        atomic { word[1] = (STATE(word[1]) == FILLING && OWNER(word[1]) -> FREED(word[1]) : word[1]) }
    :: freed
    fi
}

active proctype judge()
{
    atomic { run submitter(1); run submitter(2); run life(); run looker(); if :: run keeper() :: run looker() fi }
    timeout;
    assert(STATE(word[0]) == FREE && STATE(word[1]) == FREE)
}
