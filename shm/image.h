/* image.h - an arena in a file: all its segments as they were at one time, to be looked at later or elsewhere.
 *
 *   | struct adit_image_head | up to 4 KiB | control segment | data segment 1 | ... |      zero pages are holes in the file
 *
 * Saving reads as an observer does, while others may go on: the control segment first, then data, then the control segment again.
 * If that is as before, the image is of one moment; else is_moving is set, and what an image says may contradict itself.
 * Opening maps the file privately and read-only and adopts it as attach does (every table is checked), so a damaged image gives
 * an error and a hostile one leads nowhere. A file that somebody cuts while it is open is a fault, as of any mapped file.
 */
#ifndef ADIT_IMAGE_H
#define ADIT_IMAGE_H

#include "shm/arena.h"

#ifndef ADIT_API
#define ADIT_API __attribute__((visibility("default")))
#endif

#define ADIT_IMAGE_MAGIC 0x31474d4954494441ull /* "ADITIMG1" */

struct adit_image_head {
    uint64_t magic;
    uint64_t signature; /* adit_control_signature: the same layout on both sides */
    uint64_t file_bytes;
    uint64_t saved_wall_ns, saved_ns; /* CLOCK_REALTIME; CLOCK_MONOTONIC, as all times in the arena */
    uint32_t segments_n;
    uint32_t is_moving; /* others worked on the arena while it was saved */
    struct {
        uint64_t at, bytes;
    } segments[ADIT_SEGMENTS_MAX];
    uint64_t check; /* FNV-1a of the words before */
};
_Static_assert(sizeof(struct adit_image_head) == 312, "the head of an image");

/* Public: see runtime/adit.h. */
ADIT_API int adit_image_save(const struct adit_arena *arena, const char *path);
ADIT_API int adit_image_open(const char *path, struct adit_arena **out);
ADIT_API uint64_t adit_image_moment(const struct adit_arena *arena, uint64_t *wall_ns);

/* Whether the file at path begins like an image. */
ADIT_API bool adit_image_is(const char *path);

#endif
