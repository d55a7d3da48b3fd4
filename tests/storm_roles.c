/* storm_roles.c - anchors, producers, workers and clerks; consumers are in storm_consumer.c. */
#include "tests/storm_roles.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/key.h"
#include "runtime/store.h"
#include "runtime/tombstone.h"
#include "shm/shm.h"
#include "tests/storm_life.h"

#define TALLY_WORDS 32u
#define SCRATCH_NAMES 200u /* materials named by the way */
#define PATIENCE_NS 20000000000u

struct storm_page *storm;

const char *storm_name(enum storm_who who)
{
    static const char *const names[STORM_POSTS] = {"anchor 1", "anchor 2", "producer 1", "producer 2", "worker 1", "worker 2", "consumer 1",
                                                   "consumer 2", "clerk 1", "clerk 2", "the meshes", "the SPSC ring", "the MPMC ring",
                                                   "the lock"};
    return names[who];
}

void storm_fail(enum storm_who who, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    __atomic_store_n(&storm->failed, 1, __ATOMIC_SEQ_CST);
    fprintf(stderr, "torture_kills: seed %llu: %s (life %u): %s\n", (unsigned long long)storm->seed, storm_name(who), storm->post[who].life, line);
}

/* ---- lives */

struct adit_arena *storm_join(struct storm_life *l, enum adit_role role)
{
    struct adit_arena *a;
    storm_do(l, "adit_attach");
    const struct adit_attach_params p = {.size = sizeof p, .label = storm_name(l->who), .timeout_ns = PATIENCE_NS};
    int error = adit_attach(STORM_ARENA, role, &p, &a);
    if (error)
        storm_die(l, "cannot attach: %s", adit_detail());
    storm_joined(l, a);
    return a;
}

void storm_joined(struct storm_life *l, const struct adit_arena *arena)
{
    storm->post[l->who].readers = (uintptr_t)arena->readers;
    storm_count(l->who);
    __atomic_store_n(&storm->post[l->who].attached, l->life, __ATOMIC_RELEASE);
    storm_do(l, "in between");
}

bool storm_works(struct storm_life *l)
{
    uint32_t turn = __atomic_load_n(&storm->turn, __ATOMIC_ACQUIRE);
    if (__atomic_load_n(&storm->failed, __ATOMIC_ACQUIRE))
        _exit(1);
    l->stage = storm_stage_of(turn);
    l->turn = turn;
    return l->stage < STORM_LEAVE;
}

void storm_rest(struct storm_life *l)
{
    storm_do(l, "resting");
    __atomic_store_n(&storm->post[l->who].rests, l->turn, __ATOMIC_RELEASE);
    storm_count(l->who);
    usleep(500);
}

/* ---- anchors: are there */

/* Applications fork: for a moment a child has copies of all descriptors, the keeper's too. */
static void fork_shortly(void)
{
    if (!fork()) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        usleep(5000);
        _exit(0);
    }
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
}

static void anchor_live(struct storm_life *l)
{
    struct adit_arena *a = NULL;
    if (l->who == STORM_ANCHOR && !storm->created) {
        const struct adit_create_params p = {.size = sizeof p, .data_bytes = 64u << 20, .chunks_max = 256, .participants_max = 40,
                                             .readers_max = 128, .pins_max = 64, .materials_max = 1024, .heap_bytes = 256u << 10, .hold_max_bytes = 12u << 20};
        struct adit_stats s = {.size = sizeof s};
        if (adit_create(STORM_ARENA, &p, &a) || adit_stats(a, &s))
            storm_die(l, "cannot create: %s", adit_detail());
        storm->heap_bytes = s.segments[0].bytes - s.segments[0].free_bytes;
        storm_joined(l, a);
        __atomic_store_n(&storm->created, 1, __ATOMIC_RELEASE);
    }
    while (!__atomic_load_n(&storm->created, __ATOMIC_ACQUIRE))
        usleep(500);
    if (!a)
        a = storm_join(l, ADIT_PRODUCER);
    while (storm_works(l) || l->stage != STORM_EMPTY) {
        if (l->stage == STORM_STORM && !(storm_random(l) & 15))
            fork_shortly();
        storm_rest(l);
    }
    while (waitpid(-1, NULL, 0) > 0)
        continue;
    storm_do(l, "adit_detach");
    adit_detach(&a);
}

/* ---- producers */

