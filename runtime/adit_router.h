/* adit_router.h - tasks sent to whichever of several tiers has them done first. Part of adit.h, which includes it.
 *
 *     const struct adit_route_place places[] = {
 *         {.name = "inline", .queue = here, .is_inline = true},        this thread
 *         {.name = "threads@0", .queue = near, .workers = 8, .node = 1},     a queue, and who works at it (node: 1 + the kernel's number)
 *         {.name = "processes", .queue = safe, .workers = 4},
 *     };
 *     const struct adit_router_params p = {.size = sizeof p, .places = places, .places_n = 3};
 *     struct adit_router *r;
 *     adit_router_open(a, &p, &r);
 *     adit_router_run(r, &spec, ADIT_FOR_EVER, &result);            blocks, as adit_run; or
 *     adit_router_submit(r, &spec, &routed); ... adit_router_wait(r, &routed, ADIT_FOR_EVER, &result);
 *     adit_router_explain(r, 0, &report);                          where the last one went, and why
 *
 * How a tier is chosen stands in route.h: the least of wait, hand-over, run and remote memory, all but the wait estimated by kind, size class (adit_kind_info) and tier from what was measured; so seldom otherwise, to learn, that it
 * costs a 64th of the time. A tier that hangs, fails or is stopped, after it has worked, is left after four tasks of a kind and size, if their callers do not wait for ever, and taken back when it works again; of what fails
 * wherever it is run nothing is held against any. What a router has learned is its own and ends with it.
 */
#ifndef ADIT_ROUTER_H
#define ADIT_ROUTER_H

#ifndef ADIT_API
#error "include runtime/adit.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum adit_route_policy {
    ADIT_ROUTE_ADAPTIVE,     /* who is done first */
    ADIT_ROUTE_ROUND_ROBIN,  /* tiers in turn */
    ADIT_ROUTE_LEAST_LOADED, /* the least wait, whatever it costs there; an inline tier never has any */
    ADIT_ROUTE_CAPABILITY    /* the first in order that can and has an idle worker, else the first that can; an inline tier always has */
};
/* "adaptive", "round_robin", ... -EINVAL: none of that name. And back. */
ADIT_API int adit_route_policy_named(const char *name, enum adit_route_policy *policy);
ADIT_API const char *adit_route_policy_name(enum adit_route_policy policy);

/* A tier: a queue and who works at it. */
struct adit_route_place {
    const char *name;         /* 1 to 31 bytes, copied */
    struct adit_queue *queue; /* stays open until the router is closed */
    bool is_inline;           /* run by the thread that calls, as a task of that queue; not what has to wait, or what this process does not run (adit_run) */
    uint32_t workers;         /* of the queue; default 1. One of an inline tier: each caller is its own */
    uint32_t node;            /* 1 + the node they run on; 0: anywhere */
    uint64_t kinds;           /* bits, by id: that it may be sent; default all */
};
struct adit_router_params {
    size_t size;
    const struct adit_route_place *places; /* 1 to 16, in the order of CAPABILITY */
    uint32_t places_n;
    enum adit_route_policy policy; /* default adaptive */
};
struct adit_router;
/* Makes a router between these places. -EINVAL: no places, too many, one without queue or name, or no such policy; -ENOMEM. */
ADIT_API int adit_router_open(struct adit_arena *arena, const struct adit_router_params *params, struct adit_router **out);
/* Ends it, after its last call has returned. What was submitted goes on, and is to be waited for with adit_wait. NULL is fine. */
ADIT_API void adit_router_close(struct adit_router **router);

/* Runs a task on the tier chosen, and takes its result. Any thread. -ENOTSUP: no tier may be sent its kind; else as adit_run. */
ADIT_API int adit_router_run(struct adit_router *router, const struct adit_task_spec *spec, uint64_t timeout_ns, struct adit_task_result *result);

/* A task on its way. */
struct adit_routed {
    struct adit_queue *queue;
    uint64_t task;                  /* its handle there; 0: it has ended, and this is its result */
    struct adit_task_result result;
    uint32_t ticket, serial;        /* the router's */
};
/* Submits it to the tier chosen; to the next best where that one's queue is full. Inline it is run before this returns. -ENOTSUP; -EAGAIN: all queues are full, or 4,096 tasks of this router are under way; -EINVAL: detached; else as
 * adit_submit, and for inline as adit_run, but that it does not wait for room. */
ADIT_API int adit_router_submit(struct adit_router *router, const struct adit_task_spec *spec, struct adit_routed *routed);
/* Waits for a task that was routed and takes its result, as adit_wait. Each is to be waited for here, once, by any thread; -ENOENT: it was before. Of what is waited for by adit_wait instead nothing is learned, and its place among the
 * 4,096 is found again when there is no other. -ETIMEDOUT: it goes on; if it is cancelled then, that counts as its tier's fault where it was expected sooner. */
ADIT_API int adit_router_wait(struct adit_router *router, struct adit_routed *routed, uint64_t timeout_ns, struct adit_task_result *result);

/* One decision, and what came of it. */
struct adit_route_report {
    size_t size;
    uint64_t at_ns;    /* CLOCK_MONOTONIC */
    uint32_t kind, places_n, place; /* place: index of the tier taken */
    uint64_t work;
    const char *name, *why; /* of the tier; "first done", "not measured yet", "tried again", "no other can", "policy" */
    uint64_t expected_ns;   /* wait, hand-over, run, remote; 0: not known */
    uint64_t took_ns;       /* of adit_router_run all of it, of others the run alone; 0: under way still, or nothing was learned of it */
    uint64_t finish_ns[16]; /* expected of each tier; 0: it cannot, or nothing is known */
};
/* The decision before the last `back` ones, of the last 256. -ERANGE: there is none; -EMSGSIZE. Names are valid until the router is closed. Any thread. */
ADIT_API int adit_router_explain(struct adit_router *router, uint32_t back, struct adit_route_report *report);

#ifdef __cplusplus
}
#endif

#endif
