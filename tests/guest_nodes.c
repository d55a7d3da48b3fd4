/* guest_nodes.c - where an arena's pages lie, on a machine of several nodes (tests/test_guest.sh makes one and runs this).
 *
 * What the library says of itself (adit_stats, adit_notes) is held against what the kernel says: /proc/self/maps for the
 * segments, by the name of their memfd, move_pages(2) for the node of every page, smaps for the size of the pages. The
 * guest has 2 MiB pages enough on every node but the last, and that one is far: memory without processors.
 */
#include <errno.h>
#include <numa.h>
#include <numaif.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/adit.h"
#include "tests/segment_map.h"

#define EACH_BYTES (16u << 20) /* of a data segment; the last node has fewer huge pages than that */
#define SMALL_PAGE_BYTES 4096u
#define PAGES_MAX (EACH_BYTES / SMALL_PAGE_BYTES)

static int nodes_n;
static uint16_t voxels[ADIT_CHUNK_VOXELS];

/* How many of a segment's 4 KiB pages do not lie on node; -ENOENT ones are pages that were never allocated. */
static int pages_astray(const struct segment_map *segment, int node)
{
    static void *pages[PAGES_MAX];
    static int status[PAGES_MAX];
    size_t n = segment->bytes / SMALL_PAGE_BYTES;
    int astray = 0;

    assert_true(n <= PAGES_MAX);
    for (size_t i = 0; i < n; i++)
        pages[i] = segment->base + i * SMALL_PAGE_BYTES;
    assert_return_code(numa_move_pages(0, n, pages, NULL, status, 0), errno);
    for (size_t i = 0; i < n; i++)
        astray += status[i] != node;
    return astray;
}

static struct adit_arena *create(void)
{
    struct adit_create_params params = {.size = sizeof params, .data_bytes = (uint64_t)EACH_BYTES * (unsigned)nodes_n};
    struct adit_arena *arena = NULL;
    int error = adit_create("guest", &params, &arena);

    if (error)
        fail_msg("adit_create: %s: %s", adit_strerror(error), adit_detail());
    return arena;
}

static struct adit_stats stats_of(struct adit_arena *arena)
{
    struct adit_stats stats = {.size = sizeof stats};
    assert_return_code(adit_stats(arena, &stats), 0);
    return stats;
}

/* Maps a page in, as a reader does: a page of shared memory has no node in a mapping that never touched it. */
static void touch(const struct segment_map *segment)
{
    for (size_t at = 0; at < segment->bytes; at += SMALL_PAGE_BYTES)
        (void)*(volatile char *)(segment->base + at);
}

static void every_page_of_a_data_segment_lies_on_its_node(void **state)
{
    struct adit_arena *arena = create();
    struct adit_stats stats = stats_of(arena);
    uint64_t seen = 0;

    assert_int_equal(stats.segments_n, nodes_n + 1);
    for (int i = 0; i < nodes_n; i++) {
        struct segment_map segment = segment_map_of(i);
        int node = stats.segments[i + 1].node;
        touch(&segment);
        assert_in_range(node, 0, nodes_n - 1);
        assert_int_equal(segment.bytes, EACH_BYTES);
        assert_int_equal(pages_astray(&segment, node), 0);
        assert_int_not_equal(pages_astray(&segment, (node + 1) % nodes_n), 0); /* the counting itself can fail */
        seen |= 1ull << node;
    }
    assert_int_equal(seen, (1ull << nodes_n) - 1);
    adit_detach(&arena);
    (void)state;
}

static void huge_pages_are_used_where_a_node_has_enough(void **state)
{
    struct adit_arena *arena = create();
    struct adit_stats stats = stats_of(arena);

    for (int i = 0; i < nodes_n - 1; i++) {
        assert_int_equal(segment_map_of(i).page_bytes, 2u << 20);
        assert_int_equal(stats.segments[i + 1].page_bytes, 2u << 20);
    }
    adit_detach(&arena);
    (void)state;
}

static void a_node_short_of_huge_pages_falls_back_with_a_note(void **state)
{
    struct adit_arena *arena = create();
    struct adit_stats stats = stats_of(arena);
    char name[32];

    snprintf(name, sizeof name, "adit data %d", nodes_n - 1);
    assert_int_equal(segment_map_of(nodes_n - 1).page_bytes, SMALL_PAGE_BYTES);
    assert_int_equal(stats.segments[nodes_n].page_bytes, SMALL_PAGE_BYTES);
    const char *note = strstr(adit_notes(arena), name);
    if (!note || !strstr(note, "2 MiB"))
        fail_msg("no note about %s in '%s'", name, adit_notes(arena));
    assert_null(strstr(adit_notes(arena), "adit data 0"));
    adit_detach(&arena);
    (void)state;
}

/* In a child: attaches, reads the chunk, and looks where its own mapping's pages are. */
static int consume(const struct adit_key *key)
{
    struct adit_arena *arena = NULL;
    struct adit_reader *reader = NULL;
    struct adit_chunk_view view;
    int error = adit_attach("guest", ADIT_CONSUMER, NULL, &arena);

    if (!error)
        error = adit_reader_open(arena, &reader);
    if (error)
        return 1;
    adit_enter(reader);
    error = adit_chunk_acquire(reader, key, &view);
    bool right = !error && adit_chunk_voxel(&view, 1, 2, 3) == voxels[(3 * 64 + 2) * 64 + 1] &&
                 adit_chunk_is_intact(&view);
    adit_exit(reader);
    for (int i = 0; i < nodes_n; i++) {
        struct segment_map segment = segment_map_of(i);
        struct adit_stats stats = stats_of(arena);
        touch(&segment);
        right = right && pages_astray(&segment, stats.segments[i + 1].node) == 0;
    }
    adit_reader_close(&reader);
    adit_detach(&arena);
    return right ? 0 : 1;
}

