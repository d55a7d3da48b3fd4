/* test_tool_parts.c - the parts of adit that are functions: numbers in and out, histograms, texts; and the witness, who must
 * be able to find a fault. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/adit.h"
#include "shm/shm.h"
#include "tests/spawned.h"
#include "tools/harvest.h"
#include "tools/latency.h"
#include "tools/options.h"
#include "tools/patience.h"
#include "tools/pieces.h"
#include "tools/relook.h"
#include "tools/say.h"
#include "tools/tally.h"
#include "tools/volume.h"
#include "tools/witness.h"

static void quantiles_are_right_within_three_percent(void **state)
{
    (void)state;
    static struct adit_latency a, b, both;
    assert_int_equal(adit_latency_quantile(&a, 0.5), 0);
    for (uint64_t i = 1; i <= 100000; i++)
        adit_latency_add(i % 2 ? &a : &b, i * 1000);
    json_t *saved = adit_latency_save(&a);
    adit_latency_merge(&both, saved);
    json_decref(saved);
    saved = adit_latency_save(&b);
    adit_latency_merge(&both, saved);
    json_decref(saved);
    assert_int_equal(both.count, 100000);
    static const double shares[] = {0.01, 0.5, 0.9, 0.99, 1};
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        double got = (double)adit_latency_quantile(&both, shares[i]), want = shares[i] * 1e8;
        assert_true(got > want * 0.97 && got < want * 1.03);
    }
    adit_latency_add(&both, UINT64_MAX); /* the last bucket */
    assert_true(adit_latency_quantile(&both, 1) > UINT64_MAX / 100 * 97);
}

static void a_saved_histogram_of_a_stranger_does_no_harm(void **state)
{
    (void)state;
    static struct adit_latency l;
    json_t *strange = json_loads("[[-1,5],[1920,5],[3,-7],[9223372036854775807,1],[],{},\"x\",[4,2]]", 0, NULL);
    assert_non_null(strange);
    adit_latency_merge(&l, strange);
    adit_latency_merge(&l, NULL);
    json_decref(strange);
    assert_int_equal(l.count, 2);
}

static void numbers_are_whole_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool bytes;
        int status;
        uint64_t value;
    } cases[] = {{"0", false, 0, 0}, {"18446744073709551615", false, 0, UINT64_MAX}, {"18446744073709551616", false, -ERANGE, 0},
                 {"", false, -EINVAL, 0}, {"-1", false, -EINVAL, 0}, {"+1", false, -EINVAL, 0}, {" 1", false, -EINVAL, 0},
                 {"1k", false, -EINVAL, 0}, {"1k", true, 0, 1024}, {"512M", true, 0, 512u << 20}, {"2GiB", true, 0, 2ull << 30},
                 {"1T", true, 0, 1ull << 40}, {"99999999999G", true, -ERANGE, 0}, {"1X", true, -EINVAL, 0}, {"1MM", true, -EINVAL, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t value = 0;
        assert_int_equal(adit_options_number(cases[i].text, cases[i].bytes, &value), cases[i].status);
        assert_true(value == cases[i].value);
    }
}

static void boxes_and_dims_are_understood_or_refused(void **state)
{
    (void)state;
    struct adit_harvest_box box;
    uint32_t dim[3];
    assert_int_equal(adit_harvest_box_parse("-5,0,3,7,1,4", &box), 0);
    assert_true(box.lo[0] == -5 && box.hi[0] == 7 && box.hi[2] == 4);
    const char *bad_boxes[] = {"", "1,2,3,4,5", "0,0,0,1,1,1,", "0,0,0,1,1,0", "0,0,0,1,1,x", "0,0,0,99999999999999999999,1,1",
                               "0,0,0,2000000,1,1", "0,,0,1,1,1", "- 1,0,0,1,1,1"};
    for (size_t i = 0; i < sizeof bad_boxes / sizeof *bad_boxes; i++)
        assert_int_equal(adit_harvest_box_parse(bad_boxes[i], &box), -EINVAL);
    assert_int_equal(adit_volume_dim_parse("1,64,4096", dim), 0);
    assert_true(dim[0] == 1 && dim[1] == 64 && dim[2] == 4096);
    const char *bad_dims[] = {"", "1,2", "1,2,3,4", "0,1,1", "4097,1,1", "1,-1,1", "4294967297,1,1", "1,2,3 ", "x"};
    for (size_t i = 0; i < sizeof bad_dims / sizeof *bad_dims; i++)
        assert_int_equal(adit_volume_dim_parse(bad_dims[i], dim), -EINVAL);
}

