/* cmd_topo.c - `adit topo`: what the machine is made of, as the library sees it, drawn or as JSON. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/topology.h"
#include "shm/shm.h"
#include "tools/command.h"
#include "tools/jsonout.h"
#include "tools/options.h"
#include "tools/say.h"

#define PROGRAM "adit topo"
#define LIST_BYTES 1024u

/* "0-3,8"; what does not fit ends in "...". */
static const char *list_text(const struct adit_cpus *s, char out[LIST_BYTES])
{
    size_t n = 0;
    *out = 0;
    for (uint32_t i = 0; i < ADIT_TOPOLOGY_CPUS; i++) {
        uint32_t to = i;
        if (!adit_cpus_has(s, i))
            continue;
        while (adit_cpus_has(s, to + 1))
            to++;
        if (n > LIST_BYTES - 32) {
            snprintf(out + n, LIST_BYTES - n, ",...");
            break;
        }
        n += (size_t)snprintf(out + n, LIST_BYTES - n, to > i ? "%s%u-%u" : "%s%u", n ? "," : "", i, to);
        i = to;
    }
    return out;
}

static uint32_t count_cores(const struct adit_topology *t)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->cpus_n; i++)
        n += !t->cpus[i].thread;
    return n;
}

static uint32_t count_packages(const struct adit_topology *t)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->cpus_n; i++) {
        uint32_t k = 0;
        while (t->cpus[k].package != t->cpus[i].package)
            k++;
        n += k == i;
    }
    return n;
}

static uint32_t count_may_use(const struct adit_topology *t)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->cpus_n; i++)
        n += t->cpus[i].may_use;
    return n;
}

static const char *const type_letter[] = {[ADIT_CACHE_UNIFIED] = "", [ADIT_CACHE_DATA] = "d", [ADIT_CACHE_INSTRUCTION] = "i"};
static const char *const type_name[] = {[ADIT_CACHE_UNIFIED] = "unified", [ADIT_CACHE_DATA] = "data", [ADIT_CACHE_INSTRUCTION] = "instruction"};

/* ---- drawn ------------------------------------------------------------------------------------------------------ */

static bool overlaps(const struct adit_cpus *a, const struct adit_cpus *b)
{
    for (uint32_t i = 0; i < ADIT_TOPOLOGY_CPUS / 64; i++)
        if (a->word[i] & b->word[i])
            return true;
    return false;
}

/* "L1d 32 KiB x 2, L2 1 MiB x 2, L3 32 MiB": alike ones that lie on the node's processors are counted. */
static void draw_caches(const struct adit_topology *t, const struct adit_topology_node *n)
{
    bool is_first = true;
    for (uint32_t i = 0; i < t->caches_n;) {
        const struct adit_topology_cache *c = &t->caches[i];
        uint32_t count = 0;
        for (; i < t->caches_n && t->caches[i].level == c->level && t->caches[i].type == c->type; i++)
            count += overlaps(&t->caches[i].cpus, &n->cpus) && t->caches[i].bytes == c->bytes;
        if (!count)
            continue;
        printf("%sL%u%s %s", is_first ? "            caches " : ", ", c->level, type_letter[c->type], ADIT_SAY_BYTES(c->bytes));
        if (count > 1)
            printf(" x %u", count);
        is_first = false;
    }
    if (!is_first)
        putchar('\n');
}

static void draw_cpus(const struct adit_topology *t, uint32_t node)
{
    char text[LIST_BYTES];
    struct adit_cpus barred = {0};
    uint32_t cores = 0, all = 0;
    for (uint32_t i = 0; i < t->cpus_n; i++) {
        if (t->cpus[i].node != node)
            continue;
        cores += !t->cpus[i].thread;
        all++;
        if (!t->cpus[i].may_use)
            adit_cpus_add(&barred, t->cpus[i].id);
    }
    printf("            CPUs %s", list_text(&t->nodes[node].cpus, text));
    if (cores != all)
        printf(", %u cores", cores);
    if (adit_cpus_count(&barred))
        printf("; not for this process: %s", list_text(&barred, text));
    putchar('\n');
}

