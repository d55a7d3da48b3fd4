/* Rings of samples (shm/samples.h): wrapping at every place against an oracle, overrun, underrun and silence, waiting, shapes, streams between threads and
 * between processes, what operators see, and heads that a hostile peer has written. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/shm_fixture.h"

#define WAIT_NS 20000000000ull
#define CHANNELS_MAX 8u
#define FRAMES_MAX 64u /* of one call here */
#define STREAM 60000u  /* frames of a stream; all below 2^24, where each is a float of its own */

static struct adit_arena *arena;

static struct adit_samples *open_in(struct adit_arena *a, const char *name, uint32_t channels, uint32_t capacity)
{
    struct adit_samples_params p = {.size = sizeof p, .channels = channels, .capacity_frames = capacity};
    struct adit_samples *s;
    REQUIRE(!adit_samples_open(a, name, &p, &s));
    return s;
}

static void end(struct adit_samples **s, const char *name)
{
    adit_samples_close(s);
    assert_int_equal(adit_ring_destroy(arena, name), 0);
}

/* The ring's slot in the table. */
static uint32_t slot_of(const char *name)
{
    for (uint32_t i = 0; i < arena->rings_max; i++)
        if (arena->rings[i].state == ADIT_RING_SLOT_VALID && !strcmp(arena->rings[i].name, name))
            return i;
    REQUIRE(!"such a ring");
    return 0;
}

static struct adit_ring_head *head_of(const char *name)
{
    return adit_arena_at(arena, arena->rings[slot_of(name)].ref, sizeof(struct adit_ring_head));
}

/* What stands in channel c of frame i: never silence. */
static float sample(uint64_t i, uint32_t c) { return (float)(i % (1u << 20)) + 1.0f + (float)c / 16.0f; }

static void fill_frames(float *frames, uint32_t channels, uint64_t first, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t c = 0; c < channels; c++)
            frames[i * channels + c] = sample(first + i, c);
}

/* The n frames from first on, then silence up to asked. */
static bool is_as_written(const float *frames, uint32_t channels, uint64_t first, uint32_t n, uint32_t asked)
{
    for (uint32_t i = 0; i < asked; i++)
        for (uint32_t c = 0; c < channels; c++)
            if (frames[i * channels + c] != (i < n ? sample(first + i, c) : 0.0f))
                return false;
    return true;
}

/* ---- against an oracle: two counters */

struct oracle {
    struct adit_samples *s;
    uint32_t channels, capacity;
    uint64_t written, read, overrun, underrun;
};

static void write_some(struct oracle *o, uint32_t n)
{
    float frames[FRAMES_MAX * CHANNELS_MAX];
    uint32_t room = o->capacity - (uint32_t)(o->written - o->read), fits = n < room ? n : room;
    fill_frames(frames, o->channels, o->written, n); /* what is dropped is written again by the next call, from there on */
    assert_int_equal(adit_samples_write(o->s, frames, n), fits);
    o->written += fits;
    o->overrun += n - fits;
}

static void read_some(struct oracle *o, uint32_t n)
{
    float frames[FRAMES_MAX * CHANNELS_MAX + 1];
    uint32_t there = (uint32_t)(o->written - o->read), got = n < there ? n : there;
    memset(frames, 0xee, sizeof frames);
    assert_int_equal(adit_samples_read(o->s, frames, n), got);
    assert_true(is_as_written(frames, o->channels, o->read, got, n));
    uint32_t after;
    memcpy(&after, &frames[n * o->channels], 4);
    assert_int_equal(after, 0xeeeeeeee); /* and not a byte more */
    o->read += got;
    o->underrun += n - got;
}

static void check_counts(const struct oracle *o)
{
    assert_int_equal(adit_samples_fill(o->s), o->written - o->read);
    assert_int_equal(adit_samples_overrun(o->s), o->overrun);
    assert_int_equal(adit_samples_underrun(o->s), o->underrun);
}

/* Every pair of sizes at every place in the ring. (tried: the second memcpy's source without its offset; silence from the frame before on;
 * room by the copy of head though it does not suffice; a place without its mask) */