static void a_consumer_finds_the_pages_where_the_creator_placed_them(void **state)
{
    struct adit_key key = {.x = 1};
    struct adit_arena *arena = create();
    int status;

    assert_return_code(adit_chunk_put(arena, &key, voxels, NULL), 0);
    pid_t child = fork();
    if (child == 0) {
        execl("/proc/self/exe", "guest_nodes", "consume", NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    adit_detach(&arena);
    (void)state;
}

static void a_node_without_room_is_an_error_at_create(void **state)
{
    struct adit_create_params params = {.size = sizeof params};
    struct adit_arena *arena = NULL;
    long long most = 0;

    /* More than any node has, less than all of them together. */
    for (int i = 0; i < nodes_n; i++)
        most = numa_node_size64(i, NULL) > most ? numa_node_size64(i, NULL) : most;
    params.data_bytes = (uint64_t)most * (unsigned)nodes_n;
    assert_int_equal(adit_create("guest", &params, &arena), -ENOMEM);
    assert_null(arena);
    assert_string_not_equal(adit_detail(), "");
    (void)state;
}

static int run_where(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    unsigned cpu, node;
    (void)run;
    (void)args;
    if (getcpu(&cpu, &node))
        return -errno;
    memcpy(result, &node, sizeof node);
    *result_bytes = sizeof node;
    return 0;
}

/* A pool whose threads run on that node: they inherit it. */
static struct adit_pool *pool_on(struct adit_queue *queue, int node)
{
    const struct adit_pool_params one = {.size = sizeof one, .workers = 1};
    struct adit_pool *pool = NULL;
    assert_return_code(numa_run_on_node(node), errno);
    assert_return_code(adit_pool_open(queue, &one, &pool), 0);
    assert_return_code(numa_run_on_node(-1), errno);
    return pool;
}

/* As long as its workers are there and not busy for longer than patience; one near the far node, where nobody can work, runs anywhere after that. */
static void a_task_near_a_node_runs_there(void **state)
{
    struct adit_arena *arena = create();
    struct adit_queue *queue;
    struct adit_kind_params where = {.size = sizeof where, .name = "where", .run = run_where, .result_bytes_max = sizeof(unsigned)};
    struct adit_task_spec s = {.size = sizeof s, .affinity = ADIT_NEAR_NODE, .patience_ns = ADIT_FOR_EVER};
    struct adit_task_result r = {.size = sizeof r};
    uint64_t task;
    unsigned node;

    assert_return_code(adit_kind_register(arena, &where, &s.kind), 0);
    assert_return_code(adit_queue_open(arena, "work", NULL, &queue), 0);
    struct adit_pool *pools[] = {pool_on(queue, 0), pool_on(queue, 1)};
    for (unsigned i = 0; i < 100; i++) {
        s.near = i / 3 % 2;
        assert_return_code(adit_submit(queue, &s, &task), 0);
        assert_return_code(adit_wait(queue, task, ADIT_FOR_EVER, &r), 0);
        memcpy(&node, r.data, sizeof node);
        assert_int_equal(node, s.near);
    }
    s.near = (unsigned)nodes_n - 1;
    s.patience_ns = 0;
    assert_return_code(adit_submit(queue, &s, &task), 0);
    assert_return_code(adit_wait(queue, task, 20000000000u, &r), 0);
    assert_int_equal(r.status, 0);
    for (int i = 0; i < 2; i++)
        adit_pool_close(&pools[i]);
    adit_queue_close(&queue);
    adit_detach(&arena);
    (void)state;
}

static void every_feature_taken_away_leaves_a_working_arena(void **state)
{
    setenv("ADIT_DISABLE", "hugepages,numa,membarrier,avx512", 1);
    struct adit_arena *arena = create();
    struct adit_stats stats = stats_of(arena);
    struct adit_key key = {.z = -1};

    assert_int_equal(stats.segments_n, 2);
    assert_int_equal(stats.segments[1].page_bytes, SMALL_PAGE_BYTES);
    assert_return_code(adit_chunk_put(arena, &key, voxels, NULL), 0);
    adit_detach(&arena);
    unsetenv("ADIT_DISABLE");
    (void)state;
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_page_of_a_data_segment_lies_on_its_node),
        cmocka_unit_test(huge_pages_are_used_where_a_node_has_enough),
        cmocka_unit_test(a_node_short_of_huge_pages_falls_back_with_a_note),
        cmocka_unit_test(a_consumer_finds_the_pages_where_the_creator_placed_them),
        cmocka_unit_test(a_node_without_room_is_an_error_at_create),
        cmocka_unit_test(a_task_near_a_node_runs_there),
        cmocka_unit_test(every_feature_taken_away_leaves_a_working_arena),
    };

    nodes_n = numa_available() < 0 ? 1 : numa_max_node() + 1;
    for (size_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        voxels[i] = (uint16_t)(i * 7 % 1000);
    if (count > 1 && strcmp(arguments[1], "consume") == 0)
        return consume(&(struct adit_key){.x = 1});
    if (nodes_n < 2) {
        puts("one memory node: tests/test_guest.sh runs this in a machine of several");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
