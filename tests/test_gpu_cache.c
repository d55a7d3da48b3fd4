/* What a device's driver has compiled, kept in $XDG_CACHE_HOME/adit: a file that is damaged, somebody else's or cannot be written costs a compilation and nothing else; a process
 * killed with a batch in flight, or while it writes, leaves no half file.
 *
 * (tried: the hash not compared, not seeded; the length not compared; no limit; the file's owner and mode not looked at; opened without O_NONBLOCK: a FIFO hangs;
 * written in its place; the part not taken over, not cut, not locked, one that has become the file written to; renamed before it is whole.) */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include <cmocka.h>

#include "gpu/generate_batch.h"
#include "gpu/pipeline_cache.h"
#include "tests/faulty_fixture.h"
#include "tests/gpu_fixture.h"

#define WAIT_NS 120000000000u
#define TOO_LONG_S 250u
#define HEAD_BYTES 24u
#define KILLS 30u
#define KEPT "cache:300000"
#define KEPT_BYTES 300000u
#define MUCH "cache:8000000"
#define MUCH_BYTES 8000000u

static char home[200], folder[220], file[300], part[320];
static uint64_t seed; /* of its hash */
static uint16_t want[ADIT_CHUNK_VOXELS];

/* A chunk made by a device that is opened for it. How many bytes its driver was given. */
static uint32_t work(void)
{
    struct adit_gpu_list *list;
    struct adit_gpu *gpu;
    struct adit_generate_batch *b;
    const uint16_t *got;
    assert_int_equal(adit_gpu_list_open(&list), 0);
    assert_int_equal(adit_gpu_open(list, list->devices, &gpu), 0);
    uint32_t given = faulty_driver_cache_bytes();
    assert_int_equal(adit_generate_batch_open(gpu, 1, &b), 0);
    adit_generate_batch_begin(b);
    assert_int_equal(adit_generate_batch_add(b, adit_generator_named("terrain"), 1, 0, 0, 0), 0);
    assert_int_equal(adit_generate_batch_submit(b), 0);
    assert_int_equal(adit_generate_batch_wait(b, WAIT_NS), 0);
    adit_generate_batch_result(b, 0, &got);
    assert_memory_equal(got, want, sizeof want);
    adit_generate_batch_close(&b);
    adit_gpu_close(&gpu);
    adit_gpu_list_close(&list);
    assert_int_equal(faulty_driver_live(), 0);
    return given;
}

static size_t size_of(const char *path)
{
    struct stat st;
    return stat(path, &st) ? 0 : (size_t)st.st_size;
}

static uint8_t *read_whole(const char *path, size_t *bytes)
{
    *bytes = size_of(path);
    uint8_t *data = malloc(*bytes + 1);
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, *bytes, f), *bytes);
    fclose(f);
    return data;
}

static void write_whole(const char *path, const void *data, size_t bytes)
{
    (void)unlink(path);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, bytes, f), bytes);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

/* What lies there does not reach the driver, and gives way to a sound file, of that many bytes. */
static void is_replaced_by(const char *what, uint32_t bytes)
{
    uint32_t given = work();
    if (given)
        fail_msg("%s: the driver was given %u bytes", what, given);
    if (size_of(file) != HEAD_BYTES + bytes || work() != bytes)
        fail_msg("%s: it was not written over", what);
}

static void is_replaced(const char *what) { is_replaced_by(what, KEPT_BYTES); }

static void what_was_compiled_is_there_the_next_time(void **state)
{
    (void)state;
    assert_int_equal(work(), 0);
    assert_int_equal(size_of(file), HEAD_BYTES + KEPT_BYTES);
    assert_int_equal(size_of(part), 0);
    assert_int_equal(work(), KEPT_BYTES);
    faulty_driver_break(""); /* as the driver has it */
    unlink(file);
    assert_int_equal(work(), 0);
    size_t own = size_of(file);
    assert_true(own > HEAD_BYTES);
    assert_int_equal(work(), own - HEAD_BYTES);
}

