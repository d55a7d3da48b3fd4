// peer_value_iceoryx.cpp - iceoryx 2 as a peer of our values (peer_value.h), used as its headers say: PoshRuntime::initRuntime() in each process, which RouDi, a daemon, has to be there for; an UntypedPublisher loans a chunk
// of shared memory and publishes it, an UntypedSubscriber takes it and releases it. The receiver's queue keeps one and discards the oldest when it is full.
//
// RouDi leaves files behind when its clients die before it, and so do they, as the lab's processes die. So a guardian, a process in a session of its own, starts it, with memory for a few values, and waits on a
// pipe whose other end the scene and its partner hold: when they are gone, however, it ends RouDi and removes what is left.
#include "perf/peer_value.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <iceoryx_hoofs/log/logmanager.hpp>
#include <iceoryx_posh/popo/untyped_publisher.hpp>
#include <iceoryx_posh/popo/untyped_subscriber.hpp>
#include <iceoryx_posh/runtime/posh_runtime.hpp>
#include <memory>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUDI "/usr/bin/iox-roudi"
#define READY "RouDi is ready for clients"
#define READY_LIMIT_MS 5000
#define END_LIMIT_US 3000000

struct part {
    std::unique_ptr<iox::popo::UntypedPublisher> publisher;
    std::unique_ptr<iox::popo::UntypedSubscriber> subscriber;
    void *loaned;
};

static char base[48]; // of the runtimes' names, two, of which each makes a socket of its name in /tmp
static const char *const sides[2] = {"-scene", "-partner"};

// Memory for a dozen of values, and nothing else.
static bool write_configuration(char path[64])
{
    snprintf(path, 64, "/tmp/%s.toml", base);
    FILE *file = fopen(path, "we");
    if (!file)
        return false;
    fprintf(file, "[general]\nversion = 1\n[[segment]]\n[[segment.mempool]]\nsize = %u\ncount = 12\n", PEER_VALUE_BYTES + 1024);
    return fclose(file) == 0;
}

// RouDi, its words going to `to`.
static pid_t start_roudi(const char *configuration, int to)
{
    pid_t guardian = getpid(), pid = fork();
    if (pid)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != guardian)
        _exit(1);
    dup2(to, STDOUT_FILENO);
    dup2(to, STDERR_FILENO);
    execl(ROUDI, "iox-roudi", "-c", configuration, "-l", "warning", "-m", "off", "-k", "1", nullptr);
    _exit(127);
}

// Whether it says that it is ready, in time.
static bool await_ready(int from)
{
    char text[4096];
    size_t has = 0;
    for (pollfd one = {from, POLLIN, 0}; has < sizeof text - 1 && poll(&one, 1, READY_LIMIT_MS) > 0;) {
        ssize_t got = read(from, text + has, sizeof text - 1 - has);
        if (got <= 0)
            return false;
        text[has += static_cast<size_t>(got)] = '\0';
        if (strstr(text, READY))
            return true;
    }
    return false;
}

static void end_roudi(pid_t pid, int by)
{
    kill(pid, by);
    for (unsigned us = 0; waitpid(pid, nullptr, WNOHANG) == 0; us += 1000)
        if (us < END_LIMIT_US)
            usleep(1000);
        else
            kill(pid, SIGKILL);
}

static void remove_one(const char *folder, const char *name, const char *end)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s%s", folder, name, end);
    unlink(path);
}

// What the clients and a RouDi that was ready have made: a socket and a lock for each, and RouDi's memory, a segment of which has the name of its group.
static void remove_all()
{
    const group *own = getgrgid(getegid());
    for (const char *side : sides) {
        char name[80];
        snprintf(name, sizeof name, "%s%s", base, side);
        remove_one("/tmp", name, "");
        remove_one("/tmp", name, ".lock");
    }
    for (const char *name : {"roudi", "roudi.lock", "iox-unique-roudi.lock"})
        remove_one("/tmp", name, "");
    remove_one("/dev/shm", "iceoryx_mgmt", "");
    if (own)
        remove_one("/dev/shm", own->gr_name, "");
}

