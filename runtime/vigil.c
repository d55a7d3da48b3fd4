/* Between two looks the clock may jump by any amount, as the process was not running; a look that lasted longer than it was asked to counts as one, because nothing
 * says for how much of it the device could work. */
#include "runtime/vigil.h"

#include "shm/shm.h"

struct adit_vigil adit_vigil_begin(uint64_t since_ns, uint64_t most_ns)
{
    return (struct adit_vigil){.over_ns = since_ns + most_ns, .looked_ns = adit_clock_ns(), .owed_ns = most_ns / 4};
}

bool adit_vigil_goes_on(struct adit_vigil *v)
{
    uint64_t now_ns = adit_clock_ns(), look_ns = now_ns - v->looked_ns;
    look_ns = look_ns < ADIT_VIGIL_LOOK_NS ? look_ns : ADIT_VIGIL_LOOK_NS;
    v->owed_ns -= look_ns < v->owed_ns ? look_ns : v->owed_ns;
    v->looked_ns = now_ns;
    return now_ns < v->over_ns || v->owed_ns;
}