static void classes_are_understood_or_the_place_is_told(void **state)
{
    (void)state;
    static uint8_t classes[ADIT_MATERIALS];
    size_t at = 0;
    assert_int_equal(adit_pieces_classes("t:4,8-9;c:65535;o:9", classes, &at), 0);
    assert_true(classes[4] == ADIT_CLASS_TRANSLUCENT && classes[8] == ADIT_CLASS_TRANSLUCENT && !classes[5]);
    assert_true(classes[65535] == ADIT_CLASS_CUTOUT && classes[9] == ADIT_CLASS_OPAQUE);
    static const struct {
        const char *text;
        size_t at;
    } bad[] = {{"x:1", 0}, {"t1", 0}, {"t:", 2}, {"t:0", 2}, {"t:65536", 2}, {"t:5-4", 2}, {"t:1,x", 4}, {"t:1;q:2", 4},
               {"t:1-99999999999999999999", 2}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(adit_pieces_classes(bad[i].text, classes, &at), -EINVAL);
        assert_int_equal(at, bad[i].at);
    }
}

static void what_is_printed_cannot_steer_a_terminal(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"caf\303\251 \342\202\254 \360\237\231\202", "caf\303\251 \342\202\254 \360\237\231\202"},
                                           {"\033[31m\n\t\177", "?[31m???"},
                                           {"\302\233x", "??x"},                 /* C1: CSI */
                                           {"\300\200\355\240\200\377", "??????"}, /* overlong, a surrogate, no UTF-8 */
                                           {"\342\200\256abc", "???abc"},        /* right to left override */
                                           {"\342\202", "??"}};                  /* cut */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[64];
        assert_string_equal(adit_say_printable(out, sizeof out, cases[i][0], strlen(cases[i][0])), cases[i][1]);
    }
    char five[5];
    assert_string_equal(adit_say_printable(five, sizeof five, "ab\342\202\254", 5), "ab"); /* never half a character */
}

static void figures_read_as_people_read_them(void **state)
{
    (void)state;
    assert_string_equal(ADIT_SAY_COUNT(0), "0");
    assert_string_equal(ADIT_SAY_COUNT(1234567), "1,234,567");
    assert_string_equal(ADIT_SAY_COUNT(UINT64_MAX), "18,446,744,073,709,551,615");
    assert_string_equal(ADIT_SAY_BYTES(1536), "1.5 KiB");
    assert_string_equal(ADIT_SAY_BYTES(512u << 20), "512 MiB");
    assert_string_equal(ADIT_SAY_DURATION(12345), "12.3 us");
    assert_string_equal(ADIT_SAY_DURATION(2.5e9), "2.50 s");
}

/* One look a second from second 1 on. Wants all but the last to be waited out, and returns what the last says. */
static int patience_end(const struct adit_patience_look *looks, size_t count, char *line, size_t bytes)
{
    struct adit_patience patience = {.full_ns = 2000000000ull};
    int over = -EAGAIN;
    *line = 0;
    for (size_t i = 0; i < count; i++) {
        struct adit_patience_look look = looks[i];
        look.chunks = 9;
        look.now_ns = (i + 1) * 1000000000ull;
        assert_int_equal(over, -EAGAIN);
        assert_string_equal(line, "");
        over = adit_patience_judge(&patience, &look, line, bytes);
    }
    return over;
}

