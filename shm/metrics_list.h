/* metrics_list.h - what is counted, in one list for each type: an arena gets it as descriptors at create, so that who looks in needs none.
 *
 * A line: id, label, name, unit, help. Names are [a-z0-9_]; a counter's unit is what it counts. An event's unit says what its second word is: "ns" is how long
 * it took. New lines go to the end of their list, and change nothing in the layout; but arenas of before count nothing of a process that has other lines.
 */
#ifndef ADIT_METRICS_LIST_H
#define ADIT_METRICS_LIST_H

#define ADIT_COUNTERS(X) \
    X(CHUNKS_PUT, NONE, "chunks_put", "versions", "Versions published, edits and removals among them") \
    X(CHUNKS_EDITED, NONE, "chunks_edited", "versions", "Versions published that were edits of the one before") \
    X(CHUNKS_REMOVED, NONE, "chunks_removed", "versions", "Versions published that say there is nothing any more") \
    X(PUTS_LOST, NONE, "puts_lost", "versions", "Versions thrown away, as another one of that key was published meanwhile") \
    X(VERSION_BYTES, SEGMENT, "version_bytes", "bytes", "Bytes of the versions published, by the data segment where they lie") \
    X(MESHES_MADE, MAKER, "meshes_made", "meshes", "Meshes published, by what made them") \
    X(MESH_BYTES, SEGMENT, "mesh_bytes", "bytes", "Bytes of the meshes published, by the data segment where they lie") \
    X(MESH_QUADS, NONE, "mesh_quads", "quads", "Quads of the meshes published") \
    X(MESHES_STARVED, NONE, "meshes_starved", "meshes", "Meshes that found no memory, and are tried again") \
    X(GPU_BATCHES, NONE, "gpu_batches", "batches", "Batches of chunks that devices have meshed") \
    X(GRACE_PERIODS, NONE, "grace_periods", "periods", "Grace periods that have passed") \
    X(GRACE_TIMEOUTS, NONE, "grace_timeouts", "periods", "Grace periods that a reader held up for too long, and that are tried again") \
    X(READERS_OUSTED, NONE, "readers_ousted", "sections", "Sections of readers that held back too much memory, and were passed") \
    X(BLOCKS_RETIRED, NONE, "blocks_retired", "blocks", "Blocks given up") \
    X(BYTES_RETIRED, NONE, "bytes_retired", "bytes", "Bytes of the blocks given up") \
    X(BLOCKS_RECLAIMED, NONE, "blocks_reclaimed", "blocks", "Blocks given up that were freed") \
    X(BYTES_RECLAIMED, NONE, "bytes_reclaimed", "bytes", "Bytes of the blocks given up that were freed") \
    X(LOCKS_TAKEN, NONE, "locks_taken", "takes", "Times that a named lock was taken") \
    X(LOCKS_CONTENDED, NONE, "locks_contended", "takes", "Times that a named lock was had by another when it was wanted") \
    X(LOCKS_INHERITED, NONE, "locks_inherited", "takes", "Times that the holder of a named lock had died") \
    X(TASKS_SUBMITTED, KIND, "tasks_submitted", "tasks", "Tasks submitted") \
    X(TASKS_RUN, KIND, "tasks_run", "attempts", "Attempts of tasks that have ended, well or not") \
    X(TASKS_FAILED, KIND, "tasks_failed", "attempts", "Attempts of tasks that returned an error") \
    X(TASKS_RETRIED, KIND, "tasks_retried", "attempts", "Attempts of tasks that are followed by another one") \
    X(TASKS_POISONED, KIND, "tasks_poisoned", "tasks", "Tasks given up as each of their workers had died") \
    X(TASKS_CANCELLED, NONE, "tasks_cancelled", "tasks", "Tasks that ended as they were cancelled") \
    X(TASKS_EXPIRED, NONE, "tasks_expired", "tasks", "Tasks whose time was over before they began") \
    X(DEATHS, NONE, "deaths", "participants", "Participants that died, and were recovered") \
    X(RECOVERIES_FAILED, NONE, "recoveries_failed", "attempts", "Recoveries that could not end, and are made again") \
    X(STREAM_WANTED, NONE, "stream_wanted", "chunks", "Chunks that streams have asked their generators for") \
    X(STREAM_EVICTED, NONE, "stream_evicted", "chunks", "Chunks that streams have removed, as no viewer is near") \
    X(FRAMES, NONE, "frames", "frames", "Frames that schedules have ended") \
    X(FRAMES_MISSED, NONE, "frames_missed", "frames", "Points of frames that were reached too late") \
    X(DEVICE_MESHES, DEVICE, "device_meshes", "meshes", "Meshes published that a device made, by its number at its dispatcher") \
    X(DEVICE_BUSY_NS, DEVICE, "device_busy_ns", "ns", "Time that a device had a batch under way, be it several at once")

