#include "shm/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shm/fault.h"
#include "shm/os.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#define MFD_PAGE_SHIFT 26 /* MFD_HUGE_SHIFT of memfd_create(2) */

/* Fills a hugetlb segment: fallocate takes the pages of the bound node or fails with ENOSPC, never later. */
static int fill_huge(const struct adit_mapping *m)
{
    return fallocate(m->fd, 0, 0, (off_t)m->bytes) ? -errno : 0;
}

/* Fills a shmem segment through its mapping, so that transparent huge pages can serve; then makes sure with fallocate. */
static int fill_small(const struct adit_mapping *m)
{
    if (!adit_os_is_disabled("hugepages"))
        (void)madvise(m->base, m->bytes, MADV_HUGEPAGE);
    for (uint64_t at = 0; at < m->bytes; at += 64u << 20) { /* by parts: a signal can get in between */
        uint64_t part = m->bytes - at < (64u << 20) ? m->bytes - at : 64u << 20;
        if (madvise(m->base + at, part, MADV_POPULATE_WRITE) && errno != EINVAL)
            return -ENOMEM;
    }
    return fallocate(m->fd, 0, 0, (off_t)m->bytes) ? -errno : 0;
}

static int map_shared(struct adit_mapping *m)
{
    void *p = mmap(NULL, m->bytes, PROT_READ | (m->writable ? PROT_WRITE : 0), MAP_SHARED | MAP_NORESERVE, m->fd, 0);
    if (p == MAP_FAILED)
        return -errno;
    m->base = p;
    (void)madvise(p, m->bytes, MADV_DONTDUMP); /* a core dump of the arena would delay the notice of a death by 0.7 s */
    return 0;
}

/* One try with pages of page_bytes. */
static int create_with(const char *name, uint64_t bytes, int32_t node, uint32_t page_bytes, struct adit_mapping *m)
{
    unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    if (page_bytes > 4096)
        flags |= MFD_HUGETLB | (unsigned)__builtin_ctz(page_bytes) << MFD_PAGE_SHIFT;
    *m = (struct adit_mapping){.fd = memfd_create(name, flags), .page_bytes = page_bytes, .node = node, .writable = true};
    m->bytes = (bytes + page_bytes - 1) / page_bytes * page_bytes;
    if (m->fd < 0)
        return -errno;
    struct adit_numa_policy before;
    int error = fchmod(m->fd, 0600) || ftruncate(m->fd, (off_t)m->bytes) ? -errno : map_shared(m);
    bool bound = !error && node >= 0 && !(error = adit_numa_bind(node, &before));
    if (!error)
        error = page_bytes > 4096 ? fill_huge(m) : fill_small(m);
    if (bound)
        adit_numa_restore(&before);
    if (error)
        adit_segment_unmap(m);
    return error;
}

/* That pages of the wanted size were not to be had, and what there is instead. */
static void note_shortage(const char *name, uint64_t bytes, int32_t node, enum adit_pages wanted, enum adit_pages got, int error,
                          char *note, uint32_t note_bytes)
{
    bool large = wanted == ADIT_PAGES_1G;
    snprintf(note, note_bytes, "%s: %s pages, no room in %s pages for %llu MiB%s (%s); reserve them with %s", name,
             got == ADIT_PAGES_2M ? "2 MiB" : "4 KiB", !large ? "2 MiB" : got == ADIT_PAGES_2M ? "1 GiB" : "1 GiB or 2 MiB",
             (unsigned long long)(bytes >> 20), node >= 0 ? " on its node" : "", strerror(-error),
             large ? "hugepagesz=1G hugepages=N at boot" : "vm.nr_hugepages");
}