static void a_damaged_file_does_not_reach_the_driver(void **state)
{
    static const uint32_t lengths[] = {0, 1, 23, 24, 25, 1000, HEAD_BYTES + KEPT_BYTES - 1};
    static const uint32_t places[] = {0, 7, 8, 12, 15, 16, 23, 24, 40, 56, 5000, HEAD_BYTES + KEPT_BYTES - 1};
    size_t bytes;
    (void)state;
    work();
    uint8_t *data = read_whole(file, &bytes), *worse = malloc(bytes + 1);
    assert_non_null(worse);
    for (uint32_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        write_whole(file, data, lengths[i]);
        is_replaced("a file that was cut");
    }
    for (uint32_t i = 0; i < sizeof places / sizeof *places; i++) {
        memcpy(worse, data, bytes);
        worse[places[i]] ^= (uint8_t)(1u << i % 8);
        write_whole(file, worse, bytes);
        is_replaced("a file with a bit that is wrong");
    }
    memcpy(worse, data, bytes);
    worse[bytes] = 0;
    write_whole(file, worse, bytes + 1);
    is_replaced("a file with a byte too many");
    memset(worse, 0xa5, bytes);
    write_whole(file, worse, bytes);
    is_replaced("garbage");
    write_whole(file, data + HEAD_BYTES, bytes - HEAD_BYTES);
    is_replaced("the driver's data without a head");
    free(data);
    free(worse);
}

static void the_file_of_another_device_is_not_taken(void **state)
{
    char drivers[600], path[600];
    struct adit_gpu_list *list;
    struct adit_gpu *gpu;
    struct adit_generate_batch *b;
    size_t bytes;
    (void)state;
    unlink(file);
    snprintf(drivers, sizeof drivers, "%s", getenv("VK_DRIVER_FILES"));
    gpu_use_drivers(gpu_test_driver());
    assert_int_equal(adit_gpu_list_open(&list), 0);
    snprintf(path, sizeof path, "%s/pipelines-", folder);
    for (uint32_t i = 0; i < 16; i++)
        sprintf(path + strlen(path), "%02x", list->devices[0].uuid[i]);
    assert_int_equal(adit_gpu_open(list, list->devices, &gpu), 0);
    assert_int_equal(adit_generate_batch_open(gpu, 1, &b), 0);
    adit_generate_batch_close(&b);
    adit_gpu_close(&gpu);
    adit_gpu_list_close(&list);
    gpu_use_drivers(drivers);
    uint8_t *data = read_whole(path, &bytes);
    write_whole(file, data, bytes);
    free(data);
    is_replaced("another device's");
    unlink(path);
}

static void what_is_no_file_of_ours_is_not_read(void **state)
{
    struct stat st;
    (void)state;
    work();
    assert_int_equal(chmod(file, 0622), 0);
    is_replaced("a file that others write");
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    if (!geteuid()) {
        assert_int_equal(chown(file, 12345, (gid_t)-1), 0);
        is_replaced("a stranger's file");
    }
    unlink(file);
    assert_int_equal(mkfifo(file, 0600), 0);
    is_replaced("a FIFO");
    unlink(file);
    assert_int_equal(symlink("/dev/zero", file), 0);
    is_replaced("a device");
    unlink(file);
    assert_int_equal(mkdir(file, 0700), 0);
    assert_int_equal(work(), 0); /* stays */
    assert_int_equal(work(), 0);
    assert_int_equal(size_of(part), 0);
    assert_int_equal(rmdir(file), 0);
}

static void a_cache_has_a_limit(void **state)
{
    static uint8_t much[HEAD_BYTES + ADIT_GPU_CACHE_MAX + 1];
    char fault[32];
    (void)state;
    unlink(file);
    snprintf(fault, sizeof fault, "cache:%u", ADIT_GPU_CACHE_MAX + 1);
    faulty_driver_break(fault);
    assert_int_equal(work(), 0);
    assert_int_equal(size_of(file), 0);
    snprintf(fault, sizeof fault, "cache:%u", ADIT_GPU_CACHE_MAX);
    faulty_driver_break(fault);
    assert_int_equal(work(), 0);
    assert_int_equal(work(), ADIT_GPU_CACHE_MAX);
    faulty_driver_break(KEPT);
    size_t bytes;
    uint8_t *data = read_whole(file, &bytes);
    memcpy(much, data, bytes);
    free(data);
    const uint64_t more[2] = {ADIT_GPU_CACHE_MAX + 1, XXH3_64bits_withSeed(much + HEAD_BYTES, ADIT_GPU_CACHE_MAX + 1, seed)};
    memcpy(much + 8, more, sizeof more);
    write_whole(file, much, sizeof much);
    is_replaced("8 MiB and a byte");
}

