/* crew.h - the processes that `adit run` starts: spawned from this very program, watched, and ended with it.
 *
 * A member is spawned -> ready -> (producers: done), (consumers: caught up -> done), and then ends by itself. One that
 * ends without having said done or error is *lost*: killed, or crashed. Losing it is noticed when its tether closes.
 */
#ifndef ADIT_CREW_H
#define ADIT_CREW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tools/tether.h"

#define ADIT_CREW_MAX 256

struct adit_crew_member {
    pid_t pid;
    char label[24]; /* "producer 2" */
    struct adit_tether tether;
    bool ready, caught_up, ended, lost;
    char **argv; /* what it was started with */
    uint32_t drawn, drawn_of; /* parts of the picture, 0 of 0 before it says so */
    json_t *done;   /* its figures, NULL until it is done */
    char *error;    /* its own line of error, NULL if there was none */
    int error_exit; /* and the exit code it wished for */
    int wait_status;
};

struct adit_crew {
    struct adit_crew_member member[ADIT_CREW_MAX];
    uint32_t count;
};

/* Spawns `adit ARGV...` with the tether's descriptor; argv ends with NULL and argv[0] is the subcommand. 0 or a negative
 * errno. */
int adit_crew_spawn(struct adit_crew *crew, const char *label, char *const *argv);

/* Starts a member that has ended once more, as if it had never been. 0 or a negative errno. */
int adit_crew_restart(struct adit_crew *crew, uint32_t index);

/* Takes in what members say, waiting up to timeout_ms for something, and notices who has ended. */
void adit_crew_pump(struct adit_crew *crew, int timeout_ms);

/* Sends {"do": what} to members first .. first + count - 1. */
void adit_crew_tell(struct adit_crew *crew, uint32_t first, uint32_t count, const char *what);

/* The first member that is lost or has said an error, NULL when all is well. */
const struct adit_crew_member *adit_crew_failure(const struct adit_crew *crew);
uint32_t adit_crew_lost(const struct adit_crew *crew);

/* How a lost member ended, in words: "was killed by signal 9 (Killed)". */
char *adit_crew_how_lost(const struct adit_crew_member *member, char *out, size_t bytes);

/* Ends all that still run: SIGTERM, a second and a half, SIGKILL. Removes what a killed one may have left of its output files
 * (outputs: NULL-terminated paths). Frees everything. */
void adit_crew_end(struct adit_crew *crew, const char *const *outputs);

#endif
