#include "runtime/topology.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shm/shm.h"

#define DISTANCE_FAR 20u /* of another node, where nothing says it */

struct reading {
    const char *root;
    struct adit_topology *t;
    struct adit_cpus online, may_use;
    uint64_t nodes_may_use; /* bits, by the kernel's numbers */
};

uint32_t adit_cpus_count(const struct adit_cpus *s)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < ADIT_TOPOLOGY_CPUS / 64; i++)
        n += (uint32_t)__builtin_popcountll(s->word[i]);
    return n;
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

/* The text of a file below root, at most bytes - 1 of it; false: it cannot be read. */
static __attribute__((format(printf, 4, 5))) bool text_of(const struct reading *r, char *text, size_t bytes, const char *format, ...)
{
    char path[512];
    va_list list;
    int n = snprintf(path, sizeof path, "%s", r->root);
    va_start(list, format);
    int m = n < 0 || (size_t)n >= sizeof path ? -1 : vsnprintf(path + n, sizeof path - (size_t)n, format, list);
    va_end(list);
    if (m < 0 || (size_t)(n + m) >= sizeof path)
        return false;
    return adit_file_text(path, text, bytes) > 0;
}

/* The number that a text begins with. */
static uint64_t number_of(const char *text, int base, uint64_t otherwise)
{
    char *end;
    uint64_t n = strtoull(text, &end, base);
    return end == text ? otherwise : n;
}

bool adit_topology_list(const char *text, void (*tell)(uint32_t number, void *user), void *user)
{
    while (*text && *text != '\n') {
        char *end;
        if (!isdigit((unsigned char)*text))
            return false;
        unsigned long from = strtoul(text, &end, 10), to = from;
        if (*end == '-' && isdigit((unsigned char)end[1]))
            to = strtoul(end + 1, &end, 10);
        if (to < from || (*end && *end != ',' && *end != '\n'))
            return false;
        for (unsigned long i = from; i <= to && i < ADIT_TOPOLOGY_CPUS; i++)
            tell((uint32_t)i, user);
        text = *end == ',' ? end + 1 : end;
    }
    return true;
}

static void add_cpu(uint32_t number, void *user) { adit_cpus_add(user, number); }

static void add_bit(uint32_t number, void *user)
{
    uint64_t *bits = user;
    if (number < 64)
        *bits |= 1ull << number;
}

/* What stands behind a name in a text of lines ("Cpus_allowed_list:\t0-1"); NULL: it is not there. */
static const char *line_of(const char *text, const char *name)
{
    const char *p = strstr(text, name);
    if (!p)
        return NULL;
    p += strlen(name);
    while (*p == ' ' || *p == '\t' || *p == ':')
        p++;
    return p;
}

/* Calls for each entry of a folder below root whose name is prefix and a number, in no order. */
static void each_numbered(const struct reading *r, const char *folder, const char *prefix, void (*tell)(uint32_t number, void *user), void *user)
{
    char path[512];
    size_t n = strlen(prefix);
    DIR *d = (size_t)snprintf(path, sizeof path, "%s%s", r->root, folder) < sizeof path ? opendir(path) : NULL;
    for (struct dirent *e; d && (e = readdir(d));) {
        const char *digits = e->d_name + n;
        if (strncmp(e->d_name, prefix, n) || !isdigit((unsigned char)*digits) || strspn(digits, "0123456789") != strlen(digits))
            continue;
        tell((uint32_t)strtoul(digits, NULL, 10), user);
    }
    if (d)
        closedir(d);
}

/* ---- what this process may use ---------------------------------------------------------------------------------- */

