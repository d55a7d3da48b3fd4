/* zygote.h - the process that forks worker processes: small, of one thread, with the kinds loaded; made once for a pool by its supervisor (supervisor.h).
 *
 *     supervisor                      zygote (the program adit-worker)                 worker (a child of it)
 *       posix_spawn  ------------->     attach bare, load the objects
 *       <----- report{0 or errno}       report
 *       wish{slot, generation} --->     fork  ---------------------------------------->  rejoin, hold alive, WARMING -> READY
 *       <----- ring (slot.ended)        reap: what became of it                          park until go; run tasks until asked to end
 *       close  ------------------->     ask all workers to end; reap them; leave
 *
 * A worker that dies costs its zygote a waitpid, a zygote that dies its pool a new one: its workers, whose parent's death is a SIGTERM, go on until those of the new one
 * take over. Everything ends when the supervisor's process dies: the zygote finds the socket closed, or gets that signal itself. While it still loads objects that process's death
 * kills it, as the code of objects may go on for ever; it has no workers then.
 */
#ifndef ADIT_ZYGOTE_H
#define ADIT_ZYGOTE_H

#include <stdint.h>

#define ADIT_ZYGOTE_FD 3       /* its end of the socket */
#define ADIT_ZYGOTE_WISHES 16u /* of one message */

/* One worker that is to be forked into a slot of the arena's table. */
struct adit_zygote_wish {
    uint32_t slot, generation;
};
/* What the zygote says once, before it can be asked for anything. */
struct adit_zygote_report {
    int32_t error; /* 0, or a negative errno and why */
    char why[508];
};

/* Places of its arguments, numbers all but the first; the objects follow. PARENT: the pid of the application; CONFINE: enum adit_confine; BACKGROUND: 0, 1; TASKS, AGE, BYTES: when workers are worn (wear.h). */
enum adit_zygote_word { ADIT_ZYGOTE_ARENA = 1, ADIT_ZYGOTE_ROLE, ADIT_ZYGOTE_QUEUE, ADIT_ZYGOTE_SLOT, ADIT_ZYGOTE_PARENT, ADIT_ZYGOTE_CONFINE, ADIT_ZYGOTE_BACKGROUND, ADIT_ZYGOTE_TASKS, ADIT_ZYGOTE_AGE, ADIT_ZYGOTE_BYTES,
                        ADIT_ZYGOTE_WORDS };

/* The program, the socket on ADIT_ZYGOTE_FD. Returns its exit status. */
int adit_zygote_main(int argc, char **argv);

#endif
