/* stream.c - sound through another process at 60 frames a second: `stream [--seconds N]` needs no server, it makes an arena of its own.
 *
 *     this process: source and listener                       its child: filter
 *       each 1/60 s: 800 samples  --> ring "dry" -->            five times 320 samples in a window, each time 160 anew:
 *       DELAY frames later the same  <-- ring "wet" <--           adit.fft --> damp --> adit.fft back, three tasks for all five
 *                                                                 overlapping results added up
 *
 * The tasks are chained by what they do to buffers: one that reads what another writes runs after it, and nobody has to say so. `damp` is a kind of this
 * program. The signal is a sine that stays, one that is damped, and a sweep by which any slip of the stream is seen; the listener compares every sample
 * with what it should be. Who is late is counted: a frame that is not there in time is heard as silence, and left out when it comes. Exit 0: every sample
 * was right; 1: some were not, or something failed; 2: bad usage. Ctrl-C ends the stream early, and what has been sent is still checked.
 */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/adit.h"

#define RATE 48000u
#define FRAMES_A_SECOND 60u
#define FRAME (RATE / FRAMES_A_SECOND)
#define SECONDS_MAX 3600u
#define DELAY 4u /* frames from writing one to hearing it */

#define POINTS 512u /* of a transform; 93.75 Hz a bin */
#define HOP 160u
#define HOPS (FRAME / HOP) /* done by the same three tasks: so many fewer threads are to be woken */
#define WINDOW (2 * HOP)
#define MARGIN ((POINTS - WINDOW) / 2) /* silence on both sides of the window */
#define BEHIND (HOP + MARGIN)          /* samples by which the filter's output lies behind its input */
#define SETTLED (BEHIND + 1024)        /* the signal begins with a click, of which a filter makes another one */

#define KEPT_HZ 2200.0
#define KEPT 0.5
#define SWEEP 0.25 /* from 300 to 1,500 Hz and back, in 3.3 s */
#define DAMPED_HZ 9000.0
#define DAMPED 0.25
#define CUTOFF_HZ 4000u
#define ERROR_MAX 0.002 /* of a sample */

#define TURN (2 * 3.14159265358979323846)
#define PATIENCE_NS 100000000u /* between looks whether the other process is there */
#define QUIET_MAX 100u         /* looks at the end that find nothing new, 10 to 20 s: what is still missing does not come */
#define TIMES 200u             /* that something is done to know what it costs: the median counts */
#define MANY 256u              /* transforms, beside which their task costs nothing */

static volatile sig_atomic_t interrupted;
static void interrupt(int signal_number) { interrupted = signal_number; }

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* What should be heard of sample i of the signal: all of it but the sine that is damped. */
static double wanted(uint64_t i)
{
    double t = (double)i / RATE;
    return KEPT * sin(TURN * KEPT_HZ * t) + SWEEP * sin(TURN * 900 * t - 2000 * cos(TURN * 0.3 * t));
}

/* Waits until the other process is ready. False: it has ended. */
static bool was_told(int line)
{
    char ready;
    ssize_t n;
    do
        n = read(line, &ready, 1);
    while (n < 0 && errno == EINTR);
    return n == 1;
}

/* True as long as the other process holds its end. */
static bool is_there(int line)
{
    struct pollfd end = {.fd = line, .events = POLLIN};
    return poll(&end, 1, 0) <= 0; /* nothing more is sent: all there is to be seen is its end */
}

static int open_rings(struct adit_arena *arena, struct adit_samples **dry, struct adit_samples **wet)
{
    const struct adit_samples_params mono = {.size = sizeof mono, .channels = 1, .capacity_frames = 16384};
    int status = adit_samples_open(arena, "dry", &mono, dry);
    return status ? status : adit_samples_open(arena, "wet", &mono, wet);
}

/* ---- the child: a filter ---------------------------------------------------------------------------------------- */

struct damp_args {
    uint32_t points;    /* of each spectrum; as many as the buffer holds */
    uint32_t first_bin; /* from here on */
    float gain;
};