static void frames_wrap_whole_at_every_place(void **state)
{
    static const uint32_t shapes[][2] = {{1, 8}, {2, 8}, {3, 16}, {8, 4}, {2, 1}};
    (void)state;
    for (uint32_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        struct oracle o = {.channels = shapes[k][0], .capacity = shapes[k][1]};
        o.s = open_in(arena, "wrap", o.channels, o.capacity);
        for (uint32_t place = 0; place < o.capacity; place++)
            for (uint32_t in = 0; in <= o.capacity + 2; in++)
                for (uint32_t out = 0; out <= o.capacity + 2; out++) {
                    read_some(&o, (uint32_t)(o.written - o.read)); /* empty, and at place */
                    while (o.written % o.capacity != place) {
                        write_some(&o, 1);
                        read_some(&o, 1);
                    }
                    write_some(&o, in);
                    read_some(&o, out);
                    check_counts(&o);
                }
        end(&o.s, "wrap");
    }
}

static void any_order_of_calls_is_as_the_oracle_says(void **state)
{
    uint64_t seed = 7;
    (void)state;
    for (uint32_t k = 0; k < 6; k++) {
        struct oracle o = {.channels = 1 + k % 3, .capacity = 1u << k};
        o.s = open_in(arena, "orders", o.channels, o.capacity);
        struct adit_samples *other = open_in(arena, "orders", o.channels, o.capacity), *first = o.s;
        for (uint32_t i = 0; i < 6000; i++) {
            uint64_t h = shm_fixture_random(&seed);
            o.s = h >> 60 & 1 ? other : first; /* several handles are the same ring */
            if (h & 1)
                write_some(&o, (uint32_t)(h >> 8) % (FRAMES_MAX / 2 + 1));
            else
                read_some(&o, (uint32_t)(h >> 8) % (FRAMES_MAX / 2 + 1));
            check_counts(&o);
        }
        assert_true(o.overrun && o.underrun && o.written > 1000);
        adit_samples_close(&other);
        o.s = first;
        end(&o.s, "orders");
    }
}

static void waits_are_for_so_many_frames(void **state)
{
    float frames[16 * 2] = {0};
    struct adit_samples *s = open_in(arena, "waits", 2, 16);
    (void)state;
    assert_int_equal(adit_samples_wait_fill(s, 1, 2000000), -ETIMEDOUT);
    assert_int_equal(adit_samples_wait_fill(s, 0, 0), 0);
    assert_int_equal(adit_samples_wait_room(s, 16, 0), 0);
    assert_int_equal(adit_samples_wait_room(s, 17, 0), -EINVAL);
    assert_int_equal(adit_samples_wait_fill(s, 17, ADIT_FOREVER), -EINVAL);
    assert_int_equal(adit_samples_write(s, frames, 10), 10);
    assert_int_equal(adit_samples_wait_fill(s, 10, 0), 0);
    assert_int_equal(adit_samples_wait_fill(s, 11, 0), -ETIMEDOUT);
    assert_int_equal(adit_samples_wait_room(s, 6, 0), 0);
    assert_int_equal(adit_samples_wait_room(s, 7, 2000000), -ETIMEDOUT);
    end(&s, "waits");
}