int adit_segment_create(const char *name, uint64_t bytes, int32_t node, enum adit_pages pages, struct adit_mapping *out,
                        char *note, uint32_t note_bytes)
{
    static const uint32_t page_bytes_of[] = {4096, 2u << 20, 1u << 30};
    *note = 0;
    *out = (struct adit_mapping){.fd = -1};
    if (pages != ADIT_PAGES_SMALL && adit_os_is_disabled("hugepages")) {
        snprintf(note, note_bytes, "%s: 4 KiB pages (hugepages are switched off by ADIT_DISABLE)", name);
        pages = ADIT_PAGES_SMALL;
    }
    enum adit_pages wanted = pages;
    for (int error = 0; pages > ADIT_PAGES_SMALL; pages--) {
        int failed = error;
        error = create_with(name, bytes, node, page_bytes_of[pages], out);
        if (!error) {
            if (pages != wanted)
                note_shortage(name, bytes, node, wanted, pages, failed, note, note_bytes);
            return 0;
        }
        note_shortage(name, bytes, node, wanted, ADIT_PAGES_SMALL, error, note, note_bytes);
    }
    uint64_t available = adit_memory_available_bytes(), near = node >= 0 ? adit_numa_available_bytes(node) : UINT64_MAX;
    available = near < available ? near : available;
    if (bytes > available - available / 16)
        return adit_fault(-ENOMEM, "%s: %llu MiB wanted, %llu MiB of memory available%s; ask for a smaller arena", name,
                          (unsigned long long)(bytes >> 20), (unsigned long long)(available >> 20),
                          near == available ? " on its node" : "");
    int error = create_with(name, bytes, node, 4096, out);
    if (error)
        return adit_fault(error == -ENOSPC ? -ENOMEM : error, "%s: cannot allocate %llu MiB%s: %s", name,
                          (unsigned long long)(bytes >> 20), node >= 0 ? " on its node" : "", strerror(-error));
    return 0;
}

int adit_segment_seal(const struct adit_mapping *m, bool no_writers)
{
    int seals = F_SEAL_SHRINK | F_SEAL_GROW | (no_writers ? F_SEAL_FUTURE_WRITE : 0);
    return fcntl(m->fd, F_ADD_SEALS, seals) || (m->inner_at && fcntl(m->inner_fd, F_ADD_SEALS, seals)) ? -errno : 0;
}

static int reopen(int memory, bool writable)
{
    char path[40];
    snprintf(path, sizeof path, "/proc/thread-self/fd/%d", memory);
    int fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int adit_segment_reopen(const struct adit_mapping *m, bool writable) { return reopen(m->fd, writable); }
int adit_segment_reopen_inner(const struct adit_mapping *m, bool writable) { return reopen(m->inner_fd, writable); }

int adit_segment_join(struct adit_mapping *outer, struct adit_mapping *inner)
{
    uint64_t bytes = outer->bytes + inner->bytes;
    uint8_t *place = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    int error = place == MAP_FAILED ? -errno : 0;
    const int flags = MREMAP_MAYMOVE | MREMAP_FIXED; /* over the reserved range: nobody else can get in between */
    if (!error && (mremap(outer->base, outer->bytes, outer->bytes, flags, place) == MAP_FAILED ||
                   (outer->base = place, mremap(inner->base, inner->bytes, inner->bytes, flags, place + outer->bytes) == MAP_FAILED))) {
        error = -errno;
        (void)munmap(place + (outer->base == place ? outer->bytes : 0), outer->base == place ? inner->bytes : bytes);
    }
    if (error) {
        adit_segment_unmap(inner);
        return error;
    }
    outer->inner_fd = inner->fd;
    outer->inner_at = outer->bytes;
    outer->bytes = bytes;
    *inner = (struct adit_mapping){.fd = -1};
    return 0;
}

int adit_segment_map(int fd, bool writable, struct adit_mapping *out)
{
    struct stat s;
    *out = (struct adit_mapping){.fd = fd, .node = -1, .writable = writable};
    int seals = fcntl(fd, F_GET_SEALS);
    int error = 0;
    if (seals < 0 || !(seals & F_SEAL_SHRINK) || fstat(fd, &s) || s.st_size < 4096)
        error = -EPROTO;
    if (!error) {
        out->bytes = (uint64_t)s.st_size;
        error = map_shared(out);
    }
    if (error)
        adit_segment_unmap(out);
    return error;
}

void adit_segment_unmap(struct adit_mapping *m)
{
    if (m->base)
        (void)munmap(m->base, m->bytes);
    if (m->fd >= 0)
        (void)close(m->fd);
    if (m->inner_at)
        (void)close(m->inner_fd);
    *m = (struct adit_mapping){.fd = -1};
}
