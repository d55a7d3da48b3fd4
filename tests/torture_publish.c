/* torture_publish - producers, dispatchers and consumers at once on few chunks, with everything checked that a reader can see.
 *
 *     torture_publish [SEED [SECONDS [processes|threads]]]
 *
 * The oracle. A chunk's voxels are a function of its key and of one number n (its "stamp", written into the chunk by its
 * producer, so that any version can be judged from its own bytes alone). Legal for a consumer, at every look:
 *   - the version is whole: its hash holds, and all 64^3 voxels are those of the stamp it carries, or, edited after a removal,
 *     it is air but for the voxel that edits change;
 *   - a chunk that had a version has none only if a removal has gone on numbering;
 *   - the version's number never goes back, nor the mesh's serial, nor the versions a mesh names;
 *   - a mesh is what the reference kernel makes of the versions it names: when those very versions are still current
 *     before and after the look, it is meshed again here and compared byte for byte (a removed chunk counts as air);
 *   - what is pinned is unchanged when it is let go.
 * At the end, with everyone else gone: every chunk has a mesh of its last version, equal to the reference with
 * its neighbours as they are, the blocks in use are those the store names, and the verifier finds no breach.
 *
 * processes: every role is a process of its own (the truth). threads: one mapping, so that ThreadSanitizer sees all. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernels/kernels.h"
#include "runtime/adit.h"

#define SIDE 2
#define CHUNKS (SIDE * SIDE * SIDE)
#define PRODUCERS 2
#define CONSUMERS 2
#define PINS 8

struct shared { /* between the processes of the test, beside the arena */
    uint32_t ready, stop, failed;
    uint64_t looks, meshes_compared, published, removed, removals_seen, pins_held;
};

static struct shared *shared;
static uint64_t seed;
static char arena_name[48];
static bool as_threads;
static struct adit_arena *one_mapping; /* threads: everybody's */

static void fail(const char *what, const struct adit_key *key, uint64_t a, uint64_t b)
{
    __atomic_store_n(&shared->failed, 1, __ATOMIC_SEQ_CST);
    fprintf(stderr, "torture_publish: seed %llu: chunk (%d,%d,%d): %s (%llu, %llu)\n", (unsigned long long)seed, key->x,
            key->y, key->z, what, (unsigned long long)a, (unsigned long long)b);
}

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return x ^ x >> 31;
}

/* What chunk i looks like at stamp n: one of several shapes, so that every encoding and many border changes occur. Voxels 0
 * and 1 carry the stamp, voxel 2 is anybody's. */
static void paint(uint32_t i, uint32_t n, uint16_t *v)
{
    uint64_t h = mix(seed + i * 1000003ull + n);
    uint32_t shape = (uint32_t)(h % 5), level = 1 + (uint32_t)(h >> 8 & 0xff) % 62;
    uint32_t kinds = shape == 4 ? 300 : 1 + (uint32_t)(h >> 16 & 0xff) % 20;
    memset(v, 0, ADIT_CHUNK_VOXELS * sizeof *v);
    for (uint32_t z = 0; z < 64 && shape; z++)
        for (uint32_t y = 0; y < 64; y++)
            for (uint32_t x = 0; x < 64; x++) {
                bool solid = shape == 1 || (shape == 2 && y < level) || (shape == 3 && ((x ^ z) & 7) < 3 && y < level) ||
                             (shape == 4 && y < 8);
                if (solid)
                    v[(z * 64 + y) * 64 + x] = (uint16_t)(10 + (shape == 1 ? 0 : (x / 3 + z * 5 + y) % kinds));
            }
    v[0] = (uint16_t)(1000 + (n & 0xfff));
    v[1] = (uint16_t)(1000 + (n >> 12 & 0xfff));
}

static uint32_t stamp_of(const uint16_t *v) { return (uint32_t)(v[0] - 1000) | (uint32_t)(v[1] - 1000) << 12; }

