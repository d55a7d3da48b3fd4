/* Built-in kinds of tasks from buffer to buffer (runtime/adit_kinds.h): each against another way to the same answer, at its limits, and with what is wrong. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kind_fixture.h"

static void a_kind_is_found_by_its_name(void **state)
{
    (void)state;
    uint32_t id, again;
    kind_open(1);
    assert_int_equal(adit_kind_find(kind_arena, "adit.fft", &id), 0);
    assert_int_equal(adit_kind_find(kind_arena, "adit.ff", &again), -ENOENT);
    assert_int_equal(adit_kind_find(kind_arena, NULL, &again), -ENOENT);
    struct adit_arena *consumer = shm_fixture_attach(FIXTURE_NAME, ADIT_CONSUMER);
    assert_int_equal(adit_kinds_register_builtin(consumer), 0);
    assert_int_equal(adit_kind_find(consumer, "adit.fft", &again), 0);
    assert_int_equal(id, again);
    adit_detach(&consumer);
    struct adit_arena *observer = shm_fixture_attach(FIXTURE_NAME, ADIT_OBSERVER);
    assert_int_equal(adit_kind_find(observer, "adit.fft", &again), 0);
    assert_int_equal(adit_kinds_register_builtin(observer), -EROFS);
    adit_detach(&observer);
    kind_close();
}

static void worker_processes_bring_them_along(void **state)
{
    (void)state;
    const struct adit_create_params c = {.size = sizeof c, .data_bytes = 16u << 20};
    const struct adit_pool_params p = {.size = sizeof p, .processes = 1};
    const struct adit_fft_args args = {.points = 64};
    struct adit_task_spec s = {.size = sizeof s, .args = &args, .args_bytes = sizeof args, .uses_n = 2};
    struct adit_task_result r = {.size = sizeof r};
    struct adit_arena *arena = fixture_create(&c);
    struct adit_queue *queue;
    struct adit_pool *pool;
    uint64_t from, to, task;
    assert_int_equal(adit_queue_open(arena, "work", NULL, &queue), 0);
    assert_int_equal(adit_pool_open(queue, &p, &pool), 0);
    assert_int_equal(adit_kind_find(arena, "adit.fft", &s.kind), 0); /* this process has not registered it (tried: they do not either) */
    assert_int_equal(adit_buffer_create(arena, 64 * 4, NULL, &from), 0);
    assert_int_equal(adit_buffer_create(arena, 64 * 4, NULL, &to), 0);
    s.uses = kind_uses(from, to);
    assert_int_equal(adit_submit(queue, &s, &task), 0);
    assert_int_equal(adit_wait(queue, task, UINT64_MAX, &r), 0);
    assert_int_equal(r.status, 0);
    adit_pool_close(&pool);
    adit_queue_close(&queue);
    adit_detach(&arena);
}

/* Uses of which a kind from buffer to buffer must take none. */
static void try_wrong_uses(const char *name, const void *args, uint32_t args_bytes, uint64_t a, uint64_t b)
{
    const struct adit_use wrong[][3] = {{{a, ADIT_WRITE}, {b, ADIT_READ}}, {{a, ADIT_READ}, {b, ADIT_READ}}, {{a, ADIT_READ}, {b, ADIT_READ_WRITE}}, {{a, ADIT_READ}}};
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(kind_run(name, args, args_bytes, wrong[i], i == 3 ? 1 : 2).status, -EINVAL);
    assert_int_equal(kind_run(name, args, args_bytes, NULL, 0).status, -EINVAL);
}

/* ---- adit.fft ---- */

static float *random_samples(uint32_t n, uint64_t seed)
{
    float *x = malloc(n * sizeof *x);
    REQUIRE(x);
    for (uint32_t i = 0; i < n; i++)
        x[i] = (float)(int32_t)(shm_fixture_random(&seed) >> 32) / 2147483648.0f;
    return x;
}

