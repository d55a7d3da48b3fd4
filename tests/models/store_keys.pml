/* store_keys.pml - keys are entered, rescued and forgotten in one small table, and nobody's version lands under another's key.
 *
 * Stands for runtime/store.c (find, enter, keep), publish.c (commit), tombstone.c.
 *
 *   here                      there
 *   key[], M(k) T(k) L(k)     arena->keys: member, tentative, leaving; 0: free
 *   work[]                    adit_entry.work; 0: nobody
 *   num[], whose[], gone[]    adit_entry.current: the version's number (0: none), the key it is of, whether it says REMOVED
 *   reach                     adit_entry.reach of the home that all keys here share: places beyond it are not looked at
 *   floor                     adit_control.version_floor
 *   inside[p], held[p]        p is in its section; and the grace period under way waits for it
 *   publisher(p, k, ...)      enters k, publishes it, as a removal or not
 *   taker                     enters another key where there is room, alone
 *   reader                    finds key 1 and looks at its version
 *   forgetter                 forgets what is removed
 *
 * Abstracted: two places, two keys of one home; each of the two loops that try again is entered as often as it likes; a tentative key that stands
 * before one's own is withdrawn from or taken away, as chance will have it (the code is patient for a while); memory is sequentially consistent: what C11
 * needs for it stands in store.c. Meshes go as versions do. Who dies is not here: what recovery does (T is free again, L a member) is a step any forgetter or
 * inserter makes as well (`withdraw`, `give back`).
 *
 * What makes it right, and what the planted bugs take away:
 *   - whoever enters a key has it stand as tentative first, and then looks at all places: of two who enter the same key at once one sees the other.
 *   - what is confirmed is confirmed by compare-and-swap, as others may have taken the tentative key away.
 *   - a place is had by who holds work, from before the tentative key until it is a member or gone: no other can stand there meanwhile, so
 *     that compare-and-swap cannot meet another's key that looks the same.
 *   - a publisher looks in its section whether the key is (still) a member, and makes a leaving one a member again.
 *   - a forgetter waits for all sections that may have seen a member, before it takes the version away.
 *   - places are looked at up to reach, which is raised before a key stands beyond it as a member.
 *   - numbers go on from the floor, which is raised before the key goes.
 *   - readers see a key that leaves: until the grace period has passed it may have a version that is not removed. They look whose the version is that they find.
 *
 *   BUG 1  a tentative key is confirmed by a plain store
 *   BUG 2  whoever enters a key does not look again
 *   BUG 3  a place is left by who has had its tentative key taken away by another, who frees work as well
 *   BUG 4  a publisher looks for the key before its section only
 *   BUG 5  no grace period
 *   BUG 6  the floor is not raised
 *   BUG 7  readers do not look whose version it is
 *   BUG 8  the key goes by a plain store, though a publisher made it a member again
 *   BUG 9  reach is raised when the key is a member already
 *   BUG 10  readers do not see a key that leaves
 */
#ifndef BUG
#define BUG 0
#endif
#define PLACES 2
#define M(k) (k)
#define T(k) (k + 4)
#define L(k) (k + 8)
#define KEY(w) (w & 3)

byte key[PLACES], work[PLACES], num[PLACES], whose[PLACES], reach, floor;
bool gone[PLACES];
bool steady; /* key 1 has had a version that is not removed since the reader began */
bool inside[4], held[4]; /* of publishers 0 and 1, and the reader, 3 */
byte last[3];    /* the highest number ever committed under a key */

#define IS_IN(i, k) (key[i] == M(k) || key[i] == L(k))
#define ONCE(k) assert(!(IS_IN(0, k) && IS_IN(1, k)))
#define ENTER(p) inside[p] = true
#define EXIT(p) atomic { inside[p] = false; held[p] = false }

