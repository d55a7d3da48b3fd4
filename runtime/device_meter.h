/* device_meter.h - what a dispatcher's device has under way, did and costs, counted in the arena by its thread (metrics_list.h: device_...), where shmtop finds it.
 *
 *     adit_device_meter_begin(&m, arena, device)         ... adit_device_meter_price, _under_way, _made, _lost ...         adit_device_meter_end(&m)
 *
 * All by one thread, wait-free. Gauges are told as differences to what this meter has told before, so that end takes all of them back; who dies takes his along (adit_metrics_level). Of devices whose number
 * is above the label's values nothing is counted.
 */
#ifndef ADIT_DEVICE_METER_H
#define ADIT_DEVICE_METER_H

#include <stdbool.h>

#include "shm/metrics.h"

struct adit_device_meter {
    struct adit_arena *arena; /* NULL: nothing is counted */
    uint32_t device;
    bool is_lost;
    uint64_t fixed_ns, each_ns, chunks; /* as told */
    uint64_t busy_from_ns; /* while chunks is not 0: until when its time is counted */
};

/* device: its number at its dispatcher, from 0. */
void adit_device_meter_begin(struct adit_device_meter *meter, struct adit_arena *arena, uint32_t device);
/* What a batch costs, and each chunk of it. */
void adit_device_meter_price(struct adit_device_meter *meter, uint64_t fixed_ns, uint64_t each_ns);
/* So many chunks are in batches that it has from now on; 0: it is idle. */
void adit_device_meter_under_way(struct adit_device_meter *meter, uint64_t chunks, uint64_t now_ns);
/* It has made one mesh more. */
void adit_device_meter_made(const struct adit_device_meter *meter);
/* It is given nothing any more. */
void adit_device_meter_lost(struct adit_device_meter *meter);
void adit_device_meter_end(struct adit_device_meter *meter);

#endif
