/* adit.compress and adit.decompress of what is long (runtime/kind_compress.c), which is done in slices: the formats are the libraries' own, room is used to the last byte, and a task
 * that shall stop does so in the middle. What is short is tried in test_kinds. */
#include <errno.h>
#include <lz4frame.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "runtime/kinds.h"
#include "tests/kind_fixture.h"

#define LONG_BYTES (3u << 20)
#define STOP_BYTES (8u << 20) /* which take long enough to be stopped */
#ifdef __SANITIZE_THREAD__ /* one thread, mostly */
#define EACH 3u
#else
#define EACH 1u
#endif
#define ROUNDS_MAX 1000u      /* until one was stopped in the middle */

enum content { TEXT, RANDOM, ALIKE, MIXED, CONTENTS };

static uint8_t *content_of(enum content what, uint32_t n)
{
    uint8_t *t = malloc(n);
    uint64_t seed = 1 + (uint64_t)what;
    REQUIRE(t);
    for (uint32_t i = 0; i < n; i++) {
        uint8_t any = (uint8_t)(shm_fixture_random(&seed) >> 56);
        bool is_any = what == RANDOM || (what == MIXED && i / 50000 % 2);
        t[i] = is_any ? any : what == ALIKE ? 7 : (uint8_t)"abcdefgh etaoin shrdlu"[any % 22];
    }
    return t;
}

/* One call of a kind without a task: what adit_task_should_stop and adit_task_progress look at is here. */
struct calling {
    struct adit_task_run run;
    uint64_t word, progress;
    uint32_t stop;
    uint64_t bytes; /* that came of it */
};

static int call(struct calling *c, adit_kind_run *kind, const void *args, const void *from, uint64_t from_bytes, void *to, uint64_t to_bytes)
{
    struct adit_compress_result r = {0};
    uint32_t result_bytes = 0;
    c->run.buffers_n = 2;
    c->run.buffers[0] = (struct adit_task_buffer){(void *)(uintptr_t)from, from_bytes, ADIT_READ};
    c->run.buffers[1] = (struct adit_task_buffer){to, to_bytes, ADIT_WRITE};
    c->run.word = &c->word;
    c->run.stop = &c->stop;
    c->run.progress = &c->progress;
    int status = kind(&c->run, args, &r, &result_bytes);
    c->bytes = r.bytes;
    return status;
}

static int pack(uint32_t codec, int32_t level, const void *from, uint64_t n, void *to, uint64_t room, uint64_t *bytes)
{
    const struct adit_compress_args a = {.codec = codec, .level = level};
    struct calling c = {0};
    int status = call(&c, adit_kind_compress, &a, from, n, to, room);
    *bytes = c.bytes;
    return status;
}

static int unpack(uint32_t codec, const void *from, uint64_t n, void *to, uint64_t room, uint64_t *bytes)
{
    const struct adit_decompress_args a = {.codec = codec};
    struct calling c = {0};
    int status = call(&c, adit_kind_decompress, &a, from, n, to, room);
    *bytes = c.bytes;
    return status;
}

/* What the libraries make of it, which know nothing of slices. */
static uint64_t unpack_raw(uint32_t codec, const void *from, uint64_t n, void *to, uint64_t room)
{
    if (codec == ADIT_CODEC_ZSTD) {
        size_t bytes = ZSTD_decompress(to, room, from, n);
        return ZSTD_isError(bytes) || ZSTD_getFrameContentSize(from, n) != bytes ? 0 : bytes;
    }
    LZ4F_dctx *d;
    size_t in = n, out = room;
    REQUIRE(!LZ4F_isError(LZ4F_createDecompressionContext(&d, LZ4F_VERSION)));
    size_t left = LZ4F_decompress(d, to, &out, from, &in, NULL);
    (void)LZ4F_freeDecompressionContext(d);
    return left || in != n ? 0 : out;
}

