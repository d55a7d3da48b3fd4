/* stats_listen.h - a small HTTP listener for Prometheus: /metrics of one arena (`adit stats NAME --listen PORT`).
 *
 * Source: Prometheus, "Exposition formats", text 0.0.4; RFC 9110 for 404, 405 with Allow, 503. By libmicrohttpd, which is opened when it is asked for: it brings thirteen libraries along, which
 * would cost each start of adit a millisecond.
 */
#ifndef ADIT_STATS_LISTEN_H
#define ADIT_STATS_LISTEN_H

#include "tools/stats_source.h"

/* Serves until SIGINT or SIGTERM; says on stdout where, once it does. where: PORT on 127.0.0.1, or ADDRESS:PORT, [ADDRESS]:PORT, in numbers; port 0: the kernel chooses one. Returns an exit
 * code; an error is one line. */
int adit_stats_listen_run(struct adit_stats_source *source, const char *where);

#endif
