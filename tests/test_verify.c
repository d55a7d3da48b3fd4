/* The verifier: what is sound has no breach, and each invariant, damaged by hand through the arena's own mapping, is reported
 * with its place. Each damage is the control of one check: with that check taken out of the verifier its line here fails. */
#include <errno.h>
#include <string.h>

#include "runtime/dirty.h"
#include "runtime/store.h"
#include "tests/verify_fixture.h"

#define ALL (ADIT_VERIFY_QUIET | ADIT_VERIFY_DEEP)

static struct verify_scene scene;
static struct adit_arena *a;

/* As verify_wanted, when nobody is at work. */
static void wanted_with(uint32_t flags, const char *invariant, const char *place, const char *what)
{
    verify_wanted(a, flags, invariant, place, what);
}
static void wanted(const char *invariant, const char *place, const char *what) { verify_wanted(a, ALL, invariant, place, what); }

/* ---- where things are */

static uint32_t index_of(uint32_t chunk)
{
    struct adit_key key = verify_key(chunk);
    uint64_t packed;
    uint32_t i;
    REQUIRE(!adit_key_pack(&key, &packed) && adit_store_find(a, packed, &i));
    return i;
}
static struct adit_entry *entry_of(uint32_t chunk) { return &a->entries[index_of(chunk)]; }
static const char *place_of(uint32_t chunk)
{
    struct adit_key k = verify_key(chunk);
    return verify_at("entry %u (%d,%d,%d)", index_of(chunk), k.x, k.y, k.z);
}
static struct adit_version *version_of(uint32_t chunk)
{
    return adit_arena_at(a, adit_commit_ref(entry_of(chunk)->current), sizeof(struct adit_version));
}
static struct adit_mesh *mesh_of(uint32_t chunk)
{
    return adit_arena_at(a, adit_commit_ref(entry_of(chunk)->mesh), sizeof(struct adit_mesh));
}
static uint64_t *word_of(uint64_t ref)
{
    const struct adit_base *b = &a->segments[adit_ref_segment(ref)];
    return &b->words[(adit_ref_byte(ref) >> ADIT_GRANULE_SHIFT) - b->first];
}
static const char *granule_of(uint64_t ref, uint32_t further)
{
    return verify_at("segment %u granule %u", adit_ref_segment(ref), (uint32_t)(adit_ref_byte(ref) >> ADIT_GRANULE_SHIFT) + further);
}
static uint64_t free_run(void)
{
    uint32_t i = 0;
    while (adit_word_state(a->segments[1].words[i]) != ADIT_BLOCK_FREE)
        REQUIRE(++i < a->segments[1].granules);
    return ADIT_REF(1, (uint64_t)i << ADIT_GRANULE_SHIFT);
}
static uint64_t made(uint64_t word, enum adit_block_state state, uint32_t granules, uint32_t owner)
{
    return adit_word_make(word, state, granules, owner);
}

/* ---- I1, I6 */

static void a_granule_in_no_run_or_in_two_is_found(void **state)
{
    uint64_t ref = adit_commit_ref(entry_of(VERIFY_DENSE)->current), *word = word_of(ref);
    uint32_t n = adit_word_granules(*word);
    (void)state;
    VERIFY_POKE(word[1], made(0, ADIT_BLOCK_PUBLISHED, 1, a->owner));
    wanted("I1", granule_of(ref, 1), "inside the run");
    VERIFY_POKE(word[n - 1], made(0, ADIT_BLOCK_CLAIMED, 1, a->owner)); /* where somebody splits, but it is not his */
    wanted_with(0, "I1", granule_of(ref, n - 1), "inside the run");
    VERIFY_POKE(word[0], 0);
    wanted_with(0, "I1", granule_of(ref, 0), "no run begins here");
    VERIFY_POKE(word[0], 0);
    wanted_with(0, "I6", "segment 1", "do not make up");
    VERIFY_POKE(word[0], made(*word, (enum adit_block_state)9, n, 0));
    wanted("I1", granule_of(ref, 0), "no run begins here (in no state there is");
    VERIFY_POKE(word[0], made(*word, ADIT_BLOCK_PUBLISHED, 0xffffff, 0));
    wanted("I1", granule_of(ref, 0), "no run begins here (published");
    VERIFY_POKE(word[0], made(*word, ADIT_BLOCK_PUBLISHED, n - 1, 0));
    wanted("I1", granule_of(ref, n - 1), "no run begins here");
    VERIFY_POKE(word[0], made(*word, ADIT_BLOCK_PUBLISHED, n + 1, 0));
    wanted_with(0, "I1", granule_of(ref, n), "inside the run");
}