static const struct way {
    uint32_t codec;
    int32_t level;
} ways[] = {{ADIT_CODEC_LZ4, 0}, {ADIT_CODEC_LZ4, 3}, {ADIT_CODEC_LZ4, 9}, {ADIT_CODEC_LZ4, 12}, {ADIT_CODEC_ZSTD, 1}, {ADIT_CODEC_ZSTD, 0}, {ADIT_CODEC_ZSTD, 12}};
#define WAYS (sizeof ways / sizeof *ways)

/* Sizes beside those of slices, too. (tried: what the end of a frame writes left out) */
static void what_is_long_is_in_the_libraries_own_format(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {(1u << 16) + 1, (1u << 17) - 1, 1u << 17, (1u << 17) + 1, (1u << 17) + 12, 1u << 20, (1u << 20) + 1, (1u << 20) + 13, LONG_BYTES, LONG_BYTES - 5};
    uint64_t room = adit_compress_bound(LONG_BYTES), bytes, back_bytes;
    uint8_t *packed = malloc(room), *back = malloc(LONG_BYTES);
    REQUIRE(packed && back);
    for (uint32_t what = 0; what < CONTENTS; what += EACH) {
        uint8_t *t = content_of((enum content)what, LONG_BYTES);
        for (uint32_t i = 0; i < WAYS * sizeof sizes / sizeof *sizes; i++) {
            const struct way *w = &ways[i % WAYS];
            uint32_t n = sizes[i / WAYS];
            assert_int_equal(pack(w->codec, w->level, t, n, packed, adit_compress_bound(n), &bytes), 0); /* that is always enough */
            assert_int_equal(unpack_raw(w->codec, packed, bytes, back, LONG_BYTES), n);
            assert_memory_equal(back, t, n);
            memset(back, 0xee, n);
            assert_int_equal(unpack(w->codec, packed, bytes, back, n, &back_bytes), 0); /* into as much as it takes */
            assert_int_equal(back_bytes, n);
            assert_memory_equal(back, t, n);
        }
        free(t);
    }
    free(packed);
    free(back);
}

/* Slices cost next to nothing of it: a block that refers to nothing before its slice would be larger. */
static void slices_refer_to_those_before(void **state)
{
    (void)state;
    uint64_t room = adit_compress_bound(LONG_BYTES), bytes;
    uint8_t *t = content_of(RANDOM, LONG_BYTES), *packed = malloc(room);
    REQUIRE(packed);
    for (uint32_t i = 0; i < LONG_BYTES; i++) /* what was 50,000 bytes before */
        t[i] = t[i % 50000];
    for (uint32_t i = 1; i < WAYS; i++) {
        assert_int_equal(pack(ways[i].codec, ways[i].level, t, LONG_BYTES, packed, room, &bytes), 0);
        assert_in_range(bytes, 50000, 80000); /* */
    }
    free(t);
    free(packed);
}

static void room_is_used_to_the_last_byte(void **state)
{
    (void)state;
    uint64_t room = adit_compress_bound(LONG_BYTES), bytes, again;
    uint8_t *packed = malloc(room), *tight = malloc(room);
    REQUIRE(packed && tight);
    for (uint32_t what = 0; what < CONTENTS; what += EACH) {
        uint8_t *t = content_of((enum content)what, LONG_BYTES);
        for (uint32_t i = 0; i < WAYS; i++) {
            const struct way *w = &ways[i];
            assert_int_equal(pack(w->codec, w->level, t, LONG_BYTES, packed, room, &bytes), 0);
            uint8_t *to = malloc(bytes); /* where AddressSanitizer sees one too many */
            REQUIRE(to);
            assert_int_equal(pack(w->codec, w->level, t, LONG_BYTES, to, bytes, &again), 0);
            assert_int_equal(again, bytes);
            assert_memory_equal(to, packed, bytes);
            free(to);
            const uint64_t less[] = {bytes - 1, bytes - 2, bytes / 2, 1};
            for (uint32_t k = 0; k < 4; k++)
                assert_int_equal(pack(w->codec, w->level, t, LONG_BYTES, tight, less[k], &again), -ENOSPC);
        }
        free(t);
    }
    free(packed);
    free(tight);
}