static void who_waits_for_meshes_says_why_none_come(void **state)
{
    (void)state;
    struct adit_patience_look looks[64];
    char said[256];
    for (size_t i = 0; i < 64; i++)
        looks[i] = (struct adit_patience_look){.status = -ETIMEDOUT, .left = i < 20 ? 5 : 4, .starved = 70};
    assert_int_equal(patience_end(looks + 20, 31, said, sizeof said), -EAGAIN);
    assert_int_equal(patience_end(looks + 20, 32, said, sizeof said), -ETIMEDOUT);
    assert_non_null(strstr(said, "4 of 9 chunks have no mesh and none was made for 31 s, though the arena has room: its workers hang"));
    assert_null(strstr(said, "full"));
    assert_int_equal(patience_end(looks, 51, said, sizeof said), -EAGAIN); /* one was made: the patience is as at first */
    assert_int_equal(patience_end(looks, 52, said, sizeof said), -ETIMEDOUT);
    looks[51].starved = 71; /* a slow worker, but what it tries finds no room */
    assert_int_equal(patience_end(looks, 52, said, sizeof said), -ENOMEM);
    assert_non_null(strstr(said, "4 of 9 chunks have no mesh and the arena is full, it is too small for this; make it larger with --size"));
    looks[22].status = -ENOMEM; /* full, but not for long enough */
    assert_int_equal(patience_end(looks, 23, said, sizeof said), -EAGAIN);
    looks[23].status = -ENOMEM;
    assert_int_equal(patience_end(looks, 24, said, sizeof said), -ENOMEM);
    looks[22].status = looks[23].status = -ETIMEDOUT; /* the same, counted over several calls */
    looks[21].starved = 3;
    looks[23].starved = 34;
    assert_int_equal(patience_end(looks, 24, said, sizeof said), -EAGAIN);
    looks[23].starved = 35;
    assert_int_equal(patience_end(looks, 24, said, sizeof said), -ENOMEM);
    looks[0].status = -EIO;
    assert_int_equal(patience_end(looks, 1, said, sizeof said), -EIO);
    assert_non_null(strstr(said, "cannot wait for the meshes: "));
}

/* ---- the witness ------------------------------------------------------------------------------------------------ */

static struct adit_arena *arena;
static struct adit_witness *witness;
static struct adit_dispatcher *dispatcher;
static uint16_t voxels[ADIT_CHUNK_VOXELS];
static const struct adit_key key = {.x = 1, .y = 2, .z = 3, .world = 4};

static int arena_make(void **state)
{
    (void)state;
    spawned_home_make();
    const struct adit_create_params params = {.size = sizeof params, .data_bytes = 16 << 20};
    const struct adit_dispatcher_params one = {.size = sizeof one, .workers = 1};
    assert_int_equal(adit_create("witness", &params, &arena), 0);
    assert_int_equal(adit_dispatcher_open(arena, &one, &dispatcher), 0);
    assert_int_equal(adit_witness_open(arena, &witness), 0);
    for (size_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        voxels[i] = (uint16_t)(i % 3 ? 0 : 1 + i % 5);
    return 0;
}

static int arena_remove(void **state)
{
    (void)state;
    adit_witness_close(&witness);
    adit_dispatcher_close(&dispatcher);
    adit_detach(&arena);
    spawned_home_remove();
    return 0;
}

/* Publishes, waits for the mesh, and has the witness look at all there is. */
static void publish_and_look(void)
{
    assert_int_equal(adit_chunk_put(arena, &key, voxels, NULL), 0);
    assert_int_equal(adit_settle(arena, 60000000000u), 0);
    while (!adit_witness_step(witness, 0, NULL))
        ;
}

static void a_witness_finds_nothing_wrong_with_what_is_right(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 3; i++) {
        voxels[i]++;
        publish_and_look();
        assert_int_equal(witness->last.version, i);
        assert_int_equal(adit_witness_faults(witness), 0);
    }
    assert_int_equal(witness->versions, 3);
    assert_int_equal(witness->version_latency.count, 3);
    struct adit_tally tally;
    assert_int_equal(adit_tally_take(witness->reader, &tally), 0);
    assert_int_equal(tally.all.chunks, 1);
    assert_int_equal(tally.world[4]->chunks, 1);
    assert_int_equal(tally.all.unmeshed, 0);
    assert_int_equal(tally.all.voxels, (ADIT_CHUNK_VOXELS + 2) / 3 + 2); /* of voxels 1 to 3 two were air */
    adit_tally_close(&tally);
}