static struct adit_key key_of(uint32_t i)
{
    return (struct adit_key){.x = (int32_t)(i % SIDE) - 1, .y = (int32_t)(i / SIDE % SIDE), .z = (int32_t)(i / SIDE / SIDE)};
}

static struct adit_arena *enter_arena(enum adit_role role)
{
    struct adit_arena *a = one_mapping;
    if (!as_threads && adit_attach(arena_name, role, NULL, &a)) {
        fprintf(stderr, "torture_publish: %s\n", adit_detail());
        exit(1);
    }
    return a;
}

static void leave_arena(struct adit_arena *a)
{
    if (!as_threads)
        adit_detach(&a);
}

static bool is_over(void) { return __atomic_load_n(&shared->stop, __ATOMIC_ACQUIRE) || __atomic_load_n(&shared->failed, __ATOMIC_ACQUIRE); }

/* ---- producers: puts and loans of chunks of their own; edits and removals of each other's, too */

/* A producer that finds no memory goes on: a consumer that the machine does not let run holds it in its section. */
static bool is_fault(int error) { return error && error != -ENOMEM; }

static void produce_one(struct adit_arena *a, uint32_t me, uint32_t n, uint16_t *v)
{
    uint64_t h = mix(seed * 7 + me * 77 + n);
    uint32_t i = (uint32_t)(h % (CHUNKS / PRODUCERS)) * PRODUCERS + me; /* a stamp is one producer's */
    struct adit_key key = key_of(i);
    struct adit_loan loan;
    int error;
    paint(i, n, v);
    if (h >> 32 & 3) {
        error = adit_chunk_put(a, &key, v, NULL);
    } else if (!(error = adit_chunk_loan(a, &key, &loan))) {
        memcpy(loan.voxels, v, ADIT_CHUNK_VOXELS * sizeof *v);
        if (h >> 40 & 1)
            adit_chunk_discard(a, &loan);
        else if ((error = adit_chunk_publish(a, &loan, NULL)))
            adit_chunk_discard(a, &loan);
    }
    if (is_fault(error))
        fail(adit_detail(), &key, (uint64_t)-error, n);
    /* voxel 2 is anybody's: edits of every chunk race with its producer's puts and with each other */
    struct adit_voxel_edit edit = {2, 0, 0, 0, (uint16_t)(2000 + (n & 1023))};
    struct adit_key any = key_of((uint32_t)(mix(h) % CHUNKS));
    if (!error && (h >> 48 & 1) && is_fault(error = adit_chunk_edit(a, &any, &edit, 1, NULL)))
        fail(adit_detail(), &any, (uint64_t)-error, n);
    struct adit_key other = key_of((uint32_t)(mix(h + 1) % CHUNKS));
    if (!error && !(h >> 52 & 7)) {
        error = adit_chunk_remove(a, &other, NULL);
        if (!error)
            __atomic_fetch_add(&shared->removed, 1, __ATOMIC_RELAXED);
        else if (error != -ENOENT && is_fault(error)) /* the other producer was faster, or nobody has begun */
            fail(adit_detail(), &other, (uint64_t)-error, n);
    }
    __atomic_fetch_add(&shared->published, 1, __ATOMIC_RELAXED);
}

static void *producer(void *user)
{
    uint32_t me = (uint32_t)(uintptr_t)user;
    struct adit_arena *a = enter_arena(ADIT_PRODUCER);
    uint16_t *v = malloc(ADIT_CHUNK_VOXELS * sizeof *v);
    for (uint32_t n = 1; !is_over(); n++)
        produce_one(a, me, n, v);
    free(v);
    leave_arena(a);
    return NULL;
}

/* ---- consumers */

struct consumer {
    struct adit_arena *arena;
    struct adit_reader *reader;
    bool is_gone[CHUNKS];
    uint64_t version[CHUNKS], serial[CHUNKS], source[CHUNKS][7];
    struct {
        uint32_t pin;
        bool held;
        struct adit_chunk_view view;
        struct adit_key key;
    } pins[PINS];
    uint16_t seen[ADIT_CHUNK_VOXELS], wanted[ADIT_CHUNK_VOXELS], plane[6][ADIT_PLANE_VOXELS];
    uint8_t classes[ADIT_MATERIALS];
    uint64_t *quads;
};