#define ADIT_GAUGES(X) \
    X(LIMBO_BYTES, NONE, "limbo_bytes", "bytes", "Bytes given up that are not freed yet, of who is attached") \
    X(LIMBO_BLOCKS, NONE, "limbo_blocks", "blocks", "Blocks given up that are not freed yet, of who is attached") \
    X(TIERS_OFF, NONE, "tiers_off", "tiers", "Devices and kernels that were to mesh and are switched off, as lost or wrong, of who is attached") \
    X(DEVICE_TIERS, DEVICE, "device_tiers", "dispatchers", "Dispatchers that have a device of that number, of who is attached") \
    X(DEVICE_OFF, DEVICE, "device_off", "dispatchers", "Dispatchers to which a device of that number is lost, of who is attached") \
    X(DEVICE_FIXED_NS, DEVICE, "device_fixed_ns", "ns", "What a batch costs a device beside its chunks, as learned; of several dispatchers the sum") \
    X(DEVICE_EACH_NS, DEVICE, "device_each_ns", "ns", "What each chunk of a batch costs a device, as learned; of several dispatchers the sum") \
    X(DEVICE_CHUNKS, DEVICE, "device_chunks", "chunks", "Chunks in batches that a device has under way, of who is attached")

#define ADIT_HISTOGRAMS(X) \
    X(PUT_NS, NONE, "put_ns", "ns", "Time that a put takes, from voxels to the version's publication") \
    X(VISIBLE_NS, NONE, "visible_ns", "ns", "Time from the publication of the newest version in a mesh to that of the mesh") \
    X(MESH_NS, MAKER, "mesh_ns", "ns", "Time that a mesh takes, its publication included; of a device: its batch's, divided by its chunks") \
    X(GRACE_NS, NONE, "grace_ns", "ns", "Time that a grace period takes, whether it passed or was given up") \
    X(LOCK_WAIT_NS, NONE, "lock_wait_ns", "ns", "Time that taking a named lock takes which another had") \
    X(TASK_WAIT_NS, KIND, "task_wait_ns", "ns", "Time that a task waits before an attempt, from when it could run") \
    X(TASK_RUN_NS, KIND, "task_run_ns", "ns", "Time that an attempt runs; of short ones some are measured, and stand for those between") \
    X(RECOVERY_NS, NONE, "recovery_ns", "ns", "Time that the recovery of a dead participant takes") \
    X(FRAME_NS, NONE, "frame_ns", "ns", "Time from the begin of a frame to its end")

#define ADIT_EVENTS(X) \
    X(JOIN, "join", "", "A thread counts here from now on: its participant, its number") \
    X(LEAVE, "leave", "", "The participant leaves: its slot's owner word") \
    X(PUT, "put", "", "A version was published: the key, its number") \
    X(REMOVE, "remove", "", "A version was published that says there is nothing any more: the key, its number") \
    X(MESH, "mesh", "ns", "A mesh was made: the key, how long it took") \
    X(GRACE, "grace", "ns", "A grace period: its epoch, how long it took") \
    X(GRACE_LATE, "grace_late", "ns", "A grace period was given up: its epoch, how long it took") \
    X(OUST, "oust", "", "Sections of readers were passed: the epoch, how many") \
    X(TASK, "task", "ns", "An attempt of a task: its handle, how long it took; the kind in the upper 8 bits") \
    X(TASK_FAILED, "task_failed", "", "An attempt of a task returned an error: its handle, the error; the kind in the upper 8 bits") \
    X(TASK_POISONED, "task_poisoned", "", "A task was given up: its handle, its attempts; the kind in the upper 8 bits") \
    X(DEATH, "death", "", "A participant is found dead: its owner word, its pid") \
    X(RECOVERED, "recovered", "ns", "A dead participant was recovered: its owner word, how long it took") \
    X(BATCH, "batch", "ns", "A device has meshed a batch: how many chunks, how long it took") \
    X(FRAME, "frame", "ns", "A frame has ended: its number, how long it took") \
    X(FRAME_MISSED, "frame_missed", "", "A point of a frame was reached too late: the frame's number, the point") \
    X(EVICT, "evict", "", "A stream has removed a chunk: the key") \
    X(TIER_OFF, "tier_off", "", "A device is lost, and meshes no more: its number at its dispatcher, the meshes that it had made") \
    X(TIER_WRONG, "tier_wrong", "", "A kernel or device was to mesh and is switched off, as its meshes were wrong: what (as the label of meshes_made), its number")

#endif
