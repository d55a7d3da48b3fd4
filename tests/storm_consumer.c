/* storm_consumer.c - the consumers of torture_kills: each checks whatever it sees against the script (storm_roles.h says what is legal). */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/storm_life.h"

#define PINS 8u
#define WATCH_NS 1000000u

struct consumer {
    struct storm_life *life;
    struct adit_arena *arena;
    struct adit_reader *reader;
    struct adit_watch *watch;
    struct numbers {
        uint64_t version, serial, source[7];
    } of[STORM_CHUNKS]; /* the highest seen */
    uint64_t told_version[STORM_CHUNKS], told_serial[STORM_CHUNKS]; /* current just after the watch told of the chunk */
    struct {
        bool held;
        uint32_t pin, chunk;
        struct adit_chunk_view view;
    } pins[PINS];
    uint32_t pinned; /* in this section; PINS: none */
    char verdict[200]; /* what is wrong with what was seen in this section; void if it was ousted */
    uint16_t seen[ADIT_CHUNK_VOXELS], wanted[ADIT_CHUNK_VOXELS];
};

/* Inside a section: what is wrong first. */
__attribute__((format(printf, 2, 3))) static void judge(struct consumer *c, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (!*c->verdict)
        vsnprintf(c->verdict, sizeof c->verdict, format, arguments);
    va_end(arguments);
}

static uint64_t version_now(struct consumer *c, uint32_t chunk)
{
    struct adit_key key = storm_key(chunk);
    uint64_t version = 0;
    if (adit_chunk_version(c->arena, &key, &version))
        storm_die(c->life, "chunk %u has no readable number", chunk);
    return version;
}

static void check_voxels(struct consumer *c, uint32_t chunk, const struct adit_chunk_view *view)
{
    if (storm_op_of(storm->seed, chunk, view->version) == STORM_REMOVE)
        judge(c, "chunk %u: version %llu was removed, and is there", chunk, (unsigned long long)view->version);
    adit_chunk_decode(view, c->seen);
    storm_voxels(storm->seed, chunk, view->version, c->wanted);
    if (!adit_chunk_is_intact(view) || memcmp(c->seen, c->wanted, sizeof c->seen))
        judge(c, "chunk %u: version %llu is torn: its hash %s", chunk, (unsigned long long)view->version,
                  adit_chunk_is_intact(view) ? "holds, the voxels are not those of the script" : "does not hold");
}

static void not_back(struct consumer *c, uint32_t chunk, const char *what, uint64_t now, uint64_t *before)
{
    if (now < *before)
        judge(c, "chunk %u: %s %llu after %llu", chunk, what, (unsigned long long)now, (unsigned long long)*before);
    *before = now;
}

static void let_go(struct consumer *c, uint32_t p)
{
    if (!c->pins[p].held)
        return;
    check_voxels(c, c->pins[p].chunk, &c->pins[p].view);
    if (*c->verdict)
        storm_die(c->life, "pinned: %s", c->verdict);
    if (adit_unpin(c->arena, c->pins[p].pin))
        storm_die(c->life, "cannot unpin");
    c->pins[p].held = false;
    __atomic_fetch_add(&storm->pins, 1, __ATOMIC_RELAXED);
}

static void keep(struct consumer *c, uint32_t chunk, const struct adit_chunk_view *view)
{
    uint32_t p = (uint32_t)(storm_random(c->life) % PINS);
    if (c->pins[p].held)
        return;
    int error = adit_pin(c->reader, view->ref, &c->pins[p].pin);
    if (error) {
        judge(c, "chunk %u: cannot pin: %s", chunk, adit_strerror(error));
        return;
    }
    c->pinned = p;
    c->pins[p].held = true;
    c->pins[p].view = *view;
    c->pins[p].chunk = chunk;
}

static void look_at_chunk(struct consumer *c, uint32_t chunk)
{
    struct adit_key key = storm_key(chunk);
    struct adit_chunk_view view;
    uint64_t floor = __atomic_load_n(&storm->floor[chunk], __ATOMIC_SEQ_CST), before = version_now(c, chunk);
    int error = adit_chunk_acquire(c->reader, &key, &view);
    if (error && error != -ENOENT) {
        judge(c, "chunk %u cannot be acquired: %s", chunk, adit_strerror(error));
        return;
    }
    uint64_t number = error ? version_now(c, chunk) : view.version;
    if (before < floor || number < floor)
        judge(c, "chunk %u: version %llu is lost, current is %llu", chunk, (unsigned long long)floor, (unsigned long long)number);
    not_back(c, chunk, "version", number, &c->of[chunk].version);
    if (!error) {
        check_voxels(c, chunk, &view);
        keep(c, chunk, &view);
    } else if (number == before && number && storm_op_of(storm->seed, chunk, number) != STORM_REMOVE) {
        judge(c, "chunk %u: version %llu was not removed, and is not there", chunk, (unsigned long long)number);
    }
}