static void check_voxels(struct consumer *c, uint32_t i, const struct adit_chunk_view *view)
{
    adit_chunk_decode(view, c->seen);
    if (c->seen[0] || c->seen[1])
        paint(i, stamp_of(c->seen), c->wanted);
    else
        memset(c->wanted, 0, sizeof c->wanted); /* an edit of a chunk that was removed */
    c->wanted[2] = c->seen[2];
    if (!c->seen[0] && !c->seen[1] && !c->seen[2])
        fail("a version without a voxel", &view->key, view->version, 0); /* (tried: a removed one that acquire gives out) */
    if (memcmp(c->seen, c->wanted, sizeof c->seen))
        fail("a version is torn", &view->key, view->version, stamp_of(c->seen));
    if (!adit_chunk_is_intact(view))
        fail("a version's hash does not hold", &view->key, view->version, 0);
}

static void look_at_chunk(struct consumer *c, uint32_t i)
{
    struct adit_key key = key_of(i);
    struct adit_chunk_view view;
    int error = adit_chunk_acquire(c->reader, &key, &view);
    if (error) {
        uint64_t now = 0;
        if (error != -ENOENT || adit_chunk_version(c->arena, &key, &now) || now < c->version[i] ||
            (now == c->version[i] && now && !c->is_gone[i]))
            fail("a chunk cannot be acquired", &key, (uint64_t)-error, c->version[i]);
        if (now > c->version[i] && c->version[i])
            __atomic_fetch_add(&shared->removals_seen, 1, __ATOMIC_RELAXED);
        c->version[i] = now; /* the removal's, or what came after it */
        c->is_gone[i] = true;
        return;
    }
    c->is_gone[i] = false;
    if (view.version < c->version[i])
        fail("an older version after a newer one", &key, view.version, c->version[i]);
    c->version[i] = view.version;
    check_voxels(c, i, &view);
    uint32_t p = (uint32_t)(mix(view.version + i) % PINS);
    if (!c->pins[p].held && !adit_pin(c->reader, view.ref, &c->pins[p].pin)) {
        c->pins[p].held = true;
        c->pins[p].view = view;
        c->pins[p].key = key;
    }
}

/* The side of v that faces a neighbour across face, where the neighbour's plane[face] looks. */
static void side_of(const uint16_t *v, uint32_t face, uint16_t *plane)
{
    uint32_t axis = adit_face_axis(face), u_axis = adit_face_u(face), v_axis = adit_face_v(face), at[3];
    at[axis] = face & 1 ? 63 : 0;
    for (uint32_t b = 0; b < 64; b++)
        for (uint32_t a = 0; a < 64; a++) {
            at[u_axis] = a;
            at[v_axis] = b;
            plane[b * 64 + a] = v[(at[2] * 64 + at[1]) * 64 + at[0]];
        }
}

/* The chunk's voxels, air if it was removed or never there, into voxels. With wanted: false unless that version is current from
 * before to after the look. *is_there: it has voxels to show. */
static bool look_whole(struct consumer *c, const struct adit_key *key, const uint64_t *wanted, uint16_t *voxels, bool *is_there)
{
    struct adit_chunk_view view;
    uint64_t before = 0, after = 0; /* a key beyond the world has no version */
    (void)adit_chunk_version(c->arena, key, &before);
    *is_there = !adit_chunk_acquire(c->reader, key, &view);
    (void)adit_chunk_version(c->arena, key, &after);
    if (wanted && (before != *wanted || (*is_there ? view.version : after) != *wanted))
        return false;
    if (*is_there)
        adit_chunk_decode(&view, voxels);
    else
        memset(voxels, 0, ADIT_CHUNK_VOXELS * sizeof *voxels);
    return true;
}

/* The chunk's and its neighbours' current versions as a source, in c->seen and planes. exactly: false unless they are just
 * those the mesh names. */