static uint64_t pack_empty(uint32_t codec, void *to, uint64_t room)
{
    return codec == ADIT_CODEC_ZSTD ? ZSTD_compress(to, room, "", 0, 1) : LZ4F_compressFrame(to, room, "", 0, NULL);
}

/* Frames one behind the other, of which the last may be empty. */
static void judge_frames(uint32_t codec)
{
    uint64_t room = 2 * adit_compress_bound(LONG_BYTES), first, second, bytes, seed = 9;
    uint8_t *t = content_of(MIXED, LONG_BYTES), *packed = malloc(room), *back = malloc(2 * LONG_BYTES);
    REQUIRE(packed && back);
    assert_int_equal(pack(codec, 1, t, LONG_BYTES, packed, room, &first), 0);
    assert_int_equal(unpack(codec, packed, first - 1, back, LONG_BYTES, &bytes), -EBADMSG); /* (tried: cut off, it is -ENOSPC) */
    assert_int_equal(unpack(codec, packed, first - 1, back, 2 * LONG_BYTES, &bytes), -EBADMSG);
    assert_int_equal(unpack(codec, packed, first / 2, back, LONG_BYTES, &bytes), -EBADMSG);
    assert_int_equal(unpack(codec, packed, first, back, LONG_BYTES - 1, &bytes), -ENOSPC);
    assert_int_equal(bytes, 0);
    second = pack_empty(codec, packed + first, room - first);
    assert_int_equal(unpack(codec, packed, first + second, back, LONG_BYTES, &bytes), 0); /* (tried: -ENOSPC once it is full) */
    assert_int_equal(bytes, LONG_BYTES);
    assert_int_equal(pack(codec, 1, t, LONG_BYTES, packed + first, room - first, &second), 0);
    assert_int_equal(unpack(codec, packed, first + second, back, LONG_BYTES, &bytes), -ENOSPC);
    assert_int_equal(unpack(codec, packed, first + second, back, 2 * LONG_BYTES, &bytes), 0);
    assert_int_equal(bytes, 2 * LONG_BYTES);
    assert_memory_equal(back + LONG_BYTES, t, LONG_BYTES);
    for (uint32_t i = 0; i < 200; i++) {
        uint64_t at = shm_fixture_random(&seed) % (i % 2 ? 64 : first);
        packed[at] ^= (uint8_t)(1 + i % 255);
        int status = unpack(codec, packed, first, back, LONG_BYTES, &bytes);
        assert_true(status == 0 || status == -EBADMSG || status == -ENOSPC || status == -ENOMEM); /* a head may ask for any window */
        packed[at] ^= (uint8_t)(1 + i % 255);
    }
    assert_int_equal(unpack(codec, packed, first, back, LONG_BYTES, &bytes), 0); /* what failed has left nothing behind */
    free(t);
    free(packed);
    free(back);
}

static void frames_that_are_wrong_are_statuses(void **state)
{
    (void)state;
    judge_frames(ADIT_CODEC_LZ4);
    judge_frames(ADIT_CODEC_ZSTD);
}

/* Sets stop once a call has got on. */
static void *stop_in_the_middle(void *user)
{
    struct calling *c = user;
    while (!adit_load_acquire(&c->progress))
        sched_yield();
    adit_store32_release(&c->stop, 1);
    return NULL;
}

/* Until one was stopped after its first slice and before its last: on a laden machine the thread may come late. (tried: no look) */
static void assert_stops(adit_kind_run *kind, const void *args, const void *from, uint64_t n, void *to, uint64_t room, uint64_t whole)
{
    for (uint32_t i = 0; i < ROUNDS_MAX; i++) {
        struct calling c = {0};
        pthread_t thread;
        REQUIRE(!pthread_create(&thread, NULL, stop_in_the_middle, &c));
        int status = call(&c, kind, args, from, n, to, room);
        uint64_t progress = c.progress;
        adit_store_release(&c.progress, 1);
        pthread_join(thread, NULL);
        if (status == -ECANCELED) {
            assert_int_equal(c.bytes, 0);
            assert_in_range(progress, 1, whole - 1);
            return;
        }
        assert_int_equal(status, 0);
    }
    fail_msg("it does not stop");
}

