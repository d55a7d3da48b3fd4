/* relook.c - bounded: who is ousted a hundred times in a row is too slow for what is being written. */
#include "tools/relook.h"

#include <errno.h>

int adit_relook(struct adit_reader *reader, int (*look)(struct adit_reader *reader, void *user), void (*undo)(void *user),
                void *user)
{
    for (uint32_t i = 0; i < ADIT_RELOOK_MAX; i++) {
        adit_enter(reader);
        int status = look(reader, user);
        if (!adit_exit(reader))
            return status;
        if (undo)
            undo(user);
    }
    return -ESTALE;
}