static void guard(int lives, int tell)
{
    char configuration[64], word = 0;
    int said[2];
    cpu_set_t all;
    memset(&all, 0xff, sizeof all);
    setsid();
    setpriority(PRIO_PROCESS, 0, 0); // neither the scene's priority nor its CPU is RouDi's
    sched_setaffinity(0, sizeof all, &all);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    if (pipe2(said, O_CLOEXEC) != 0 || !write_configuration(configuration))
        _exit(1);
    signal(SIGPIPE, SIG_IGN);
    pid_t pid = start_roudi(configuration, said[1]);
    close(said[1]);
    bool was_ready = pid > 0 && await_ready(said[0]);
    word = was_ready;
    (void)!write(tell, &word, 1);
    while (was_ready && read(lives, &word, 1) < 0 && errno == EINTR) {
    }
    // One that was ready has clients, which are dead by now, and ends itself by a failed assertion when it cannot send them signals. One that was not, has none, and lets go of what it has.
    if (pid > 0)
        end_roudi(pid, was_ready ? SIGKILL : SIGTERM);
    if (was_ready)
        remove_all();
    unlink(configuration);
    _exit(0);
}

static int begin(char *why, uint32_t why_bytes)
{
    int lives[2], tell[2];
    char ready = 0;
    snprintf(base, sizeof base, "adit-peer-%d", static_cast<int>(getpid()));
    if (access(ROUDI, X_OK) != 0) {
        snprintf(why, why_bytes, "no " ROUDI ": apt-get install iceoryx");
        return -1;
    }
    if (pipe2(lives, O_CLOEXEC) != 0 || pipe2(tell, O_CLOEXEC) != 0) {
        snprintf(why, why_bytes, "no pipe: %s", strerror(errno));
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0) {
        close(lives[1]);
        close(tell[0]);
        guard(lives[0], tell[1]);
    }
    close(lives[0]); // lives[1] stays open in this process and those that it forks
    close(tell[1]);
    if (pid < 0 || read(tell[0], &ready, 1) != 1 || !ready) {
        snprintf(why, why_bytes, ROUDI " does not get ready; is there one already?");
        close(lives[1]);
        return -1;
    }
    return 0;
}

static void *open_part(const char *, int is_partner)
{
    char name[128] = ""; // at least as long as a runtime's may be
    snprintf(name, sizeof name, "%s%s", base, sides[is_partner ? 1 : 0]);
    iox::log::LogManager::GetLogManager().SetDefaultLogLevel(iox::log::LogLevel::kWarn, iox::log::LogLevelOutput::kHideLogLevel);
    iox::runtime::PoshRuntime::initRuntime(iox::RuntimeName_t(iox::cxx::TruncateToCapacity, name));
    const iox::capro::ServiceDescription service("adit", "value", "256KiB");
    part *p = new part();
    if (is_partner) {
        iox::popo::SubscriberOptions options;
        options.queueCapacity = 1;
        p->subscriber = std::make_unique<iox::popo::UntypedSubscriber>(service, options);
        while (p->subscriber->getSubscriptionState() != iox::SubscribeState::SUBSCRIBED)
            usleep(1000);
    } else
        p->publisher = std::make_unique<iox::popo::UntypedPublisher>(service);
    return p;
}

static int prepare(void *at, uint64_t word)
{
    part *p = static_cast<part *>(at);
    bool is_there = false;
    p->publisher->loan(PEER_VALUE_BYTES)
        .and_then([&](void *chunk) {
            p->loaned = chunk;
            is_there = true;
        })
        .or_else([](auto &) {});
    if (!is_there)
        return -1;
    memset(p->loaned, static_cast<int>(word), PEER_VALUE_BYTES);
    memcpy(p->loaned, &word, sizeof word);
    return 0;
}

static int publish(void *at)
{
    part *p = static_cast<part *>(at);
    p->publisher->publish(p->loaned);
    return 0;
}

static int take(void *at, uint64_t *word)
{
    part *p = static_cast<part *>(at);
    int got = 0;
    p->subscriber->take()
        .and_then([&](const void *chunk) {
            memcpy(word, chunk, sizeof *word);
            p->subscriber->release(chunk);
            got = 1;
        })
        .or_else([](auto &) {});
    return got;
}

extern "C" __attribute__((visibility("default"))) const peer_value *adit_peer_value(void)
{
    static const peer_value peer = {PEER_VALUE_ABI, "iceoryx 2.0", begin, open_part, prepare, publish, take, nullptr};
    return &peer;
}