/* The kind "damp": makes bins of packed spectra (adit_kinds.h) quieter. Buffers: READ_WRITE. */
static int damp(const struct adit_task_run *run, const void *args, void *result, uint32_t *result_bytes)
{
    const struct damp_args *a = args;
    (void)result;
    (void)result_bytes;
    if (run->buffers_n != 1 || run->buffers[0].access != ADIT_READ_WRITE || a->points < 2 || !a->first_bin)
        return -EINVAL;
    float *spectrum = run->buffers[0].data;
    uint64_t n = run->buffers[0].bytes / sizeof *spectrum / a->points;
    for (; n; n--, spectrum += a->points) {
        for (uint64_t i = 2 * (uint64_t)a->first_bin; i < a->points; i++)
            spectrum[i] *= a->gain;
        spectrum[1] *= a->gain; /* the last bin stands in front */
    }
    return 0;
}

struct filter {
    struct adit_arena *arena;
    struct adit_reader *reader;
    struct adit_queue *queue;
    struct adit_pool *pool;
    struct adit_samples *dry, *wet;
    uint64_t samples, spectra, result; /* buffers of HOPS * POINTS floats */
    uint32_t fft, damp;                /* kinds */
    float window[WINDOW];              /* a Hann window: two that overlap by half add up to 1 */
    float in[HOP + FRAME];             /* what has come in, the last hop of the frame before in front */
    float sum[FRAME + POINTS];         /* of results, from the next sample that goes out */
};

static int open_filter(struct filter *f, const char *name)
{
    const struct adit_kind_params damps = {.size = sizeof damps, .name = "damp", .run = damp, .args_bytes_min = sizeof(struct damp_args), .args_bytes_max = sizeof(struct damp_args)};
    const struct adit_pool_params one = {.size = sizeof one, .workers = 1}; /* a chain is one task after the other */
    int status = adit_attach(name, ADIT_PRODUCER, NULL, &f->arena); /* buffers are for producers */
    uint64_t *buffers[] = {&f->samples, &f->spectra, &f->result};
    status = status ? status : adit_reader_open(f->arena, &f->reader);
    status = status ? status : open_rings(f->arena, &f->dry, &f->wet);
    status = status ? status : adit_kinds_register_builtin(f->arena);
    status = status ? status : adit_kind_find(f->arena, "adit.fft", &f->fft);
    status = status ? status : adit_kind_register(f->arena, &damps, &f->damp);
    for (int i = 0; i < 3 && !status; i++)
        status = adit_buffer_create(f->arena, HOPS * POINTS * sizeof(float), NULL, buffers[i]);
    status = status ? status : adit_queue_open(f->arena, "stream", NULL, &f->queue);
    status = status ? status : adit_pool_open(f->queue, &one, &f->pool);
    for (uint32_t i = 0; i < WINDOW; i++)
        f->window[i] = (float)(0.5 - 0.5 * cos(TURN * i / WINDOW));
    return status;
}

static void close_filter(struct filter *f)
{
    adit_pool_close(&f->pool);
    adit_queue_close(&f->queue);
    adit_samples_close(&f->dry);
    adit_samples_close(&f->wet);
    adit_reader_close(&f->reader);
    adit_detach(&f->arena); /* its buffers end with it */
}

/* Submits n tasks and waits for all of them. */
static int run_tasks(struct filter *f, const struct adit_task_spec *specs, int n)
{
    uint64_t tasks[3];
    int status = 0, submitted = adit_submit_n(f->queue, specs, (uint32_t)n, tasks); /* one wake */
    for (int i = submitted - 1; i >= 0; i--) {                                     /* the last one ends last */
        struct adit_task_result r = {.size = sizeof r};
        int waited = adit_wait(f->queue, tasks[i], ADIT_FOR_EVER, &r);
        status = waited ? waited : r.status ? r.status : status;
    }
    return status ? status : submitted < 0 ? submitted : submitted < n ? -EAGAIN : 0;
}

/* The chain for what is in `samples`. */
static int run_chain(struct filter *f)
{
    const struct adit_fft_args there = {.points = POINTS, .count = HOPS}, back = {.points = POINTS, .count = HOPS, .inverse = 1};
    const struct damp_args high = {.points = POINTS, .first_bin = CUTOFF_HZ * POINTS / RATE, .gain = 0.001f};
    const struct adit_use uses_there[] = {{f->samples, ADIT_READ}, {f->spectra, ADIT_WRITE}};
    const struct adit_use uses_high[] = {{f->spectra, ADIT_READ_WRITE}};
    const struct adit_use uses_back[] = {{f->spectra, ADIT_READ}, {f->result, ADIT_WRITE}};
    const struct adit_task_spec chain[] = {
        {.size = sizeof *chain, .kind = f->fft, .args = &there, .args_bytes = sizeof there, .uses = uses_there, .uses_n = 2},
        {.size = sizeof *chain, .kind = f->damp, .args = &high, .args_bytes = sizeof high, .uses = uses_high, .uses_n = 1},
        {.size = sizeof *chain, .kind = f->fft, .args = &back, .args_bytes = sizeof back, .uses = uses_back, .uses_n = 2},
    };
    return run_tasks(f, chain, 3);
}

