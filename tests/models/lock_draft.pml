/* lock_draft.pml - a user's lock is never stuck and its object always whole: holders die at any step, a reader takes nothing.
 *
 * Stands for shm/robust.c (lock, unlock, what the kernel does when a thread ends) and shm/lock.c (lock, unlock, read).
 *
 *   here                     there
 *   word                     adit_robust.word: 0 free, else who holds it; DIED: the kernel's FUTEX_OWNER_DIED
 *   listed[], pending[]      the robust word is in the thread's list, or its list_op_pending
 *   commit, draft, copy[]    adit_lock_slot: of two halves, a and b, each
 *   running[], told[]        thread p runs; the kernel has walked its list
 *
 * Abstracted: versions up to HOLDERS; waiting is a guard (wakes are a matter of naps); memory is sequentially consistent, and the
 * two fences are the order of the steps.
 *
 *   BUG 1  a reader does not look again after its copy
 *   BUG 2  the draft is told after its first byte is written
 *   BUG 3  the draft is written into the committed copy
 *   BUG 4  the word is taken before it is pending
 *   BUG 5  the word is given back after it is no longer pending
 *   BUG 6  the kernel hands the word on while its thread still runs
 */
#define HOLDERS 3 /* threads 1 to 3; 1 and 2 may die */
#define DIED 9

byte word, commit, draft;
byte a[2], b[2];
bool listed[HOLDERS + 1], pending[HOLDERS + 1], running[HOLDERS + 1];
byte done; /* of commits: a bit a holder that got through */

proctype holder(byte me)
{
    byte v;
    {
#if BUG != 4
        pending[me] = true;
#else
        v = 0;
#endif
end_wait:
        d_step { word == 0 || word == DIED -> word = me };
#if BUG == 4
        pending[me] = true;
#endif
        listed[me] = true;
        pending[me] = false;
        v = commit;
#if BUG != 2
        draft = v + 1;
#endif
#if BUG == 3
        a[v % 2] = v + 1;
        b[v % 2] = v + 1;
#else
        a[(v + 1) % 2] = v + 1;
#if BUG == 2
        draft = v + 1;
#endif
        b[(v + 1) % 2] = v + 1;
#endif
        atomic { assert(word == me && commit == v); commit = v + 1 };
#if BUG != 5
        pending[me] = true;
#endif
        listed[me] = false;
        atomic { assert(word == me); word = 0 };
        atomic { pending[me] = false; done++; v = 0 }
    } unless { atomic { !running[me] -> v = 0 } }
}

/* Kills a thread, or not, and walks its list. */
proctype kernel(byte p)
{
    if
#if BUG == 6
    ::  atomic {
            if
            :: (listed[p] || pending[p]) && word == p -> word = DIED
            :: else
            fi
        }
        running[p] = false;
#else
    ::  running[p] = false;
#endif
        d_step {
            if
            :: (listed[p] || pending[p]) && word == p -> word = DIED
            :: else
            fi;
            listed[p] = false;
            pending[p] = false
        }
    :: true
    fi
}

proctype reader()
{
    byte v, x, y;
again:
    v = commit;
    x = a[v % 2];
    y = b[v % 2];
    atomic {
        if
#if BUG != 1
        :: draft <= v + 1 ->
#else
        :: true ->
#endif
            assert(x == y && x == v)
#if BUG != 1
        :: else -> v = 0; x = 0; y = 0; goto again
#endif
        fi;
        v = 0; x = 0; y = 0
    }
}

active proctype judge()
{
    byte p;
    atomic {
        p = 1;
        do
        :: p <= HOLDERS -> running[p] = true; p++
        :: else -> break
        od;
        p = 0;
        run holder(1); run holder(2); run holder(3); run kernel(1); run kernel(2); run reader()
    }
    timeout;
    d_step {
        assert(word == 0 || word == DIED);        /* nobody who has ended holds it */
        assert(done >= 1 && commit >= done);      /* who lives got through */
        assert(a[commit % 2] == commit && b[commit % 2] == commit)
    }
}
