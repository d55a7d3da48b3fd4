/* machine.c - reads /proc and /sys. Whatever cannot be read is 0 or "unknown": a description never fails a run. */
#include "perf/machine.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "perf/clock.h"

/* The first line of a file, without its newline. */
static bool read_line(const char *path, char *text, size_t bytes)
{
    FILE *file = fopen(path, "re");
    bool got = file && fgets(text, (int)bytes, file);
    if (got)
        text[strcspn(text, "\n")] = '\0';
    else
        snprintf(text, bytes, "unknown");
    if (file)
        fclose(file);
    return got;
}

/* What follows ':' on the first line of a "name : value" file that starts with name. */
static bool read_value(const char *path, const char *name, char *text, size_t bytes)
{
    char line[4096];
    bool got = false;
    FILE *file = fopen(path, "re");

    snprintf(text, bytes, "unknown");
    while (file && !got && fgets(line, sizeof line, file)) {
        char *colon = strchr(line, ':');
        if (!colon || strncmp(line, name, strlen(name)) != 0)
            continue;
        colon += 1 + strspn(colon + 1, " \t");
        colon[strcspn(colon, "\n")] = '\0';
        if (bytes >= sizeof line)
            memcpy(text, colon, strlen(colon) + 1);
        else
            snprintf(text, bytes, "%.*s", (int)bytes - 1, colon);
        got = true;
    }
    if (file)
        fclose(file);
    return got;
}

static uint64_t read_number(const char *path, const char *name)
{
    char text[64];
    return read_value(path, name, text, sizeof text) ? strtoull(text, NULL, 10) : 0;
}

/* CPU time of the whole machine so far, and the part the hypervisor took, in clock ticks. */
static void read_steal(double *all, double *steal)
{
    char line[512], *at = line + 3;
    *all = *steal = 0;
    if (!read_line("/proc/stat", line, sizeof line) || strncmp(line, "cpu", 3) != 0)
        return;
    for (int field = 0; field < 8; field++) {
        double ticks = strtod(at, &at);
        *all += ticks;
        if (field == 7)
            *steal = ticks;
    }
}

static double all_before, steal_before;

static void read_caches(struct machine *machine)
{
    for (int index = 0; index < 6; index++) {
        char path[128], level[16], kind[32], size[32];
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/cache/index%d/level", machine->cpu[0], index);
        if (!read_line(path, level, sizeof level))
            return;
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/cache/index%d/type", machine->cpu[0], index);
        read_line(path, kind, sizeof kind);
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/cache/index%d/size", machine->cpu[0], index);
        read_line(path, size, sizeof size);
        int at = atoi(level);
        if (at >= 1 && at <= 3 && strcmp(kind, "Instruction") != 0)
            machine->cache_bytes[at] = strtoull(size, NULL, 10) * 1024;
    }
}

/* True when other is named in the sibling list of cpu ("0,4" or "0-1"). */
static bool is_sibling(int cpu, int other)
{
    char path[128], list[256], *at = list;
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
    if (!read_line(path, list, sizeof list))
        return false;
    while (*at) {
        char *end;
        long low = strtol(at, &end, 10), high = low;
        if (end == at)
            return false;
        if (*end == '-')
            high = strtol(end + 1, &end, 10);
        if (other >= low && other <= high)
            return true;
        at = *end == ',' ? end + 1 : end;
        if (*end && *end != ',')
            return false;
    }
    return false;
}

static void choose_cpus(struct machine *machine)
{
    cpu_set_t allowed;
    int sibling = -1;

    machine->cpu[0] = machine->cpu[1] = -1;
    CPU_ZERO(&allowed);
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
        machine->cpus_allowed = (uint32_t)CPU_COUNT(&allowed);
    for (int cpu = 0; cpu < CPU_SETSIZE && machine->cpu[1] < 0; cpu++) {
        if (!CPU_ISSET((size_t)cpu, &allowed))
            continue;
        if (machine->cpu[0] < 0)
            machine->cpu[0] = cpu;
        else if (!is_sibling(machine->cpu[0], cpu))
            machine->cpu[1] = cpu;
        else if (sibling < 0)
            sibling = cpu;
    }
    if (machine->cpu[0] < 0)
        machine->cpu[0] = 0;
    if (machine->cpu[1] < 0)
        machine->cpu[1] = sibling; /* a hyperthread is better than nothing; the model line tells */
}

static uint32_t count_nodes(void)
{
    uint32_t nodes = 0;
    char path[64];
    for (int node = 0; node < 1024; node++) {
        snprintf(path, sizeof path, "/sys/devices/system/node/node%d", node);
        nodes += access(path, F_OK) == 0;
    }
    return nodes ? nodes : 1;
}