static void shapes_must_agree_and_kinds_do_not_mix(void **state)
{
    static const struct adit_samples_params bad[] = {{sizeof *bad, 1, 16}, {sizeof *bad, 4, 16}, {sizeof *bad, 2, 32}, {sizeof *bad, 2, 8}};
    static const struct adit_samples_params absurd[] = {{sizeof *bad, 1025, 16}, {sizeof *bad, UINT32_MAX, 16}, {sizeof *bad, 1u << 30, 16},
                                                        {sizeof *bad, 2, (1u << 20) + 1}, {sizeof *bad, 2, UINT32_MAX},
                                                        {sizeof *bad, 1024, 1u << 20}};
    struct adit_ring_params as_ring = {sizeof as_ring, ADIT_RING_SPSC, 8, 16};
    struct adit_samples *s = open_in(arena, "shape", 2, 16), *other = open_in(arena, "shape", 2, 9); /* rounded up */
    struct adit_ring *ring;
    (void)state;
    adit_samples_close(&other);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(adit_samples_open(arena, "shape", &bad[i], &other), -EEXIST);
        assert_null(other);
    }
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(adit_samples_open(arena, "absurd", &absurd[i], &other), -EINVAL);
    assert_int_equal(adit_samples_open(arena, "absurd", &(struct adit_samples_params){.size = 3}, &other), -EMSGSIZE);
    assert_int_equal(adit_samples_open(arena, "", NULL, &other), -EINVAL);
    assert_int_equal(adit_samples_open(arena, NULL, NULL, &other), -EINVAL);
    assert_int_equal(adit_ring_open(arena, "shape", &as_ring, &ring), -EEXIST);
    as_ring.kind = ADIT_RING_SAMPLES; /* (tried: without its own refusal a push runs over the frames) */
    assert_int_equal(adit_ring_open(arena, "shape", &as_ring, &ring), -EINVAL);
    assert_null(ring);
    as_ring.kind = ADIT_RING_SPSC;
    assert_int_equal(adit_ring_open(arena, "other", &as_ring, &ring), 0);
    assert_int_equal(adit_samples_open(arena, "other", &(struct adit_samples_params){sizeof *bad, 2, 16}, &other), -EEXIST);
    adit_ring_close(&ring);
    assert_int_equal(adit_ring_destroy(arena, "other"), 0);
    struct adit_arena *observer = shm_fixture_attach("samples", ADIT_OBSERVER);
    assert_int_equal(adit_samples_open(observer, "shape", NULL, &other), -EROFS);
    adit_detach(&observer);
    end(&s, "shape");
}

/* ---- between threads and processes */

/* One end of a stream, in a thread of this process or in another one. */
struct stream {
    struct adit_arena *arena; /* NULL: attach as a consumer */
    bool is_free; /* nobody waits: blocks are dropped and silence is read */
};

static void *write_stream(void *user)
{
    const struct stream *t = user;
    struct adit_arena *a = t->arena ? t->arena : shm_fixture_attach("samples", ADIT_CONSUMER);
    struct adit_samples *s = open_in(a, "stream", 2, 128);
    float frames[FRAMES_MAX * 2];
    for (uint32_t i = 0, lost = 0; i < STREAM - 1;) {
        uint32_t n = 1 + (i * 7 + lost) % FRAMES_MAX;
        n = n < STREAM - 1 - i ? n : STREAM - 1 - i;
        fill_frames(frames, 2, i, n);
        REQUIRE(t->is_free || !adit_samples_wait_room(s, n, WAIT_NS));
        uint32_t got = adit_samples_write(s, frames, n);
        REQUIRE(t->is_free || got == n);
        lost += n - got;
        i += got ? got : t->is_free; /* a frame that finds no room is gone */
        if (t->is_free && lost % 5 == 0)
            sched_yield();
    }
    fill_frames(frames, 2, STREAM - 1, 1);
    REQUIRE(!adit_samples_wait_room(s, 1, WAIT_NS) && adit_samples_write(s, frames, 1) == 1); /* the end comes through */
    adit_samples_close(&s);
    if (!t->arena)
        adit_detach(&a);
    return NULL;
}

static void *read_stream(void *user)
{
    const struct stream *t = user;
    struct adit_arena *a = t->arena ? t->arena : shm_fixture_attach("samples", ADIT_CONSUMER);
    struct adit_samples *s = open_in(a, "stream", 2, 128);
    float frames[FRAMES_MAX * 2];
    uint64_t read = 0, silent = 0;
    for (float last = 0; last < (float)STREAM;) {
        uint32_t n = 1 + (uint32_t)(read * 5 + silent) % FRAMES_MAX, left = (uint32_t)(STREAM - read);
        n = !t->is_free && n > left ? left : n;
        REQUIRE(t->is_free || !adit_samples_wait_fill(s, n, WAIT_NS));
        uint32_t got = adit_samples_read(s, frames, n);
        REQUIRE(t->is_free || got == n);
        for (uint32_t i = 0; i < n; i++) {
            float left_ear = frames[2 * i], right_ear = frames[2 * i + 1];
            REQUIRE(i < got ? right_ear == left_ear + 0.0625f : left_ear == 0.0f && right_ear == 0.0f); /* whole, or silent */
            REQUIRE(i >= got || (t->is_free ? left_ear > last : left_ear == last + 1.0f));
            last = i < got ? left_ear : last;
        }
        read += got;
        silent += n - got;
        if (t->is_free && got < n)
            sched_yield();
    }
    REQUIRE(adit_samples_underrun(s) == silent); /* this is the only reader */
    adit_samples_close(&s);
    if (!t->arena)
        adit_detach(&a);
    return NULL;
}