/* Where k is, as who means to publish it sees it: at, or PLACES. Each load, with what is decided by it alone, is a step. */
inline find(k)
{
    do
    :: atomic { at >= reach -> at = PLACES } break
    :: atomic { at < reach && key[at] == M(k) -> skip } break
    :: atomic { at < reach && key[at] == L(k) -> w = L(k) }
        if
        :: atomic { key[at] == L(k) -> key[at] = M(k); w = 0 } break
        :: atomic { key[at] != L(k) -> at = 0; w = 0 }
        fi
    :: atomic { at < reach && !IS_IN(at, k) -> at++ }
    od
}

inline withdraw(k)
{
    atomic { if :: key[own] == T(k) -> key[own] = 0 :: else fi; at = 0 }
    atomic { work[own] = 0; own = 0 }
}

/* Puts k where it can be found, once; at: where. */
inline enter_key(p, k)
{
    own = 0;
again:
    at = 0;
    find(k);
    if
    :: at < PLACES -> goto entered
    :: else
    fi;
    do
    :: atomic { own == PLACES -> own = 0; at = 0 } goto again
    :: atomic { own < PLACES && key[own] == 0 -> skip }
        if
        :: atomic { work[own] == 0 -> work[own] = p + 1 }
            if
            :: key[own] == 0 -> break
            :: atomic { key[own] != 0 -> work[own] = 0; own++ }
            fi
        :: atomic { work[own] != 0 -> own++ }
        fi
    :: atomic { own < PLACES && key[own] != 0 -> own++ }
    od;
#if BUG != 9
    atomic { if :: reach < own + 1 -> reach = own + 1 :: else fi }
#endif
    atomic { key[own] = T(k); at = 0 }
#if BUG != 2
    do
    :: atomic { at >= reach -> at = 0 } break
    :: atomic { at < reach && (at == own || (key[at] != T(k) && !IS_IN(at, k))) -> at++ }
    :: atomic { at < reach && at != own && IS_IN(at, k) -> at = 0 } withdraw(k); goto again
    :: atomic { at < own && key[at] == T(k) -> at = 0 } withdraw(k); goto again
    :: atomic { at < reach && at != own && key[at] == T(k) -> w = 1 }
        atomic { if :: key[at] == T(k) -> key[at] = 0 :: else fi; w = 0
#if BUG == 3
            ; work[at] = 0
#endif
        }
    od;
#endif
    if
#if BUG == 1
    :: atomic { true -> key[own] = M(k); ONCE(k) }
#else
    :: atomic { key[own] == T(k) -> key[own] = M(k); ONCE(k) }
#endif
#if BUG == 9
        atomic { if :: reach < own + 1 -> reach = own + 1 :: else fi }
#endif
        atomic { at = own; work[own] = 0; own = 0 }
    :: atomic { key[own] != T(k) -> skip }
        atomic { work[own] = 0; own = 0 } goto again
    fi;
entered:
    skip
}

proctype publisher(byte p, k; bool removes)
{
    byte at, own, w, old;
look_again:
    enter_key(p, k);
    ENTER(p);
#if BUG != 4
    if
    :: atomic { key[at] == M(k) -> skip }
    :: atomic { key[at] == L(k) -> w = 1 }
        if
        :: atomic { key[at] == L(k) -> key[at] = M(k); w = 0 }
        :: atomic { key[at] != L(k) -> w = 0; EXIT(p) } goto look_again
        fi
    :: atomic { !IS_IN(at, k) -> EXIT(p) } goto look_again
    fi;
#endif
    do
    ::  old = num[at];
        atomic {
            w = old + 1;
            if
            :: !old -> w = floor + 1
            :: else
            fi
        }
        if
        :: atomic { num[at] == old -> num[at] = w; whose[at] = k; gone[at] = removes;
                    assert(IS_IN(at, k));  /* it is this key's */
                    assert(w > last[k]);   /* and newer than all before */
                    last[k] = w; w = 0; old = 0;
                    if :: removes -> steady = false :: else fi }
            break
        :: atomic { num[at] != old -> skip }
        fi
    od;
    atomic { EXIT(p); at = 0 }
}

