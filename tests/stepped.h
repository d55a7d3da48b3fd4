/* stepped.h - runs something one instruction at a time, and something else between any two of them.
 *
 * What another thread could do in the middle of an operation is done by a hook at each instruction boundary, so an interleaving
 * that a stress test meets once in a million rounds is met for certain (x86-64's trap flag; Intel SDM 3B, 17.3.1.4).
 */
#ifndef ADIT_STEPPED_H
#define ADIT_STEPPED_H

#include <stdbool.h>
#include <stdint.h>

/* What tests that try every instruction advance by: a call has three to four times as many under AddressSanitizer, so there some
 * of them have to do. */
#ifdef __SANITIZE_ADDRESS__
#define STEPPED_STRIDE 31u
#else
#define STEPPED_STRIDE 1u
#endif

/* Runs work(user) on this thread and calls hook(n, user) after its n-th instruction, n from 1, until it returns false: the rest
 * runs at once. A step takes some 20 us in a virtual machine. Returns how many steps there were; 0: work ran, but not by
 * steps (another processor, or a sanitizer that delays signals). The hook must not lock what work may hold. */
uint32_t stepped_run(void (*work)(void *user), bool (*hook)(uint32_t n, void *user), void *user);

/* Runs work(user) up to its at-th instruction and stops it there for ever, as if its process had died; returns at. When there are not as many it has run, *is_dead is false, and
 * what there were is returned. *is_dead is true while work runs. */
uint32_t stepped_death(void (*work)(void *user), uint32_t at, void *user, bool *is_dead);

#endif