/* Splits and merges leave claimed words inside a claimed run, and that is no breach while somebody may be at it. */
static void a_split_under_way_is_no_breach_but_at_rest(void **state)
{
    uint64_t *word = word_of(scene.loan.ref);
    (void)state;
    uint64_t claimed = made(*word, ADIT_BLOCK_CLAIMED, adit_word_granules(*word), a->owner);
    VERIFY_POKE(*word, claimed);
    VERIFY_POKE(word[7], made(0, ADIT_BLOCK_CLAIMED, 3, a->owner));
    assert_int_equal(verify_run(a, ADIT_VERIFY_DEEP, 0), 0);
    wanted("I1", granule_of(scene.loan.ref, 7), "inside the run");
    VERIFY_POKE(*word, claimed);
    wanted("I5", granule_of(scene.loan.ref, 0), "nobody is at work");
    VERIFY_POKE(*word, claimed);
    VERIFY_POKE(word[7], made(0, ADIT_BLOCK_CLAIMED, 3, adit_owner_make(1, 1))); /* another's */
    wanted_with(0, "I1", granule_of(scene.loan.ref, 7), "inside the run");
    VERIFY_POKE(word[7], made(0, ADIT_BLOCK_CLAIMED, 3, a->owner)); /* inside a loan, which is nobody's work */
    wanted_with(0, "I1", granule_of(scene.loan.ref, 7), "inside the run");
}

/* ---- I5 */

static void a_block_of_nobody_is_found(void **state)
{
    uint64_t ref = scene.loan.ref, *word = word_of(ref), free_ref = free_run();
    uint32_t n = adit_word_granules(*word);
    (void)state;
    VERIFY_POKE(*word, made(*word, ADIT_BLOCK_LOANED, n, VERIFY_NOBODY));
    wanted_with(0, "I5", granule_of(ref, 0), "slot 6 generation 9, has left");
    VERIFY_POKE(*word, made(*word, ADIT_BLOCK_LOANED, n, a->owner + 1));
    wanted_with(0, "I5", granule_of(ref, 0), "the slot is at generation");
    VERIFY_POKE(*word, made(*word, ADIT_BLOCK_LOANED, n, 0xfff0001));
    wanted_with(0, "I5", granule_of(ref, 0), "names no slot");
    VERIFY_POKE(*word, made(*word, ADIT_BLOCK_LOANED, n, 0));
    wanted_with(0, "I5", granule_of(ref, 0), "to nobody");
    VERIFY_POKE(*word, made(*word, ADIT_BLOCK_RETIRED, n, VERIFY_NOBODY));
    wanted_with(0, "I5", granule_of(ref, 0), "has left");
    VERIFY_POKE(*word, made(*word, ADIT_BLOCK_RETIRED, n, 0));
    wanted("I5", granule_of(ref, 0), "no reclaimer is told");
    word = word_of(free_ref);
    VERIFY_POKE(*word, made(*word, ADIT_BLOCK_FREE, adit_word_granules(*word), a->owner));
    wanted_with(0, "I5", granule_of(free_ref, 0), "has an owner");
}