/* Changes a byte at an offset of the block of the current version or mesh, as a producer that misbehaves could. */
static void block_harm(bool mesh, size_t at)
{
    struct adit_chunk_view view;
    struct adit_mesh_view quads;
    adit_enter(witness->reader);
    assert_int_equal(adit_chunk_acquire(witness->reader, &key, &view), 0);
    assert_int_equal(adit_mesh_acquire(witness->reader, &key, &quads), 0);
    *((uint8_t *)(uintptr_t)(mesh ? (const void *)quads.quads : view.block) + at) ^= 1;
    adit_exit(witness->reader);
}

/* Changes the key that the head of the mesh's block says, so that it is no mesh of this key. */
static void mesh_key_harm(void)
{
    struct adit_mesh_view quads;
    adit_enter(witness->reader);
    assert_int_equal(adit_mesh_acquire(witness->reader, &key, &quads), 0);
    ((struct adit_mesh *)(uintptr_t)quads.block)->key ^= 1;
    adit_exit(witness->reader);
}

/* A witness who comes when the harm is done. */
static void look_afresh(void)
{
    adit_witness_close(&witness);
    assert_int_equal(adit_witness_open(arena, &witness), 0);
    while (!adit_witness_step(witness, 0, NULL))
        ;
}

static void a_witness_sees_a_changed_byte_of_a_version(void **state)
{
    (void)state;
    publish_and_look();
    block_harm(false, 4096);
    look_afresh();
    assert_int_equal(witness->torn, 1);
    assert_non_null(strstr(witness->fault, "world 4 chunk 1,2,3"));
}

static void a_witness_sees_a_changed_quad(void **state)
{
    (void)state;
    publish_and_look();
    block_harm(true, 800 * 8); /* x of a quad in the middle */
    look_afresh();
    assert_int_equal(witness->torn, 1);
    assert_int_equal(witness->wrong, 1); /* it lies on a voxel of another material, or on air */
}

/* ---- sections that are ousted ----------------------------------------------------------------------------------- */

/* As who ousts it does: the section of this epoch counts for nothing. */
static void oust(struct adit_reader *reader) { reader->slot[1] = *reader->epoch; }

struct looks {
    uint32_t ousted, looks, undone; /* the first so many are ousted */
};

static int look_counted(struct adit_reader *reader, void *user)
{
    struct looks *l = user;
    assert_int_equal(l->looks, l->undone);
    if (l->looks++ < l->ousted)
        reader->slot[1] = reader->slot[0];
    return 7;
}

static void undo_counted(void *user) { ((struct looks *)user)->undone++; }

static void a_look_is_taken_again_until_its_section_counts(void **state)
{
    (void)state;
    static const uint32_t ousted[] = {0, 1, ADIT_RELOOK_MAX - 1, ADIT_RELOOK_MAX};
    for (size_t i = 0; i < sizeof ousted / sizeof *ousted; i++) {
        struct looks l = {.ousted = ousted[i]};
        bool never = ousted[i] == ADIT_RELOOK_MAX;
        assert_int_equal(adit_relook(witness->reader, look_counted, undo_counted, &l), never ? -ESTALE : 7);
        assert_int_equal(l.undone, ousted[i]);
        assert_int_equal(l.looks, never ? ousted[i] : ousted[i] + 1);
    }
}

static struct adit_harvest_result result;
static char line[ADIT_HARVEST_LINE_BYTES];

/* What harvesting into the files wanted returns, line and result with it. */
static int harvest(const struct adit_harvest_params *params)
{
    struct adit_tally tally;
    assert_int_equal(adit_tally_take(witness->reader, &tally), 0);
    int status = adit_harvest_take(arena, witness->reader, &tally, params, &result, line, sizeof line);
    adit_tally_close(&tally);
    return status;
}

