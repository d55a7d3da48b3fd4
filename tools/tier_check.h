/* tier_check.h - the self-test of a tier: it meshes chunks of every kind, and must give the bytes that are stored here.
 *
 *     const struct adit_tier_subject subject = {.user = &kernel, .mesh = adit_tier_kernel_mesh, .at_once = 1};
 *     char why[128];
 *     int error = adit_tier_check(&subject, chunks, why, sizeof why);        -EILSEQ: "wrong bytes (chunk 7: terrain 3,0,1; quad 12)"
 *
 * What is stored is a hash of each mesh, of the scalar kernel; so the scalar kernel is checked, too, and the rest is compared with bytes that no
 * kernel of this build had a part in. Where the scalar kernel is right, it says which quad of the other is wrong.
 */
#ifndef ADIT_TIER_CHECK_H
#define ADIT_TIER_CHECK_H

#include "tools/tier_chunks.h"

/* Meshes chunks [first, first + n) into results, whose quads stay until the next call. 0, or a negative errno: it cannot. */
typedef int adit_tier_mesh(void *user, const struct adit_tier_chunks *chunks, uint32_t first, uint32_t n, struct adit_mesh_result *results);

struct adit_tier_subject {
    void *user;
    adit_tier_mesh *mesh;
    uint32_t at_once; /* chunks of a call, to ADIT_TIER_VARIED */
};

/* chunks: of adit_tier_chunks_varied. 0; -EILSEQ: wrong bytes; what mesh says; -ENOMEM; -EINTR: adit_interrupt_is_set. why: the reason, or "". */
int adit_tier_check(const struct adit_tier_subject *subject, const struct adit_tier_chunks *chunks, char *why, size_t why_bytes);

/* A kernel as a subject: user is one of these, with room of its own. at_once 1. */
struct adit_tier_kernel_user {
    adit_mesh_kernel *kernel;
    struct adit_tier_scratch *scratch;
};
adit_tier_mesh adit_tier_kernel_mesh;

/* The hash that is stored of a mesh, for the test that holds the stored ones to the kernels. */
uint64_t adit_tier_mesh_hash(const struct adit_mesh_result *result);
#endif
