/* plot.c - see plot.h. The script and the drawing lie in memory without a name; gnuplot reads no start-up files. */
#include "perf/plot.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "perf/clock.h"

#define LIMIT_S 30.0
#define SVG_BYTES_MAX (16 << 20)

extern char **environ;

int plot_begin(struct plot *plot)
{
    plot->fd = memfd_create("plot", MFD_CLOEXEC);
    plot->script = plot->fd < 0 ? NULL : fdopen(dup(plot->fd), "w");
    if (plot->script)
        return 0;
    int error = -errno;
    if (plot->fd >= 0)
        close(plot->fd);
    return error;
}

static bool await(pid_t pid)
{
    const struct timespec nap = {.tv_nsec = 2000000};
    int status = 0;
    for (double until = clock_now_ns() + LIMIT_S * 1e9; waitpid(pid, &status, WNOHANG) == 0; nanosleep(&nap, NULL))
        if (clock_now_ns() > until) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            return false;
        }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* gnuplot with in and out as its standard input and output; what it says goes nowhere. */
static bool draw(int in, int out)
{
    char *arguments[] = {"gnuplot", "-d", NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return false;
    bool is_ready = posix_spawn_file_actions_adddup2(&actions, in, 0) == 0 && posix_spawn_file_actions_adddup2(&actions, out, 1) == 0 &&
                    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", 1 /* O_WRONLY */, 0) == 0;
    bool is_started = is_ready && posix_spawnp(&pid, arguments[0], &actions, NULL, arguments, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    return is_started && await(pid);
}

/* The drawing in fd from its first "<svg" on, without what only a file of its own has before. */
static char *take_svg(int fd)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || status.st_size <= 0 || status.st_size > SVG_BYTES_MAX)
        return NULL;
    size_t bytes = (size_t)status.st_size;
    char *text = malloc(bytes + 1);
    if (!text || pread(fd, text, bytes, 0) != (ssize_t)bytes) {
        free(text);
        return NULL;
    }
    text[bytes] = '\0';
    char *begin = strstr(text, "<svg"), *end = strstr(text, "</svg>");
    if (!begin || !end) {
        free(text);
        return NULL;
    }
    end[6] = '\0';
    memmove(text, begin, strlen(begin) + 1);
    return text;
}

char *plot_end(struct plot *plot, unsigned width, unsigned height)
{
    static unsigned drawn; /* names in a page's drawings must differ */
    char head[160], *svg = NULL;
    bool is_written = fclose(plot->script) == 0;
    int in = memfd_create("script", MFD_CLOEXEC), out = memfd_create("svg", MFD_CLOEXEC);
    int length = snprintf(head, sizeof head, "set terminal svg size %u,%u dynamic noenhanced name \"plot%u\" font \"sans-serif,11\" background rgb \"white\"\n", width, height, ++drawn);
    is_written = is_written && in >= 0 && out >= 0 && write(in, head, (size_t)length) == length;
    char buffer[16384];
    ssize_t got;
    for (off_t at = 0; is_written && (got = pread(plot->fd, buffer, sizeof buffer, at)) > 0; at += got)
        is_written = write(in, buffer, (size_t)got) == got;
    if (is_written && lseek(in, 0, SEEK_SET) == 0 && draw(in, out))
        svg = take_svg(out);
    close(plot->fd);
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return svg;
}

void plot_drop(struct plot *plot)
{
    fclose(plot->script);
    close(plot->fd);
}

bool plot_is_there(void)
{
    static int known = -1;
    struct plot plot;
    if (known < 0 && plot_begin(&plot) == 0) {
        fputs("plot x\n", plot.script);
        char *svg = plot_end(&plot, 100, 100);
        known = svg != NULL;
        free(svg);
    }
    return known > 0;
}

char *plot_label(char *out, size_t bytes, const char *text)
{
    size_t i = 0;
    for (; text[i] && i + 1 < bytes; i++) {
        char c = text[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr(" ,.:;+-/()%^=_", c);
        out[i] = is_plain ? c : '?';
    }
    out[i] = '\0';
    return out;
}
