#include "tools/tier_fingerprint.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <xxhash.h>

#include "runtime/nodes.h"

__attribute__((format(printf, 2, 3))) static void add(struct adit_tier_fingerprint *f, const char *format, ...)
{
    size_t at = strlen(f->text);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(f->text + at, sizeof f->text - at, format, arguments);
    va_end(arguments);
}

/* The first "name : value" of /proc/cpuinfo. */
static void cpuinfo_add(struct adit_tier_fingerprint *f, const char *name)
{
    char line[512];
    FILE *file = fopen("/proc/cpuinfo", "re");
    while (file && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (!colon || strncmp(line, name, strlen(name)) != 0)
            continue;
        colon += 1 + strspn(colon + 1, " \t");
        add(f, "%s: %.*s\n", name, (int)strcspn(colon, "\n"), colon);
        break;
    }
    if (file)
        fclose(file);
}

static void nodes_add(struct adit_tier_fingerprint *f)
{
    static struct adit_node nodes[ADIT_NODES_MAX]; /* too large for a stack; one thread at a time measures */
    uint32_t n = adit_nodes_here(nodes);
    for (uint32_t i = 0; i < n; i++) {
        add(f, "node %d: %u cpus, ", nodes[i].id, nodes[i].cpus_n);
        for (uint32_t at = 0; at < CPU_SETSIZE; at += 4) { /* as a mask in hexadecimal, lowest first */
            uint32_t digit = 0;
            for (uint32_t k = 0; k < 4; k++)
                digit |= (uint32_t)(CPU_ISSET(at + k, &nodes[i].cpus) ? 1 : 0) << k;
            if (digit)
                add(f, "%x@%u ", digit, at);
        }
        add(f, "\n");
    }
}

static void devices_add(struct adit_tier_fingerprint *f, const struct adit_gpu_list *gpus)
{
    for (uint32_t i = 0; gpus && i < gpus->n; i++) {
        const struct adit_gpu_device *d = &gpus->devices[i];
        add(f, "vulkan %u: ", i);
        for (uint32_t k = 0; k < sizeof d->uuid; k++)
            add(f, "%02x", d->uuid[k]);
        add(f, " %.100s, driver %.100s %.200s%s%s\n", d->name, d->driver, d->driver_info, d->unfit ? ", unfit: " : "", d->unfit ? d->unfit : "");
    }
    if (!gpus)
        add(f, "vulkan: none\n");
}

static void environment_add(struct adit_tier_fingerprint *f, const char *name)
{
    const char *value = getenv(name);
    if (value)
        add(f, "%s=%.700s\n", name, value);
}

/* The program's own bytes: also a rebuild of the same version may have other figures. */
static void build_add(struct adit_tier_fingerprint *f)
{
    struct stat st;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    uint64_t hash = 0;
    if (fd >= 0 && !fstat(fd, &st) && st.st_size > 0) {
        void *at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (at != MAP_FAILED) {
            hash = XXH3_64bits(at, (size_t)st.st_size);
            munmap(at, (size_t)st.st_size);
        }
    }
    if (fd >= 0)
        close(fd);
    add(f, "build: %016llx\n", (unsigned long long)hash);
}

void adit_tier_fingerprint_make(const struct adit_gpu_list *gpus, struct adit_tier_fingerprint *f)
{
    struct utsname name;
    memset(f, 0, sizeof *f);
    cpuinfo_add(f, "model name");
    cpuinfo_add(f, "microcode");
    if (!uname(&name))
        add(f, "kernel: %s %s %s\n", name.sysname, name.release, name.machine);
    build_add(f);
    environment_add(f, "ADIT_DISABLE");
    nodes_add(f);
    uint32_t cpu = (uint32_t)XXH3_64bits(f->text, strlen(f->text));
    environment_add(f, "VK_DRIVER_FILES");
    environment_add(f, "VK_ICD_FILENAMES");
    devices_add(f, gpus);
    snprintf(f->hex, sizeof f->hex, "%08x%08x", cpu, (uint32_t)XXH3_64bits(f->text, strlen(f->text)));
}