static uint64_t look_at_mesh(struct consumer *c, uint32_t chunk)
{
    struct adit_key key = storm_key(chunk);
    struct adit_mesh_view m;
    int error = adit_mesh_acquire(c->reader, &key, &m);
    if (error) {
        if (error != -ENOENT)
            judge(c, "chunk %u: its mesh cannot be acquired: %s", chunk, adit_strerror(error));
        return 0;
    }
    if (!adit_mesh_is_intact(&m))
        judge(c, "chunk %u: mesh %llu is torn", chunk, (unsigned long long)m.serial);
    not_back(c, chunk, "mesh", m.serial, &c->of[chunk].serial);
    for (uint32_t i = 0; i < 7; i++)
        not_back(c, chunk, "a mesh's source", m.source[i], &c->of[chunk].source[i]);
    if (m.source[0] > version_now(c, chunk))
        judge(c, "chunk %u: mesh %llu is of version %llu, which never was", chunk, (unsigned long long)m.serial,
                  (unsigned long long)m.source[0]);
    return m.serial;
}

/* Both of a chunk, in one section; false: it was ousted, and nothing of it counts. */
static bool try_look(struct consumer *c, uint32_t chunk, uint64_t *serial)
{
    struct numbers before = c->of[chunk];
    storm_do(c->life, "reading");
    c->pinned = PINS;
    adit_enter(c->reader);
    look_at_chunk(c, chunk);
    *serial = look_at_mesh(c, chunk);
    int error = adit_exit(c->reader);
    if (error && error != -ESTALE)
        storm_die(c->life, "a section ends with %d", error);
    if (!error && *c->verdict)
        storm_die(c->life, "%s", c->verdict);
    if (!error)
        return true;
    c->of[chunk] = before;
    *c->verdict = 0;
    __atomic_fetch_add(&storm->ousted, 1, __ATOMIC_RELAXED);
    if (c->pinned == PINS)
        return false;
    c->pins[c->pinned].held = false; /* of whatever lay there */
    if (adit_unpin(c->arena, c->pins[c->pinned].pin))
        storm_die(c->life, "cannot unpin what was pinned in an ousted section");
    return false;
}

static uint64_t look(struct consumer *c, uint32_t chunk)
{
    uint64_t serial = 0;
    while (!try_look(c, chunk, &serial))
        if (!storm_works(c->life))
            return 0;
    __atomic_fetch_add(&storm->looks, 1, __ATOMIC_RELAXED);
    return serial;
}

/* The next change; false when there is none in time. */
static bool follow(struct consumer *c, uint64_t timeout_ns)
{
    struct adit_watch_event e;
    storm_do(c->life, "adit_watch_next");
    int error = adit_watch_next(c->watch, &e, timeout_ns);
    if (error == -EAGAIN || error == -ETIMEDOUT)
        return false;
    if (!error && (e.what == ADIT_WATCH_LAPSED || e.key.world == 1)) /* of those that are forgotten, or come and go */
        return true;
    uint32_t chunk = error ? STORM_CHUNKS : storm_chunk_of(&e.key);
    if (chunk == STORM_CHUNKS)
        storm_die(c->life, "a watch answers %d, chunk (%d,%d,%d)", error, e.key.x, e.key.y, e.key.z);
    c->told_version[chunk] = version_now(c, chunk);
    c->told_serial[chunk] = look(c, chunk);
    __atomic_fetch_add(&storm->told, 1, __ATOMIC_RELAXED);
    return true;
}

/* Nothing changes any more: what the watch told last is what there is. */
static void compare(struct consumer *c)
{
    while (follow(c, 0))
        continue;
    for (uint32_t i = 0; i < STORM_CHUNKS; i++) {
        uint64_t serial = look(c, i), version = version_now(c, i);
        if (version != c->told_version[i] || serial != c->told_serial[i])
            storm_die(c->life, "chunk %u: the watch has told of version %llu and mesh %llu last, current are %llu and %llu", i,
                      (unsigned long long)c->told_version[i], (unsigned long long)c->told_serial[i], (unsigned long long)version,
                      (unsigned long long)serial);
    }
}

static void consume(struct consumer *c)
{
    uint64_t h = storm_random(c->life);
    if (!(h & 3))
        (void)follow(c, WATCH_NS);
    else
        look(c, (uint32_t)(h >> 8) % STORM_CHUNKS);
    if (!(h >> 40 & 7)) {
        storm_do(c->life, "adit_unpin");
        let_go(c, (uint32_t)(h >> 48) % PINS);
    }
    storm_count(c->life->who);
}

void storm_consumer_live(struct storm_life *l)
{
    static struct consumer room;
    struct consumer *c = &room;
    uint32_t compared = UINT32_MAX;
    c->life = l;
    c->arena = storm_join(l, ADIT_CONSUMER);
    storm_do(l, "adit_reader_open and adit_watch_open");
    const struct adit_watch_params p = {.size = sizeof p, .with_present = true};
    if (adit_reader_open(c->arena, &c->reader) || adit_watch_open(c->arena, &p, &c->watch))
        storm_die(l, "cannot read: %s", adit_detail());
    while (storm_works(l)) {
        if (l->stage < STORM_COMPARE) {
            consume(c);
            continue;
        }
        if (l->stage == STORM_COMPARE && compared != l->turn) {
            compare(c);
            compared = l->turn;
        }
        storm_do(l, "resting");
        adit_rest(c->reader);
        storm_rest(l);
    }
    for (uint32_t i = 0; i < PINS; i++)
        if (c->pins[i].held)
            (void)adit_unpin(c->arena, c->pins[i].pin);
    adit_watch_close(&c->watch);
    adit_reader_close(&c->reader);
    storm_do(l, "adit_detach");
    adit_detach(&c->arena);
}
