/* runner.h - runs one scene in a process of its own, so that nothing a scene does (maps, pins, registers, crashes)
 * reaches the next one or the report.
 */
#ifndef PERF_RUNNER_H
#define PERF_RUNNER_H

#include "perf/scenes.h"

/* Readies signals, a folder for the sockets of the scenes' arenas (XDG_RUNTIME_DIR points to it from here on), and the
 * shared list of figures. Returns the list, or NULL with errno. Call once, before any scene. */
struct figure_list *runner_init(void);

/* Removes that folder. */
void runner_fini(void);

/* Runs the scene and waits for it; its figures are appended to the list. A scene that dies, fails or outlasts its limit
 * leaves a failed figure; one that needs more CPUs than there are, a skipped one. Returns 0, or -EINTR when the user
 * asked to stop (SIGINT, SIGTERM, SIGHUP): the scene and its partners are gone then. */
int runner_run(const struct machine *machine, const struct scene *scene, struct figure_list *list, bool is_short);

#endif
