#include "tests/gpu_group.h"

struct adit_gpu_list *gpu_list;
struct adit_gpu *gpu;

int gpu_group_open(void **state)
{
    (void)state;
    return adit_gpu_list_open(&gpu_list) || adit_gpu_open(gpu_list, &gpu_list->devices[0], &gpu) ? -1 : 0;
}

int gpu_group_close(void **state)
{
    (void)state;
    adit_gpu_close(&gpu);
    adit_gpu_list_close(&gpu_list);
    return 0;
}

void validation_has_nothing_to_say(void **state)
{
    (void)state;
    if (!gpu_list->vk.validates)
        skip();
    assert_int_equal(gpu_list->vk.complaints, 0);
}
