/* publish.h - the one way a block becomes a key's current version, and what follows from it.
 *
 *   step                                             if the process dies right after
 *   1 block taken and filled          LOANED         recovery frees it; the key is as it was
 *   2 block word -> PUBLISHED; the key entered, if it is new    named by no commit word: recovery retires it; the key is as it was, or has no version
 *   3 section entered; the key is a member still; intent: entry, replacing: old word      as 2; from here to 8 the old block cannot be reused, nor the entry
 *   4 entry.current: old -> new (CAS) the commit     the new version is current; recovery goes by the intent: tells again
 *                                                    (5) and retires the old block (6)
 *   5 dirty bits: the chunk, neighbours whose border changed, with ambient occlusion diagonal ones; watch bits      the same: told again
 *   6 old block -> RETIRED(me)                       recovery hands it to any reclaimer
 *   7 intent 0                                       the same
 *   8 section left
 *
 * The intent stands in the thread's reader slot and lives inside its section only: what `replacing` names cannot be freed and used
 * anew while it stands there, so recovery, which looks at it before it ends the section, never takes another's block for it.
 * If the CAS finds another word the intent is set anew with it, and cleared before the section ends when the publisher gives up.
 *
 * Between 1 and 8 no other process waits for this one. Of two publishers of one key one's CAS fails; it takes the next
 * number and tries again. The old version is only read inside a section.
 */
#ifndef ADIT_PUBLISH_H
#define ADIT_PUBLISH_H

#include "runtime/adit.h"
#include "shm/shm.h"

/* Inside the reader's section, before the commit; old: the commit word it means to replace. False: the section has been ousted, or may be any
 * moment (rcu.h), nothing may be committed in it; with true it will not be before clear. */
static inline bool adit_intent_set(struct adit_arena *arena, const struct adit_reader *reader, enum adit_intent_kind kind,
                                   uint32_t index, uint64_t old)
{
    struct adit_reader_slot *s = &arena->readers[reader->index];
    adit_store_release(&s->replacing, old); /* INTENT: both before the commit, so recovery sees them with it */
    adit_store_release(&s->intent, adit_intent_make(kind, index));
    return !adit_rcu_may_be_ousted(reader);
}
/* Inside the section still, when the old block is retired or nothing was committed. */
static inline void adit_intent_clear(struct adit_arena *arena, const struct adit_reader *reader)
{
    adit_store_release(&arena->readers[reader->index].intent, 0); /* INTENT: after the retirement */
}

/* Tells everyone who must know of a new version: watches, the mesher of the chunk, those of its neighbours at sides (a bit a face);
 * in an arena with ambient occlusion also those diagonal to it where sides meet (rim.h). */
void adit_publish_tell(struct adit_arena *arena, uint32_t index, uint32_t sides);

/* What the current version must be for a publish to go ahead: any, or exactly number version (0: there is none, or it says that the chunk was removed). */
struct adit_expected {
    bool exactly;
    uint64_t version;
};

/* Publishes the block at ref (on loan to this process, head complete but for version, published_ns, publisher) for a key, whose entry is likely *index (ADIT_STORE_NONE: it
 * is not known) and is it afterwards; the key is entered if it is not in the store. reader is borrowed and outside a section. On failure the block is still on loan.
 * -ESTALE; -ENOSPC: the store has no room; -EINVAL: it is not on loan; -EAGAIN. */
int adit_publish_version(struct adit_arena *arena, struct adit_reader *reader, uint64_t packed, uint32_t *index, uint64_t ref,
                         const struct adit_expected *expected, uint64_t *version);

#endif
