#include "runtime/share_log.h"

#include <errno.h>

void adit_share_log_init(struct adit_share_log *log) { pthread_mutex_init(&log->lock, NULL); }
void adit_share_log_fini(struct adit_share_log *log) { pthread_mutex_destroy(&log->lock); }

void adit_share_log_tell(struct adit_share_log *log, const struct adit_share_report *report)
{
    pthread_mutex_lock(&log->lock);
    const struct adit_share_report *before = &log->last[(log->told + ADIT_SHARE_LOG_MAX - 1) % ADIT_SHARE_LOG_MAX];
    if (report->taken || !log->told || before->taken || before->why != report->why)
        log->last[log->told++ % ADIT_SHARE_LOG_MAX] = *report;
    pthread_mutex_unlock(&log->lock);
}

int adit_share_log_get(struct adit_share_log *log, uint32_t back, struct adit_share_report *out)
{
    pthread_mutex_lock(&log->lock);
    bool is_there = back < ADIT_SHARE_LOG_MAX && back < log->told;
    if (is_there)
        *out = log->last[(log->told - 1 - back) % ADIT_SHARE_LOG_MAX];
    pthread_mutex_unlock(&log->lock);
    return is_there ? 0 : -ERANGE;
}