/* The definition, for one bin. */
static void bin_of(const float *x, uint32_t n, uint32_t k, double *re, double *im)
{
    *re = *im = 0;
    for (uint32_t i = 0; i < n; i++) {
        double angle = -2 * M_PI * (double)((uint64_t)k * i % n) / n;
        *re += x[i] * cos(angle);
        *im += x[i] * sin(angle);
    }
}

static void judge_spectrum(const float *x, const float *got, uint32_t n)
{
    double limit = 2e-6 * sqrt(n); /* of sums of n floats below 1 */
    for (uint32_t k = 0; k <= n / 2; k += n > 1024 ? 1 + n / 40 : 1) {
        double re, im;
        bin_of(x, n, k, &re, &im);
        bool is_real = k == 0 || k == n / 2;
        REQUIRE(fabs(got[k == n / 2 ? 1 : 2 * k] - re) < limit);
        REQUIRE(is_real ? fabs(im) < limit : fabs(got[2 * k + 1] - im) < limit); /* (tried: bins packed from X[0] on) */
    }
    double re, im;
    bin_of(x, n, n / 2, &re, &im);
    REQUIRE(fabs(got[1] - re) < limit);
}

static void a_spectrum_is_what_the_definition_says_and_leads_back(void **state)
{
    (void)state;
    kind_open(2);
    for (uint32_t n = 64; n <= 65536; n *= 2) {
        float *x = random_samples(n, n), *got = malloc(n * sizeof *got);
        uint64_t samples = kind_buffer(n * 4, x), spectrum = kind_buffer(n * 4, NULL), back = kind_buffer(n * 4, NULL);
        const struct adit_fft_args there = {.points = n}, again = {.points = n, .inverse = 1};
        REQUIRE(got);
        assert_int_equal(KIND_STATUS("adit.fft", there, kind_uses(samples, spectrum), 2), 0);
        kind_read(spectrum, got, n * 4);
        judge_spectrum(x, got, n);
        assert_int_equal(KIND_STATUS("adit.fft", again, kind_uses(spectrum, back), 2), 0);
        kind_read(back, got, n * 4);
        for (uint32_t i = 0; i < n; i++)
            REQUIRE(fabsf(got[i] - x[i]) < 1e-5f); /* (tried: not divided by N) */
        free(x);
        free(got);
    }
    kind_close();
}

static void many_transforms_are_each_as_alone(void **state)
{
    (void)state;
    enum { N = 128, COUNT = 40 };
    float *x = random_samples(N * COUNT, 7), got[N * COUNT];
    kind_open_beside(ADIT_PRODUCER, 1); /* by another process */
    uint64_t samples = kind_buffer(N * COUNT * 4, x), spectra = kind_buffer(N * COUNT * 4, NULL);
    assert_int_equal(KIND_STATUS("adit.fft", ((struct adit_fft_args){.points = N, .count = COUNT}), kind_uses(samples, spectra), 2), 0);
    kind_read(spectra, got, sizeof got);
    for (uint32_t i = 0; i < COUNT; i++)
        judge_spectrum(x + i * N, got + i * N, N);
    free(x);
    kind_close();
}

/* Plans are one thread's at a time. */
static void transforms_side_by_side_do_not_meet(void **state)
{
    (void)state;
    enum { N = 4096, TASKS = 48 };
    float *x = random_samples(N, 3), *alone = malloc(N * sizeof *alone), *got = malloc(N * sizeof *got);
    uint64_t spectra[TASKS], task[TASKS];
    const struct adit_fft_args args = {.points = N};
    struct adit_task_spec s = {.size = sizeof s, .args = &args, .args_bytes = sizeof args, .uses_n = 2};
    struct adit_task_result r = {.size = sizeof r};
    REQUIRE(alone && got);
    kind_open(4);
    uint64_t samples = kind_buffer(N * 4, x);
    assert_int_equal(adit_kind_find(kind_arena, "adit.fft", &s.kind), 0);
    for (uint32_t i = 0; i < TASKS; i++) {
        spectra[i] = kind_buffer(N * 4, NULL);
        s.uses = kind_uses(samples, spectra[i]);
        assert_int_equal(adit_submit(kind_queue, &s, &task[i]), 0);
    }
    for (uint32_t i = 0; i < TASKS; i++) {
        assert_int_equal(adit_wait(kind_queue, task[i], UINT64_MAX, &r), 0);
        assert_int_equal(r.status, 0);
        kind_read(spectra[i], i ? got : alone, N * 4);
        assert_true(!i || !memcmp(got, alone, N * 4)); /* (tried: a plan given back before it was used) */
    }
    judge_spectrum(x, alone, N);
    free(x);
    free(alone);
    free(got);
    kind_close();
}