/* The witness, the tally and the exports see in a second look what they saw in none. */
static void what_an_ousted_section_showed_is_looked_at_again(void **state)
{
    (void)state;
    char *raw = spawned_file("w.raw"), *quads = spawned_file("w.quads");
    const struct adit_harvest_params params[] = {{.raw = raw, .raw_world = 4}, {.out = quads}};
    struct adit_tally tally;
    assert_int_equal(adit_chunk_put(arena, &key, voxels, NULL), 0);
    assert_int_equal(adit_settle(arena, 60000000000u), 0);
    oust(witness->reader);
    assert_int_equal(adit_witness_step(witness, 0, NULL), 0);
    assert_int_equal(witness->versions, 1);
    assert_int_equal(adit_witness_faults(witness), 0);
    assert_int_equal(adit_tally_keys(witness->reader, &tally), 0);
    adit_tally_close(&tally);
    oust(witness->reader);
    assert_int_equal(adit_tally_take(witness->reader, &tally), 0);
    assert_int_equal(tally.all.chunks, 1);
    assert_int_equal(tally.all.materials, 5);
    for (size_t i = 0; i < 2; i++) {
        oust(witness->reader);
        assert_int_equal(adit_harvest_take(arena, witness->reader, &tally, &params[i], &result, line, sizeof line), 0);
    }
    assert_int_equal(result.meshes, 1);
    adit_tally_close(&tally);
}

/* A byte of the version's content; then the key in its head, by which it cannot even be acquired. */
static void a_damaged_chunk_is_an_error_of_a_raw_volume_and_not_air(void **state)
{
    (void)state;
    const struct adit_harvest_box box = {{0, 128, 192}, {192, 192, 256}}; /* two keys that have no version, and one that has */
    char *file = spawned_file("w.raw");
    const struct adit_harvest_params params = {.raw = file, .raw_world = 4, .box = &box};
    for (int i = 0; i < 2; i++) {
        publish_and_look();
        assert_int_equal(harvest(&params), 0);
        assert_int_equal(unlink(file), 0);
        block_harm(false, i ? offsetof(struct adit_version, key) : 4096);
        assert_int_equal(harvest(&params), -EBADMSG);
        assert_non_null(strstr(line, "w.raw: not written: world 4 chunk 1,2,3 is damaged; publish it again"));
        assert_int_equal(access(file, F_OK), -1);
    }
}

/* A quad in the middle, with its ranges as they were; then the key in the head of the block. */
static void a_damaged_mesh_is_an_error_and_not_left_out(void **state)
{
    (void)state;
    char *file = spawned_file("w.quads");
    const struct adit_harvest_params params = {.out = file};
    for (int i = 0; i < 2; i++) {
        publish_and_look();
        assert_int_equal(harvest(&params), 0);
        assert_int_equal(result.meshes, 1);
        assert_int_equal(unlink(file), 0);
        if (i)
            mesh_key_harm();
        else
            block_harm(true, 800 * 8);
        assert_int_equal(harvest(&params), -EBADMSG);
        assert_non_null(strstr(line, "nothing is exported: world 4 chunk 1,2,3: its mesh is damaged; publish that chunk again"));
        assert_int_equal(access(file, F_OK), -1);
    }
}

#define WITNESS(f) cmocka_unit_test_setup_teardown(f, arena_make, arena_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_right_within_three_percent),
        cmocka_unit_test(a_saved_histogram_of_a_stranger_does_no_harm),
        cmocka_unit_test(numbers_are_whole_or_refused),
        cmocka_unit_test(boxes_and_dims_are_understood_or_refused),
        cmocka_unit_test(classes_are_understood_or_the_place_is_told),
        cmocka_unit_test(what_is_printed_cannot_steer_a_terminal),
        cmocka_unit_test(figures_read_as_people_read_them),
        cmocka_unit_test(who_waits_for_meshes_says_why_none_come),
        WITNESS(a_witness_finds_nothing_wrong_with_what_is_right),
        WITNESS(a_witness_sees_a_changed_byte_of_a_version),
        WITNESS(a_witness_sees_a_changed_quad),
        WITNESS(a_look_is_taken_again_until_its_section_counts),
        WITNESS(what_an_ousted_section_showed_is_looked_at_again),
        WITNESS(a_damaged_chunk_is_an_error_of_a_raw_volume_and_not_air),
        WITNESS(a_damaged_mesh_is_an_error_and_not_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
