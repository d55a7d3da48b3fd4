#include "runtime/wear.h"

#include <unistd.h>

#include "shm/os.h"

bool adit_wear_is_limited(const struct adit_wear_limits *limits) { return limits->tasks || limits->age_ns || limits->bytes; }

bool adit_wear_is_over(const struct adit_wear_limits *limits, uint64_t tasks, uint64_t born_ns)
{
    return (limits->tasks && tasks >= limits->tasks) || (limits->age_ns && adit_clock_ns() - born_ns >= limits->age_ns);
}

void adit_wear_begin(struct adit_wear *wear, const struct adit_wear_limits *limits)
{
    *wear = (struct adit_wear){.limits = *limits, .born_ns = adit_clock_ns(), .memory_fd = -1};
    if (limits->bytes)
        wear->memory_fd = adit_process_memory_open((uint32_t)getpid());
}

bool adit_wear_has_come(const struct adit_wear *wear, uint64_t tasks)
{
    return adit_wear_is_over(&wear->limits, tasks, wear->born_ns) || (wear->memory_fd >= 0 && adit_process_memory(wear->memory_fd) > wear->limits.bytes);
}
