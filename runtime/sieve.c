#include "runtime/sieve.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "runtime/sieve_calls.h"
#include "shm/os.h"

static const struct adit_sieve_rule rules[] = {ADIT_SIEVE_CALLS};

#define STEPS_OF_A_RULE 6u
_Static_assert(sizeof rules / sizeof *rules * STEPS_OF_A_RULE + 7 <= ADIT_SIEVE_LENGTH, "room for all rules with conditions");

static void emit(struct adit_sieve *s, uint16_t what, uint32_t k, uint8_t if_true, uint8_t if_false)
{
    s->code[s->n++] = (struct sock_filter){what, if_true, if_false, k};
}

static void load(struct adit_sieve *s, size_t offset) { emit(s, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0); }
static void answer(struct adit_sieve *s, uint32_t action) { emit(s, BPF_RET | BPF_K, action, 0, 0); }

/* Skips the next instruction unless the argument is as the rule says. */
static void test(struct adit_sieve *s, const struct adit_sieve_rule *r, uint32_t value)
{
    if (r->when == ADIT_SIEVE_HAS_ALL)
        emit(s, BPF_ALU | BPF_AND | BPF_K, value, 0, 0);
    if (r->when == ADIT_SIEVE_HAS_NONE)
        emit(s, BPF_JMP | BPF_JSET | BPF_K, value, 1, 0);
    else if (r->when == ADIT_SIEVE_AT_MOST)
        emit(s, BPF_JMP | BPF_JGT | BPF_K, value, 1, 0);
    else
        emit(s, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
}

static void add(struct adit_sieve *s, const struct adit_sieve_rule *r, uint32_t value)
{
    static const uint32_t actions[] = {[ADIT_SIEVE_LETS] = SECCOMP_RET_ALLOW, [ADIT_SIEVE_KILLS] = SECCOMP_RET_KILL_PROCESS, [ADIT_SIEVE_HIDES] = SECCOMP_RET_ERRNO | ENOSYS};
    uint16_t begin = s->n;
    emit(s, BPF_JMP | BPF_JEQ | BPF_K, r->call, 0, 0);
    if (r->when != ADIT_SIEVE_ALWAYS) {
        load(s, offsetof(struct seccomp_data, args) + r->argument * sizeof(uint64_t));
        test(s, r, value);
    }
    answer(s, actions[r->does]);
    if (r->when != ADIT_SIEVE_ALWAYS)
        load(s, offsetof(struct seccomp_data, nr)); /* for the rules that follow */
    s->code[begin].jf = (uint8_t)(s->n - begin - 1);
}

void adit_sieve_make(struct adit_sieve *s, uint32_t needs, uint32_t pid, int memory_fd)
{
    s->n = 0;
    load(s, offsetof(struct seccomp_data, arch));
    emit(s, BPF_JMP | BPF_JEQ | BPF_K, ADIT_SIEVE_ARCH, 1, 0);
    answer(s, SECCOMP_RET_KILL_PROCESS);
    load(s, offsetof(struct seccomp_data, nr));
    emit(s, BPF_JMP | BPF_JGE | BPF_K, ADIT_SIEVE_FOREIGN, 0, 1);
    answer(s, SECCOMP_RET_KILL_PROCESS);
    for (uint32_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const struct adit_sieve_rule *r = &rules[i];
        if ((r->needs && !(r->needs & needs)) || (r->when == ADIT_SIEVE_IS_MEMORY_FD && memory_fd < 0))
            continue;
        add(s, r, r->when == ADIT_SIEVE_IS_SELF ? pid : r->when == ADIT_SIEVE_IS_MEMORY_FD ? (uint32_t)memory_fd : r->value);
    }
    answer(s, SECCOMP_RET_ERRNO | EPERM);
}

bool adit_sieve_is_available(void)
{
    uint32_t action = SECCOMP_RET_KILL_PROCESS;
    return !adit_os_is_disabled("seccomp") && !syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action);
}

int adit_sieve_install(const struct adit_sieve *s)
{
    const struct sock_fprog program = {.len = s->n, .filter = (struct sock_filter *)(uintptr_t)s->code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return -errno;
    long odd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program); /* above 0: a thread that has filters of its own */
    return odd < 0 ? -errno : odd ? -EBUSY : 0;
}