static void read_allowed(struct reading *r)
{
    char text[16384];
    memset(&r->may_use, 0xff, sizeof r->may_use);
    r->nodes_may_use = UINT64_MAX;
    if (!text_of(r, text, sizeof text, "/proc/self/status"))
        return;
    struct adit_cpus cpus = {0};
    uint64_t nodes = 0;
    const char *list = line_of(text, "\nCpus_allowed_list");
    if (list && adit_topology_list(list, add_cpu, &cpus))
        r->may_use = cpus;
    list = line_of(text, "\nMems_allowed_list");
    if (list && adit_topology_list(list, add_bit, &nodes) && nodes)
        r->nodes_may_use = nodes;
}

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* Version 1 says "no limit" by the largest number of whole pages. */
static uint64_t limit_of(uint64_t bytes) { return bytes >= 1ull << 62 ? UINT64_MAX : bytes; }

/* Thousandths of a processor that a group may use: cpu.max is "max 100000" or "50000 100000"; version 1 has a file for each of the two, and -1 for no limit. */
static uint32_t quota_milli(const struct reading *r, const char *group, bool v1)
{
    char text[128], *end;
    if (!text_of(r, text, sizeof text, v1 ? "%s/cpu.cfs_quota_us" : "%s/cpu.max", group) || *text == '-')
        return UINT32_MAX;
    uint64_t quota = strtoull(text, &end, 10);
    if (end == text)
        return UINT32_MAX;
    uint64_t period = v1 ? text_of(r, text, sizeof text, "%s/cpu.cfs_period_us", group) ? number_of(text, 10, 0) : 0 : number_of(end, 10, 0);
    uint64_t milli = period && quota < UINT64_MAX / 1000 ? quota * 1000 / period : UINT32_MAX;
    return (uint32_t)least(milli, UINT32_MAX);
}

/* The least of the limits of the group at path below where its controllers are, and of those above it: a container sees its own as the root, and another path. */
static void read_limits_of(struct reading *r, const char *mount, char *path, bool has_cpu, bool has_memory, bool v1)
{
    char text[128], group[1200];
    struct adit_topology *t = r->t;
    for (char *slash = path; slash;) { /* bounded by its slashes */
        snprintf(group, sizeof group, "%s%s", mount, strcmp(path, "/") ? path : "");
        if (has_cpu)
            t->cpu_limit_milli = (uint32_t)least(quota_milli(r, group, v1), t->cpu_limit_milli);
        if (has_memory && text_of(r, text, sizeof text, v1 ? "%s/memory.limit_in_bytes" : "%s/memory.max", group))
            t->memory_limit_bytes = least(limit_of(number_of(text, 10, UINT64_MAX)), t->memory_limit_bytes);
        slash = strcmp(path, "/") ? strrchr(path, '/') : NULL;
        if (slash)
            slash[slash == path] = 0; /* the root itself last */
    }
}

/* Whether name stands in a list with commas. */
static bool is_listed(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = list; (at = strstr(at, name)); at += length)
        if ((at == list || at[-1] == ',') && (!at[length] || at[length] == ','))
            return true;
    return false;
}

/* Of all hierarchies that this process is in, whichever of them has a controller (cgroups(7): ID:CONTROLLERS:PATH a line; version 2 has none named). */
static void read_limits(struct reading *r)
{
    char text[4096], controllers[256], path[1024];
    r->t->cpu_limit_milli = UINT32_MAX;
    r->t->memory_limit_bytes = UINT64_MAX;
    if (!text_of(r, text, sizeof text, "/proc/self/cgroup"))
        return;
    for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
        if (sscanf(line, "0::%1023[^\n]", path) == 1 && *path == '/')
            read_limits_of(r, "/sys/fs/cgroup", path, true, true, false);
        else if (sscanf(line, "%*u:%255[^:]:%1023[^\n]", controllers, path) == 2 && *path == '/') {
            char again[sizeof path];
            memcpy(again, path, sizeof path);
            if (is_listed(controllers, "cpu"))
                read_limits_of(r, "/sys/fs/cgroup/cpu", path, true, false, true);
            if (is_listed(controllers, "memory"))
                read_limits_of(r, "/sys/fs/cgroup/memory", again, false, true, true);
        }
    }
}