static void wrong_transforms_are_refused(void **state)
{
    (void)state;
    kind_open(1);
    uint64_t a = kind_buffer(256 * 4, NULL), b = kind_buffer(256 * 4, NULL), small = kind_buffer(256 * 4 - 1, NULL);
    const struct adit_fft_args good = {.points = 256},
                               bad[] = {{.points = 0}, {.points = 32}, {.points = 100}, {.points = 131072}, {.points = 1u << 31}, {.points = 256, .inverse = 2},
                                        {.points = 256, .count = 2}, {.points = 256, .count = UINT32_MAX}, {.points = 256, .zero = 1}};
    for (uint32_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(KIND_STATUS("adit.fft", bad[i], kind_uses(a, b), 2), -EINVAL);
    assert_int_equal(KIND_STATUS("adit.fft", good, kind_uses(small, b), 2), -EINVAL); /* (tried: sizes not compared) */
    assert_int_equal(KIND_STATUS("adit.fft", good, kind_uses(a, small), 2), -EINVAL);
    assert_int_equal(KIND_STATUS("adit.fft", good, kind_uses(a, b), 2), 0);
    try_wrong_uses("adit.fft", &good, sizeof good, a, b);
    kind_close();
}

/* ---- adit.compress, adit.decompress ---- */

#define TEXT_BYTES 300000u

/* Bytes that can be compressed, or not. */
static uint8_t *text(uint32_t n, bool is_random)
{
    uint8_t *t = malloc(n);
    uint64_t seed = n;
    REQUIRE(t);
    for (uint32_t i = 0; i < n; i++)
        t[i] = is_random ? (uint8_t)(shm_fixture_random(&seed) >> 56) : (uint8_t)((uint32_t)"what repeats, and what does not: "[i % 33] + i / 1000 % 3);
    return t;
}

/* There and back; how many bytes it was in between. */
static uint64_t round_trip(uint32_t codec, int32_t level, const uint8_t *t, uint32_t n)
{
    uint64_t bound = adit_compress_bound(n);
    uint8_t *got = malloc(bound);
    uint64_t from = kind_buffer(n, t), packed = kind_buffer(bound, NULL), back = kind_buffer(bound, NULL);
    struct adit_compress_result r;
    REQUIRE(got);
    struct adit_task_result there = KIND_RUN("adit.compress", ((struct adit_compress_args){.codec = codec, .level = level}), kind_uses(from, packed), 2);
    assert_int_equal(there.status, 0);
    assert_int_equal(there.bytes, sizeof r);
    memcpy(&r, there.data, sizeof r);
    uint64_t bytes = r.bytes;
    struct adit_task_result again = KIND_RUN("adit.decompress", ((struct adit_decompress_args){.codec = codec, .bytes = bytes}), kind_uses(packed, back), 2);
    assert_int_equal(again.status, 0);
    memcpy(&r, again.data, sizeof r);
    assert_int_equal(r.bytes, n);
    kind_read(back, got, bound);
    assert_memory_equal(got, t, n);
    for (uint64_t i = n; i < bound; i++)
        REQUIRE(!got[i]); /* (tried: what the libraries leave behind their output left there) */
    free(got);
    return bytes;
}

static void what_was_compressed_comes_back(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1, 17, 4096, TEXT_BYTES};
    static const struct {
        uint32_t codec;
        int32_t level;
    } ways[] = {{ADIT_CODEC_LZ4, 0}, {ADIT_CODEC_LZ4, 12}, {ADIT_CODEC_ZSTD, 0}, {ADIT_CODEC_ZSTD, 19}};
    uint64_t bytes[4] = {0};
    for (uint32_t w = 0; w < 4; w++) {
        kind_open(1);
        for (uint32_t i = 0; i < 8; i++) {
            uint8_t *t = text(sizes[i % 4], i >= 4);
            uint64_t n = round_trip(ways[w].codec, ways[w].level, t, sizes[i % 4]);
            bytes[w] = i == 3 ? n : bytes[w];
            assert_in_range(n, 1, adit_compress_bound(sizes[i % 4])); /* and that was room enough for what does not compress */
            free(t);
        }
        kind_close();
    }
    for (uint32_t w = 0; w < 4; w++)
        assert_in_range(bytes[w], 10, TEXT_BYTES / 20);
    assert_true(bytes[1] < bytes[0] && bytes[3] <= bytes[2]); /* (tried: levels left out) */
}

