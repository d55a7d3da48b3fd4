/* gpu_group.h - the first device of the list, open for all tests of a program, and what is asked after the last of them.
 *
 *     static const struct CMUnitTest tests[] = { ..., cmocka_unit_test(validation_has_nothing_to_say) };
 *     gpu_use_drivers(gpu_test_driver());
 *     return cmocka_run_group_tests_name("...", tests, gpu_group_open, gpu_group_close);
 */
#ifndef ADIT_TESTS_GPU_GROUP_H
#define ADIT_TESTS_GPU_GROUP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/gpu_fixture.h"

extern struct adit_gpu_list *gpu_list;
extern struct adit_gpu *gpu;

int gpu_group_open(void **state);
int gpu_group_close(void **state);

/* The last test: of all that was done before it. Skipped without ADIT_VULKAN_VALIDATE, which asks for the layer. */
void validation_has_nothing_to_say(void **state);

#endif