static void a_reader_of_nobody_is_found(void **state)
{
    struct adit_reader_slot *r = &a->readers[scene.reader->index], *none = &a->readers[70];
    const char *place = verify_at("reader %u", scene.reader->index);
    (void)state;
    VERIFY_POKE(r->owner, VERIFY_NOBODY);
    wanted_with(0, "I5", place, "has left");
    VERIFY_POKE(r->epoch, a->control->epoch);
    VERIFY_POKE(r->owner, 0);
    wanted_with(0, "I5", place, "and nobody's");
    VERIFY_POKE(r->epoch, a->control->epoch + 2);
    wanted_with(0, "I5", place, "yet to come");
    VERIFY_POKE(r->intent, 1ull << 32);
    wanted("I5", place, "nobody was told");
    VERIFY_POKE(r->intent, 1ull << 32 | a->chunks_max);
    wanted_with(0, "I5", place, "about to commit to entry");
    VERIFY_POKE(none->owner, a->owner);
    VERIFY_POKE(none->epoch, a->control->epoch);
    wanted_with(0, "I5", "reader 70", "scans look at");
    VERIFY_POKE(a->control->epoch, a->control->epoch + 1);
    wanted_with(0, "I5", "control", "the epoch is");
    VERIFY_POKE(a->control->readers_high, 81);
    wanted_with(0, "I5", "control", "81 readers were used of 80");
}

static void metrics_that_cannot_be_are_found(void **state)
{
    struct adit_metric_shard *s = &a->metric_shards[9];
    (void)state;
    VERIFY_POKE(s->owner, VERIFY_NOBODY);
    wanted_with(0, "I5", "metric shard 9", "has left");
    VERIFY_POKE(s->first, s->head + 1);
    wanted_with(0, "I7", "metric shard 9", "behind its last");
    VERIFY_POKE(s->events[3].mark, adit_metric_event_mark(4, 1, 1));
    wanted_with(0, "I7", "metric shard 9 event 3", "of another place");
    VERIFY_POKE(a->metric_shards[0].owner, a->owner);
    wanted_with(0, "I5", "metric shard 0", "everybody's");
    VERIFY_POKE(a->metric_cells[7].owner, VERIFY_NOBODY);
    wanted_with(0, "I5", "metric cell 7", "has left");
    VERIFY_POKE(a->metric_cells[7].series, ADIT_METRIC_SERIES + 1);
    wanted_with(0, "I7", "metric cell 7", "of series");
    VERIFY_POKE(a->metrics[2].name[0], 'A');
    wanted_with(0, "I7", "metric 2", "does not describe");
    VERIFY_POKE(a->metrics[2].n, 65);
    wanted_with(0, "I7", "metric 2", "does not describe");
    VERIFY_POKE(a->metrics[3].at, a->metrics[2].at);
    wanted_with(0, "I7", "metric 3", "the same place");
    VERIFY_POKE(a->metrics[95].type, ADIT_METRIC_COUNTER);
    VERIFY_POKE(a->metrics[95].n, 1);
    VERIFY_POKE(a->metrics[95].at, ADIT_METRIC_WORDS - 1);
    VERIFY_POKE(a->metrics[95].name[0], 'a');
    wanted_with(0, "I7", "metric 95", "behind the last");
}