static void damaged_and_cut_off_data_are_statuses(void **state)
{
    (void)state;
    uint8_t *t = text(4096, false), packed[8192];
    uint64_t seed = 5;
    kind_open_beside(ADIT_PRODUCER, 1); /* another process, which must live on */
    for (uint32_t codec = ADIT_CODEC_LZ4; codec <= ADIT_CODEC_ZSTD; codec++) {
        uint64_t from = kind_buffer(4096, t), to = kind_buffer(8192, NULL), back = kind_buffer(4096, NULL), small = kind_buffer(16, NULL);
        struct adit_compress_result r;
        struct adit_task_result done = KIND_RUN("adit.compress", ((struct adit_compress_args){.codec = codec}), kind_uses(from, to), 2);
        memcpy(&r, done.data, sizeof r);
        kind_read(to, packed, sizeof packed);
        const struct adit_decompress_args cut = {.codec = codec, .bytes = r.bytes - 1}, whole = {.codec = codec, .bytes = r.bytes};
        assert_int_equal(KIND_STATUS("adit.decompress", cut, kind_uses(to, back), 2), -EBADMSG);
        assert_int_equal(KIND_STATUS("adit.decompress", whole, kind_uses(to, small), 2), -ENOSPC);
        assert_int_equal(KIND_STATUS("adit.compress", ((struct adit_compress_args){.codec = codec}), kind_uses(from, small), 2), -ENOSPC);
        for (uint32_t i = 0; i < 200; i++) {
            uint64_t at = shm_fixture_random(&seed) % r.bytes, was = packed[at];
            packed[at] ^= (uint8_t)(1 + shm_fixture_random(&seed) % 255);
            assert_int_equal(adit_buffer_put(kind_arena, to, packed, sizeof packed), 0);
            int status = KIND_STATUS("adit.decompress", whole, kind_uses(to, back), 2);
            assert_true(status == 0 || status == -EBADMSG || status == -ENOSPC); /* of zstd, which has no checksum, it may be something else instead */
            packed[at] = (uint8_t)was;
        }
    }
    free(t);
    kind_close();
}

