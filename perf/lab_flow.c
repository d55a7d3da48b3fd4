/* lab_flow.c - see lab_flow.h. */
#include <errno.h>
#include <string.h>

#include "perf/lab_flow.h"

#define LOT 256u /* chunks: tasks at once */
#define BYTES_EACH (256ull << 10) /* of a chunk of terrain with its mesh, twice while it is replaced */
#define SETTLE_NS 20000000000u

struct adit_key lab_flow_key(const struct lab_flow *f, uint32_t i) { return (struct adit_key){.x = (int32_t)(i % f->side), .z = (int32_t)(i / f->side)}; }

/* The next n chunks in turn, all tasks at once. */
static int make(struct lab_flow *f, uint32_t n)
{
    static struct adit_generate_args args[LOT];
    static struct adit_generate_result results[LOT];
    const struct adit_batch_params p = {.size = sizeof p, .kind = f->kind, .stays_out = true};
    const uint32_t chunks = f->side * f->side;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t c = (f->next + i) % chunks;
        args[i] = (struct adit_generate_args){.generator = "terrain", .seed = LAB_FLOW_SEED, .replaces = f->replaces[c], .key = lab_flow_key(f, c)};
    }
    const struct adit_map_items items = {.n = n, .args = args, .args_stride = sizeof *args, .args_bytes = sizeof *args, .results = results, .results_stride = sizeof *results, .results_bytes = sizeof *results};
    int error = adit_map(f->queue, &p, &items, NULL);
    for (uint32_t i = 0; i < n && !error; i++)
        f->replaces[(f->next + i) % chunks] = results[i].version;
    f->next = (f->next + n) % chunks;
    return error ? error : adit_settle(f->arena, SETTLE_NS);
}

double lab_flow_block(void *context, uint64_t rounds)
{
    struct lab_flow *f = context;
    const uint32_t chunks = f->side * f->side, lot = chunks < LOT ? chunks : LOT;
    double from = clock_now_ns();
    int error = 0;
    for (uint64_t done = 0; done < rounds && !error; done += lot)
        error = make(f, rounds - done < lot ? (uint32_t)(rounds - done) : lot);
    return error ? error : (clock_now_ns() - from) / (double)rounds;
}

int lab_flow_open(struct bench *bench, struct lab_flow *f, const struct lab_flow_params *params, const char *suffix)
{
    const struct adit_pool_params pool = {.size = sizeof pool, .workers = params->workers};
    const struct adit_dispatcher_params dispatcher = {.size = sizeof dispatcher, .workers = params->workers};
    const struct adit_queue_params fifo = {.size = sizeof fifo, .order = ADIT_ORDER_FIFO};
    const uint64_t bytes = params->side * params->side * BYTES_EACH;
    const struct adit_create_params room = {.size = sizeof room, .data_bytes = bytes < 192u << 20 ? 192u << 20 : bytes, .placement = params->placement};
    char name[LAB_ARENA_NAME_BYTES];
    f->side = params->side;
    lab_arena_name(name);
    strcat(name, suffix);
    int error = lab_arena_create(bench, name, &room, &f->arena);
    if (!error)
        error = adit_kinds_register_builtin(f->arena);
    if (!error)
        error = adit_kind_find(f->arena, "adit.generate", &f->kind);
    if (!error)
        error = adit_queue_open(f->arena, "make", &fifo, &f->queue);
    if (!error)
        error = adit_pool_open(f->queue, &pool, &f->pool);
    return error ? error : adit_dispatcher_open(f->arena, &dispatcher, &f->dispatcher);
}

void lab_flow_close(struct lab_flow *f)
{
    adit_pool_close(&f->pool);
    adit_dispatcher_close(&f->dispatcher);
    adit_queue_close(&f->queue);
    adit_detach(&f->arena);
}
