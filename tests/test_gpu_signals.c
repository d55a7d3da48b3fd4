/* test_gpu_signals.c - signals are the application's: the threads that a Vulkan driver starts have all of them blocked, so SIGINT and SIGTERM reach a thread of adit, whoever
 * opened what; and the caller's own mask is as it was. */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gpu/generate_batch.h"
#include "gpu/gpu_executor.h"
#include "tests/adit_called.h"
#include "tests/gpu_fixture.h"

#define WAIT_NS 120000000000u

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGALRM, SIGCHLD};

/* The word of a thread's status in hexadecimal; false: it has ended meanwhile. */
static bool blocked_of(pid_t pid, const char *task, uint64_t *mask)
{
    char path[300], line[256];
    bool is_found = false;
    snprintf(path, sizeof path, "/proc/%d/task/%s/status", (int)pid, task);
    FILE *f = fopen(path, "re");
    while (f && !is_found && fgets(line, sizeof line, f))
        if (!strncmp(line, "SigBlk:", 7)) {
            *mask = strtoull(line + 7, NULL, 16);
            is_found = true;
        }
    if (f)
        fclose(f);
    return is_found;
}

/* Fails when a thread of the process, but its first, can be given a signal. How many there are. */
static uint32_t threads_that_take_none(pid_t pid)
{
    char path[64];
    uint32_t n = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    assert_non_null(tasks);
    for (struct dirent *e; (e = readdir(tasks));) {
        uint64_t mask = 0;
        if (*e->d_name == '.' || atoi(e->d_name) == pid || !blocked_of(pid, e->d_name, &mask))
            continue;
        n++;
        for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
            if (!(mask >> (signals[i] - 1) & 1)) {
                closedir(tasks);
                fail_msg("thread %s of %d can be given %s (SigBlk %llx)", e->d_name, (int)pid, strsignal(signals[i]), (unsigned long long)mask);
            }
    }
    closedir(tasks);
    return n;
}

static void mine_are_open(void)
{
    sigset_t mine;
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &mine), 0);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        assert_false(sigismember(&mine, signals[i]));
}

/* (tried, each alone: nothing blocked in adit_gpu_open: threads of llvmpipe that take SIGINT; not restored there) */
static void a_device_opened_by_hand_takes_no_signal(void **state)
{
    struct adit_gpu_list *list;
    struct adit_gpu *gpu;
    struct adit_generate_batch *b;
    (void)state;
    assert_int_equal(adit_gpu_list_open(&list), 0);
    (void)threads_that_take_none(getpid());
    assert_int_equal(adit_gpu_open(list, list->devices, &gpu), 0);
    assert_int_equal(adit_generate_batch_open(gpu, 1, &b), 0);
    adit_generate_batch_begin(b);
    assert_int_equal(adit_generate_batch_add(b, adit_generator_named("terrain"), 1, 0, 0, 0), 0);
    assert_int_equal(adit_generate_batch_submit(b), 0);
    assert_int_equal(adit_generate_batch_wait(b, WAIT_NS), 0);
    assert_true(threads_that_take_none(getpid()) >= 1); /* or there is nothing to be seen here */
    mine_are_open();
    adit_generate_batch_close(&b);
    adit_gpu_close(&gpu);
    adit_gpu_list_close(&list);
}

static void devices_of_a_dispatcher_take_no_signal(void **state)
{
    const struct adit_devices_params p = {.size = sizeof p, .software = true};
    struct adit_devices *devices;
    void *batch;
    (void)state;
    assert_int_equal(adit_devices_open(&p, &devices), 0);
    struct adit_executor *e = devices->executor[0];
    assert_int_equal(e->open(e, &batch), 0);
    assert_true(threads_that_take_none(getpid()) >= 1);
    mine_are_open();
    e->close(batch);
    adit_devices_close(&devices);
}

/* The whole program, meshing with it: all its other threads, too. */
static void a_server_with_a_device_is_ended_by_a_signal(void **state)
{
    char *cave = (char *)"cave";
    struct spawned serve;
    (void)state;
    spawned_start(ADIT, ARGV((char *)"serve", cave, (char *)"--size", (char *)"64M", (char *)"--tiers", (char *)"vulkan", (char *)"--quiet"), &serve);
    assert_true(spawned_says(&serve, "is ready"));
    json_decref(adit_json(ARGV((char *)"feed", cave, (char *)"terrain:4:2x2x1", (char *)"--json", (char *)"--quiet")));
    json_t *watched = adit_json(ARGV((char *)"watch", cave, (char *)"--json"));
    assert_int_equal(number(watched, "unmeshed"), 0);
    assert_true(threads_that_take_none(serve.pid) >= 4); /* keeper, batcher, the driver's */
    kill(serve.pid, SIGTERM);
    spawned_wait(&serve);
    assert_int_equal(serve.exit_code, 0);
    spawned_free(&serve);
    json_decref(watched);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_opened_by_hand_takes_no_signal),
        cmocka_unit_test(devices_of_a_dispatcher_take_no_signal),
        cmocka_unit_test_setup_teardown(a_server_with_a_device_is_ended_by_a_signal, adit_home_make, adit_home_remove),
    };
    gpu_use_drivers(gpu_test_driver());
    return cmocka_run_group_tests_name("signals and the threads of drivers", tests, NULL, NULL);
}