static void write_in_child(void *user) { (void)write_stream(user); }
static void read_in_child(void *user) { (void)read_stream(user); }

static void stream(bool as_threads, bool is_free)
{
    struct adit_samples *s = open_in(arena, "stream", 2, 128);
    struct stream t = {as_threads ? arena : NULL, is_free};
    if (as_threads) {
        pthread_t threads[2];
        REQUIRE(!pthread_create(&threads[0], NULL, write_stream, &t) && !pthread_create(&threads[1], NULL, read_stream, &t));
        pthread_join(threads[0], NULL);
        pthread_join(threads[1], NULL);
    } else {
        pid_t writer = shm_fixture_fork(write_in_child, &t), reader = shm_fixture_fork(read_in_child, &t);
        assert_int_equal(shm_fixture_wait(writer), 0);
        assert_int_equal(shm_fixture_wait(reader), 0);
    }
    if (!is_free)
        assert_int_equal(adit_samples_overrun(s) + adit_samples_underrun(s), 0);
    shm_fixture_verify(arena, 0);
    end(&s, "stream");
}

/* (tried: head stored before the frames are copied out: torn; tail before they are copied in: a race for ThreadSanitizer, torn now and then) */
static void a_stream_that_waits_is_whole_between_threads(void **state) { (void)state; stream(true, false); }
static void a_stream_that_waits_is_whole_between_processes(void **state) { (void)state; stream(false, false); }
static void a_free_stream_loses_and_is_silent_between_threads(void **state) { (void)state; stream(true, true); }
static void a_free_stream_loses_and_is_silent_between_processes(void **state) { (void)state; stream(false, true); }

/* ---- looking in, and hostile heads */

static void operators_see_rings(void **state)
{
    struct adit_ring_info info = {.size = sizeof info};
    float frames[20 * 3];
    struct adit_samples *s = open_in(arena, "seen", 3, 16);
    struct adit_arena *observer = shm_fixture_attach("samples", ADIT_OBSERVER);
    (void)state;
    fill_frames(frames, 3, 0, 20);
    assert_int_equal(adit_ring_get(observer, slot_of("seen"), &info), 0);
    assert_int_equal(info.pusher_pid + info.popper_pid, 0);
    assert_int_equal(adit_samples_write(s, frames, 20), 16);
    assert_int_equal(adit_samples_read(s, frames, 5), 5);
    assert_int_equal(adit_samples_read(s, frames, 20), 11);
    assert_int_equal(adit_samples_write(s, frames, 7), 7);
    assert_int_equal(adit_ring_get(observer, slot_of("seen"), &info), 0);
    assert_string_equal(info.name, "seen");
    assert_true(info.kind == ADIT_RING_SAMPLES && info.element_bytes == 12 && info.capacity == 16 && info.filled == 7);
    assert_true(info.pushed == 23 && info.popped == 16 && info.overrun == 4 && info.underrun == 9);
    assert_true(info.pusher_pid == (uint32_t)getpid() && info.popper_pid == (uint32_t)getpid());
    assert_int_equal(adit_ring_recover(arena, arena->owner), 0); /* as if it had died: the names go, the frames stay */
    assert_int_equal(adit_ring_get(observer, slot_of("seen"), &info), 0);
    assert_true(!info.pusher_pid && !info.popper_pid && info.filled == 7);
    head_of("seen")->kind = 9;
    assert_int_equal(adit_ring_get(observer, slot_of("seen"), &info), -EPROTO);
    head_of("seen")->kind = ADIT_RING_KIND_SAMPLES;
    assert_int_equal(adit_ring_get(observer, arena->rings_max, &info), -ERANGE);
    uint32_t slot = slot_of("seen");
    end(&s, "seen");
    assert_int_equal(adit_ring_get(observer, slot, &info), -ENOENT);
    info.size--;
    assert_int_equal(adit_ring_get(observer, slot, &info), -EMSGSIZE);
    adit_detach(&observer);
}

