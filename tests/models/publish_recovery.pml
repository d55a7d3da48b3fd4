/* publish_recovery.pml - a publisher dies at any step, and recovery, which may die as well, undoes what it left.
 *
 * Stands for runtime/publish.h and publish.c, runtime/recover.c, shm/salvage.c, shm/retire.c.
 *
 *   here                     there
 *   cur_v, cur_b             adit_entry.current, the commit word: version number and block
 *   state[], owner[]         block words (layout.h); owner 0 is nobody
 *   inside[], held[]         adit_reader_slot.epoch: odd; and below the epoch of the grace period under way
 *   intent                   adit_reader_slot.intent of P1's thread: the entry it is about to commit to
 *   rep_v, rep_b             its adit_reader_slot.replacing: the commit word it means to replace
 *   owed                     a version was committed and the entry's dirty bit not set since
 *   publisher(P1)            dies at any step (dead); the block that is current at first is its own
 *   publisher(P2)            competes for the same key, and stays
 *   passer_by                P3, a third that is never in the way, takes a block as soon as one is free, and commits it
 *   reclaimer                any live producer's: adopts what nobody owns, one grace period, frees
 *   keeper                   recovers P1; dies at any step and is started again (keeper_killed)
 *
 *   recover_slot             finish_intent(), adit_salvage_readers()
 *   recover_blocks           collect_named(), adit_salvage_blocks()
 *
 * Abstracted: one key, so the entry that an intent names is known; tell() sets one dirty bit; the first blocks are on loan at the
 * start, and P3 takes one that was freed; a block on loan to the dead is freed in one step; the grace period is exact
 * (grace_period.pml is about how it gets so); memory is sequentially consistent (what is stored before the commit is before it on
 * every machine, and a dead thread's stores arrive before its process can be seen to be gone).
 *
 * What makes it right, and what the planted bugs take away:
 *   - an intent stands only inside a section that began before the old word was loaded, and recovery ends that section last: the
 *     block it names cannot be freed and used anew meanwhile, so retiring it twice is retiring it once.
 *   - for the same reason a publisher retires what it replaced before it leaves the section: the recovery of another participant
 *     may do it first (a block published by the dead, named by no commit word), and who comes second must find RETIRED.
 *   - recovery's walk changes only words that still name the dead as owner (the compare-and-swap says so, not an earlier look): the
 *     dead name nothing any more, so what no commit word names stays so, and it does not matter which table is read first.
 *
 *   BUG 1  a failed compare-and-swap leaves the intent set
 *   BUG 2  recovery frees what was replaced instead of retiring it
 *   BUG 3  block words are looked at first, then commit words, and what these do not name is retired whoever owns it by then
 *   BUG 4  the intent outlives the section, and the block is retired after it
 *   BUG 5  the intent is cleared in the section, but the block is retired after it
 *   BUG 6  recovery ends the section before it looks at the intent
 *   BUG 7  the intent is cleared before the entry is marked
 *   BUG 8  recovery ends the section before it clears the intent (and dies, and looks again)
 *   BUG 9  commit words are looked at first, but what was seen published by the dead is retired whoever owns it by then
 */
#define P1 1
#define P2 2
#define P3 3
#define BLOCKS 3
#define FREE 0
#define LOANED 1
#define PUBLISHED 2
#define RETIRED 3

byte cur_v = 1, cur_b = 0, rep_v, rep_b;
byte state[BLOCKS], owner[BLOCKS];
bool inside[3], held[3], intent, dead, owed, keeper_killed, recovered;

#define IS(b, s, o) (state[b] == s && owner[b] == o)
#define SET(b, s, o) state[b] = s; owner[b] = o
#define LEAVE(i) d_step { inside[i] = false; held[i] = false }
#define READ(b) assert(state[b] == PUBLISHED || state[b] == RETIRED)
#define CLEAR_INTENT d_step { IF_P1(intent = false; rep_v = 0; rep_b = 0) }
#define IF_P1(what) if :: me == P1 -> what :: else fi

inline retire(b, who) /* adit_block_retire */
{
    d_step {
        if
        :: state[b] == PUBLISHED -> assert(cur_b != b); SET(b, RETIRED, who)
        :: else
        fi
    }
}

proctype publisher(byte me)
{
    byte b, ov, ob;
    bool committed;
    {
        b = me;
        d_step { SET(b, PUBLISHED, me) }
        d_step { inside[me] = true; ov = cur_v; ob = cur_b } /* adit_rcu_enter, the load of current */
        do
        :: d_step { IF_P1(rep_v = ov; rep_b = ob) } /* INTENT */
           d_step { IF_P1(intent = true) }
           d_step { /* PUBLISH:commit */
               READ(ob); /* an edit does */
               if
               :: cur_v == ov && cur_b == ob ->
                   assert(IS(b, PUBLISHED, me)); cur_v = ov + 1; cur_b = b; owed = true; committed = true
               :: else -> ov = cur_v; ob = cur_b
               fi
           }
           if
           :: committed -> break
           :: !committed /* again, with the next number */
           :: !committed -> break /* -ESTALE */
           fi
        od;
        if
        :: committed ->
            READ(ob); /* changed_sides */
#if BUG == 4
            LEAVE(me);
#endif
#if BUG == 7
            CLEAR_INTENT;
#endif
            owed = false; /* tell */
#if BUG == 5
            CLEAR_INTENT;
            LEAVE(me);
#endif
            retire(ob, me);
            CLEAR_INTENT;
            LEAVE(me)
        :: else ->
#if BUG != 1
            CLEAR_INTENT;
#endif
            LEAVE(me);
            d_step { assert(IS(b, PUBLISHED, me)); SET(b, LOANED, me) } /* adit_block_unpublish */
            d_step { assert(IS(b, LOANED, me)); SET(b, FREE, 0) }
        fi
    } unless { me == P1 && dead }
}