static void slots_of_nobody_are_found(void **state)
{
    struct adit_watch_slot *w = &a->watches[0];
    struct adit_material *m = &a->materials[300];
    (void)state;
    VERIFY_POKE(w->owner, VERIFY_NOBODY);
    wanted_with(0, "I5", "watch 0", "has left");
    VERIFY_POKE(w->owner, 0);
    wanted_with(0, "I5", "watch 0", "active, and nobody's");
    VERIFY_POKE(w->state, 7);
    wanted_with(0, "I5", "watch 0", "in state 7");
    VERIFY_POKE(a->control->watches_high, 0);
    wanted_with(0, "I5", "watch 0", "publishers look at 0");
    VERIFY_POKE(a->viewers[3].state, ADIT_VIEWER_ACTIVE);
    wanted_with(0, "I5", "viewer 3", "dispatchers look at 0");
    VERIFY_POKE(a->viewers[3].state, ADIT_VIEWER_ACTIVE);
    wanted_with(0, "I5", "viewer 3", "active, and nobody's");
    VERIFY_POKE(a->viewers[3].owner, VERIFY_NOBODY);
    wanted_with(0, "I5", "viewer 3", "has left");
    VERIFY_POKE(a->viewers[3].state, 9);
    wanted_with(0, "I5", "viewer 3", "in state 9");
    VERIFY_POKE(m->owner, VERIFY_NOBODY);
    VERIFY_POKE(m->state, 1);
    wanted_with(0, "I5", "material 300", "has left");
    VERIFY_POKE(m->state, 9);
    wanted_with(0, "I5", "material 300", "in state 9");
    VERIFY_POKE(m->state, ADIT_MATERIAL_NAMED);
    wanted_with(0, "I5", "material 300", "by nobody");
    VERIFY_POKE(a->materials[1].name[47], 'x');
    for (uint32_t i = 0; i < 6; i++)
        VERIFY_POKE(((uint64_t *)(void *)a->materials[1].name)[i], 0x6161616161616161);
    wanted_with(0, "I5", "material 1", "no end");
    VERIFY_POKE(a->rings[5].owner, VERIFY_NOBODY);
    VERIFY_POKE(a->rings[5].state, 1);
    wanted_with(0, "I5", "ring 5", "has left");
    VERIFY_POKE(a->rings[0].owner, 0);
    wanted_with(0, "I5", "ring 0", "there and nobody's");
    VERIFY_POKE(a->rings[0].state, 3);
    wanted("I5", "ring 0", "being destroyed");
    VERIFY_POKE(entry_of(0)->work, VERIFY_NOBODY);
    wanted_with(0, "I5", place_of(0), "being meshed: its owner");
}

static void a_participant_that_is_gone_is_found(void **state)
{
    struct adit_participant *p = a->self;
    const char *place = verify_at("participant %u", adit_owner_slot(a->owner));
    (void)state;
    VERIFY_POKE(p->start_time, p->start_time + 1); /* another process has got its number */
    assert_int_equal(verify_run(a, 0, 0), 0);
    wanted_with(ADIT_VERIFY_LIVING, "I5", place, "is gone and its slot not recovered");
    VERIFY_POKE(p->start_time, p->start_time + 1);
    wanted("I5", granule_of(scene.loan.ref, 0), "which is gone");
    place = verify_at("participant %u", adit_owner_slot(a->owner));
    VERIFY_POKE(p->word, p->word ^ 7ull << 56);
    wanted_with(0, "I5", place, "no state or role");
    VERIFY_POKE(p->pins_high, 17);
    wanted_with(0, "I5", place, "17 of 16 pins");
}

/* ---- I4 */

static void a_pin_or_a_commit_word_of_a_free_block_is_found(void **state)
{
    uint64_t *pin = &a->pins[scene.pin], ref = adit_commit_ref(entry_of(VERIFY_PLAIN)->current), *word = word_of(ref);
    (void)state;
    assert_int_equal(*pin, adit_commit_ref(entry_of(VERIFY_PINNED)->current));
    VERIFY_POKE(*word, made(*word, ADIT_BLOCK_FREE, adit_word_granules(*word), 0));
    wanted_with(0, "I4", place_of(VERIFY_PLAIN), "which is free");
    VERIFY_POKE(*word, made(*word, ADIT_BLOCK_FREE, adit_word_granules(*word), 0));
    VERIFY_POKE(*pin, ref);
    wanted_with(0, "I4", verify_at("participant 0 pin %u", scene.pin), "which is free");
    VERIFY_POKE(*pin, scene.loan.ref);
    wanted_with(0, "I4", verify_at("participant 0 pin %u", scene.pin), "which is on loan");
    VERIFY_POKE(*pin, 0xffffffffffffffff);
    wanted_with(0, "I4", verify_at("participant 0 pin %u", scene.pin), "no block's head");
    VERIFY_POKE(a->self->pins_high, 0);
    wanted("I4", verify_at("participant 0 pin %u", scene.pin), "reclaimers look at 0 pins");
    VERIFY_POKE(a->pins[16 * 6 + 3], ref);
    wanted_with(0, "I5", "participant 6 pin 3", "the slot is free");
    VERIFY_POKE(entry_of(0)->mesh, adit_commit_make(entry_of(0)->mesh >> 40, free_run()));
    wanted_with(0, "I4", place_of(0), "current mesh is segment 1");
}

