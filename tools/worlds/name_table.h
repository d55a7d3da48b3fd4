/* name_table.h - names to small numbers: 0, 1, 2 .. in the order in which they were first seen.
 *
 * Open addressing over hashes (Knuth, TAOCP 6.4, algorithm L), never more than half full. One thread.
 */
#ifndef ADIT_NAME_TABLE_H
#define ADIT_NAME_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define ADIT_NAME_TABLE_MAX 65535 /* names */

/* Zero-initialised before first use. */
struct adit_name_table {
    char **names; /* count of them */
    uint32_t count;
    uint32_t *slots; /* number of a name + 1, or 0 */
    uint32_t slots_max;
};

void adit_name_table_fini(struct adit_name_table *table);

/* The number of a name, which is copied when it is new. Returns it, or -ENOSPC when the table is full, -ENOMEM. */
int adit_name_table_number(struct adit_name_table *table, const char *name);

#endif
