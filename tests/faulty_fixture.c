#include "tests/faulty_fixture.h"

#include <dlfcn.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/gpu_fixture.h"

static char folder[256], manifest[300], ours[600];
static pid_t maker; /* of the folder */

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

/* Not when a child exits that was forked meanwhile. */
static void clean_up(void)
{
    if (getpid() == maker)
        (void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* The library that a driver file names: as it stands, or beside the file when it is relative (Vulkan-Loader, LoaderDriverInterface.md). */
static void find_library(const char *driver, char *path, size_t bytes)
{
    char text[4096], name[512] = "";
    FILE *f = fopen(driver, "re");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f)
        fclose(f);
    text[n] = 0;
    const char *at = strstr(text, "\"library_path\"");
    if (!at || sscanf(at + 14, " : \"%511[^\"]", name) != 1) {
        fprintf(stderr, "%s: names no library\n", driver);
        exit(1);
    }
    const char *slash = strrchr(driver, '/');
    if (*name == '/' || !strchr(name, '/') || !slash)
        snprintf(path, bytes, "%s", name);
    else
        snprintf(path, bytes, "%.*s/%s", (int)(slash - driver), driver, name);
}

/* drivers/libfaulty_driver.so beside this program. */
static void find_ours(void)
{
    ssize_t n = readlink("/proc/self/exe", ours, 512);
    char *slash = n > 0 && n < 512 ? memrchr(ours, '/', (size_t)n) : NULL;
    if (!slash)
        abort();
    strcpy(slash, "/drivers/libfaulty_driver.so");
}

void faulty_driver_break(const char *fault) { setenv("ADIT_FAULTY", fault, 1); }

const char *faulty_driver_manifest(const char *fault)
{
    char library[900];
    if (!gpu_test_driver())
        return NULL;
    faulty_driver_break(fault);
    if (*manifest)
        return manifest;
    find_ours();
    find_library(gpu_test_driver(), library, sizeof library);
    setenv("ADIT_FAULTY_DRIVER", library, 1);
    snprintf(folder, sizeof folder, "%s/faulty-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(folder)) {
        perror(folder);
        exit(1);
    }
    snprintf(manifest, sizeof manifest, "%s/driver.json", folder);
    FILE *f = fopen(manifest, "wxe");
    if (!f || fprintf(f, "{\"file_format_version\": \"1.0.0\", \"ICD\": {\"library_path\": \"%s\", \"api_version\": \"1.3.0\"}}\n", ours) < 0 || fclose(f)) {
        perror(manifest);
        exit(1);
    }
    setenv("XDG_CACHE_HOME", folder, 1);
    maker = getpid();
    atexit(clean_up);
    return manifest;
}

/* One of the driver's own counts. It is held in memory, so that counts go on from one list of devices to the next. */
static uint32_t ask(const char *name)
{
    static void *held;
    if (!held)
        held = dlopen(ours, RTLD_NOW | RTLD_LOCAL);
    uint32_t (*count)(void) = held ? (uint32_t (*)(void))dlsym(held, name) : NULL;
    if (!count) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    return count();
}

uint32_t faulty_driver_live(void) { return ask("faulty_driver_live"); }
uint32_t faulty_driver_cache_bytes(void) { return ask("faulty_driver_cache_bytes"); }
