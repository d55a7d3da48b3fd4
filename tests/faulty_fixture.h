/* faulty_fixture.h - a device that fails when it is told to, for tests: lavapipe behind faulty_driver.c, which stands in a list of devices as one more, named
 * "faulty ...".
 *
 *     gpu_use_drivers(faulty_driver_manifest("lost-in-flight:2"));     then open the list: or run a program, which inherits it
 *     faulty_driver_break("hang:1");                                  what goes wrong in devices that are opened from here on
 *
 * Faults, N counted from 1 for each opened device:
 *
 *     ""                  none
 *     lost-at-submit:N    the N-th submission and all later ones answer VK_ERROR_DEVICE_LOST, and so does every wait
 *     lost-in-flight:N    the N-th submission is accepted and never done; then as above
 *     lost-quietly:N      the same, but waits answer VK_SUCCESS, as Vulkan allows of a lost device
 *     hang:N              the N-th submission and all later ones are accepted and never done; waits time out
 *     no-memory:N         the N-th allocation fails
 *     wrong-bytes:N:SEED  from the N-th submission on, bits of what was brought back to the host are flipped after each wait
 *     wrong-word:N:WORD   likewise, two bits of one 32-bit word of each buffer that was brought back
 *     growing-word:N:WORD likewise, it is 100,000 more for each submission so far
 *     cache:BYTES         the pipeline cache has so many
 *     no-open             devices cannot be made
 *     no-function         vkWaitSemaphores is missing
 *     no-import, dedicated, short-memory    host memory cannot be imported, or only for one buffer each; allocations have at most 1 MiB: as long as it is told
 *     families            a second queue family, which computes and does not draw, is listed (it cannot be opened): as long as it is told
 *     narrow, few         workgroups have at most 128 invocations along x, or in all: as long as it is told
 *     no-timeline, old, no-device    no timeline semaphores, Vulkan 1.0, no device: as long as it is told
 */
#ifndef ADIT_FAULTY_FIXTURE_H
#define ADIT_FAULTY_FIXTURE_H

#include <stdint.h>

/* The driver file to name in VK_DRIVER_FILES (alone, or with others: joined by colons); the environment of this process and of its children tells the
 * driver its fault. It stands in a folder under $TMPDIR that becomes $XDG_CACHE_HOME too, and is removed when the process exits. NULL: lavapipe is not installed. Not from several threads. */
const char *faulty_driver_manifest(const char *fault);
/* Another fault: for devices that are opened from here on, and for what devices are (the last line of the list). Not beside other threads. */
void faulty_driver_break(const char *fault);

/* How many objects it has in this process, its devices and instances too: 0 when all was closed. */
uint32_t faulty_driver_live(void);
/* The bytes that its last pipeline cache was made from. */
uint32_t faulty_driver_cache_bytes(void);

#endif
