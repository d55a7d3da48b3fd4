/* peer_value_lmdb.c - LMDB as a peer of our values (peer_value.h), used as lmdb.h says: each process opens the environment after it was forked; a read-only transaction is reset and renewed ("saves allocation overhead if the process will start a new
 * read-only transaction soon, and also locking overhead"), and mdb_get gives the value in place; a write has room made by MDB_RESERVE and is committed. MDB_NOSYNC and MDB_WRITEMAP: nothing waits for a disk, as nothing of ours does. */
#include "perf/peer_value.h"

#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAP_BYTES (64u << 20)

struct part {
    MDB_env *env;
    MDB_dbi dbi;
    MDB_txn *reads, *writes; /* reads: reset between two looks */
};

static MDB_val key = {5, "value"};

static int begin(char *why, uint32_t why_bytes)
{
    (void)why;
    (void)why_bytes;
    return 0;
}

static void *open_part(const char *folder, int is_partner)
{
    struct part *p = calloc(1, sizeof *p);
    (void)is_partner;
    if (!p || mdb_env_create(&p->env) != 0 || mdb_env_set_mapsize(p->env, MAP_BYTES) != 0 || mdb_env_open(p->env, folder, MDB_NOSYNC | MDB_WRITEMAP, 0600) != 0)
        return NULL;
    if (mdb_txn_begin(p->env, NULL, 0, &p->writes) != 0 || mdb_dbi_open(p->writes, NULL, 0, &p->dbi) != 0 || mdb_txn_commit(p->writes) != 0)
        return NULL;
    if (mdb_txn_begin(p->env, NULL, MDB_RDONLY, &p->reads) != 0)
        return NULL;
    mdb_txn_reset(p->reads);
    return p;
}

static int prepare(void *part, uint64_t word)
{
    struct part *p = part;
    MDB_val value = {PEER_VALUE_BYTES, NULL};
    if (mdb_txn_begin(p->env, NULL, 0, &p->writes) != 0)
        return -1;
    if (mdb_put(p->writes, p->dbi, &key, &value, MDB_RESERVE) != 0) {
        mdb_txn_abort(p->writes);
        return -1;
    }
    memset(value.mv_data, (int)word, PEER_VALUE_BYTES);
    memcpy(value.mv_data, &word, sizeof word);
    return 0;
}

static int publish(void *part)
{
    struct part *p = part;
    return mdb_txn_commit(p->writes) == 0 ? 0 : -1;
}

static inline int take(void *part, uint64_t *word)
{
    struct part *p = part;
    MDB_val value;
    if (mdb_txn_renew(p->reads) != 0)
        return -1;
    int found = mdb_get(p->reads, p->dbi, &key, &value) == 0;
    if (found)
        memcpy(word, value.mv_data, sizeof *word); /* values lie at no certain alignment */
    mdb_txn_reset(p->reads);
    return found;
}

static int look(void *part, uint64_t n)
{
    uint64_t word;
    for (; n > 0; n--) {
        if (take(part, &word) != 1)
            return -1;
        __asm__ volatile("" ::"r"(word));
    }
    return 0;
}

__attribute__((visibility("default"))) const struct peer_value *adit_peer_value(void)
{
    static char name[32];
    static const struct peer_value peer = {PEER_VALUE_ABI, name, begin, open_part, prepare, publish, take, look};
    snprintf(name, sizeof name, "LMDB %d.%d.%d", MDB_VERSION_MAJOR, MDB_VERSION_MINOR, MDB_VERSION_PATCH);
    return &peer;
}