static void draw_node(const struct adit_topology *t, uint32_t i)
{
    const struct adit_topology_node *n = &t->nodes[i];
    bool is_far = !adit_cpus_count(&n->cpus);
    char name[32];
    snprintf(name, sizeof name, "node %u", n->id);
    printf("%-11s %s, %s free%s%s\n", name, ADIT_SAY_BYTES(n->memory_bytes), ADIT_SAY_BYTES(n->free_bytes), is_far ? "; memory alone" : "", n->may_use ? "" : "; not for this process");
    if (n->read_ns || n->read_mib_s)
        printf("            read %u ns, %llu MiB/s; written %u ns, %llu MiB/s, from the nearest CPUs (HMAT)\n", n->read_ns, (unsigned long long)n->read_mib_s, n->write_ns,
               (unsigned long long)n->write_mib_s);
    if (!is_far) {
        draw_cpus(t, i);
        draw_caches(t, n);
    }
    for (uint32_t k = 0; k < t->devices_n; k++)
        if (t->devices[k].node == (int32_t)i)
            printf("            device %s, %04x:%04x\n", t->devices[k].place, t->devices[k].vendor, t->devices[k].device);
}

static void draw_distances(const struct adit_topology *t)
{
    printf("distances  ");
    for (uint32_t to = 0; to < t->nodes_n; to++)
        printf(" %4u", t->nodes[to].id);
    putchar('\n');
    for (uint32_t from = 0; from < t->nodes_n; from++) {
        printf("%11u", t->nodes[from].id);
        for (uint32_t to = 0; to < t->nodes_n; to++)
            printf(" %4u", t->distance[from][to]);
        putchar('\n');
    }
}

static void draw(const struct adit_topology *t)
{
    uint64_t bytes = 0;
    uint32_t may = count_may_use(t);
    for (uint32_t i = 0; i < t->nodes_n; i++)
        bytes += t->nodes[i].memory_bytes;
    printf("machine     %u package%s, %u core%s, %u CPU%s", count_packages(t), count_packages(t) == 1 ? "" : "s", count_cores(t), count_cores(t) == 1 ? "" : "s", t->cpus_n,
           t->cpus_n == 1 ? "" : "s");
    if (may != t->cpus_n)
        printf(" (%u for this process)", may);
    printf(", %u node%s, %s\n", t->nodes_n, t->nodes_n == 1 ? "" : "s", ADIT_SAY_BYTES(bytes));
    if (t->cpu_limit_milli != UINT32_MAX)
        printf("limit       %.2f CPUs, by a cgroup\n", t->cpu_limit_milli * 1e-3);
    if (t->memory_limit_bytes != UINT64_MAX)
        printf("limit       %s of memory, by a cgroup\n", ADIT_SAY_BYTES(t->memory_limit_bytes));
    for (uint32_t i = 0; i < t->nodes_n; i++)
        draw_node(t, i);
    for (uint32_t k = 0; k < t->devices_n; k++)
        if (t->devices[k].node < 0)
            printf("device      %s, %04x:%04x, on no node that is told\n", t->devices[k].place, t->devices[k].vendor, t->devices[k].device);
    if (t->nodes_n > 1)
        draw_distances(t);
    if (t->is_cut)
        printf("There is more than this table holds (%u nodes, %u CPUs).\n", ADIT_TOPOLOGY_NODES, ADIT_TOPOLOGY_CPUS);
}

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

static json_t *cpus_json(const struct adit_cpus *s)
{
    json_t *a = json_array();
    for (uint32_t i = 0; i < ADIT_TOPOLOGY_CPUS; i++)
        if (adit_cpus_has(s, i))
            json_array_append_new(a, json_integer(i));
    return a;
}

static json_t *nodes_json(const struct adit_topology *t)
{
    json_t *a = json_array();
    for (uint32_t i = 0; i < t->nodes_n; i++) {
        const struct adit_topology_node *n = &t->nodes[i];
        json_t *o = json_object(), *distances = json_array();
        adit_jsonout_set_count(o, "node", n->id);
        adit_jsonout_set(o, "cpus", cpus_json(&n->cpus));
        adit_jsonout_set_count(o, "memory_bytes", n->memory_bytes);
        adit_jsonout_set_count(o, "free_bytes", n->free_bytes);
        adit_jsonout_set(o, "may_use", json_boolean(n->may_use));
        adit_jsonout_set_count(o, "read_ns", n->read_ns);
        adit_jsonout_set_count(o, "write_ns", n->write_ns);
        adit_jsonout_set_count(o, "read_mib_s", n->read_mib_s);
        adit_jsonout_set_count(o, "write_mib_s", n->write_mib_s);
        for (uint32_t to = 0; to < t->nodes_n; to++)
            json_array_append_new(distances, json_integer(t->distance[i][to]));
        adit_jsonout_set(o, "distances", distances);
        json_array_append_new(a, o);
    }
    return a;
}