/* Another key comes to stand in whatever place is free, and has a version. */
proctype taker(byte p)
{
    byte at;
    if
    :: at = 0
    :: at = 1
    fi;
    if
    :: atomic { key[at] == 0 && work[at] == 0 -> work[at] = p + 1 }
        if
        :: atomic { key[at] == 0 -> if :: reach < at + 1 -> reach = at + 1 :: else fi }
            key[at] = T(2);
            key[at] = M(2);
            atomic { assert(!num[at]); num[at] = floor + 1; whose[at] = 2 }
        :: atomic { key[at] != 0 -> skip }
        fi;
        work[at] = 0
    :: atomic { key[at] != 0 || work[at] != 0 -> skip }
    fi;
    at = 0
}

proctype reader()
{
    byte at;
    bool found;
    atomic { ENTER(3); steady = (IS_IN(0, 1) && num[0] && !gone[0]) || (IS_IN(1, 1) && num[1] && !gone[1]) }
again:
    do
    :: atomic { at >= reach -> at = 0 } break
#if BUG == 10
    :: atomic { at < reach && key[at] == M(1) -> skip }
#else
    :: atomic { at < reach && IS_IN(at, 1) -> skip }
#endif
        if
#if BUG == 7
        :: atomic { assert(!num[at] || whose[at] == 1); found = num[at] && !gone[at]; at = 0 } break
#else
        :: atomic { !num[at] || whose[at] == 1 -> found = num[at] && !gone[at]; at = 0 } break
        :: atomic { num[at] && whose[at] != 1 -> at = 0 } goto again
#endif
        fi
#if BUG == 10
    :: atomic { at < reach && key[at] != M(1) -> at++ }
#else
    :: atomic { at < reach && !IS_IN(at, 1) -> at++ }
#endif
    od;
    atomic { assert(found || !steady); EXIT(3); found = false; steady = false }
}

proctype forgetter(byte me)
{
    byte i, was;
    do
    :: i == PLACES -> break
    :: atomic { i < PLACES && work[i] != 0 -> i++ }
    :: atomic { i < PLACES && work[i] == 0 -> work[i] = me }
        if
        :: atomic { key[i] == M(1) && num[i] && gone[i] -> skip }
            atomic { key[i] = L(1); was = num[i] } /* nobody but who has work makes a member anything else */
#if BUG != 5
            d_step { held[0] = inside[0]; held[1] = inside[1]; held[3] = inside[3] }
            !(held[0] || held[1] || held[3]);
#endif
            if
            :: atomic { !gone[i] || num[i] != was -> skip }
                atomic { if :: key[i] == L(1) -> key[i] = M(1) :: else fi } /* given back */
            :: atomic { gone[i] && num[i] == was -> skip }
#if BUG != 6
                atomic { if :: floor < was -> floor = was :: else fi }
#endif
                atomic { if :: num[i] == was -> num[i] = 0; whose[i] = 0; gone[i] = false :: else fi }
#if BUG == 8
                key[i] = 0
#else
                atomic { if :: key[i] == L(1) -> key[i] = 0 :: else fi }
#endif
            fi
        :: atomic { !(key[i] == M(1) && num[i] && gone[i]) -> skip }
        fi;
        atomic { work[i] = 0; was = 0; i++ }
    od;
    i = 0
}

/* Key 1 stands there, removed, and is published twice, seen and forgotten meanwhile; key 2 comes to stand in whatever place is free. */
init {
    atomic {
        key[0] = M(1); num[0] = 1; whose[0] = 1; gone[0] = true; last[1] = 1; reach = 1;
        run publisher(0, 1, true);
        run publisher(1, 1, false);
        run taker(2);
        run reader();
        run forgetter(10);
    }
    _nr_pr == 1;
    assert(!work[0] && !work[1]);
    assert(key[0] <= 2 && key[1] <= 2); /* members, or free */
    ONCE(1);
    ONCE(2)
}