/* ---- I2, I3 */

static void a_version_that_is_not_the_entrys_is_found(void **state)
{
    struct adit_version *v = version_of(VERIFY_PLAIN);
    uint64_t *word = word_of(adit_commit_ref(entry_of(VERIFY_PLAIN)->current));
    (void)state;
    VERIFY_POKE(*word, made(*word, ADIT_BLOCK_RETIRED, adit_word_granules(*word), a->owner));
    wanted_with(0, "I2", place_of(VERIFY_PLAIN), "which is retired");
    VERIFY_POKE(entry_of(VERIFY_PLAIN)->current, entry_of(VERIFY_PLAIN)->current + 1);
    wanted_with(0, "I2", place_of(VERIFY_PLAIN), "no block's head");
    VERIFY_POKE(v->kind, ADIT_KIND_MESH);
    wanted_with(0, "I2", place_of(VERIFY_PLAIN), "holds none");
    VERIFY_POKE(v->bytes, v->bytes + 512);
    wanted_with(0, "I2", place_of(VERIFY_PLAIN), "does not fit");
    VERIFY_POKE(v->key, v->key + 1);
    wanted_with(0, "I2", place_of(VERIFY_PLAIN), "of another key");
    VERIFY_POKE(v->bricks_at, 0xfffffff0);
    wanted_with(0, "I2", place_of(VERIFY_PLAIN), "not soundly encoded");
    VERIFY_POKE(((uint8_t *)v)[v->bytes - 1], ((uint8_t *)v)[v->bytes - 1] ^ 1);
    assert_int_equal(verify_run(a, ADIT_VERIFY_QUIET, 0), 0); /* its contents are looked at when asked for */
    wanted_with(ADIT_VERIFY_DEEP, "I2", place_of(VERIFY_PLAIN), "not those that were published");
    VERIFY_POKE(v->version, v->version + 1);
    wanted_with(0, "I3", place_of(VERIFY_PLAIN), "say version 2, the version says 3");
    VERIFY_POKE(v->version, 0);
    wanted_with(0, "I3", place_of(VERIFY_PLAIN), "the version says 0");
    VERIFY_POKE(entry_of(VERIFY_PLAIN)->current, entry_of(VERIFY_PLAIN)->current + (1ull << 40));
    wanted_with(0, "I3", place_of(VERIFY_PLAIN), "say version 3, the version says 2");
    VERIFY_POKE(entry_of(VERIFY_PLAIN)->number, 1ull << 24);
    wanted_with(0, "I3", place_of(VERIFY_PLAIN), "say version 16777218");
}