/* A frame in, and one out. */
static int filter_frame(struct filter *f, float *frame)
{
    static float blocks[HOPS][POINTS]; /* margins stay silent */
    memcpy(f->in, f->in + FRAME, HOP * sizeof(float));
    memcpy(f->in + HOP, frame, FRAME * sizeof(float));
    for (uint32_t b = 0; b < HOPS; b++)
        for (uint32_t i = 0; i < WINDOW; i++)
            blocks[b][MARGIN + i] = f->in[b * HOP + i] * f->window[i];
    int status = adit_buffer_put(f->arena, f->samples, blocks, sizeof blocks);
    status = status ? status : run_chain(f);
    if (status)
        return status;
    struct adit_buffer_view result;
    adit_enter(f->reader); /* from here to exit what is acquired stays as it is */
    status = adit_buffer_acquire(f->reader, f->result, &result);
    for (uint32_t b = 0; b < HOPS && !status; b++)
        for (uint32_t i = 0; i < POINTS; i++)
            f->sum[b * HOP + i] += ((const float *)result.data)[b * POINTS + i];
    int left = adit_exit(f->reader);
    memcpy(frame, f->sum, FRAME * sizeof(float)); /* nothing to come reaches back so far */
    memmove(f->sum, f->sum + FRAME, POINTS * sizeof(float));
    memset(f->sum + POINTS, 0, FRAME * sizeof(float));
    return status ? status : left;
}

/* The median time of one task with `count` transforms of POINTS points, waited for. */
static int time_fft(struct filter *f, uint32_t count, uint64_t *median_ns)
{
    const struct adit_fft_args args = {.points = POINTS, .count = count};
    struct adit_use uses[] = {{0, ADIT_READ}, {0, ADIT_WRITE}};
    struct adit_task_spec spec = {.size = sizeof spec, .kind = f->fft, .args = &args, .args_bytes = sizeof args, .uses = uses, .uses_n = 2};
    uint64_t took[TIMES];
    int status = 0;
    for (int i = 0; i < 2 && !status; i++)
        status = adit_buffer_create(f->arena, (uint64_t)count * POINTS * sizeof(float), NULL, &uses[i].buffer);
    for (uint32_t i = 0; i < TIMES && !status; i++) {
        uint64_t begun = now_ns();
        status = run_tasks(f, &spec, 1);
        took[i] = now_ns() - begun;
    }
    for (int i = 0; i < 2; i++)
        adit_buffer_destroy(f->arena, uses[i].buffer);
    if (!status)
        qsort(took, TIMES, sizeof *took, by_size);
    *median_ns = status ? 0 : took[TIMES / 2];
    return status;
}

/* What handing a transform to a worker costs beside the transform itself: too small ones are better done many to a task. */
static int say_costs(struct filter *f)
{
    uint64_t alone_ns, many_ns;
    int status = time_fft(f, 1, &alone_ns);
    status = status ? status : time_fft(f, MANY, &many_ns);
    if (!status)
        printf("FFT of %u points: %.1f us as a task, %.1f us as a call (one of %u in a task)\n", POINTS, (double)alone_ns / 1e3, (double)many_ns / 1e3 / MANY, MANY);
    return status;
}

/* What the child does until its parent closes the line, or dies. */
static int filter_main(const char *name, int line)
{
    static struct filter f;
    float frame[FRAME];
    const char ready = 1;
    signal(SIGINT, SIG_IGN); /* the parent ends, then this one */
    if (!was_told(line))
        return 1; /* it has no arena */
    int status = open_filter(&f, name);
    if (!status && write(line, &ready, 1) != 1)
        status = -EPIPE;
    while (!status && is_there(line)) {
        if (adit_samples_wait_fill(f.dry, FRAME, PATIENCE_NS))
            continue;
        adit_samples_read(f.dry, frame, FRAME);
        status = filter_frame(&f, frame);
        while (!status && adit_samples_wait_room(f.wet, FRAME, PATIENCE_NS) && is_there(line))
            ;
        adit_samples_write(f.wet, frame, FRAME);
    }
    status = status ? status : say_costs(&f);
    if (status)
        fprintf(stderr, "stream: filter: %s (%s)\n", adit_strerror(status), adit_detail());
    close_filter(&f);
    return status != 0;
}