void machine_describe(struct machine *machine)
{
    struct utsname name;
    char text[4096], path[128];

    memset(machine, 0, sizeof *machine);
    choose_cpus(machine);
    read_value("/proc/cpuinfo", "model name", machine->cpu_model, sizeof machine->cpu_model);
    if (uname(&name) == 0)
        snprintf(machine->kernel, sizeof machine->kernel, "%.24s %.56s %.12s", name.sysname, name.release, name.machine);
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", machine->cpu[0]);
    read_line(path, machine->governor, sizeof machine->governor);
    read_line("/sys/devices/system/clocksource/clocksource0/current_clocksource", machine->clock_source,
              sizeof machine->clock_source);
    snprintf(machine->compiler, sizeof machine->compiler, "%.40s", __VERSION__);
    read_value("/proc/cpuinfo", "flags", text, sizeof text);
    machine->hypervisor = strstr(text, " hypervisor") != NULL;
    machine->tsc_invariant = strstr(text, " constant_tsc") && strstr(text, " nonstop_tsc");
    machine->cpus_online = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
    machine->nodes = count_nodes();
    machine->page_bytes = (uint32_t)sysconf(_SC_PAGESIZE);
    machine->hugepage_bytes = read_number("/proc/meminfo", "Hugepagesize") * 1024;
    machine->hugepages_total = read_number("/proc/meminfo", "HugePages_Total");
    machine->hugepages_free = read_number("/proc/meminfo", "HugePages_Free");
    machine->memory_bytes = read_number("/proc/meminfo", "MemTotal") * 1024;
    read_caches(machine);
    if (read_line("/proc/loadavg", text, sizeof text))
        machine->load_before = strtod(text, NULL);
    machine->nice = getpriority(PRIO_PROCESS, 0);
    machine->ns_per_tick = clock_calibrate();
    read_steal(&all_before, &steal_before);
}

void machine_finish(struct machine *machine)
{
    double all, steal;
    char text[128];

    read_steal(&all, &steal);
    machine->steal_percent = all > all_before ? 100 * (steal - steal_before) / (all - all_before) : 0;
    if (read_line("/proc/loadavg", text, sizeof text))
        machine->load_after = strtod(text, NULL);
}

void machine_print(FILE *out, const struct machine *m)
{
    fprintf(out, "machine   %s%s, %u CPUs (%u allowed), %u node%s, L1 %llu KiB, L2 %llu KiB, L3 %llu KiB\n", m->cpu_model,
            m->hypervisor ? " (guest)" : "", m->cpus_online, m->cpus_allowed, m->nodes, m->nodes == 1 ? "" : "s",
            (unsigned long long)m->cache_bytes[1] >> 10, (unsigned long long)m->cache_bytes[2] >> 10,
            (unsigned long long)m->cache_bytes[3] >> 10);
    fprintf(out, "memory    %.1f GiB, pages of %u KiB, %llu of %llu huge pages of %llu KiB free\n",
            (double)m->memory_bytes / 1073741824.0, m->page_bytes >> 10, (unsigned long long)m->hugepages_free,
            (unsigned long long)m->hugepages_total, (unsigned long long)m->hugepage_bytes >> 10);
    fprintf(out, "software  %s, gcc %s, governor %s, clock %s, tick %.4f ns%s\n", m->kernel, m->compiler, m->governor,
            m->clock_source, m->ns_per_tick, m->tsc_invariant ? "" : " (not invariant)");
    fprintf(out, "run       CPUs %d and %d, nice %d, load %.2f before and %.2f after, %.2f %% stolen\n", m->cpu[0], m->cpu[1],
            m->nice, m->load_before, m->load_after, m->steal_percent);
}

json_t *machine_json(const struct machine *m)
{
    json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s}", "cpu_model", m->cpu_model, "kernel", m->kernel, "governor",
                               m->governor, "clock_source", m->clock_source, "compiler", m->compiler);
    const struct {
        const char *name;
        uint64_t value;
    } counts[] = {{"cpus_online", m->cpus_online}, {"cpus_allowed", m->cpus_allowed}, {"nodes", m->nodes},
                  {"page_bytes", m->page_bytes}, {"hugepage_bytes", m->hugepage_bytes},
                  {"hugepages_total", m->hugepages_total}, {"hugepages_free", m->hugepages_free},
                  {"memory_bytes", m->memory_bytes}, {"l1d_bytes", m->cache_bytes[1]}, {"l2_bytes", m->cache_bytes[2]},
                  {"l3_bytes", m->cache_bytes[3]}};
    const struct {
        const char *name;
        double value;
    } reals[] = {{"ns_per_tick", m->ns_per_tick}, {"load_before", m->load_before}, {"load_after", m->load_after},
                 {"steal_percent", m->steal_percent}};

    json_object_set_new(object, "hypervisor", json_boolean(m->hypervisor));
    json_object_set_new(object, "tsc_invariant", json_boolean(m->tsc_invariant));
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        json_object_set_new(object, counts[i].name, json_integer((json_int_t)counts[i].value));
    json_object_set_new(object, "cpu_measured", json_integer(m->cpu[0]));
    json_object_set_new(object, "cpu_partner", m->cpu[1] < 0 ? json_null() : json_integer(m->cpu[1]));
    json_object_set_new(object, "nice", json_integer(m->nice));
    for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++)
        json_object_set_new(object, reals[i].name, json_real(reals[i].value));
    return object;
}