/* Names a material of no use, so that namers are killed, too. */
static void name_one(struct storm_life *l, struct adit_arena *a)
{
    struct adit_material_info info = {.rgba = 0x010203ff, .material_class = ADIT_CLASS_OPAQUE};
    uint16_t id = 0;
    snprintf(info.name, sizeof info.name, "by the way %llu", (unsigned long long)(storm_mix(l->life, l->who, 5) % SCRATCH_NAMES));
    storm_do(l, "adit_material_register");
    int error = adit_material_register(a, &info, &id);
    if (error)
        storm_die(l, "cannot name a material: %s", adit_detail());
}

static void produce_one(struct storm_life *l, struct adit_arena *a, uint32_t chunk, uint16_t *voxels)
{
    static const char *const doing[] = {[STORM_PUT] = "adit_chunk_put", [STORM_LOAN] = "adit_chunk_loan and publish",
                                        [STORM_EDIT] = "adit_chunk_edit", [STORM_REMOVE] = "adit_chunk_remove"};
    struct adit_key key = storm_key(chunk);
    uint64_t now = 0;
    int error = adit_chunk_version(a, &key, &now);
    if (error || now < storm->floor[chunk])
        storm_die(l, "chunk %u: version %llu is lost, current is %llu (%d)", chunk, (unsigned long long)storm->floor[chunk],
                  (unsigned long long)now, error);
    storm_do(l, doing[storm_op_of(storm->seed, chunk, now + 1)]);
    error = storm_publish(a, storm->seed, chunk, now + 1, voxels);
    if (error == -ENOMEM) { /* what the dead held comes back; for ever without progress is told by the watch over progress */
        __atomic_fetch_add(&storm->shortages, 1, __ATOMIC_RELAXED);
        return;
    }
    if (error)
        storm_die(l, "chunk %u: version %llu: %s (%s)", chunk, (unsigned long long)now + 1, adit_strerror(error), adit_detail());
    __atomic_store_n(&storm->floor[chunk], now + 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&storm->published, 1, __ATOMIC_RELAXED);
    storm_count(l->who);
}