static bool gather(struct consumer *c, const struct adit_mesh_view *m, bool exactly, struct adit_mesh_source *source)
{
    for (uint32_t f = 0; f < ADIT_FACES; f++) {
        struct adit_key k = m->key;
        bool is_there;
        *(f < 2 ? &k.x : f < 4 ? &k.y : &k.z) += f & 1 ? 1 : -1;
        if (!look_whole(c, &k, exactly ? &m->source[f + 1] : NULL, c->wanted, &is_there))
            return false;
        source->plane[f] = NULL;
        if (is_there) {
            side_of(c->wanted, f ^ 1, c->plane[f]);
            source->plane[f] = c->plane[f];
        }
    }
    bool is_there;
    source->voxels = c->seen;
    return look_whole(c, &m->key, exactly ? &m->source[0] : NULL, c->seen, &is_there);
}

static void compare_mesh(struct consumer *c, const struct adit_mesh_view *m, bool exactly)
{
    struct adit_mesh_source source = {.classes = c->classes, .dim = {64, 64, 64}};
    struct adit_mesh_result r = {.quads = c->quads, .quads_max = 1u << 21};
    if (!gather(c, m, exactly, &source))
        return;
    adit_mesh_scalar(&source, &r);
    if (memcmp(r.start, m->start, sizeof r.start) || r.faces != m->faces ||
        memcmp(r.quads, m->quads, (size_t)m->quads_n * 8))
        fail("a mesh is not that of the versions it names", &m->key, m->serial, m->source[0]);
    __atomic_fetch_add(&shared->meshes_compared, 1, __ATOMIC_RELAXED);
}

static void look_at_mesh(struct consumer *c, uint32_t i)
{
    struct adit_key key = key_of(i);
    struct adit_mesh_view m;
    int error = adit_mesh_acquire(c->reader, &key, &m);
    if (error) {
        if (error != -ENOENT || c->serial[i])
            fail("a mesh cannot be acquired", &key, (uint64_t)-error, c->serial[i]);
        return;
    }
    if (!adit_mesh_is_intact(&m))
        fail("a mesh's hash does not hold", &key, m.serial, 0);
    if (m.serial < c->serial[i])
        fail("an older mesh after a newer one", &key, m.serial, c->serial[i]);
    for (uint32_t s = 0; s < 7; s++) {
        if (m.source[s] < c->source[i][s])
            fail("a newer mesh names an older version", &key, m.source[s], c->source[i][s]);
        c->source[i][s] = m.source[s];
    }
    c->serial[i] = m.serial;
    compare_mesh(c, &m, true);
}

static void let_go(struct consumer *c, uint32_t p)
{
    if (!c->pins[p].held)
        return;
    if (!adit_chunk_is_intact(&c->pins[p].view))
        fail("a pinned version has changed", &c->pins[p].key, c->pins[p].view.version, 0);
    adit_unpin(c->arena, c->pins[p].pin);
    c->pins[p].held = false;
    __atomic_fetch_add(&shared->pins_held, 1, __ATOMIC_RELAXED);
}

static struct consumer *new_consumer(enum adit_role role)
{
    struct consumer *c = calloc(1, sizeof *c);
    c->arena = enter_arena(role);
    c->quads = malloc((size_t)(1u << 21) * 8);
    memset(c->classes, ADIT_CLASS_OPAQUE, sizeof c->classes);
    c->classes[0] = ADIT_CLASS_AIR;
    if (adit_reader_open(c->arena, &c->reader)) {
        fprintf(stderr, "torture_publish: %s\n", adit_detail());
        exit(1);
    }
    return c;
}

