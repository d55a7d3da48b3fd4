/* spawned.h - a program run by a test: what it prints is kept, and it ends before its deadline or is killed.
 *
 *     char *argv[] = {"adit", "ls", NULL};
 *     struct spawned run;
 *     spawned_run("bin/adit", argv, &run);      // waits
 *     assert_int_equal(run.exit_code, 0);
 *     spawned_free(&run);
 *
 * Programs are named from the folder of the variant that the test belongs to (build/release, build/asan, ...), which
 * is found from where the test itself lies.
 */
#ifndef ADIT_TESTS_SPAWNED_H
#define ADIT_TESTS_SPAWNED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SPAWNED_DEADLINE_MS 60000

struct spawned {
    pid_t pid;
    int out_fd, err_fd; /* unlinked files that take stdout and stderr */
    int exit_code;      /* 128 + the signal when one killed it */
    char *out, *err;    /* after the end: all of it, never NULL */
};

/* PATH of program ("bin/adit") in this variant, kept until the next call. */
const char *spawned_path(const char *program);

/* Starts a program; stdin is /dev/null. Fails the test when that cannot be done. */
void spawned_start(const char *program, char *const *argv, struct spawned *run);
/* Waits for its end; kills it at the deadline and fails the test. */
void spawned_wait(struct spawned *run);
void spawned_run(const char *program, char *const *argv, struct spawned *run);
void spawned_free(struct spawned *run);

/* What it has printed on stdout so far contains text: waits for it up to the deadline. */
bool spawned_says(struct spawned *run, const char *text);

/* A child of process parent whose command line contains word; 0 when there is none. */
pid_t spawned_child_of(pid_t parent, const char *word);

/* Makes a folder of this test's own, makes it XDG_RUNTIME_DIR, and returns its name; removes it with all in it. */
const char *spawned_home_make(void);
void spawned_home_remove(void);
/* NAME in the home, in one of four buffers used by turns. */
char *spawned_file(const char *name);
/* Files in the folder of that name in the home whose names contain part ("" all); 0 when there is no such folder. */
int spawned_files_count(const char *folder, const char *part);

#endif