/* A chunk of another world is put, removed or forgotten, by whichever producer: its numbers grow all the same. Only once all others have versions, as first ones are numbered by what was forgotten. */
static void pass_one(struct storm_life *l, struct adit_arena *a, uint16_t *voxels)
{
    uint64_t r = storm_random(l), version = 0, packed;
    uint32_t i = (uint32_t)(r % STORM_PASSING), index;
    const struct adit_key key = {.world = 1, .x = (int32_t)i};
    const struct adit_put_params p = {.size = sizeof p, .version = &version};
    for (uint32_t k = 0; k < STORM_CHUNKS; k++)
        if (!__atomic_load_n(&storm->floor[k], __ATOMIC_SEQ_CST))
            return;
    uint64_t before = __atomic_load_n(&storm->passing[i], __ATOMIC_SEQ_CST);
    bool removes = r >> 8 & 1;
    storm_do(l, removes ? "adit_chunk_remove, passing" : "adit_chunk_put, passing");
    memset(voxels, 0, ADIT_CHUNK_VOXELS * sizeof *voxels);
    int error = removes ? adit_chunk_remove(a, &key, &p) : adit_chunk_put(a, &key, voxels, &p);
    if (error && error != -ENOMEM && !(removes && error == -ENOENT))
        storm_die(l, "passing chunk %u: %s (%s)", i, adit_strerror(error), adit_detail());
    if (!error && version <= before)
        storm_die(l, "passing chunk %u: version %llu after %llu", i, (unsigned long long)version, (unsigned long long)before);
    while (!error && before < version && !__atomic_compare_exchange_n(&storm->passing[i], &before, version, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        continue;
    if (!adit_key_pack(&key, &packed) && r >> 9 & 1 && adit_store_find(a, packed, &index)) {
        storm_do(l, "adit_tombstones_sweep");
        __atomic_fetch_add(&storm->forgotten, adit_tombstones_sweep(a, index, 1, true), __ATOMIC_RELAXED);
    }
}

static void finish(struct storm_life *l, struct adit_arena *a, uint32_t me, uint16_t *voxels)
{
    storm_do(l, "the last state");
    for (uint32_t i = 0; i < STORM_CHUNKS; i++) {
        struct adit_key key = storm_key(i);
        uint64_t now;
        if (storm_producer_of(i) != me)
            continue;
        int error = adit_chunk_version(a, &key, &now);
        if (!error)
            error = storm_finish(a, storm->seed, i, now, voxels);
        if (error)
            storm_die(l, "chunk %u: the last state: %s (%s)", i, adit_strerror(error), adit_detail());
    }
}

static void producer_live(struct storm_life *l)
{
    struct adit_arena *a = storm_join(l, ADIT_PRODUCER);
    uint16_t *voxels = malloc(ADIT_CHUNK_VOXELS * sizeof *voxels);
    uint32_t me = (uint32_t)(l->who - STORM_PRODUCER);
    bool is_finished = false;
    storm_do(l, "adit_material_register");
    if (!voxels || storm_materials(a))
        storm_die(l, "cannot name materials: %s", adit_detail());
    name_one(l, a);
    while (storm_works(l)) {
        if (l->stage == STORM_STORM && !(storm_random(l) & 3))
            pass_one(l, a, voxels);
        if (l->stage == STORM_STORM)
            produce_one(l, a, (uint32_t)(storm_random(l) % (STORM_CHUNKS / STORM_PRODUCERS)) * STORM_PRODUCERS + me, voxels);
        else if (l->stage == STORM_FINISH && !is_finished)
            finish(l, a, me, voxels), is_finished = true;
        else
            storm_rest(l);
    }
    free(voxels);
    storm_do(l, "adit_detach");
    adit_detach(&a);
}

/* ---- workers */

static uint64_t meshes_made(struct adit_reader *r)
{
    uint64_t serials = 0;
    adit_enter(r);
    for (uint32_t i = 0; i < STORM_CHUNKS; i++) {
        struct adit_key key = storm_key(i);
        struct adit_mesh_view m;
        serials += adit_mesh_acquire(r, &key, &m) ? 0 : m.serial;
    }
    adit_exit(r);
    adit_rest(r);
    return serials;
}

static void worker_live(struct storm_life *l)
{
    struct adit_arena *a = storm_join(l, ADIT_PRODUCER);
    const struct adit_dispatcher_params p = {.size = sizeof p, .workers = 1};
    struct adit_dispatcher *d;
    struct adit_reader *r;
    if (adit_reader_open(a, &r) || adit_dispatcher_open(a, &p, &d))
        storm_die(l, "cannot work: %s", adit_detail());
    for (uint64_t before = 0; storm_works(l);) {
        uint64_t made = meshes_made(r);
        storm_do(l, "meshing");
        if (made != before)
            __atomic_store_n(&storm->post[STORM_MESHES].progress, made, __ATOMIC_RELAXED);
        before = made;
        storm_count(l->who);
        usleep(2000);
    }
    storm_do(l, "adit_dispatcher_close");
    adit_dispatcher_close(&d);
    adit_reader_close(&r);
    storm_do(l, "adit_detach");
    adit_detach(&a);
}

/* ---- clerks: a lock's object, two rings for good and one made and ended again and again */

struct adit_ring *storm_ring(struct adit_arena *arena, enum storm_who which)
{
    const struct adit_ring_params p = {.size = sizeof p, .kind = which == STORM_BAG ? ADIT_RING_MPMC : ADIT_RING_SPSC,
                                       .element_bytes = which == STORM_BAG ? 16 : 64, .capacity = 16};
    struct adit_ring *r = NULL;
    return adit_ring_open(arena, which == STORM_BAG ? "bag" : "belt", &p, &r) ? NULL : r;
}

static void tally_check(struct storm_life *l, const uint64_t *t, const char *where)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < STORM_CLERKS; i++)
        sum += t[1 + i];
    for (uint32_t i = 1 + STORM_CLERKS; i < TALLY_WORDS; i++)
        if (t[i] != t[0] * i || sum != t[0])
            storm_die(l, "the lock's object is torn, %s: count %llu, parts %llu, word %u %llu", where, (unsigned long long)t[0],
                      (unsigned long long)sum, i, (unsigned long long)t[i]);
}

/* What had been committed when before was noted is in t; me: by this clerk, who has at most one more in flight. */
static void tally_is_kept(struct storm_life *l, const uint64_t *t, uint32_t of, uint64_t before, bool is_mine)
{
    if (t[1 + of] < before || (is_mine && t[1 + of] > before + 1))
        storm_die(l, "the lock's object: clerk %u committed %llu times, it says %llu", of + 1, (unsigned long long)before,
                  (unsigned long long)t[1 + of]);
}

