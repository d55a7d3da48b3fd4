/* slot_reaping.pml - the slot of a reader that died is given away, and no section of anybody is overlooked by that.
 *
 * Stands for adit_rcu_reader_open() and _close() (shm/rcu.c), adit_salvage_readers() (shm/salvage.c), the notices of a death.
 *
 *   here                     there
 *   slot_epoch, slot_owner   adit_reader_slot.epoch and owner; owner names a participant, 0 is nobody
 *   killed                   SIGKILL was sent to the process VICTIM, at any step
 *   robust                   the kernel has marked the robust word of a thread of it that held one: the first notice
 *   running                  its reading thread, a sibling of that one, still executes
 *   pidfd                    the pidfd is readable: all threads have stopped
 *   victim                   the reading thread: it stops at some step after the kill, not at once
 *   newcomer                 another process, which claims the slot as soon as it is free
 *   keeper                   reaps; may die at any step (keeper_killed) and is begun again by the next
 *   updater                  unlinks an object, waits a grace period, frees it; twice
 *   inside_since, epoch      the epoch of a section; adit_control.epoch
 *
 * Abstracted: one slot, so the newcomer cannot take another; every enter is fenced and memory sequentially consistent
 * (grace_period.pml has the store buffers: here the question is whose store lands in whose slot); the generation in an owner word.
 *
 *   BUG 1  the keeper reaps on the robust word's notice
 *   BUG 2  owner is cleared before epoch
 *   BUG 3  the slot is reaped without a look at whose it is (a second keeper, begun where the first one ended)
 *   BUG 4  a reader that closes clears owner before epoch
 */
#define NOBODY 0
#define VICTIM 1
#define NEWCOMER 2
#define UPDATES 2

byte epoch = 1, slot_epoch, slot_owner, current;
bool freed[UPDATES + 1], killed, robust, pidfd, keeper_killed;
bool running = true;

inline section(me)
{
    d_step { slot_epoch = epoch }
    object = current;
    assert(!freed[object]);
    assert(!freed[object]);
    object = 0;
    slot_epoch = 0 /* RCU:exit */
}

proctype victim()
{
    byte object;
    {
        d_step { slot_owner == NOBODY -> slot_owner = VICTIM }
        slot_epoch = 0;
        section(VICTIM);
        section(VICTIM);
#if BUG == 4
        slot_owner = NOBODY;
        slot_epoch = 0
#else
        slot_epoch = 0; /* adit_rcu_reader_close */
        slot_owner = NOBODY
#endif
    } unless { !running };
    object = 0
}

proctype newcomer()
{
    byte object;
    d_step { slot_owner == NOBODY -> slot_owner = NEWCOMER }
    slot_epoch = 0;
    section(NEWCOMER);
    section(NEWCOMER);
    slot_epoch = 0;
    slot_owner = NOBODY
}

/* The kernel: threads of a killed process end one after the other. */
proctype kernel()
{
    if
    :: killed = true
    :: goto end
    fi;
    robust = true; /* the thread that held the robust word is gone */
    running = false; /* the reading thread, too */
    pidfd = true;
    if
    :: keeper_killed = true
    :: true
    fi;
end:
    skip
}

inline reap()
{
#if BUG == 2
    if
    :: slot_owner == VICTIM -> slot_owner = NOBODY; slot_epoch = 0
    :: else
    fi
#elif BUG == 3
    slot_epoch = 0;
    slot_owner = NOBODY
#else
    if
    :: slot_owner == VICTIM -> slot_epoch = 0; slot_owner = NOBODY
    :: else
    fi
#endif
}

proctype keeper()
{
end:
#if BUG == 1
    robust;
#else
    pidfd;
#endif
    do
    :: { reap(); break } unless { d_step { keeper_killed -> keeper_killed = false } }
    od
}

proctype updater()
{
    byte n, mine;
    do
    :: n < UPDATES ->
        current = n + 1;
        d_step { epoch = epoch + 1; mine = epoch } /* RCU:advance */
        slot_epoch == 0 || slot_epoch >= mine; /* RCU:scan */
        freed[n] = true;
        n++
    :: else -> break
    od
}

active proctype judge()
{
    atomic { run victim(); run newcomer(); run kernel(); run keeper(); run updater() }
    timeout;
    assert(freed[UPDATES - 1]); /* nobody holds back reclaiming for ever */
    assert(slot_owner == NOBODY && slot_epoch == 0)
}