proctype passer_by()
{
    byte b, old;
    d_step {
        if
        :: state[0] == FREE -> b = 0
        :: state[1] == FREE -> b = 1
        :: state[2] == FREE -> b = 2
        fi;
        SET(b, PUBLISHED, P3)
    }
    d_step {
        assert(IS(b, PUBLISHED, P3));
        old = cur_b; cur_v = cur_v + 1; cur_b = b; owed = false;
        if
        :: state[old] == PUBLISHED -> SET(old, RETIRED, P3)
        :: else
        fi
    }
}

/* adit_reclaim of a live producer. P1's blocks are freed by P1's reclaimer, so only while it lives. */
proctype reclaimer()
{
    byte b, who;
end:
    do
    :: d_step {
           if
           :: state[0] == RETIRED && !(owner[0] == P1 && dead) -> b = 0
           :: state[1] == RETIRED && !(owner[1] == P1 && dead) -> b = 1
           :: state[2] == RETIRED && !(owner[2] == P1 && dead) -> b = 2
           fi;
           if
           :: owner[b] == 0 -> owner[b] = P2 /* adopted: CAS */
           :: else
           fi;
           who = owner[b];
           held[P1] = inside[P1]; /* RCU:advance */
           held[P2] = inside[P2]
       }
       d_step {
           !held[P1] && !held[P2]; /* RCU:scan */
           if
           :: who == P1 && dead
           :: else -> assert(IS(b, RETIRED, who)); assert(cur_b != b); SET(b, FREE, 0)
           fi;
           b = 0; who = 0
       }
    od
}

inline recover_slot()
{
#if BUG == 6
    LEAVE(P1);
#endif
    if
    :: intent ->
        owed = false; /* told again */
        if
        :: !(cur_v == rep_v && cur_b == rep_b) ->
#if BUG == 2
            d_step {
                if
                :: state[rep_b] == PUBLISHED -> SET(rep_b, FREE, 0)
                :: else
                fi
            }
#else
            retire(rep_b, 0)
#endif
        :: else
        fi
    :: else
    fi;
#if BUG == 8
    LEAVE(P1);
#endif
    d_step { intent = false; rep_b = 0; rep_v = 0 }
    LEAVE(P1)
}

inline recover_blocks()
{
#if BUG == 3
    d_step {
        was = 0;
        do
        :: b < BLOCKS ->
            if
            :: IS(b, PUBLISHED, P1) -> was = was | (1 << b)
            :: else
            fi;
            b++
        :: else -> break
        od;
        b = 0
    }
#endif
    named = cur_b; /* every commit word */
    do
    :: b < BLOCKS ->
#if BUG == 9
        was = IS(b, PUBLISHED, P1) << b;
#endif
        d_step {
            if
            :: IS(b, LOANED, P1) -> SET(b, FREE, 0)
            :: IS(b, RETIRED, P1) -> SET(b, RETIRED, 0)
#if BUG == 3 || BUG == 9
            :: state[b] == PUBLISHED && (was & (1 << b)) && b != named -> SET(b, RETIRED, 0)
#else
            :: IS(b, PUBLISHED, P1) && b != named -> assert(cur_b != b); SET(b, RETIRED, 0)
#endif
            :: else
            fi;
            b++
        }
    :: else -> break
    od
}

proctype keeper()
{
    byte b, named, was;
end:
    dead;
    do
    :: {
           recover_slot();
           recover_blocks();
           recovered = true; /* the participant's slot -> FREE */
           break
       } unless { d_step { keeper_killed -> keeper_killed = false; b = 0; named = 0; was = 0 } }
    od
}

proctype killer()
{
    if
    :: dead = true
    :: true -> goto end
    fi;
    if
    :: !recovered -> keeper_killed = true
    :: true
    fi;
end:
    skip
}

active proctype judge()
{
    byte b;
    atomic {
        SET(0, PUBLISHED, P1); SET(1, LOANED, P1); SET(2, LOANED, P2);
        run publisher(P1); run publisher(P2); run passer_by(); run reclaimer(); run keeper(); run killer()
    }
    timeout;
    assert(!dead || recovered);
    assert(!owed);
    d_step {
        do
        :: b < BLOCKS -> assert(b == cur_b -> state[b] == PUBLISHED : state[b] == FREE); b++
        :: else -> break
        od
    }
}