static void what_is_long_stops_in_the_middle(void **state)
{
    (void)state;
    uint64_t room = adit_compress_bound(STOP_BYTES), bytes;
    uint8_t *t = content_of(TEXT, STOP_BYTES), *packed = malloc(room), *back = malloc(STOP_BYTES);
    REQUIRE(packed && back);
    for (uint32_t i = 0; i < WAYS; i++) {
        const struct adit_compress_args a = {.codec = ways[i].codec, .level = ways[i].level};
        assert_stops(adit_kind_compress, &a, t, STOP_BYTES, packed, room, STOP_BYTES);
    }
    for (uint32_t codec = ADIT_CODEC_LZ4; codec <= ADIT_CODEC_ZSTD; codec++) {
        const struct adit_decompress_args args = {.codec = codec};
        assert_int_equal(pack(codec, 1, t, STOP_BYTES, packed, room, &bytes), 0); /* what was stopped has left nothing behind */
        assert_stops(adit_kind_decompress, &args, packed, bytes, back, STOP_BYTES, STOP_BYTES);
        memset(back, 0, STOP_BYTES);
        assert_int_equal(unpack(codec, packed, bytes, back, STOP_BYTES, &bytes), 0);
        assert_memory_equal(back, t, STOP_BYTES);
    }
    free(t);
    free(packed);
    free(back);
}

static void until_it_gets_on(uint64_t task)
{
    struct adit_task_info info = {.size = sizeof info};
    do {
        shm_fixture_nap(1);
        assert_int_equal(adit_task_look(kind_queue, task, &info), 0);
    } while (!info.progress && info.stage != ADIT_STAGE_ENDED);
}

/* Level 19 takes seconds for as much. (tried: slices without a look: each ends, DONE) */
static void a_task_is_cancelled_and_heeds_its_limit(void **state)
{
    (void)state;
    uint8_t *t = content_of(TEXT, STOP_BYTES);
    const struct adit_compress_args args = {.codec = ADIT_CODEC_ZSTD, .level = 19};
    struct adit_task_spec s = {.size = sizeof s, .args = &args, .args_bytes = sizeof args, .uses_n = 2};
    struct adit_task_result r = {.size = sizeof r};
    uint64_t task;
    kind_open(1);
    s.uses = kind_uses(kind_buffer(STOP_BYTES, t), kind_buffer(adit_compress_bound(STOP_BYTES), NULL));
    assert_int_equal(adit_kind_find(kind_arena, "adit.compress", &s.kind), 0);
    assert_int_equal(adit_submit(kind_queue, &s, &task), 0);
    until_it_gets_on(task);
    assert_int_equal(adit_cancel(kind_queue, task), -EBUSY);
    assert_int_equal(adit_wait(kind_queue, task, ADIT_FOR_EVER, &r), 0);
    assert_int_equal(r.end, ADIT_ENDED_CANCELLED);
    s.limit_ns = 1000000;
    assert_int_equal(adit_submit(kind_queue, &s, &task), 0);
    assert_int_equal(adit_wait(kind_queue, task, ADIT_FOR_EVER, &r), 0);
    assert_int_equal(r.status, -ETIMEDOUT);
    free(t);
    kind_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_long_is_in_the_libraries_own_format),
        cmocka_unit_test(slices_refer_to_those_before),
        cmocka_unit_test(room_is_used_to_the_last_byte),
        cmocka_unit_test(frames_that_are_wrong_are_statuses),
        cmocka_unit_test(what_is_long_stops_in_the_middle),
        cmocka_unit_test(a_task_is_cancelled_and_heeds_its_limit),
    };
    return cmocka_run_group_tests(tests, shm_fixture_set_up, shm_fixture_tear_down);
}