/* ---- the parent: source and listener ---------------------------------------------------------------------------- */

struct listener {
    struct adit_samples *dry, *wet;
    uint64_t sent, heard;        /* samples */
    uint64_t written, arrived;   /* frames: sent whole; of which as many samples are back */
    uint64_t late, owed;         /* frames heard with silence in them; samples of them that are to be left out */
    double worst;                /* difference of a sample from what it should be */
    double kept[2], damped[2];   /* sums of what is heard times sine and cosine */
    uint64_t written_ns[SECONDS_MAX * FRAMES_A_SECOND], took_ns[SECONDS_MAX * FRAMES_A_SECOND];
};

/* Sends the signal up to that many frames. A microphone would have to leave out what finds no room; a sine can be sent again, with the next frame. */
static void send_frames(struct listener *l, uint64_t frames)
{
    float frame[FRAME];
    while (l->sent < frames * FRAME) {
        uint32_t n = FRAME - (uint32_t)(l->sent % FRAME);
        for (uint32_t i = 0; i < n; i++)
            frame[i] = (float)(wanted(l->sent + i) + DAMPED * sin(TURN * DAMPED_HZ * (double)(l->sent + i) / RATE));
        uint32_t written = adit_samples_write(l->dry, frame, n);
        l->sent += written;
        if (written < n)
            return;
        l->written_ns[l->written++] = now_ns();
    }
}

/* Reads n samples, at most a frame, and judges those that are there: how many. */
static uint32_t hear(struct listener *l, uint32_t n)
{
    float frame[FRAME];
    uint32_t there = adit_samples_read(l->wet, frame, n); /* the others are silence, and counted as underrun */
    for (uint32_t i = 0; i < there; i++, l->heard++) {
        if (l->heard < SETTLED)
            continue;
        uint64_t at = l->heard - BEHIND;
        double t = TURN * (double)at / RATE, sample = (double)frame[i], error = fabs(sample - wanted(at));
        l->worst = error <= l->worst ? l->worst : error;
        l->kept[0] += sample * sin(KEPT_HZ * t);
        l->kept[1] += sample * cos(KEPT_HZ * t);
        l->damped[0] += sample * sin(DAMPED_HZ * t);
        l->damped[1] += sample * cos(DAMPED_HZ * t);
    }
    return there;
}

/* Watches frames come back, until all have or that time is there. */
static void watch_until(struct listener *l, uint64_t until_ns)
{
    for (uint64_t now = now_ns(); now < until_ns && l->arrived < l->written; now = now_ns()) {
        uint64_t end = (l->arrived + 1) * FRAME;
        if (end > l->heard && adit_samples_wait_fill(l->wet, (uint32_t)(end - l->heard), until_ns - now))
            return;
        l->took_ns[l->arrived] = now_ns() - l->written_ns[l->arrived];
        l->arrived++;
    }
}

/* Hears one frame. Silence was heard in place of what came late, so that is left out, or all that follows would be late, too. */
static void play(struct listener *l)
{
    for (uint32_t there = 1; l->owed && there; l->owed -= there) {
        uint32_t fill = adit_samples_fill(l->wet), n = l->owed < FRAME ? (uint32_t)l->owed : FRAME;
        there = hear(l, fill < n ? fill : n);
    }
    uint32_t missing = FRAME - hear(l, FRAME);
    l->late += missing != 0;
    l->owed += missing;
}

/* Streams, then hears what is still on its way. False: the filter is gone. */
static bool stream(struct listener *l, uint64_t frames, int line)
{
    uint64_t begun_ns = now_ns();
    bool there = true;
    for (uint64_t i = 0; i < frames && !interrupted && there; i++) {
        uint64_t next_ns = begun_ns + (i + 1) * 1000000000u / FRAMES_A_SECOND;
        const struct timespec next = {.tv_sec = (time_t)(next_ns / 1000000000u), .tv_nsec = (long)(next_ns % 1000000000u)};
        if (i >= DELAY)
            play(l);
        send_frames(l, i + 1);
        watch_until(l, next_ns);
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
        there = is_there(line);
    }
    for (uint32_t quiet = 0; there && quiet < QUIET_MAX && l->heard < l->sent / FRAME * FRAME;) { /* the filter does whole frames */
        watch_until(l, now_ns() + PATIENCE_NS);
        adit_samples_wait_fill(l->wet, 1, PATIENCE_NS);
        uint32_t fill = adit_samples_fill(l->wet);
        quiet = hear(l, fill < FRAME ? fill : FRAME) ? 0 : quiet + 1;
        there = is_there(line);
    }
    return there;
}

