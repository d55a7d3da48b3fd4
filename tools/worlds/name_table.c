/* name_table.c - the slots are a power of two at least twice the names, so every probe ends at an empty slot. */
#include "tools/worlds/name_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define FIRST_SLOTS 256

void adit_name_table_fini(struct adit_name_table *table)
{
    for (uint32_t i = 0; i < table->count; i++)
        free(table->names[i]);
    free(table->names);
    free(table->slots);
    *table = (struct adit_name_table){0};
}

static uint32_t home_of(const char *name, uint32_t slots_max)
{
    return (uint32_t)XXH3_64bits(name, strlen(name)) & (slots_max - 1);
}

static int grow(struct adit_name_table *table)
{
    uint32_t slots_max = table->slots_max ? table->slots_max * 2 : FIRST_SLOTS;
    char **names = realloc(table->names, slots_max / 2 * sizeof(*names));
    if (!names)
        return -ENOMEM;
    table->names = names;
    uint32_t *slots = calloc(slots_max, sizeof(*slots));
    if (!slots)
        return -ENOMEM;
    for (uint32_t i = 0; i < table->count; i++) {
        uint32_t at = home_of(names[i], slots_max);
        while (slots[at])
            at = (at + 1) & (slots_max - 1);
        slots[at] = i + 1;
    }
    free(table->slots);
    table->slots = slots;
    table->slots_max = slots_max;
    return 0;
}

int adit_name_table_number(struct adit_name_table *table, const char *name)
{
    if (table->count * 2 >= table->slots_max && grow(table))
        return -ENOMEM;
    uint32_t at = home_of(name, table->slots_max);
    for (; table->slots[at]; at = (at + 1) & (table->slots_max - 1))
        if (!strcmp(table->names[table->slots[at] - 1], name))
            return (int)table->slots[at] - 1;
    if (table->count == ADIT_NAME_TABLE_MAX)
        return -ENOSPC;
    char *copy = strdup(name);
    if (!copy)
        return -ENOMEM;
    table->names[table->count++] = copy;
    table->slots[at] = table->count;
    return (int)table->count - 1;
}