static void *consumer(void *user)
{
    uint64_t n = (uint64_t)(uintptr_t)user << 32;
    struct consumer *c = new_consumer(ADIT_CONSUMER);
    while (!is_over()) {
        uint64_t h = mix(seed + ++n);
        adit_enter(c->reader);
        if (h & 1)
            look_at_chunk(c, (uint32_t)(h >> 8) % CHUNKS);
        else
            look_at_mesh(c, (uint32_t)(h >> 8) % CHUNKS);
        adit_exit(c->reader);
        if (!(h >> 40 & 7))
            let_go(c, (uint32_t)(h >> 48) % PINS);
        __atomic_fetch_add(&shared->looks, 1, __ATOMIC_RELAXED);
    }
    for (uint32_t p = 0; p < PINS; p++)
        let_go(c, p);
    adit_reader_close(&c->reader);
    leave_arena(c->arena);
    free(c->quads);
    free(c);
    return NULL;
}

static void *dispatcher(void *user)
{
    struct adit_arena *a = enter_arena(ADIT_PRODUCER);
    struct adit_dispatcher *d;
    struct adit_dispatcher_params params = {.size = sizeof params, .workers = 1};
    (void)user;
    if (adit_dispatcher_open(a, &params, &d))
        exit(1);
    while (!is_over())
        usleep(1000);
    adit_dispatcher_close(&d);
    leave_arena(a);
    return NULL;
}

/* ---- the frame */

struct duty {
    void *(*run)(void *);
    uintptr_t argument;
};

/* Before the arena is made: a child of a process with threads may inherit an allocator's lock (a sanitizer's is not freed). */
static void fork_all(const struct duty *duties, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (fork())
            continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (!__atomic_load_n(&shared->ready, __ATOMIC_ACQUIRE))
            usleep(1000);
        duties[i].run((void *)duties[i].argument);
        exit(0);
    }
}

static int wait_for_all(uint32_t seconds)
{
    int bad = 0, status;
    __atomic_store_n(&shared->ready, 1, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < seconds * 20 && !is_over(); i++)
        usleep(50000);
    __atomic_store_n(&shared->stop, 1, __ATOMIC_SEQ_CST);
    while (wait(&status) > 0)
        bad |= status;
    return bad;
}