/* Says what was heard; whether it is right. */
static bool judge(struct listener *l)
{
    double half = (double)(l->heard > SETTLED ? l->heard - SETTLED : 1) / 2;
    double kept = hypot(l->kept[0], l->kept[1]) / half, damped = hypot(l->damped[0], l->damped[1]) / half;
    qsort(l->took_ns, l->arrived, sizeof *l->took_ns, by_size);
    printf("%llu samples sent, %llu heard; worst sample off by %.4f (%.3f are bad)\n", (unsigned long long)l->sent, (unsigned long long)l->heard, l->worst, ERROR_MAX);
    printf("%.0f Hz: %.3f of %.3f are left; %.0f Hz: %.4f of %.3f\n", KEPT_HZ, kept, KEPT, DAMPED_HZ, damped, DAMPED);
    printf("%llu frames, %llu late; overrun %llu + %llu samples, underrun %llu + %llu (dry + wet)\n", (unsigned long long)l->written, (unsigned long long)l->late,
           (unsigned long long)adit_samples_overrun(l->dry), (unsigned long long)adit_samples_overrun(l->wet), (unsigned long long)adit_samples_underrun(l->dry),
           (unsigned long long)adit_samples_underrun(l->wet));
    if (l->arrived)
        printf("a frame is back after p50 %.2f ms, p99 %.2f ms; heard after %.1f ms\n", (double)l->took_ns[l->arrived / 2] / 1e6,
               (double)l->took_ns[(l->arrived - 1) * 99 / 100] / 1e6, (DELAY * 1e3) / FRAMES_A_SECOND);
    return l->heard == l->sent / FRAME * FRAME && l->worst < ERROR_MAX;
}

static int listener_main(const char *name, uint64_t frames, int line, pid_t child)
{
    static struct listener l;
    const struct adit_create_params small = {.size = sizeof small, .data_bytes = 16u << 20, .chunks_max = 64};
    struct adit_arena *arena;
    const char ready = 1;
    bool good = false;
    int ended = 0;
    if (adit_create(name, &small, &arena) || open_rings(arena, &l.dry, &l.wet))
        fprintf(stderr, "stream: %s\n", adit_detail());
    else if (write(line, &ready, 1) == 1 && was_told(line)) /* there is an arena; there is a filter */
        good = stream(&l, frames, line) && judge(&l);
    fflush(stdout);
    close(line); /* tells the filter to end */
    while (waitpid(child, &ended, 0) < 0 && errno == EINTR)
        ;
    if (ended)
        fprintf(stderr, "stream: the filter's process ended with %d\n", WIFSIGNALED(ended) ? WTERMSIG(ended) : WEXITSTATUS(ended));
    adit_samples_close(&l.dry);
    adit_samples_close(&l.wet);
    adit_detach(&arena);
    return !good || ended;
}

int main(int argc, char **argv)
{
    char name[32], *end = "";
    int line[2];
    if (argc == 2 && !strcmp(argv[1], "--help"))
        return printf("usage: stream [--seconds N]\nsound through another process, for N seconds (2), from 1 to %u; says what was heard\n", SECONDS_MAX) < 0;
    unsigned long seconds = argc == 3 ? strtoul(argv[2], &end, 10) : 2;
    if ((argc != 1 && (argc != 3 || strcmp(argv[1], "--seconds"))) || *end || !seconds || seconds > SECONDS_MAX)
        return fprintf(stderr, "stream: usage: stream [--seconds N], N from 1 to %u\n", SECONDS_MAX), 2;
    const struct sigaction ends = {.sa_handler = interrupt};
    sigaction(SIGINT, &ends, NULL);
    sigaction(SIGTERM, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);
    snprintf(name, sizeof name, "stream-%ld", (long)getpid());
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, line))
        return perror("stream: socketpair"), 1;
    pid_t child = fork(); /* before there is an arena: each process attaches for itself */
    if (child < 0)
        return perror("stream: fork"), 1;
    close(line[child ? 1 : 0]);
    return child ? listener_main(name, seconds * FRAMES_A_SECOND, line[0], child) : filter_main(name, line[1]);
}
