/* keeper.pml - whoever dies, somebody is keeper in the end, and each dead participant is recovered once and for all, no live one ever.
 *
 * Stands for shm/keeper.h (its robust lock in the control segment), shm/deaths.h, shm/participant.h, runtime/recover.c.
 *
 *   here                     there
 *   lock                     the keeper lock: 0 free, else who has it; DIED: the kernel's FUTEX_OWNER_DIED
 *   state[], life[]          adit_participant.word: state, and the generation (and so pid and start time) that claimed it
 *   holds[]                  whatever a participant owns and recovery must undo: loans, slots, pins, claims
 *   running[]                process number life runs
 *   pidfd[]                  its pidfd is readable
 *   process                  joins a free slot, stands by, becomes keeper; leaves or is killed at any step
 *   mark, repair, release    adit_participant_mark_dead(), the steps of adit_recover_participant(), adit_participant_bury()
 *   looked                   the keeper looks at a slot though nobody has died, and its participant may leave under its eyes
 *
 * Abstracted: SLOTS slots for PROCESSES processes, of which KILLS may be killed, so a slot is used again; one step undoes all that a
 * participant owned (each real one is a compare-and-swap from a word that names the dead; publish_recovery.pml has the hard ones);
 * a standby sees a death when it may (really: woken by the lock's futex word, or at its next look). Who joins when all slots are held by
 * the dead and nobody is left to recover them is the broker's business.
 * (tried: built with -DNP, pan -l finds no execution that goes on for ever without one of the steps called progress.)
 *
 *   BUG 1  a slot that is DEAD already is not taken up by the next keeper
 *   BUG 2  a slot is marked DEAD by a store instead of a compare-and-swap from the word that was looked at
 *   BUG 3  a slot is given away before what its participant owned is undone
 *   BUG 4  a keeper looks over the slots only when it takes the lock from one that died
 */
#define PROCESSES 3
#define SLOTS 3
#define KILLS 2
#define NOBODY 0
#define DIED 9

#define FREE 0
#define JOINING 1
#define ALIVE 2
#define LEAVING 3
#define DEAD 4

byte lock;
byte state[SLOTS], life[SLOTS];
bool holds[SLOTS], running[PROCESSES + 1], pidfd[PROCESSES + 1];

#define MATTERS(s) (state[s] == DEAD || (state[s] != FREE && pidfd[life[s]]))
#define ANY_MATTERS (MATTERS(0) || MATTERS(1) || MATTERS(2))
#define LOCK_IS_LOOSE (lock == NOBODY || lock == DIED)

inline join()
{
    d_step {
        if
        :: state[0] == FREE -> mine = 0
        :: state[1] == FREE -> mine = 1
        :: state[2] == FREE -> mine = 2
        fi;
        assert(!holds[mine]);
        state[mine] = JOINING;
        life[mine] = me
    }
progress_join:
    d_step { holds[mine] = true; state[mine] = ALIVE }
}

inline leave()
{
    state[mine] = LEAVING;
    holds[mine] = false;
progress_leave:
    d_step { assert(life[mine] == me && state[mine] == LEAVING); state[mine] = FREE; life[mine] = 0; running[me] = false }
}

/* One slot: looked at, found to be of a process that is gone, marked, undone, given away. */
inline recover()
{
    atomic {
        if
#if BUG == 1
        :: MATTERS(0) && state[0] != DEAD -> s = 0
        :: MATTERS(1) && state[1] != DEAD -> s = 1
        :: MATTERS(2) && state[2] != DEAD -> s = 2
#else
        :: MATTERS(0) -> s = 0
        :: MATTERS(1) -> s = 1
        :: MATTERS(2) -> s = 2
#endif
        :: !looked -> looked = true; s = 1 /* a look that nothing called for */
        fi;
        was = state[s];
        who = life[s]
    }
    if
    :: was == DEAD -> marked = true
    :: was != DEAD && was != FREE && pidfd[who] ->
progress_mark:
        d_step {
            if
#if BUG == 2
            :: true ->
#else
            :: state[s] == was && life[s] == who ->
#endif
                assert(!running[life[s]]);
                state[s] = DEAD; life[s] = who; marked = true
            :: else
            fi
        }
    :: else
    fi;
    if
    :: marked ->
        d_step { assert(state[s] == DEAD && !running[life[s]]) }
#if BUG == 3
        d_step { state[s] = FREE; life[s] = 0 }
        holds[s] = false;
#else
        holds[s] = false; /* repair */
progress_release:
        d_step { assert(!holds[s]); state[s] = FREE; life[s] = 0 }
#endif
    :: else
    fi;
    d_step { marked = false; s = 0; was = 0; who = 0 }
}

proctype process(byte me)
{
    byte mine, s, was, who;
    bool marked, looked = me != 1, stays;
    {
        if
        :: me > KILLS -> stays = true
        :: true
        fi;
end_join:
        join();
end_standby:
        if
#if BUG == 4
        :: d_step { LOCK_IS_LOOSE -> was = lock; lock = me } ->
            if
            :: was == DIED && ANY_MATTERS -> recover()
            :: else
            fi;
end_keeper:
            !stays;
#else
        :: d_step { LOCK_IS_LOOSE -> lock = me } ->
end_keeper:
            do
            :: ANY_MATTERS || !looked -> recover()
            :: !stays -> break
            od;
#endif
            lock = NOBODY
        :: !stays
        fi;
        leave()
    } unless { !running[me] };
    d_step { mine = 0; s = 0; was = 0; who = 0; marked = false; looked = false; stays = false }
}

/* Kills, and tells of the death: the robust word of the lock when its thread ends, the pidfd when all have. All processes do the
 * same, so it may as well be the first KILLS of them that die. */
proctype kernel(byte p)
{
end:
    if
    :: p <= KILLS -> running[p] = false
    :: !running[p]
    fi;
    d_step {
        if
        :: lock == p -> lock = DIED
        :: else
        fi
    }
    pidfd[p] = true
}

active proctype judge()
{
    byte s, live;
    atomic {
        s = 1;
        do
        :: s <= PROCESSES -> running[s] = true; run process(s); run kernel(s); s++
        :: else -> break
        od;
        s = 0
    }
    timeout;
    d_step {
        do
        :: s < SLOTS ->
            if
            :: state[s] != FREE && running[life[s]] -> assert(state[s] == ALIVE && holds[s]); live++
            :: else
            fi;
            s++
        :: else -> break
        od;
        assert(!live || (running[lock] && (life[0] == lock || life[1] == lock || life[2] == lock)));
        s = 0;
        do
        :: s < SLOTS ->
            assert(!live || (state[s] == FREE -> !holds[s] : running[life[s]]));
            s++
        :: else -> break
        od
    }
}