static void a_mesh_that_is_not_the_entrys_is_found(void **state)
{
    struct adit_mesh *m = mesh_of(VERIFY_PLAIN);
    uint8_t *quads = (uint8_t *)m + m->quads_at;
    (void)state;
    VERIFY_POKE(m->kind, ADIT_KIND_VERSION);
    wanted_with(0, "I2", place_of(VERIFY_PLAIN), "mesh's block holds none");
    VERIFY_POKE(m->bytes, 100);
    wanted_with(0, "I2", place_of(VERIFY_PLAIN), "mesh does not fit");
    VERIFY_POKE(m->key, m->key ^ 1);
    wanted_with(0, "I2", place_of(VERIFY_PLAIN), "mesh is of another key");
    VERIFY_POKE(m->start[18], 0x7fffffff);
    wanted_with(0, "I2", place_of(VERIFY_PLAIN), "lie outside");
    VERIFY_POKE(m->start[3], m->start[18] + 1);
    wanted_with(0, "I2", place_of(VERIFY_PLAIN), "run backwards");
    VERIFY_POKE(quads[9], quads[9] ^ 4);
    wanted_with(ADIT_VERIFY_DEEP, "I2", place_of(VERIFY_PLAIN), "quads are not those");
    VERIFY_POKE(m->serial, m->serial + 1);
    wanted_with(0, "I3", place_of(VERIFY_PLAIN), "the mesh says");
}

static void a_key_that_is_not_found_is_found(void **state)
{
    uint32_t i = index_of(VERIFY_PLAIN), empty = 0;
    (void)state;
    while (a->keys[empty] || a->keys[(empty + a->chunks_max - 1) % a->chunks_max])
        empty++;
    VERIFY_POKE(a->keys[i], 0);
    wanted_with(0, "I2", verify_at("entry %u (0,0,0) world 255 lod 0", i), "no key");
    VERIFY_POKE(a->keys[empty], a->keys[i] ^ 0x8000);
    wanted_with(0, "I2", verify_at("entry %u (1,0,32768)", empty), "not found");
    VERIFY_POKE(a->keys[empty], a->keys[i]);
    wanted_with(0, "I2", verify_at("entry %u (1,0,0)", empty), verify_at("is found at entry %u", i));
}

static void a_leak_and_a_block_named_twice_are_found(void **state)
{
    uint64_t ref = scene.loan.ref, *word = word_of(ref);
    uint64_t commit = entry_of(VERIFY_DENSE)->current;
    (void)state;
    VERIFY_POKE(*word, made(*word, ADIT_BLOCK_PUBLISHED, adit_word_granules(*word), a->owner));
    assert_int_equal(verify_run(a, ADIT_VERIFY_DEEP, 0), 0); /* it may be about to be committed */
    wanted("I2", granule_of(ref, 0), "named by no commit word");
    VERIFY_POKE(entry_of(VERIFY_PLAIN)->current, commit);
    wanted("I2", granule_of(adit_commit_ref(commit), 0), "named more than once");
    VERIFY_POKE(a->rings[1].state, 0);
    VERIFY_POKE(a->rings[1].owner, 0);
    wanted("I2", granule_of(a->rings[1].ref, 0), "named by no ring");
}

/* ---- I7, I8 */

static void a_set_that_does_not_add_up_is_found(void **state)
{
    uint32_t empty = 0, i = index_of(VERIFY_PLAIN);
    uint64_t *dirty = a->dirty, *working = a->dirty + a->bits_words;
    (void)state;
    while (a->keys[empty])
        empty++;
    VERIFY_POKE(dirty[i / 64], 1ull << (i % 64));
    VERIFY_POKE(dirty[a->chunks_max / 64], 0);
    wanted("I7", verify_at("dirty set 0 word %u", i / 64), "its summary does not say");
    VERIFY_POKE(dirty[empty / 64], 1ull << (empty % 64));
    wanted_with(0, "I7", verify_at("entry %u (0,0,0) world 255 lod 0", empty), "dirty set without a key");
    VERIFY_POKE(working[i / 64], 1ull << (i % 64));
    wanted_with(0, "I7", place_of(VERIFY_PLAIN), "in the working set, and nobody's");
    VERIFY_POKE(entry_of(VERIFY_PLAIN)->work, a->owner);
    assert_int_equal(verify_run(a, 0, 0), 0);
    wanted("I7", place_of(VERIFY_PLAIN), "nobody is at it");
    VERIFY_POKE(a->watch_bits[0], 1);
    VERIFY_POKE(a->watch_bits[a->chunks_max / 64], 0);
    wanted("I7", "watch chunk set 0 word 0", "its summary does not say");
}