/* A file where the folder should be, a place where nothing can be made, none at all, one that is too long; for others than root, a folder that must not be written. */
static void without_a_place_nothing_is_kept(void **state)
{
    char longer[700], nowhere[300];
    (void)state;
    snprintf(nowhere, sizeof nowhere, "%s/nowhere", home);
    write_whole(nowhere, "", 0);
    memset(longer, 'x', sizeof longer);
    longer[0] = '/';
    longer[sizeof longer - 1] = 0;
    const char *const places[] = {nowhere, "/proc", "/dev/null", longer};
    for (uint32_t i = 0; i < sizeof places / sizeof *places; i++) {
        setenv("XDG_CACHE_HOME", places[i], 1);
        assert_int_equal(work(), 0);
        assert_int_equal(work(), 0);
    }
    setenv("HOME", home, 1);
    setenv("XDG_CACHE_HOME", "relative", 1); /* so it is $HOME/.cache */
    assert_int_equal(work(), 0);
    assert_int_equal(work(), KEPT_BYTES);
    assert_int_not_equal(access("relative/adit", F_OK), 0);
    setenv("XDG_CACHE_HOME", home, 1);
    unlink(file);
    assert_int_equal(chmod(folder, 0500), 0);
    assert_int_equal(work(), 0);
    assert_int_equal(work(), geteuid() ? 0 : KEPT_BYTES);
    assert_int_equal(chmod(folder, 0700), 0);
    unlink(nowhere);
}

/* Who is at it is left alone; who died at it is not. */
static void a_part_is_taken_over_when_its_writer_is_gone(void **state)
{
    (void)state;
    unlink(file);
    int fd = open(part, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "half", 4), 4);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(work(), 0);
    assert_int_equal(size_of(part), 4);
    assert_int_equal(size_of(file), 0);
    assert_int_equal(ftruncate(fd, HEAD_BYTES + KEPT_BYTES + 1000), 0); /* longer than what comes */
    close(fd);
    is_replaced("nothing");
    assert_int_not_equal(access(part, F_OK), 0);
}

/* Instead of libc's: between the opening of a part and its lock another writer ends, and a third one begins. */
static bool others_come_between;
int flock(int fd, int operation)
{
    if (others_come_between) {
        others_come_between = false;
        assert_int_equal(rename(part, file), 0);
        write_whole(part, "", 0);
    }
    return (int)syscall(SYS_flock, fd, operation);
}

static void a_part_that_has_become_the_file_is_not_written_to(void **state)
{
    size_t bytes;
    (void)state;
    work();
    uint8_t *data = read_whole(file, &bytes);
    write_whole(part, data, bytes);
    free(data);
    unlink(file);
    others_come_between = true;
    assert_int_equal(work(), 0);
    assert_false(others_come_between);
    assert_int_equal(size_of(file), bytes);
    assert_int_equal(access(part, F_OK), 0);
    assert_int_equal(work(), KEPT_BYTES);
}

/* ---- deaths */

/* A victim: batches in flight, one after the other; or devices opened with nothing compiled yet, each writing the file anew. A byte on stdout for each. */
static int victim(bool writes)
{
    struct adit_gpu_list *list;
    struct adit_gpu *gpu = NULL;
    struct adit_generate_batch *b = NULL;
    if (adit_gpu_list_open(&list))
        return 1;
    for (;;) {
        if (!gpu && (adit_gpu_open(list, list->devices, &gpu) || adit_generate_batch_open(gpu, 4, &b)))
            return 1;
        adit_generate_batch_begin(b);
        for (int32_t x = 0; x < 4; x++)
            if (adit_generate_batch_add(b, adit_generator_named("terrain"), 1, x, 0, 0))
                return 1;
        if (!writes && adit_generate_batch_submit(b))
            return 1;
        if (write(1, "", 1) != 1)
            return 1;
        if (!writes && adit_generate_batch_wait(b, WAIT_NS))
            return 1;
        if (writes) {
            adit_generate_batch_close(&b);
            adit_gpu_close(&gpu);
            (void)unlink(file);
        }
    }
}

/* Only whole files, and a part that the next one takes over. */
static void assert_nothing_is_half(void)
{
    struct dirent *e;
    DIR *d = opendir(folder);
    assert_non_null(d);
    while ((e = readdir(d))) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (e->d_name[0] != '.' && strcmp(path, part) && (strcmp(path, file) || size_of(file) != HEAD_BYTES + MUCH_BYTES))
            fail_msg("%s was left, of %zu bytes", path, size_of(path));
    }
    closedir(d);
}