uint32_t adit_topology_workers(const char *root)
{
    struct adit_topology *t = calloc(1, sizeof *t);
    struct reading r = {.root = root ? root : "", .t = t};
    uint32_t cpus = adit_cpus();
    if (!t)
        return cpus;
    read_limits(&r);
    uint64_t whole = ((uint64_t)t->cpu_limit_milli + 999) / 1000;
    free(t);
    return whole >= cpus ? cpus : whole ? (uint32_t)whole : 1;
}

/* ---- nodes ------------------------------------------------------------------------------------------------------ */

int32_t adit_topology_node_of(const struct adit_topology *t, uint32_t id)
{
    for (uint32_t i = 0; i < t->nodes_n; i++)
        if (t->nodes[i].id == id)
            return (int32_t)i;
    return -1;
}

static void add_node(uint32_t id, void *user)
{
    struct adit_topology *t = user;
    uint32_t at = t->nodes_n;
    if (at == ADIT_TOPOLOGY_NODES) {
        t->is_cut = true;
        return;
    }
    for (; at && t->nodes[at - 1].id > id; at--)
        t->nodes[at] = t->nodes[at - 1];
    t->nodes[at] = (struct adit_topology_node){.id = id};
    t->nodes_n++;
}

/* A meminfo's number of KiB behind name, in bytes. */
static uint64_t memory_of(const char *text, const char *name)
{
    const char *p = line_of(text, name);
    return p ? number_of(p, 10, 0) * 1024 : 0;
}

static void read_distances(struct reading *r, uint32_t index)
{
    char text[4096], *p = text;
    struct adit_topology *t = r->t;
    for (uint32_t to = 0; to < t->nodes_n; to++)
        t->distance[index][to] = index == to ? ADIT_TOPOLOGY_LOCAL : DISTANCE_FAR;
    if (!text_of(r, text, sizeof text, "/sys/devices/system/node/node%u/distance", t->nodes[index].id))
        return;
    for (uint32_t to = 0; to < t->nodes_n; to++) { /* one for each node that is online, ascending */
        char *end;
        unsigned long d = strtoul(p, &end, 10);
        if (end == p)
            return;
        t->distance[index][to] = (uint8_t)(d < 255 ? d : 255);
        p = end;
    }
}

/* What the firmware says of the way from the nearest initiators. */
static void read_speed(const struct reading *r, struct adit_topology_node *n)
{
    static const char *const names[4] = {"read_latency", "write_latency", "read_bandwidth", "write_bandwidth"};
    uint64_t value[4];
    char text[64];
    for (uint32_t i = 0; i < 4; i++)
        value[i] = text_of(r, text, sizeof text, "/sys/devices/system/node/node%u/access0/initiators/%s", n->id, names[i]) ? number_of(text, 10, 0) : 0;
    n->read_ns = (uint32_t)value[0];
    n->write_ns = (uint32_t)value[1];
    n->read_mib_s = value[2];
    n->write_mib_s = value[3];
}

static void read_nodes(struct reading *r)
{
    char text[8192];
    struct adit_topology *t = r->t;
    each_numbered(r, "/sys/devices/system/node", "node", add_node, t);
    if (!t->nodes_n) { /* a kernel without NUMA */
        add_node(0, t);
        t->nodes[0].cpus = r->online;
        if (text_of(r, text, sizeof text, "/proc/meminfo")) {
            t->nodes[0].memory_bytes = memory_of(text, "MemTotal");
            t->nodes[0].free_bytes = memory_of(text, "MemFree");
        }
    }
    for (uint32_t i = 0; i < t->nodes_n; i++) {
        struct adit_topology_node *n = &t->nodes[i];
        struct adit_cpus cpus = {0};
        n->may_use = n->id >= 64 || r->nodes_may_use >> n->id & 1;
        if (text_of(r, text, sizeof text, "/sys/devices/system/node/node%u/cpulist", n->id) && adit_topology_list(text, add_cpu, &cpus))
            n->cpus = cpus;
        for (uint32_t w = 0; w < ADIT_TOPOLOGY_CPUS / 64; w++)
            n->cpus.word[w] &= r->online.word[w];
        if (text_of(r, text, sizeof text, "/sys/devices/system/node/node%u/meminfo", n->id)) {
            n->memory_bytes = memory_of(text, "MemTotal");
            n->free_bytes = memory_of(text, "MemFree");
        }
        read_distances(r, i);
        read_speed(r, n);
    }
}