static void a_mesh_that_was_forgotten_is_found(void **state)
{
    struct adit_mesh *m = mesh_of(VERIFY_PLAIN);
    (void)state;
    assert_int_equal(m->source[0], 2);
    VERIFY_POKE(m->source[0], 1);
    assert_int_equal(verify_run(a, ADIT_VERIFY_DEEP, 0), 0); /* it may be about to be marked dirty */
    wanted("I7", place_of(VERIFY_PLAIN), "its mesh is of version 1, the current one is 2");
    VERIFY_POKE(m->border_hash[ADIT_FACES - 1], 12345);
    wanted("I7", place_of(VERIFY_PLAIN), "another border across face 5");
    VERIFY_POKE(entry_of(VERIFY_PLAIN)->mesh, 0);
    wanted("I7", place_of(VERIFY_PLAIN), "has no mesh, and is not dirty");
    VERIFY_POKE(m->source[0], 3);
    wanted_with(0, "I8", place_of(VERIFY_PLAIN), "of version 3, the current one is 2");
    VERIFY_POKE(m->source[0], 0);
    wanted_with(0, "I8", place_of(VERIFY_PLAIN), "of version 0");
    VERIFY_POKE(m->source[1], 9); /* across -X */
    wanted_with(0, "I8", place_of(VERIFY_PLAIN), "names version 9 of the neighbour across face 0");
    VERIFY_POKE(m->source[3], 1); /* across -Y, where there was never a chunk */
    wanted_with(0, "I8", place_of(VERIFY_PLAIN), "across face 2, whose current one is 0");
}

static void a_head_that_was_overwritten_is_found(void **state)
{
    (void)state;
    VERIFY_POKE(a->control->magic, 1);
    wanted_with(0, "I7", "control", "nobody can attach any more: arena fixture: not an arena");
    VERIFY_POKE(a->control->watches.at, 1ull << 40);
    wanted_with(0, "I7", "control", "a table does not lie inside");
    VERIFY_POKE(a->control->readers.n, 79);
    wanted_with(0, "I7", "control", "its tables are others");
}

/* The mark of a publisher is lost: the same breach by the way it would happen. */
static void a_lost_dirty_mark_is_found(void **state)
{
    struct adit_bitset dirty = adit_dirty_set(a);
    (void)state;
    verify_put(a, VERIFY_DENSE, 22);
    assert_int_equal(verify_run(a, ADIT_VERIFY_DEEP, 0), 0);
    while (adit_bitset_count(&dirty)) {
        uint32_t cursor = 0, i;
        if (adit_bitset_find(&dirty, &cursor, &i))
            adit_bitset_remove(&dirty, i);
    }
    assert_true(verify_run(a, ALL, 0) > 0);
    assert_true(verify_said("I7", place_of(VERIFY_DENSE), "is not dirty"));
    adit_dirty_mark(a, index_of(VERIFY_DENSE));
    for (uint32_t i = 0; i < VERIFY_CHUNKS; i++)
        adit_dirty_mark(a, index_of(i));
    verify_mesh(a);
    assert_int_equal(verify_run(a, ALL, 0), 0);
}

/* ---- what is sound */

