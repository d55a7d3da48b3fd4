/* spawned.c - output goes into files, not pipes: a program that prints much never blocks on a test that does not read. */
#include "tests/spawned.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

extern char **environ;

static char home[64];

const char *spawned_path(const char *program)
{
    static char path[PATH_MAX + 64];
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(n > 0);
    self[n] = 0;
    for (int up = 0; up < 2; up++) { /* build/VARIANT/tests/test_x -> build/VARIANT */
        char *slash = strrchr(self, '/');
        assert_non_null(slash);
        *slash = 0;
    }
    snprintf(path, sizeof path, "%s/%s", self, program);
    return path;
}

void spawned_start(const char *program, char *const *argv, struct spawned *run)
{
    *run = (struct spawned){.out_fd = memfd_create("stdout", MFD_CLOEXEC), .err_fd = memfd_create("stderr", MFD_CLOEXEC)};
    assert_true(run->out_fd >= 0 && run->err_fd >= 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, run->out_fd, 1);
    posix_spawn_file_actions_adddup2(&actions, run->err_fd, 2);
    int failed = posix_spawn(&run->pid, spawned_path(program), &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed)
        fail_msg("%s: %s", spawned_path(program), strerror(failed));
}

/* The text in a memfd, as a string. */
static char *text_of(int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    size_t bytes = (size_t)st.st_size;
    char *text = malloc(bytes + 1);
    assert_non_null(text);
    ssize_t got = pread(fd, text, bytes, 0);
    text[got > 0 ? got : 0] = 0;
    return text;
}

static void moment(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

void spawned_wait(struct spawned *run)
{
    int status = 0;
    for (int ms = 0; waitpid(run->pid, &status, WNOHANG) == 0; ms += 5) {
        if (ms > SPAWNED_DEADLINE_MS) {
            kill(run->pid, SIGKILL);
            waitpid(run->pid, &status, 0);
            run->out = text_of(run->out_fd);
            run->err = text_of(run->err_fd);
            fail_msg("no end within %d ms\n%s\n%s", SPAWNED_DEADLINE_MS, run->out, run->err);
        }
        moment();
    }
    run->exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    run->out = text_of(run->out_fd);
    run->err = text_of(run->err_fd);
    close(run->out_fd);
    close(run->err_fd);
}

void spawned_run(const char *program, char *const *argv, struct spawned *run)
{
    spawned_start(program, argv, run);
    spawned_wait(run);
}

void spawned_free(struct spawned *run)
{
    free(run->out);
    free(run->err);
    *run = (struct spawned){.out_fd = -1, .err_fd = -1};
}

bool spawned_says(struct spawned *run, const char *text)
{
    for (int ms = 0; ms < SPAWNED_DEADLINE_MS; ms += 5) {
        char *said = text_of(run->out_fd);
        bool has = strstr(said, text) != NULL;
        free(said);
        if (has)
            return true;
        if (waitpid(run->pid, NULL, WNOHANG | WNOWAIT) < 0 && errno == ECHILD)
            return false;
        moment();
    }
    return false;
}

pid_t spawned_child_of(pid_t parent, const char *word)
{
    DIR *proc = opendir("/proc");
    pid_t found = 0;
    for (struct dirent *e; proc && !found && (e = readdir(proc));) {
        char path[300], text[4096];
        long pid = strtol(e->d_name, NULL, 10);
        int other = 0;
        if (pid <= 0)
            continue;
        snprintf(path, sizeof path, "/proc/%ld/stat", pid);
        FILE *f = fopen(path, "r");
        const char *rest = f && fgets(text, sizeof text, f) ? strrchr(text, ')') : NULL;
        if (f)
            fclose(f);
        if (!rest || sscanf(rest + 1, " %*c %d", &other) != 1 || other != parent)
            continue;
        snprintf(path, sizeof path, "/proc/%ld/cmdline", pid);
        f = fopen(path, "r");
        size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
        if (f)
            fclose(f);
        for (size_t i = 0; i < n; i++)
            if (!text[i])
                text[i] = ' ';
        text[n] = 0;
        if (strstr(text, word))
            found = (pid_t)pid;
    }
    if (proc)
        closedir(proc);
    return found;
}

const char *spawned_home_make(void)
{
    snprintf(home, sizeof home, "/tmp/adit-test-XXXXXX");
    assert_non_null(mkdtemp(home));
    setenv("XDG_RUNTIME_DIR", home, 1);
    return home;
}

static void folder_remove(const char *path)
{
    DIR *folder = opendir(path);
    for (struct dirent *e; folder && (e = readdir(folder));) {
        char name[PATH_MAX];
        struct stat st;
        snprintf(name, sizeof name, "%s/%s", path, e->d_name);
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || lstat(name, &st))
            continue;
        if (S_ISDIR(st.st_mode))
            folder_remove(name);
        else
            unlink(name);
    }
    if (folder)
        closedir(folder);
    rmdir(path);
}

void spawned_home_remove(void)
{
    if (*home)
        folder_remove(home);
    *home = 0;
}

char *spawned_file(const char *name)
{
    static char names[4][sizeof home + 64];
    static unsigned turn;
    char *out = names[turn++ % 4];
    snprintf(out, sizeof names[0], "%s/%s", home, name);
    return out;
}

int spawned_files_count(const char *folder_name, const char *part)
{
    DIR *folder = opendir(spawned_file(folder_name));
    int n = 0;
    for (struct dirent *e; folder && (e = readdir(folder));)
        n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..") && strstr(e->d_name, part);
    if (folder)
        closedir(folder);
    return n;
}