/* ---- processors and caches -------------------------------------------------------------------------------------- */

static bool is_same_set(const struct adit_cpus *a, const struct adit_cpus *b) { return !memcmp(a, b, sizeof *a); }

static uint64_t bytes_of(const char *text)
{
    char *end;
    uint64_t n = strtoull(text, &end, 10);
    return *end == 'K' ? n << 10 : *end == 'M' ? n << 20 : *end == 'G' ? n << 30 : n;
}

/* Keeps the order: by level, type, first processor; these come by processor, so a new one is behind its likes. */
static void add_cache(struct adit_topology *t, const struct adit_topology_cache *c)
{
    uint32_t at = t->caches_n;
    for (uint32_t i = 0; i < t->caches_n; i++)
        if (t->caches[i].level == c->level && t->caches[i].type == c->type && is_same_set(&t->caches[i].cpus, &c->cpus))
            return;
    if (at == ADIT_TOPOLOGY_CACHES) {
        t->is_cut = true;
        return;
    }
    for (; at && (t->caches[at - 1].level > c->level || (t->caches[at - 1].level == c->level && t->caches[at - 1].type > c->type)); at--)
        t->caches[at] = t->caches[at - 1];
    t->caches[at] = *c;
    t->caches_n++;
}

static void read_caches(struct reading *r, uint32_t cpu)
{
    char text[4096];
    for (uint32_t i = 0; i < 16 && text_of(r, text, sizeof text, "/sys/devices/system/cpu/cpu%u/cache/index%u/level", cpu, i); i++) {
        struct adit_topology_cache c = {.level = (uint32_t)number_of(text, 10, 0)};
        if (text_of(r, text, sizeof text, "/sys/devices/system/cpu/cpu%u/cache/index%u/type", cpu, i))
            c.type = *text == 'D' ? ADIT_CACHE_DATA : *text == 'I' ? ADIT_CACHE_INSTRUCTION : ADIT_CACHE_UNIFIED;
        if (text_of(r, text, sizeof text, "/sys/devices/system/cpu/cpu%u/cache/index%u/size", cpu, i))
            c.bytes = bytes_of(text);
        if (text_of(r, text, sizeof text, "/sys/devices/system/cpu/cpu%u/cache/index%u/coherency_line_size", cpu, i))
            c.line_bytes = (uint32_t)number_of(text, 10, 0);
        if (!text_of(r, text, sizeof text, "/sys/devices/system/cpu/cpu%u/cache/index%u/shared_cpu_list", cpu, i) || !adit_topology_list(text, add_cpu, &c.cpus))
            adit_cpus_add(&c.cpus, cpu);
        add_cache(r->t, &c);
    }
}

static uint32_t node_with(const struct adit_topology *t, uint32_t cpu)
{
    for (uint32_t i = 0; i < t->nodes_n; i++)
        if (adit_cpus_has(&t->nodes[i].cpus, cpu))
            return i;
    return 0;
}