static json_t *all_json(const struct adit_topology *t)
{
    json_t *o = json_object(), *cpus = json_array(), *caches = json_array(), *devices = json_array();
    for (uint32_t i = 0; i < t->cpus_n; i++) {
        const struct adit_topology_cpu *c = &t->cpus[i];
        json_t *one = json_object();
        adit_jsonout_set_count(one, "cpu", c->id);
        adit_jsonout_set_count(one, "node", t->nodes[c->node].id);
        adit_jsonout_set_count(one, "package", c->package);
        adit_jsonout_set_count(one, "core", c->core);
        adit_jsonout_set_count(one, "thread", c->thread);
        adit_jsonout_set(one, "may_use", json_boolean(c->may_use));
        json_array_append_new(cpus, one);
    }
    for (uint32_t i = 0; i < t->caches_n; i++) {
        json_t *one = json_object();
        adit_jsonout_set_count(one, "level", t->caches[i].level);
        adit_jsonout_set_text(one, "type", type_name[t->caches[i].type]);
        adit_jsonout_set_count(one, "bytes", t->caches[i].bytes);
        adit_jsonout_set_count(one, "line_bytes", t->caches[i].line_bytes);
        adit_jsonout_set(one, "cpus", cpus_json(&t->caches[i].cpus));
        json_array_append_new(caches, one);
    }
    for (uint32_t i = 0; i < t->devices_n; i++) {
        const struct adit_topology_device *d = &t->devices[i];
        json_t *one = json_object();
        adit_jsonout_set_text(one, "place", d->place);
        adit_jsonout_set_count(one, "class", d->class_);
        adit_jsonout_set_count(one, "vendor", d->vendor);
        adit_jsonout_set_count(one, "device", d->device);
        adit_jsonout_set(one, "node", d->node < 0 ? json_null() : json_integer(t->nodes[d->node].id));
        json_array_append_new(devices, one);
    }
    adit_jsonout_set(o, "nodes", nodes_json(t));
    adit_jsonout_set(o, "cpus", cpus);
    adit_jsonout_set(o, "caches", caches);
    adit_jsonout_set(o, "devices", devices);
    adit_jsonout_set(o, "cpu_limit", t->cpu_limit_milli == UINT32_MAX ? json_null() : json_real(t->cpu_limit_milli * 1e-3));
    adit_jsonout_set(o, "memory_limit_bytes", t->memory_limit_bytes == UINT64_MAX ? json_null() : json_integer((json_int_t)t->memory_limit_bytes));
    return o;
}

static int topo_run(int argc, char **argv)
{
    struct {
        const char *root;
        bool json;
    } o = {0};
    const struct adit_option table[] = {
        {"root", "DIR", ADIT_OPTION_TEXT, &o.root, 0, 0, "read sys/ and proc/ below DIR: of another machine"},
        {"json", NULL, ADIT_OPTION_FLAG, &o.json, 0, 0, "one JSON object on stdout"},
    };
    const struct adit_usage usage = {PROGRAM, "", "Draws what this machine is made of: nodes, CPUs, caches, distances, devices, and what this process may use of it.", NULL, table, 2, NULL};
    struct adit_topology *t;
    int first, code = adit_options_parse(&usage, argc, argv, &first);
    if (code != ADIT_OPTIONS_GO)
        return code;
    if (argc > first) {
        adit_say_error(PROGRAM, "takes no operands");
        return ADIT_EXIT_BAD_INPUT;
    }
    int error = adit_topology_read(o.root, &t);
    if (error) {
        adit_say_error(PROGRAM, "%s", adit_fault_detail());
        return error == -ENOENT ? ADIT_EXIT_BAD_INPUT : ADIT_EXIT_FAILED;
    }
    code = ADIT_EXIT_DONE;
    if (o.json)
        code = adit_jsonout_print(PROGRAM, all_json(t)) ? ADIT_EXIT_DONE : ADIT_EXIT_FAILED;
    else
        draw(t);
    free(t);
    return code;
}

const struct adit_command adit_command_topo = {"topo", "draw what this machine is made of", topo_run};
