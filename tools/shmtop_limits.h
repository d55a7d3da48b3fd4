/* shmtop_limits.h - from where on shmtop alerts: what limits there are, and the file that sets them.
 *
 *     # ~/.config/adit/shmtop.conf
 *     reader_held = 64 MiB
 *     queue_wait = 1.5 s
 *     tiers_off = off          no alert of that
 *
 * Lines are NAME = VALUE UNIT, or empty, or comments from a # on. Units: B, KiB, MiB, GiB, TiB of bytes; ns, us, ms, s, min, h of times; % of shares, which may also be left out; none of numbers. The file is
 * that of --config, else $XDG_CONFIG_HOME/adit/shmtop.conf, else ~/.config/adit/shmtop.conf; where that is not there, limits are as built.
 */
#ifndef ADIT_SHMTOP_LIMITS_H
#define ADIT_SHMTOP_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum shmtop_limit {
    SHMTOP_READER_HELD,
    SHMTOP_QUEUE_WAIT,
    SHMTOP_MESH_WAIT,
    SHMTOP_FRAMES_DROPPED,
    SHMTOP_TIERS_OFF,
    SHMTOP_PARTICIPANT_LOST,
    SHMTOP_MEMORY_USED,
    SHMTOP_LIMITS
};
enum shmtop_measure { SHMTOP_IN_BYTES, SHMTOP_IN_NS, SHMTOP_IN_PERCENT, SHMTOP_IN_NUMBERS };

struct shmtop_limit_about {
    const char *name;
    enum shmtop_measure measure;
    uint64_t built;   /* the limit without a file */
    uint64_t most;    /* that a file may say; the least is 1 */
    const char *text; /* what is measured: one sentence, for help and manual */
    const char *cure; /* what to do when it is reached: one sentence */
};
extern const struct shmtop_limit_about shmtop_limit_about[SHMTOP_LIMITS];

#define SHMTOP_LIMIT_OFF 0 /* a limit that is never reached */

struct shmtop_limits {
    uint64_t at[SHMTOP_LIMITS];    /* in bytes, ns, percent, numbers */
    bool is_set[SHMTOP_LIMITS];    /* by the file */
    char file[128];                /* its path, printable; "": there is none */
};

/* As built. */
void shmtop_limits_init(struct shmtop_limits *limits);
/* Lines of f into limits, which were set up. False: error says in one line what is wrong, in which line of what path, and what would be right. */
bool shmtop_limits_read(FILE *f, const char *path, struct shmtop_limits *limits, char *error, size_t error_bytes);
/* The file of --config, or with NULL that of the user, if there is one. False: the line in error. */
bool shmtop_limits_load(const char *path, struct shmtop_limits *limits, char *error, size_t error_bytes);

/* A value of that measure as people read it: "64.0 MiB", "1.00 s", "90 %", "1,234". Returns out. */
char *shmtop_limit_text(enum shmtop_measure measure, uint64_t value, char *out, size_t bytes);
/* "bytes", "ns", "percent", "number". */
const char *shmtop_measure_name(enum shmtop_measure measure);

#endif