static void read_cpus(struct reading *r)
{
    char text[256];
    struct adit_topology *t = r->t;
    for (uint32_t id = 0; id < ADIT_TOPOLOGY_CPUS; id++) {
        if (!adit_cpus_has(&r->online, id))
            continue;
        struct adit_topology_cpu *c = &t->cpus[t->cpus_n];
        *c = (struct adit_topology_cpu){.id = id, .node = node_with(t, id), .may_use = adit_cpus_has(&r->may_use, id), .core = id};
        if (text_of(r, text, sizeof text, "/sys/devices/system/cpu/cpu%u/topology/physical_package_id", id))
            c->package = (uint32_t)number_of(text, 10, 0);
        if (text_of(r, text, sizeof text, "/sys/devices/system/cpu/cpu%u/topology/core_id", id))
            c->core = (uint32_t)number_of(text, 10, id);
        for (uint32_t i = 0; i < t->cpus_n; i++)
            c->thread += t->cpus[i].package == c->package && t->cpus[i].core == c->core;
        t->cpus_n++;
        read_caches(r, id);
    }
}

/* Those that are online. */
static bool read_online(struct reading *r)
{
    char text[4096];
    if (text_of(r, text, sizeof text, "/sys/devices/system/cpu/online") && adit_topology_list(text, add_cpu, &r->online) && adit_cpus_count(&r->online))
        return true;
    memset(&r->online, 0, sizeof r->online);
    each_numbered(r, "/sys/devices/system/cpu", "cpu", add_cpu, &r->online);
    return adit_cpus_count(&r->online);
}

/* ---- devices ---------------------------------------------------------------------------------------------------- */

/* Displays (03), and processing accelerators (12). */
static void read_devices(struct reading *r)
{
    char path[512], text[64];
    struct adit_topology *t = r->t;
    DIR *d = (size_t)snprintf(path, sizeof path, "%s/sys/bus/pci/devices", r->root) < sizeof path ? opendir(path) : NULL;
    for (struct dirent *e; d && (e = readdir(d));) {
        struct adit_topology_device v = {.node = -1};
        uint32_t at = t->devices_n;
        if (strlen(e->d_name) >= sizeof v.place || !text_of(r, text, sizeof text, "/sys/bus/pci/devices/%s/class", e->d_name))
            continue;
        v.class_ = (uint32_t)number_of(text, 16, 0);
        if (v.class_ >> 16 != 0x03 && v.class_ >> 16 != 0x12)
            continue;
        memcpy(v.place, e->d_name, strlen(e->d_name));
        if (text_of(r, text, sizeof text, "/sys/bus/pci/devices/%s/vendor", e->d_name))
            v.vendor = (uint32_t)number_of(text, 16, 0);
        if (text_of(r, text, sizeof text, "/sys/bus/pci/devices/%s/device", e->d_name))
            v.device = (uint32_t)number_of(text, 16, 0);
        if (text_of(r, text, sizeof text, "/sys/bus/pci/devices/%s/numa_node", e->d_name) && isdigit((unsigned char)*text))
            v.node = adit_topology_node_of(t, (uint32_t)number_of(text, 10, 0));
        if (at == ADIT_TOPOLOGY_DEVICES) {
            t->is_cut = true;
            continue;
        }
        for (; at && strcmp(t->devices[at - 1].place, v.place) > 0; at--)
            t->devices[at] = t->devices[at - 1];
        t->devices[at] = v;
        t->devices_n++;
    }
    if (d)
        closedir(d);
}

int adit_topology_read(const char *root, struct adit_topology **out)
{
    struct reading r = {.root = root ? root : ""};
    *out = NULL;
    if (!read_online(&r))
        return adit_fault(-ENOENT, "%s/sys/devices/system/cpu: no processors stand there; is sysfs mounted, or the root another one?", r.root);
    r.t = calloc(1, sizeof *r.t);
    if (!r.t)
        return adit_fault(-ENOMEM, "no memory for the table of this machine");
    read_allowed(&r);
    read_limits(&r);
    read_nodes(&r);
    read_cpus(&r);
    read_devices(&r);
    *out = r.t;
    return 0;
}