static void every_role_finds_a_sound_arena_sound(void **state)
{
    static const enum adit_role roles[] = {ADIT_PRODUCER, ADIT_CONSUMER, ADIT_OBSERVER};
    struct adit_verify_counts n;
    struct adit_verify_params p = {.size = sizeof p, .flags = ALL, .counts = &n};
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        struct adit_arena *other = shm_fixture_attach(FIXTURE_NAME, roles[i]);
        assert_int_equal(adit_verify(other, &p, NULL, NULL), 0);
        assert_int_equal(n.keys, VERIFY_CHUNKS);
        assert_int_equal(n.versions, VERIFY_CHUNKS);
        assert_int_equal(n.meshes, VERIFY_CHUNKS);
        assert_int_equal(n.rings, 3);
        assert_int_equal(n.pins, 1);
        assert_int_equal(n.participants, 1 + (i < 2));
        assert_int_equal(n.blocks, 2 * VERIFY_CHUNKS + 1 + 3 + 1);
        assert_true(n.hashed_bytes > 100000);
        adit_detach(&other);
    }
    p.size--;
    assert_int_equal(adit_verify(a, &p, NULL, NULL), -EMSGSIZE);
}

static void what_is_in_use_is_no_breach(void **state)
{
    struct adit_key key = verify_key(VERIFY_PLAIN);
    struct adit_chunk_view v;
    struct adit_voxel_edit edit = {.x = 1, .y = 2, .z = 3, .material = 77};
    uint64_t element = 7;
    (void)state;
    adit_enter(scene.reader);
    assert_int_equal(adit_chunk_acquire(scene.reader, &key, &v), 0);
    for (uint32_t i = 0; i < 10; i++, edit.material++)
        assert_int_equal(adit_chunk_edit(a, &key, &edit, 1, NULL), 0); /* retired, and held back by the section */
    assert_int_equal(verify_run(a, ALL, 0), 0);
    adit_exit(scene.reader);
    adit_rest(scene.reader);
    verify_mesh(a);
    while (adit_ring_push(scene.spsc, &element, 1)) {
    }
    while (adit_ring_push(scene.mpmc, &element, 1)) {
    }
    assert_int_equal(adit_samples_write(scene.samples, (float[2 * 20]){0}, 20), 13);
    assert_int_equal(verify_run(a, ALL, 0), 0);
    while (adit_ring_pop(scene.spsc, &element, 1)) {
    }
    while (adit_ring_pop(scene.mpmc, &element, 1)) {
    }
    assert_int_equal(adit_samples_read(scene.samples, (float[2 * 20]){0}, 20), 16);
    assert_int_equal(verify_run(a, ALL, 0), 0);
}

static int set_up(void **state)
{
    if (shm_fixture_set_up(state))
        return -1;
    verify_scene_make(&scene, false);
    a = scene.arena;
    return 0;
}

static int tear_down(void **state)
{
    verify_scene_end(&scene);
    return shm_fixture_tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_role_finds_a_sound_arena_sound),
        cmocka_unit_test(a_granule_in_no_run_or_in_two_is_found),
        cmocka_unit_test(a_split_under_way_is_no_breach_but_at_rest),
        cmocka_unit_test(a_block_of_nobody_is_found),
        cmocka_unit_test(a_reader_of_nobody_is_found),
        cmocka_unit_test(slots_of_nobody_are_found),
        cmocka_unit_test(metrics_that_cannot_be_are_found),
        cmocka_unit_test(a_participant_that_is_gone_is_found),
        cmocka_unit_test(a_pin_or_a_commit_word_of_a_free_block_is_found),
        cmocka_unit_test(a_version_that_is_not_the_entrys_is_found),
        cmocka_unit_test(a_mesh_that_is_not_the_entrys_is_found),
        cmocka_unit_test(a_key_that_is_not_found_is_found),
        cmocka_unit_test(a_leak_and_a_block_named_twice_are_found),
        cmocka_unit_test(a_set_that_does_not_add_up_is_found),
        cmocka_unit_test(a_mesh_that_was_forgotten_is_found),
        cmocka_unit_test(a_head_that_was_overwritten_is_found),
        cmocka_unit_test(a_lost_dirty_mark_is_found),
        cmocka_unit_test(what_is_in_use_is_no_breach), /* last: a chunk goes on to other versions */
    };
    return cmocka_run_group_tests_name("verify", tests, set_up, tear_down);
}
