/* segment.h - one sealed memfd of the arena: made, placed on a node, filled with pages, sealed, handed out, mapped.
 *
 *   memfd_create(HUGETLB)  --no pages-->  memfd_create + transparent huge pages where the kernel gives them
 *        |  ftruncate, set_mempolicy(BIND node), fallocate or populate, policy reset      every page is there now
 *        |  F_SEAL_SHRINK | F_SEAL_GROW                                                   it keeps its size for ever
 *        |  open(/proc/self/fd/N, O_RDONLY)                                               what consumers are given
 *        v  mmap, MADV_DONTDUMP
 *
 * Pages are placed before a descriptor leaves this process: a read-only mapper could still set the policy of absent ones.
 */
#ifndef ADIT_SEGMENT_H
#define ADIT_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

struct adit_mapping {
    uint8_t *base; /* NULL: not mapped */
    uint64_t bytes;
    int fd; /* -1: none */
    int inner_fd;      /* of a second memfd, mapped behind the first */
    uint64_t inner_at; /* where it begins, 0: there is none */
    uint32_t page_bytes;
    int32_t node;
    bool writable;
};

/* Pages wanted for a segment. */
enum adit_pages { ADIT_PAGES_SMALL, ADIT_PAGES_2M, ADIT_PAGES_1G };

/* Makes, fills and maps (read-write) a segment of bytes (rounded up to its page size into out->bytes) on node (-1: anywhere),
 * unsealed as yet. note (note_bytes long) receives one line when other pages than wanted had to do, else "". Blocks while
 * the kernel clears pages. -ENOMEM: not enough memory (detail says how much there is); other errno of the calls made. */
int adit_segment_create(const char *name, uint64_t bytes, int32_t node, enum adit_pages pages, struct adit_mapping *out,
                        char *note, uint32_t note_bytes);

/* Seals against resizing, and with no_writers against new writable mappings. */
int adit_segment_seal(const struct adit_mapping *m, bool no_writers);

/* A new descriptor of the same memory: one that cannot be mapped writable, or one that can, whichever m's own is; or -errno. The
 * kernel lets the owner of the memory have both (mode 0600): what a read-only descriptor keeps out is another user. */
int adit_segment_reopen(const struct adit_mapping *m, bool writable);
/* The same of the inner memfd. */
int adit_segment_reopen_inner(const struct adit_mapping *m, bool writable);

/* Maps a descriptor that another process handed over: it must be sealed against shrinking (else a fault could be made
 * later) and have at least a page. Takes over fd, also on failure. -EPROTO: not a segment. */
int adit_segment_map(int fd, bool writable, struct adit_mapping *out);

/* Moves inner behind outer, so that both are one mapping of one range; inner is taken over, also on failure. -errno. */
int adit_segment_join(struct adit_mapping *outer, struct adit_mapping *inner);

/* Unmaps and closes; safe on a zeroed struct with fd -1. */
void adit_segment_unmap(struct adit_mapping *m);

#endif