static uint32_t entries_of(const char *path)
{
    uint32_t n = 0;
    DIR *d = opendir(path);
    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

/* Until the victim has begun to write: it takes its file away before. A miss is a kill at another moment. */
static void await_writing(void)
{
    for (uint32_t i = 0; i < 1000000 && !access(file, F_OK); i++)
        ;
    for (uint32_t i = 0; i < 1000000 && access(file, F_OK) && access(part, F_OK); i++)
        ;
}

static void kill_one(bool writes, uint64_t after_ns)
{
    int pipes[2], status;
    char byte;
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        dup2(pipes[1], 1);
        execl("/proc/self/exe", "test_gpu_cache", writes ? "writes" : "flies", file, (char *)NULL);
        _exit(1);
    }
    close(pipes[1]);
    assert_int_equal(read(pipes[0], &byte, 1), 1);
    if (writes)
        await_writing();
    const struct timespec t = {.tv_nsec = (long)after_ns};
    nanosleep(&t, NULL);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    close(pipes[0]);
}

static void a_killed_process_leaves_nothing_half_done(void **state)
{
    uint64_t x = 7;
    (void)state;
    faulty_driver_break(MUCH); /* writing takes a moment */
    unlink(file);
    work();
    uint32_t before = entries_of(home);
    for (uint32_t i = 0; i < KILLS; i++) {
        x = x * 0x5851f42d4c957f2du + 0x14057b7ef767814fu;
        kill_one(i % 3, (x >> 33) % (i % 3 ? 3000000u : 8000000u));
        assert_nothing_is_half();
        assert_int_equal(entries_of(home), before);
    }
    uint32_t given = work();
    assert_true(!given || given == MUCH_BYTES);
    unlink(file);
    is_replaced_by("what the killed have left", MUCH_BYTES);
    assert_int_not_equal(access(part, F_OK), 0);
}

/* ---- around */

static int find_file(void **state)
{
    struct adit_gpu_list *list;
    (void)state;
    (void)alarm(TOO_LONG_S);
    adit_generate(adit_generator_named("terrain"), 1, 0, 0, 0, want);
    snprintf(home, sizeof home, "%s", getenv("XDG_CACHE_HOME"));
    snprintf(folder, sizeof folder, "%s/adit", home);
    setenv("TMPDIR", home, 1);
    char mesa[220];
    snprintf(mesa, sizeof mesa, "%s/mesa", home);
    setenv("MESA_SHADER_CACHE_DIR", mesa, 1); /* a cache of its own, which says on stderr that it cannot take a place */
    if (adit_gpu_list_open(&list))
        return -1;
    snprintf(file, sizeof file, "%s/pipelines-", folder);
    for (uint32_t i = 0; i < 16; i++)
        sprintf(file + strlen(file), "%02x", list->devices[0].uuid[i]);
    snprintf(part, sizeof part, "%s.part", file);
    const struct adit_gpu_device *d = list->devices;
    seed = XXH3_64bits(d->uuid, sizeof d->uuid);
    seed = XXH3_64bits_withSeed(d->driver, strlen(d->driver), seed);
    seed = XXH3_64bits_withSeed(d->driver_info, strlen(d->driver_info), seed);
    adit_gpu_list_close(&list);
    return 0;
}

static int tell(void **state)
{
    (void)state;
    faulty_driver_break(KEPT);
    return 0;
}

#define keeps(test) cmocka_unit_test_setup(test, tell)

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        keeps(what_was_compiled_is_there_the_next_time),
        keeps(a_damaged_file_does_not_reach_the_driver),
        keeps(the_file_of_another_device_is_not_taken),
        keeps(what_is_no_file_of_ours_is_not_read),
        keeps(a_cache_has_a_limit),
        keeps(a_part_is_taken_over_when_its_writer_is_gone),
        keeps(a_part_that_has_become_the_file_is_not_written_to),
        keeps(a_killed_process_leaves_nothing_half_done),
        keeps(without_a_place_nothing_is_kept),
    };
    if (argc == 3) {
        snprintf(file, sizeof file, "%s", argv[2]);
        return victim(!strcmp(argv[1], "writes"));
    }
    gpu_use_drivers(faulty_driver_manifest(KEPT));
    return cmocka_run_group_tests_name("compiled pipelines that are kept", tests, find_file, NULL);
}