static int run_as_threads(const struct duty *duties, uint32_t n, uint32_t seconds)
{
    pthread_t threads[16];
    for (uint32_t i = 0; i < n; i++)
        pthread_create(&threads[i], NULL, duties[i].run, (void *)duties[i].argument);
    for (uint32_t i = 0; i < seconds * 20 && !is_over(); i++)
        usleep(50000);
    __atomic_store_n(&shared->stop, 1, __ATOMIC_SEQ_CST);
    for (uint32_t i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    return 0;
}

/* The blocks in use of every data segment: all of them, and those nobody has published or that wait to be reclaimed. */
static uint64_t blocks_in_use(struct adit_arena *a, struct adit_stats *s, uint64_t *unsettled)
{
    uint64_t published = 0;
    *unsettled = 0;
    adit_stats(a, s);
    for (uint32_t i = 1; i < s->segments_n; i++) {
        published += s->segments[i].published_bytes;
        *unsettled += s->segments[i].retired_bytes + s->segments[i].loaned_bytes;
    }
    return published + *unsettled;
}

static void tell_breach(const struct adit_breach *b, void *user)
{
    (void)user;
    fprintf(stderr, "torture_publish: %s %s: %s\n", b->invariant, b->place, b->what);
}

/* All is quiet: the last versions have their meshes, and no block is in use that the store does not name. */
static void check_end(struct adit_arena *a)
{
    struct adit_dispatcher *d;
    struct adit_stats s = {.size = sizeof s};
    struct adit_key origin = key_of(0);
    bool threads_before = as_threads;
    one_mapping = a;
    as_threads = true;
    struct consumer *c = new_consumer(ADIT_CONSUMER);
    if (adit_dispatcher_open(a, NULL, &d) || adit_settle(a, 60000000000ull))
        fail(adit_detail(), &origin, 0, 0);
    adit_dispatcher_close(&d);
    for (uint32_t i = 0; i < CHUNKS; i++) {
        struct adit_key key = key_of(i);
        struct adit_mesh_view m;
        struct adit_chunk_view v;
        adit_enter(c->reader);
        int no_chunk = adit_chunk_acquire(c->reader, &key, &v), no_mesh = adit_mesh_acquire(c->reader, &key, &m);
        if (!no_chunk)
            check_voxels(c, i, &v);
        uint64_t last = 0; /* a removal's, too */
        if (adit_chunk_version(c->arena, &key, &last) || (last && (no_mesh || m.source[0] != last)))
            fail("the last version has no mesh", &key, last, no_mesh ? 0 : m.source[0]);
        if (no_chunk && !no_mesh && m.quads_n)
            fail("a removed chunk has a mesh", &key, last, m.quads_n);
        if (!no_mesh) /* a neighbour may have gone on, but then without a change of the shared border */
            compare_mesh(c, &m, false);
        adit_exit(c->reader);
    }
    adit_reader_close(&c->reader);
    free(c->quads);
    free(c);
    as_threads = threads_before;
    uint64_t in_use = 0, unsettled = 1;
    for (uint32_t i = 0; i < 200 && unsettled; i++) { /* the reclaimer's turns */
        in_use = blocks_in_use(a, &s, &unsettled);
        if (unsettled)
            usleep(20000);
    }
    if (unsettled || in_use != s.version_bytes + s.mesh_bytes)
        fail("blocks are left over", &origin, in_use, s.version_bytes + s.mesh_bytes);
    const struct adit_verify_params quiet = {.size = sizeof quiet, .flags = ADIT_VERIFY_QUIET | ADIT_VERIFY_DEEP};
    int breaches = adit_verify(a, &quiet, tell_breach, NULL);
    if (breaches)
        fail("the verifier is not content", &origin, (uint64_t)(int64_t)breaches, 0);
}

int main(int argc, char **argv)
{
    uint32_t seconds = argc > 2 ? (uint32_t)atoi(argv[2]) : 3;
    seed = argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t)time(NULL);
    as_threads = argc > 3 && !strcmp(argv[3], "threads");
#ifdef __SANITIZE_THREAD__
    as_threads = argc <= 3 || as_threads; /* between processes ThreadSanitizer sees nothing */
#endif
    char directory[] = "/tmp/adit-torture-XXXXXX";
    if (!mkdtemp(directory) || setenv("XDG_RUNTIME_DIR", directory, 1))
        return 1;
    snprintf(arena_name, sizeof arena_name, "torture-%d", (int)getpid());
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    const struct duty duties[] = {{producer, 0}, {producer, 1}, {consumer, 1}, {consumer, 2}, {dispatcher, 0}};
    _Static_assert(sizeof duties / sizeof *duties == PRODUCERS + CONSUMERS + 1, "two of each and one dispatcher");
    uint32_t n = sizeof duties / sizeof *duties;
    /* nobody is ousted: consumers compare inside their sections, for as long as the machine is busy */
    struct adit_create_params params = {.size = sizeof params, .data_bytes = 64u << 20, .hold_max_bytes = UINT64_MAX};
    struct adit_arena *a;
    if (!as_threads)
        fork_all(duties, n);
    if (adit_create(arena_name, &params, &a)) {
        fprintf(stderr, "torture_publish: %s\n", adit_detail());
        return 1;
    }
    one_mapping = a;
    int bad = as_threads ? run_as_threads(duties, n, seconds) : wait_for_all(seconds);
    check_end(a);
    adit_detach(&a);
    char path[64];
    snprintf(path, sizeof path, "%s/adit", directory);
    bad |= rmdir(path) | rmdir(directory);
    printf("torture_publish: seed %llu, %s: %llu published, %llu removed, %llu removals seen, %llu looks, %llu meshes compared, %llu pins: %s\n",
           (unsigned long long)seed, as_threads ? "threads" : "processes", (unsigned long long)shared->published,
           (unsigned long long)shared->removed, (unsigned long long)shared->removals_seen, (unsigned long long)shared->looks, (unsigned long long)shared->meshes_compared,
           (unsigned long long)shared->pins_held, shared->failed || bad ? "FAILED" : "ok");
    return shared->failed || bad || !shared->published || !shared->removed || !shared->removals_seen || !shared->meshes_compared ? 1 : 0;
}
