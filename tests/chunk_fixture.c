#include "tests/chunk_fixture.h"

#include <string.h>

struct adit_arena *fixture_create(const struct adit_create_params *params)
{
    return shm_fixture_create(FIXTURE_NAME, params, params ? params->data_bytes : 16u << 20);
}

static uint32_t *starts; /* how often fixture_start was called; shared with children */

struct errand {
    void (*work)(void *user);
    void *user;
    uint32_t start;
};

static void wait_and_work(void *user)
{
    struct errand *e = user;
    shm_fixture_until(starts, e->start);
    e->work(e->user);
}

pid_t fixture_fork(void (*work)(void *user), void *user)
{
    if (!starts)
        starts = shm_fixture_shared(sizeof *starts);
    return shm_fixture_fork(wait_and_work, &(struct errand){work, user, *starts + 1});
}

void fixture_start(void) { __atomic_add_fetch(starts, 1, __ATOMIC_SEQ_CST); }

bool fixture_eventually(bool (*is)(void *user), void *user)
{
    for (int i = 0; i < 6000 && !is(user); i++)
        shm_fixture_nap(5);
    return is(user);
}

uint64_t fixture_mix(uint64_t seed) { return shm_fixture_random(&(uint64_t){seed * 0x9e3779b97f4a7c15ull + 1}); }

void fixture_paint(uint64_t seed, uint16_t *voxels)
{
    uint32_t kinds = seed % 2 ? 1 + (uint32_t)(seed % 14) : 300, salt = (uint32_t)fixture_mix(seed);
    memset(voxels, 0, ADIT_CHUNK_VOXELS * sizeof *voxels);
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS && seed; i++) {
        uint32_t x = i & 63, y = i >> 6 & 63, z = i >> 12;
        if (((x * 3 + y + z * 5 + salt % 64) & 63) < 20 + (salt >> 8) % 24)
            voxels[i] = (uint16_t)(10 + (x / 3 + z * 7 + y * 5 + (salt >> 16) % 100) % kinds);
    }
}

struct adit_stats fixture_stats(struct adit_arena *arena)
{
    struct adit_stats s = {.size = sizeof s};
    assert_int_equal(adit_stats(arena, &s), 0);
    return s;
}

bool fixture_is_tidy(void *arena)
{
    struct adit_stats s = fixture_stats(arena);
    uint64_t free_bytes = 0, bytes = 0, published = 0, other = 0;
    for (uint32_t i = 1; i < s.segments_n; i++) {
        bytes += s.segments[i].bytes;
        free_bytes += s.segments[i].free_bytes;
        published += s.segments[i].published_bytes;
        other += s.segments[i].loaned_bytes + s.segments[i].retired_bytes;
    }
    return !other && published == s.version_bytes + s.mesh_bytes && free_bytes + published == bytes;
}

bool fixture_is_alone(void *arena) { return fixture_stats(arena).participants == 1; }
