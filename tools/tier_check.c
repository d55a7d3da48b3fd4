#include "tools/tier_check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "tools/interrupt.h"

/* adit_tier_mesh_hash of the meshes of adit_tier_chunks_varied, by the scalar kernel. */
static const uint64_t stored[ADIT_TIER_VARIED] = {
    0x4230ac368842da9au, 0x358365e68c41e4d0u, 0x2c1e0b97a79d5568u, 0x10d64948994d0fe5u, 0xf7bcb091b5858527u, 0xf354b4034dfecf44u,
    0x672d15b67df33656u, 0x9fdb7693ea338c13u, 0x419e237f31408f7cu, 0xf4fa8e009c73df27u, 0x5706ff09319820b0u, 0x6822f9708457ec56u,
    0x110fb0ae0c9c2e85u, 0xf354b4034dfecf44u, 0x09e399e3520f55f3u, 0xd9f4ba6e2c4375e5u, 0x7cc91ef94282c1feu, 0xe9cbbb5a420b4505u,
    0x4644ccf57d53741bu, 0xa4c6e77f68840564u, 0xac491752fb931e7au, 0x1d7937a555ef181eu, 0xa5888f4aec3fdf6cu, 0xb5621e67dc5f69f3u,
    0xc88d9e2f76787f19u, 0x82d1f9d95688d380u, 0xa23cb1f8d5754114u, 0x54cb121cc63a1160u, 0xe38545840082d921u, 0x19c2c6adadbcaab2u,
    0xe63f2b1faa5460dfu, 0xf354b4034dfecf44u, 0x4b883cb10a59baaau, 0x0bc712562222b797u, 0xc5d7da702862ab8du, 0x7071ea9491d23f44u,
    0x960cdc868f07d636u, 0xf354b4034dfecf44u, 0xd4c0a000b8dbb0a4u, 0x2685e49c58d1297au, 0xab6010c0c0d53ff3u, 0x93283f3007598089u,
    0xef779bd70c3f6303u, 0x5b1e16261f6c427cu, 0xe0ffceb628c26489u, 0xa81f42437040631au, 0x1869a65600b684bcu, 0x7968675b28eef466u,
};
uint64_t adit_tier_mesh_hash(const struct adit_mesh_result *r)
{
    uint8_t bounds[6];
    memcpy(bounds, r->bounds_lo, 3);
    memcpy(bounds + 3, r->bounds_hi, 3);
    uint64_t hash = XXH3_64bits_withSeed(bounds, sizeof bounds, r->faces);
    hash = XXH3_64bits_withSeed(r->start, sizeof r->start, hash);
    return XXH3_64bits_withSeed(r->quads, r->start[ADIT_MESH_RANGES] * sizeof *r->quads, hash);
}

int adit_tier_kernel_mesh(void *user, const struct adit_tier_chunks *chunks, uint32_t first, uint32_t n, struct adit_mesh_result *results)
{
    const struct adit_tier_kernel_user *u = user;
    int error = n == 1 ? 0 : -EINVAL; /* there is one scratch */
    return error ? error : adit_tier_chunk_mesh(chunks, first, u->kernel, u->scratch, results);
}

/* What is wrong with got: the first quad that differs from the scalar kernel's, or that there is another number of them. */
static void difference_say(const struct adit_tier_chunks *chunks, uint32_t i, const struct adit_mesh_result *got, char *why, size_t bytes)
{
    struct adit_tier_scratch *scratch = aligned_alloc(64, sizeof *scratch);
    struct adit_mesh_result want;
    uint32_t n = got->start[ADIT_MESH_RANGES], quad = 0;
    int said = snprintf(why, bytes, "wrong bytes (chunk %u: %s", i, chunks->chunk[i].what);
    size_t at = said < 0 ? 0 : (size_t)said < bytes ? (size_t)said : bytes - 1;
    if (!scratch || adit_tier_chunk_mesh(chunks, i, adit_mesh_scalar, scratch, &want) ||
        adit_tier_mesh_hash(&want) != stored[i]) {
        snprintf(why + at, bytes - at, ")"); /* nothing to compare with */
    } else {
        uint32_t wanted = want.start[ADIT_MESH_RANGES], both = n < wanted ? n : wanted;
        while (quad < both && got->quads[quad] == want.quads[quad])
            quad++;
        if (quad < both)
            snprintf(why + at, bytes - at, "; quad %u is %016llx, not %016llx)", quad, (unsigned long long)got->quads[quad],
                     (unsigned long long)want.quads[quad]);
        else if (n != wanted)
            snprintf(why + at, bytes - at, "; %u quads, not %u)", n, wanted);
        else
            snprintf(why + at, bytes - at, "; its ranges, bounds or faces)");
    }
    free(scratch);
}

/* Meshes and judges chunks [first, first + n). */
static int check_some(const struct adit_tier_subject *s, const struct adit_tier_chunks *chunks, uint32_t first, uint32_t n, char *why, size_t bytes)
{
    struct adit_mesh_result results[ADIT_TIER_VARIED];
    int error = s->mesh(s->user, chunks, first, n, results);
    if (error) {
        snprintf(why, bytes, "it cannot mesh chunk %u (%s): %s", first, chunks->chunk[first].what, strerror(-error));
        return error;
    }
    for (uint32_t i = 0; i < n; i++)
        if (results[i].start[ADIT_MESH_RANGES] > ADIT_MESH_QUADS_MAX || adit_tier_mesh_hash(&results[i]) != stored[first + i]) {
            difference_say(chunks, first + i, &results[i], why, bytes);
            return -EILSEQ;
        }
    return 0;
}

int adit_tier_check(const struct adit_tier_subject *s, const struct adit_tier_chunks *chunks, char *why, size_t why_bytes)
{
    uint32_t at_once = s->at_once < ADIT_TIER_VARIED ? s->at_once : ADIT_TIER_VARIED;
    int error = 0;
    *why = 0;
    for (uint32_t i = 0; i < chunks->n && !error; i += at_once) {
        if (adit_interrupt_is_set())
            error = -EINTR;
        else
            error = check_some(s, chunks, i, chunks->n - i < at_once ? chunks->n - i : at_once, why, why_bytes);
    }
    return error;
}
