/* witness.h - a consumer that checks all it is told of: nothing torn, nothing old after new, meshes that match voxels.
 *
 * For each change that its watch reports the witness enters a section, acquires what is current, and looks at it in
 * place:
 *   a version   bytes are those that were published (hash); its number never goes back; voxels that are not air are as
 *               many as the head says
 *   a mesh      bytes as published; serial and source version never go back; the areas of its quads sum to its faces;
 *               where the version at hand is the one the mesh names, each quad's corners have the quad's material
 * The first fault is kept in words, all are counted. Times from publishing to holding go into two histograms: of
 * versions, and of meshes (from the newest version in them). What was there before the witness came is not timed.
 */
#ifndef ADIT_WITNESS_H
#define ADIT_WITNESS_H

#include <stdint.h>

#include "runtime/adit.h"
#include "tools/latency.h"

struct adit_witness {
    struct adit_arena *arena;
    struct adit_reader *reader;
    struct adit_watch *watch;
    uint64_t opened_ns;
    uint64_t events, versions, meshes; /* looked at */
    uint64_t torn, backward, wrong;    /* faults: bytes changed; old after new; contents disagree */
    char fault[256];                   /* the first of them */
    void *seen;                        /* tsearch tree of what was seen of each key */
    uint16_t *voxels;                  /* of the version at hand, when voxels_version is not 0 */
    uint64_t voxels_version;
    struct adit_latency version_latency, mesh_latency;
    struct { /* what the last step saw; version 0: no version is there, serial 0: no mesh */
        uint64_t version, serial;
        uint32_t solid, quads;
    } last;
};

/* Opens a reader and a watch over everything in arena. 0 or a negative errno (adit_detail says more); *out is NULL
 * then. */
int adit_witness_open(struct adit_arena *arena, struct adit_witness **out);
void adit_witness_close(struct adit_witness **witness);

/* Waits up to timeout_ns for a change and looks at it; event (may be NULL) tells which. 0; -EAGAIN or -ETIMEDOUT when
 * there was none; -EINTR when a signal came; -ENOMEM. Faults are counted, they are not errors. */
int adit_witness_step(struct adit_witness *witness, uint64_t timeout_ns, struct adit_watch_event *event);

static inline uint64_t adit_witness_faults(const struct adit_witness *w)
{
    return w->torn + w->backward + w->wrong;
}

#endif