static void tally_one(struct storm_life *l, struct adit_lock *lock, uint32_t me)
{
    void *draft;
    uint64_t *t, other = __atomic_load_n(&storm->tally[1 - me], __ATOMIC_ACQUIRE);
    storm_do(l, "adit_lock_lock");
    int error = adit_lock_lock(lock, PATIENCE_NS, &draft);
    if (error < 0)
        storm_die(l, "cannot lock: %s", adit_strerror(error));
    storm_do(l, "changing a lock's object");
    t = draft;
    tally_check(l, t, "when locked");
    tally_is_kept(l, t, me, storm->tally[me], true);
    tally_is_kept(l, t, 1 - me, other, false);
    t[0]++;
    t[1 + me]++;
    for (uint32_t i = 1 + STORM_CLERKS; i < TALLY_WORDS; i++)
        __atomic_store_n(&t[i], t[0] * i, __ATOMIC_RELAXED);
    uint64_t mine = t[1 + me];
    storm_do(l, "adit_lock_unlock");
    error = storm_random(l) % 8 ? adit_lock_unlock(lock) : adit_lock_discard(lock);
    if (error)
        storm_die(l, "cannot unlock: %s", adit_strerror(error));
    uint64_t copy[TALLY_WORDS];
    storm_do(l, "adit_lock_read");
    if (adit_lock_read(lock, copy, sizeof copy, NULL))
        storm_die(l, "cannot read a lock's object");
    tally_check(l, copy, "when read");
    if (copy[1 + me] != mine && copy[1 + me] != mine - 1)
        storm_die(l, "a lock's object read after unlocking says %llu, not %llu", (unsigned long long)copy[1 + me], (unsigned long long)mine);
    __atomic_store_n(&storm->tally[me], copy[1 + me], __ATOMIC_RELEASE);
    storm_count(STORM_TALLY);
}

static void belt_push(struct storm_life *l, struct adit_ring *belt)
{
    uint64_t number = storm->belt_done + 1, element[8] = {number, l->life};
    for (uint32_t i = 2; i < 8; i++)
        element[i] = storm_mix(number, l->life, i);
    storm->belt_begun = number;
    storm_do(l, "adit_ring_push, SPSC");
    if (adit_ring_push(belt, element, 1))
        __atomic_store_n(&storm->belt_done, number, __ATOMIC_RELEASE);
}

/* An element pushed by one who died before it could note that comes twice, from two lives; one popped by one who died before noting
 * it may be missing, before the first of a life. */
static void belt_pop(struct storm_life *l, struct adit_ring *belt)
{
    uint64_t element[8], last = storm->belt_last >> 20, life = storm->belt_last & 0xfffff;
    storm_do(l, "adit_ring_pop, SPSC");
    if (!adit_ring_pop(belt, element, 1))
        return;
    for (uint32_t i = 2; i < 8; i++)
        if (element[i] != storm_mix(element[0], element[1], i))
            storm_die(l, "an element of the SPSC ring is torn: %llu", (unsigned long long)element[0]);
    bool again = element[0] == last && element[1] != life, next = element[0] == last + 1;
    if (!again && !next && (l->has_popped || element[0] != last + 2))
        storm_die(l, "the SPSC ring: element %llu of life %llu after %llu of life %llu", (unsigned long long)element[0],
                  (unsigned long long)element[1], (unsigned long long)last, (unsigned long long)life);
    l->has_popped = true;
    __atomic_store_n(&storm->belt_last, element[0] << 20 | (element[1] & 0xfffff), __ATOMIC_RELEASE);
    storm_count(STORM_BELT);
}

static uint64_t bit_set(uint64_t *bits, uint32_t i) { return __atomic_fetch_or(&bits[i / 64], 1ull << i % 64, __ATOMIC_SEQ_CST) >> i % 64 & 1; }

bool storm_bag_note(uint64_t element)
{
    uint32_t pusher = (uint32_t)(element >> 32), id = (uint32_t)element;
    return pusher < STORM_CLERKS && id && id < STORM_BAG_IDS && id <= __atomic_load_n(&storm->bag_begun[pusher], __ATOMIC_ACQUIRE) &&
           !bit_set(storm->bag_got[pusher], id);
}

/* l->bag_id: an id that was noted as begun and certainly not pushed, since the ring was full; 0: none. */
static void bag_push(struct storm_life *l, struct adit_ring *bag, uint32_t me)
{
    if (!l->bag_id && storm->bag_begun[me] + 1 >= STORM_BAG_IDS) {
        storm_count(STORM_BAG); /* no more until all is at rest */
        return;
    }
    l->bag_id = l->bag_id ? l->bag_id : storm->bag_begun[me] + 1;
    uint64_t element[2] = {(uint64_t)me << 32 | l->bag_id};
    element[1] = ~element[0];
    __atomic_store_n(&storm->bag_begun[me], l->bag_id, __ATOMIC_RELEASE);
    storm_do(l, "adit_ring_push, MPMC");
    if (!adit_ring_push(bag, element, 1))
        return;
    (void)bit_set(storm->bag_sent[me], l->bag_id);
    l->bag_id = 0;
}

