/* share_log.h - what a device was given lately, and why: the last 64 decisions of its thread, for adit_dispatcher_explain. One that is like the one before, and gives nothing, is not told again. */
#ifndef ADIT_SHARE_LOG_H
#define ADIT_SHARE_LOG_H

#include <pthread.h>

#include "runtime/adit.h"

#define ADIT_SHARE_LOG_MAX 64u

struct adit_share_log {
    pthread_mutex_t lock;
    uint64_t told;
    struct adit_share_report last[ADIT_SHARE_LOG_MAX];
};

void adit_share_log_init(struct adit_share_log *log);
void adit_share_log_fini(struct adit_share_log *log);
/* By the device's thread. */
void adit_share_log_tell(struct adit_share_log *log, const struct adit_share_report *report);
/* The one before the last `back`. -ERANGE: there is none. Any thread. */
int adit_share_log_get(struct adit_share_log *log, uint32_t back, struct adit_share_report *out);

#endif