static void wrong_arguments_of_compression_are_refused(void **state)
{
    (void)state;
    kind_open(1);
    uint64_t a = kind_buffer(100, NULL), b = kind_buffer(1000, NULL);
    const struct adit_compress_args good = {.codec = ADIT_CODEC_LZ4}, bad[] = {{.codec = 0}, {.codec = 3}, {.codec = 1, .level = -1}, {.codec = 1, .level = 13},
                                                                                {.codec = 2, .level = 20}, {.codec = 1, .bytes = 101}, {.codec = 2, .bytes = UINT64_MAX}};
    const struct adit_decompress_args bad_back[] = {{.codec = 0}, {.codec = 3}, {.codec = 1, .zero = 1}, {.codec = 2, .bytes = 101}}, back = {.codec = ADIT_CODEC_ZSTD};
    for (uint32_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(KIND_STATUS("adit.compress", bad[i], kind_uses(a, b), 2), -EINVAL);
    for (uint32_t i = 0; i < sizeof bad_back / sizeof *bad_back; i++)
        assert_int_equal(KIND_STATUS("adit.decompress", bad_back[i], kind_uses(a, b), 2), -EINVAL);
    try_wrong_uses("adit.compress", &good, sizeof good, a, b);
    try_wrong_uses("adit.decompress", &back, sizeof back, a, b);
    kind_close();
}

/* ---- adit.encode, adit.decode ---- */

#define VOXELS_BYTES (ADIT_CHUNK_VOXELS * 2u)

static uint16_t chunk[ADIT_CHUNK_VOXELS], chunk_back[ADIT_CHUNK_VOXELS];
static uint8_t block[ADIT_ENCODE_BYTES_MAX] __attribute__((aligned(64)));

static struct adit_task_result run_encode(uint64_t from, uint64_t to, struct adit_encode_result *r)
{
    struct adit_task_result done = kind_run("adit.encode", NULL, 0, kind_uses(from, to), 2);
    REQUIRE(done.bytes == sizeof *r);
    memcpy(r, done.data, sizeof *r);
    return done;
}

/* Of two blocks with the same voxels: where and when they were published does not count. */
static void assert_same_version(const struct adit_chunk_view *view, uint32_t bytes)
{
    const struct adit_version *published = view->block;
    struct adit_version *v = (struct adit_version *)(void *)block;
    assert_int_equal(bytes, view->bytes);
    v->key = published->key;
    v->version = published->version;
    v->published_ns = published->published_ns;
    v->publisher = published->publisher;
    v->content_hash = published->content_hash;
    assert_memory_equal(block, view->block, bytes);
}

static void encoding_gives_the_bytes_of_a_published_version(void **state)
{
    (void)state;
    const struct adit_material_info glass = {.name = "glass", .material_class = ADIT_CLASS_TRANSLUCENT};
    uint16_t id = 12; /* of those that fixture_paint uses */
    struct adit_reader *reader;
    kind_open(1);
    assert_int_equal(adit_reader_open(kind_arena, &reader), 0);
    for (uint64_t seed = 0; seed < 8; seed++) {
        const struct adit_key key = {.x = (int32_t)seed};
        struct adit_encode_result r;
        struct adit_chunk_view view;
        if (seed == 4) /* workers must learn of it, too */
            assert_int_equal(adit_material_register(kind_arena, &glass, &id), 0); /* (tried: with classes of before) */
        fixture_paint(seed, chunk);
        uint64_t from = kind_buffer(VOXELS_BYTES, chunk), to = kind_buffer(ADIT_ENCODE_BYTES_MAX, NULL), back = kind_buffer(VOXELS_BYTES, NULL);
        assert_int_equal(run_encode(from, to, &r).status, 0);
        kind_read(to, block, r.bytes);
        assert_int_equal(adit_chunk_put(kind_arena, &key, chunk, NULL), 0);
        adit_enter(reader);
        assert_int_equal(adit_chunk_acquire(reader, &key, &view), 0);
        assert_int_equal(r.encoding, view.encoding);
        assert_int_equal(r.solid, view.solid);
        assert_same_version(&view, r.bytes);
        assert_int_equal(adit_exit(reader), 0);
        assert_int_equal(kind_run("adit.decode", NULL, 0, kind_uses(to, back), 2).status, 0);
        kind_read(back, chunk_back, VOXELS_BYTES);
        assert_memory_equal(chunk_back, chunk, VOXELS_BYTES);
    }
    adit_reader_close(&reader);
    kind_close();
}

static void damaged_encodings_are_statuses(void **state)
{
    (void)state;
    uint64_t random = 11;
    struct adit_encode_result r;
    const struct adit_version *v = (const struct adit_version *)(const void *)block;
    kind_open_beside(ADIT_PRODUCER, 1);
    for (uint64_t seed = 1; seed < 3; seed++) {
        fixture_paint(seed, chunk);
        uint64_t from = kind_buffer(VOXELS_BYTES, chunk), to = kind_buffer(ADIT_ENCODE_BYTES_MAX, NULL), back = kind_buffer(VOXELS_BYTES, NULL);
        assert_int_equal(run_encode(from, to, &r).status, 0);
        kind_read(to, block, r.bytes);
        for (uint32_t i = 0; i < 150; i++) {
            uint64_t at = i % 2 ? shm_fixture_random(&random) % sizeof *v : shm_fixture_random(&random) % r.bytes;
            bool is_free = at - offsetof(struct adit_version, version) < 20; /* version, published_ns, publisher: not of the content */
            block[at] ^= (uint8_t)(1 + i % 255);
            assert_int_equal(adit_buffer_put(kind_arena, to, block, r.bytes), 0);
            int status = kind_run("adit.decode", NULL, 0, kind_uses(to, back), 2).status;
            assert_int_equal(status, is_free ? 0 : -EBADMSG); /* (tried: the hash not compared) */
            block[at] ^= (uint8_t)(1 + i % 255);
        }
        uint64_t cut = kind_buffer(r.bytes - 1, block), head = kind_buffer(sizeof *v - 1, block);
        assert_int_equal(kind_run("adit.decode", NULL, 0, kind_uses(cut, back), 2).status, -EBADMSG);
        assert_int_equal(kind_run("adit.decode", NULL, 0, kind_uses(head, back), 2).status, -EBADMSG);
    }
    kind_close();
}

static void encodings_need_room(void **state)
{
    (void)state;
    struct adit_encode_result r, again;
    kind_open(1);
    fixture_paint(3, chunk);
    uint64_t from = kind_buffer(VOXELS_BYTES, chunk), small = kind_buffer(VOXELS_BYTES - 1, chunk), tiny = kind_buffer(1, NULL);
    assert_int_equal(run_encode(from, tiny, &r).status, -ENOSPC);
    uint64_t enough = kind_buffer(r.bytes, NULL), not_enough = kind_buffer(r.bytes - 1, NULL);
    assert_int_equal(run_encode(from, not_enough, &again).status, -ENOSPC);
    assert_int_equal(run_encode(from, enough, &again).status, 0);
    assert_int_equal(again.bytes, r.bytes);
    assert_int_equal(kind_run("adit.encode", NULL, 0, kind_uses(small, enough), 2).status, -EINVAL);
    assert_int_equal(kind_run("adit.decode", NULL, 0, kind_uses(enough, small), 2).status, -EINVAL);
    try_wrong_uses("adit.encode", NULL, 0, from, enough);
    try_wrong_uses("adit.decode", NULL, 0, enough, from);
    kind_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kind_is_found_by_its_name),
        cmocka_unit_test(worker_processes_bring_them_along),
        cmocka_unit_test(a_spectrum_is_what_the_definition_says_and_leads_back),
        cmocka_unit_test(many_transforms_are_each_as_alone),
        cmocka_unit_test(transforms_side_by_side_do_not_meet),
        cmocka_unit_test(wrong_transforms_are_refused),
        cmocka_unit_test(what_was_compressed_comes_back),
        cmocka_unit_test(damaged_and_cut_off_data_are_statuses),
        cmocka_unit_test(wrong_arguments_of_compression_are_refused),
        cmocka_unit_test(encoding_gives_the_bytes_of_a_published_version),
        cmocka_unit_test(damaged_encodings_are_statuses),
        cmocka_unit_test(encodings_need_room),
    };
    return cmocka_run_group_tests(tests, shm_fixture_set_up, shm_fixture_tear_down);
}