static void bag_pop(struct storm_life *l, struct adit_ring *bag)
{
    uint64_t element[2];
    storm_do(l, "adit_ring_pop, MPMC");
    __atomic_store_n(&storm->post[l->who].fragile, 1, __ATOMIC_SEQ_CST);
    if (adit_ring_pop(bag, element, 1)) {
        if (element[1] != ~element[0] || !storm_bag_note(element[0]))
            storm_die(l, "the MPMC ring: element %llx is torn, came twice, or was never pushed", (unsigned long long)element[0]);
        storm_count(STORM_BAG);
    }
    __atomic_store_n(&storm->post[l->who].fragile, 0, __ATOMIC_SEQ_CST);
}

/* At rest: takes out what is there, so that all that was pushed is accounted for. */
static void bag_empty(struct storm_life *l, struct adit_ring *bag)
{
    uint64_t element[2];
    while (adit_ring_pop(bag, element, 1))
        if (element[1] != ~element[0] || !storm_bag_note(element[0]))
            storm_die(l, "the MPMC ring, at rest: element %llx is torn, came twice, or was never pushed", (unsigned long long)element[0]);
}

static void scratch_one(struct storm_life *l, struct adit_arena *a)
{
    const struct adit_ring_params p = {.size = sizeof p, .element_bytes = 32, .capacity = 32};
    struct adit_ring *r;
    char element[32] = "scratch", back[32];
    storm_do(l, "adit_ring_open");
    int error = adit_ring_open(a, storm_name(l->who), &p, &r);
    if (error)
        storm_die(l, "cannot make a ring: %s", adit_detail());
    uint32_t pushed = adit_ring_push(r, element, 1), popped = adit_ring_pop(r, back, 1);
    if (!pushed || !popped || memcmp(element, back, sizeof element))
        storm_die(l, "a new ring: pushed %u, popped %u", pushed, popped);
    adit_ring_close(&r);
    storm_do(l, "adit_ring_destroy");
    if ((error = adit_ring_destroy(a, storm_name(l->who))))
        storm_die(l, "cannot end a ring: %s", adit_strerror(error));
}

static void clerk_work(struct storm_life *l, struct adit_arena *a, struct adit_lock *lock, struct adit_ring *belt, struct adit_ring *bag)
{
    uint32_t me = (uint32_t)(l->who - STORM_CLERK);
    switch (storm_random(l) % 16) {
    case 0:
        scratch_one(l, a);
        break;
    case 1: case 2: case 3: case 4:
        tally_one(l, lock, me);
        break;
    case 5: case 6: case 7: case 8:
        me ? belt_pop(l, belt) : belt_push(l, belt);
        break;
    case 9: case 10: case 11:
        bag_push(l, bag, me);
        break;
    default:
        bag_pop(l, bag);
    }
    storm_count(l->who);
    if (!(storm_random(l) & 1023)) {
        storm_do(l, "in between");
        usleep(100); /* others want the processors, too */
    }
}

static void clerk_live(struct storm_life *l)
{
    struct adit_arena *a = storm_join(l, ADIT_PRODUCER);
    const struct adit_lock_params p = {.size = sizeof p, .bytes = TALLY_WORDS * sizeof(uint64_t)};
    struct adit_lock *lock;
    storm_do(l, "adit_lock_open");
    if (adit_lock_open(a, "tally", &p, &lock))
        storm_die(l, "cannot open a lock: %s", adit_detail());
    storm_do(l, "adit_ring_open");
    struct adit_ring *belt = storm_ring(a, STORM_BELT), *bag = storm_ring(a, STORM_BAG);
    if (!belt || !bag)
        storm_die(l, "cannot open a ring: %s", adit_detail());
    while (storm_works(l)) {
        if (l->stage == STORM_STORM) {
            clerk_work(l, a, lock, belt, bag);
            continue;
        }
        l->bag_id = 0;
        if (l->stage == STORM_COMPARE) /* nobody pushes any more */
            bag_empty(l, bag);
        storm_rest(l);
    }
    adit_ring_close(&belt);
    adit_ring_close(&bag);
    adit_lock_close(&lock);
    (void)adit_ring_destroy(a, storm_name(l->who)); /* an earlier life may have died with it */
    storm_do(l, "adit_detach");
    adit_detach(&a);
}

void storm_live(enum storm_who who)
{
    static void (*const lives[STORM_ROLES])(struct storm_life *) = {
        anchor_live, anchor_live, producer_live, producer_live, worker_live, worker_live, storm_consumer_live, storm_consumer_live,
        clerk_live, clerk_live};
    struct storm_life l = {.who = who, .life = storm->post[who].life};
    l.random = storm_mix(storm->seed, who, l.life);
    storm->post[who].fragile = 0;
    lives[who](&l);
    exit(0);
}