/* (tried: what the indices leave not held to the capacity) */
static void hostile_indices_never_lead_outside(void **state)
{
    static const uint64_t odd[] = {0, 1, 15, 16, 17, 4096, UINT32_MAX, 1ull << 63, UINT64_MAX - 4095, UINT64_MAX - 15, UINT64_MAX};
    const uint32_t n_odd = sizeof odd / sizeof *odd, wishes[] = {1, 16, 4096};
    const size_t bytes = 4096 * 8;
    struct adit_samples *s = open_in(arena, "hostile", 2, 16);
    struct adit_ring_head *h = head_of("hostile");
    uint64_t end_at = adit_block_bytes(arena, ADIT_REF(0, (uint8_t *)h - arena->segments[0].base)), guard_ref;
    (void)state;
    assert_int_equal(adit_block_alloc(arena, bytes, ADIT_BLOCK_HEAP, &guard_ref), 0); /* what lies behind the ring */
    uint8_t *guard = adit_arena_at(arena, guard_ref, bytes);
    assert_ptr_equal(guard, (uint8_t *)h + end_at);
    memset(guard, 0x5a, bytes);
    float *buffer = malloc(bytes); /* exactly: a sanitizer sees a byte more */
    memset(buffer, 0x33, bytes);
    for (uint32_t i = 0; i < n_odd * n_odd * n_odd * n_odd; i++) {
        uint32_t wish = wishes[i % 3];
        h->tail = odd[i % n_odd];
        h->head = odd[i / n_odd % n_odd];
        h->head_seen = odd[i / n_odd / n_odd % n_odd];
        h->tail_seen = odd[i / n_odd / n_odd / n_odd];
        h->capacity = h->element_bytes = h->stride = UINT32_MAX; /* nobody looks there again */
        h->pusher = h->popper = i % 5 ? arena->owner : i;
        assert_true(adit_samples_write(s, buffer, wish) <= (wish < 16 ? wish : 16));
        assert_true(adit_samples_read(s, buffer, wish) <= (wish < 16 ? wish : 16));
        assert_true(adit_samples_fill(s) <= 16);
        (void)adit_samples_wait_room(s, 16, 0);
        (void)adit_samples_wait_fill(s, 16, 0);
    }
    for (size_t i = 0; i < bytes; i++)
        assert_int_equal(guard[i], 0x5a);
    free(buffer);
    adit_block_free(arena, guard_ref);
    end(&s, "hostile");
}

static int set_up(void **state)
{
    if (shm_fixture_set_up(state))
        return -1;
    arena = shm_fixture_create("samples", NULL, 2u << 20);
    return 0;
}

static int tear_down(void **state)
{
    adit_detach(&arena);
    return shm_fixture_tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_wrap_whole_at_every_place),
        cmocka_unit_test(any_order_of_calls_is_as_the_oracle_says),
        cmocka_unit_test(waits_are_for_so_many_frames),
        cmocka_unit_test(shapes_must_agree_and_kinds_do_not_mix),
        cmocka_unit_test(a_stream_that_waits_is_whole_between_threads),
        cmocka_unit_test(a_stream_that_waits_is_whole_between_processes),
        cmocka_unit_test(a_free_stream_loses_and_is_silent_between_threads),
        cmocka_unit_test(a_free_stream_loses_and_is_silent_between_processes),
        cmocka_unit_test(operators_see_rings),
        cmocka_unit_test(hostile_indices_never_lead_outside),
    };
    return cmocka_run_group_tests_name("samples", tests, set_up, tear_down);
}
