/* cmd_dump.c - `adit dump`: what is in an arena, listed: segments, participants, rings, materials, every chunk.
 *
 * With --image everything is saved as it lies there (shm/image.h). Chunks are read as a consumer reads them, which takes a participant's slot; where none is free the rest is listed. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/arena_json.h"
#include "tools/arena_open.h"
#include "tools/columns.h"
#include "tools/command.h"
#include "tools/interrupt.h"
#include "tools/jsonout.h"
#include "tools/options.h"
#include "tools/roll.h"
#include "tools/say.h"
#include "tools/tally.h"

#define PROGRAM "adit dump"

struct dump {
    struct adit_arena *arena;
    struct adit_reader *reader; /* NULL: attached as an observer */
    struct adit_stats stats;
    struct adit_tally tally;
    struct adit_roll roll;
    bool json, brief;
};

static const char *class_name(enum adit_class class)
{
    static const char *const names[] = {"air", "opaque", "translucent", "cutout"};
    return (unsigned)class < 4 ? names[class] : "unknown";
}

static const char *encoding_name(uint8_t encoding)
{
    static const char *const names[] = {"-", "uniform", "bricks", "dense16", "removed"};
    return encoding < 5 ? names[encoding] : "unknown";
}

/* ---- segments and participants ---------------------------------------------------------------------------------- */

static const struct adit_column segments_columns[] = {
    {"SEGMENT", -8, "heap: of the control segment; data N: a data segment"},
    {"NODE", 5, "of memory, where it lies; -: not bound to one"},
    {"SIZE", 10, "all that blocks may have"},
    {"FREE", 10, "of that, what nobody has"},
    {"LARGEST", 10, "the largest piece that is free"},
    {"LOANED", 10, "blocks that are being filled"},
    {"PUBLISHED", 10, "blocks that readers may find"},
    {"RETIRED", 10, "blocks given up that a reader may still see"},
    {"BLOCKS", 8, "that are not free"},
    {"PAGE", 9, "the size of its pages"},
};
static const struct adit_column participants_columns[] = {
    {"SLOT", 4, "its place among the participants"},
    {"LABEL", -18, "what it calls itself"},
    {"PID", 8, "its process"},
    {"ROLE", -9, "producer, consumer or guest"},
    {"STATE", -9, "alive, joining, leaving; keeper: it serves the name; gone: its process has ended, nobody has noticed yet; dead: it is being recovered"},
    {"PUBLISHED", 10, "versions that it has published"},
    {"EDITS", 8, "edits among them"},
    {"MESHED", 10, "meshes that it has made"},
    {"READERS", 7, "places of threads that read"},
    {"PINS", 6, "versions and meshes that it keeps beyond a section"},
    {"LIMBO", 10, "what it has given up and not freed yet"},
};
static const struct adit_column rings_columns[] = {
    {"RING", 4, "its place among the rings"},
    {"NAME", -18, "what it is called"},
    {"KIND", -8, "spsc: one pushes, one pops; mpmc: any number do; samples: frames of sound"},
    {"ELEMENT", 7, "bytes of one"},
    {"CAPACITY", 8, "elements, or frames"},
    {"FILLED", 8, "elements that wait now"},
    {"PUSHED", 12, "since it was made; of samples: written"},
    {"POPPED", 12, "since it was made; of samples: read"},
    {"OVERRUN", 10, "frames of samples that found no room"},
    {"UNDERRUN", 10, "frames of samples that were asked for and not there"},
    {"PUSHER", 8, "the process that was last to push; 0: nobody, or of mpmc not known"},
    {"POPPER", 8, "the process that was last to pop; likewise"},
};
static const struct adit_column materials_columns[] = {
    {"ID", 5, "the number that voxels have"},
    {"CLASS", -12, "opaque, translucent or cutout"},
    {"COLOUR", -9, "red, green, blue and alpha in hexadecimal"},
    {"MATERIAL", 0, "its name"},
};
static const struct adit_column chunks_columns[] = {
    {"WORLD", 5, "of its key"},
    {"LOD", 3, "its level of detail"},
    {"KEY", -18, "x,y,z, in chunks of that level"},
    {"ENCODING", -8, "uniform, bricks or dense16; removed: no version is current"},
    {"VERSION", 8, "the number of the current one"},
    {"BYTES", 10, "of that version's block"},
    {"VOXELS", 8, "of it that are not air"},
    {"MESH", 8, "the number of the current mesh; none: not made yet"},
    {"BYTES", 10, "of that mesh's block"},
    {"QUADS", 8, "of that mesh; old: it was made of an earlier version"},
};
#define TABLE(of) {#of, of##_columns, sizeof of##_columns / sizeof *of##_columns}
static const struct adit_columns tables[] = {TABLE(segments), TABLE(participants), TABLE(rings), TABLE(materials), TABLE(chunks)};
enum { SEGMENTS, PARTICIPANTS, RINGS, MATERIALS, CHUNKS };

static void tables_tell(adit_column_tell *tell)
{
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        adit_columns_tell(&tables[i], tell);
}

/* The heads, below an empty line. */
static void heads_print(uint32_t table)
{
    putchar('\n');
    adit_columns_print(&tables[table], stdout);
}

static void segments_print(const struct dump *d)
{
    heads_print(SEGMENTS);
    for (uint32_t i = 0; i < d->stats.segments_n && i < 16; i++) {
        const struct adit_segment_stats *s = &d->stats.segments[i];
        char node[16] = "-", kind[16];
        if (s->node >= 0)
            snprintf(node, sizeof node, "%d", s->node);
        snprintf(kind, sizeof kind, i ? "data %u" : "heap", i);
        printf("%-8s %5s %10s %10s %10s %10s %10s %10s %8u %9s\n", kind, node, ADIT_SAY_BYTES(s->bytes),
               ADIT_SAY_BYTES(s->free_bytes), ADIT_SAY_BYTES(s->largest_free_bytes), ADIT_SAY_BYTES(s->loaned_bytes),
               ADIT_SAY_BYTES(s->published_bytes), ADIT_SAY_BYTES(s->retired_bytes), s->blocks,
               ADIT_SAY_BYTES(s->page_bytes));
    }
}

static const char *state_of(const struct adit_participant_info *p)
{
    return !strcmp(p->state, "dead") ? "dead" : p->gone ? "gone" : p->keeper ? "keeper" : p->state;
}

static json_t *participants_list(const struct dump *d)
{
    json_t *list = json_array();
    if (!d->json)
        heads_print(PARTICIPANTS);
    for (uint32_t slot = 0; slot < d->stats.participants_max; slot++) {
        struct adit_participant_info p;
        char label[64];
        if (adit_participant_get(d->arena, slot, &p))
            continue;
        adit_say_printable(label, sizeof label, p.label, strnlen(p.label, sizeof p.label));
        if (d->json)
            json_array_append_new(list, adit_arena_participant_json(&p));
        else
            printf("%4u %-18s %8u %-9s %-9s %10llu %8llu %10llu %7u %6u %10s\n", p.slot, label, p.pid,
                   adit_arena_role(p.role), state_of(&p), (unsigned long long)p.published,
                   (unsigned long long)p.edits, (unsigned long long)p.meshed, p.readers, p.pins,
                   ADIT_SAY_BYTES(p.limbo_bytes));
    }
    return list;
}

/* ---- rings ------------------------------------------------------------------------------------------------------- */

static const char *ring_kind(enum adit_ring_kind kind)
{
    return kind == ADIT_RING_SPSC ? "spsc" : kind == ADIT_RING_MPMC ? "mpmc" : "samples";
}

static json_t *ring_json(uint32_t slot, const char *name, const struct adit_ring_info *r)
{
    json_t *o = json_object();
    adit_jsonout_set_count(o, "slot", slot);
    adit_jsonout_set_text(o, "name", name);
    adit_jsonout_set_text(o, "kind", ring_kind(r->kind));
    adit_jsonout_set_count(o, "element_bytes", r->element_bytes);
    adit_jsonout_set_count(o, "capacity", r->capacity);
    adit_jsonout_set_count(o, "filled", r->filled);
    adit_jsonout_set_count(o, "pushed", r->pushed);
    adit_jsonout_set_count(o, "popped", r->popped);
    adit_jsonout_set_count(o, "overrun", r->overrun);
    adit_jsonout_set_count(o, "underrun", r->underrun);
    adit_jsonout_set_count(o, "pusher_pid", r->pusher_pid);
    adit_jsonout_set_count(o, "popper_pid", r->popper_pid);
    return o;
}

/* A damaged one is a matter of `adit check`, and left out. */
static json_t *rings_list(const struct dump *d)
{
    json_t *list = json_array();
    int status = 0;
    for (uint32_t slot = 0; status != -ERANGE; slot++) { /* bounded by the arena's table */
        struct adit_ring_info r = {.size = sizeof r};
        char name[64];
        status = adit_ring_get(d->arena, slot, &r);
        if (status)
            continue;
        adit_say_printable(name, sizeof name, r.name, strnlen(r.name, sizeof r.name));
        if (d->json) {
            json_array_append_new(list, ring_json(slot, name, &r));
            continue;
        }
        if (!json_array_size(list))
            heads_print(RINGS);
        json_array_append_new(list, json_true());
        printf("%4u %-18s %-8s %7u %8u %8u %12llu %12llu %10llu %10llu %8u %8u\n", slot, name, ring_kind(r.kind), r.element_bytes, r.capacity,
               r.filled, (unsigned long long)r.pushed, (unsigned long long)r.popped, (unsigned long long)r.overrun,
               (unsigned long long)r.underrun, r.pusher_pid, r.popper_pid);
    }
    return list;
}

/* ---- materials and chunks --------------------------------------------------------------------------------------- */

static json_t *materials_list(const struct dump *d)
{
    json_t *list = json_array();
    if (!d->json)
        heads_print(MATERIALS);
    for (uint32_t id = 1; id < ADIT_MATERIALS; id++) {
        struct adit_material_info m;
        char name[64];
        if (adit_material_get(d->arena, (uint16_t)id, &m))
            continue;
        adit_say_printable(name, sizeof name, m.name, strnlen(m.name, sizeof m.name));
        if (!d->json) {
            printf("%5u %-12s #%08x %s\n", id, class_name(m.material_class), m.rgba, name);
            continue;
        }
        json_t *o = json_object();
        char rgba[16];
        snprintf(rgba, sizeof rgba, "#%08x", m.rgba);
        adit_jsonout_set_count(o, "id", id);
        adit_jsonout_set_text(o, "name", name);
        adit_jsonout_set_text(o, "class", class_name(m.material_class));
        adit_jsonout_set_text(o, "rgba", rgba);
        json_array_append_new(list, o);
    }
    return list;
}

/* What is listed of a chunk, copied out of its section. */
struct chunk_facts {
    struct adit_chunk_view view;
    struct adit_mesh_view mesh;
    int no_view, no_mesh;
};

static json_t *chunk_json(const struct adit_key *k, const struct chunk_facts *f)
{
    json_t *o = json_object();
    adit_jsonout_set_count(o, "world", k->world);
    adit_jsonout_set_count(o, "lod", k->lod);
    adit_jsonout_set(o, "key", json_pack("[i,i,i]", k->x, k->y, k->z));
    adit_jsonout_set_text(o, "encoding", f->no_view ? "removed" : encoding_name(f->view.encoding));
    if (!f->no_view) {
        adit_jsonout_set_count(o, "version", f->view.version);
        adit_jsonout_set_count(o, "bytes", f->view.bytes);
        adit_jsonout_set_count(o, "voxels", f->view.solid);
        adit_jsonout_set_count(o, "published_ns", f->view.published_ns);
    }
    if (!f->no_mesh) {
        json_t *sources = json_array();
        for (int i = 0; i < 7; i++)
            json_array_append_new(sources, json_integer((json_int_t)f->mesh.source[i]));
        adit_jsonout_set_count(o, "mesh", f->mesh.serial);
        adit_jsonout_set_count(o, "quads", f->mesh.quads_n);
        adit_jsonout_set_count(o, "mesh_bytes", f->mesh.bytes);
        adit_jsonout_set(o, "mesh_source", sources);
    }
    return o;
}

static void chunk_print(const struct adit_key *k, const struct chunk_facts *f)
{
    char where[64];
    snprintf(where, sizeof where, "%d,%d,%d", k->x, k->y, k->z);
    if (f->no_view)
        printf("%5u %3u %-18s %-8s\n", k->world, k->lod, where, "removed");
    else if (f->no_mesh)
        printf("%5u %3u %-18s %-8s %8llu %10u %8u %8s\n", k->world, k->lod, where, encoding_name(f->view.encoding),
               (unsigned long long)f->view.version, f->view.bytes, f->view.solid, "none");
    else
        printf("%5u %3u %-18s %-8s %8llu %10u %8u %8llu %10u %8u%s\n", k->world, k->lod, where,
               encoding_name(f->view.encoding), (unsigned long long)f->view.version, f->view.bytes, f->view.solid,
               (unsigned long long)f->mesh.serial, f->mesh.bytes, f->mesh.quads_n,
               f->mesh.source[0] == f->view.version ? "" : " old");
}

static json_t *chunks_list(const struct dump *d)
{
    json_t *list = json_array();
    if (!d->json)
        heads_print(CHUNKS);
    for (size_t i = 0; i < d->tally.keys_count && !adit_interrupt_is_set(); i++) {
        const struct adit_key *k = &d->tally.keys[i];
        struct chunk_facts f;
        adit_enter(d->reader);
        f.no_mesh = adit_mesh_acquire(d->reader, k, &f.mesh);
        f.no_view = adit_chunk_acquire(d->reader, k, &f.view);
        json_t *o = d->json ? chunk_json(k, &f) : NULL;
        adit_exit(d->reader);
        if (o)
            json_array_append_new(list, o);
        else
            chunk_print(k, &f);
    }
    return list;
}

static void overview_print(const struct dump *d, const char *name)
{
    const struct adit_stats *s = &d->stats;
    char keeper[128];
    printf("%s: %llu chunks at %llu of %llu places for keys, %llu meshes, %llu dirty, %llu in work\n", name, (unsigned long long)s->chunks,
           (unsigned long long)s->keys, (unsigned long long)s->keys_max, (unsigned long long)s->meshes, (unsigned long long)s->dirty,
           (unsigned long long)s->in_work);
    printf("%u of %u participants, %u of %u readers, %u of %u watches; epoch %llu; %s%s\n", s->participants,
           s->participants_max, s->readers, s->readers_max, s->watches, s->watches_max, (unsigned long long)s->epoch,
           strchr(name, '/') ? "as a guest sees it" : adit_roll_keeper(&d->roll, keeper, sizeof keeper), s->deserted ? " (no producer is left)" : "");
    if (s->queues)
        printf("%u queues of tasks: %llu delayed, %llu queued, %llu running, %llu ended\n", s->queues, (unsigned long long)s->tasks_delayed,
               (unsigned long long)s->tasks_queued, (unsigned long long)s->tasks_running, (unsigned long long)s->tasks_ended);
    printf("encodings: %llu uniform, %llu bricks, %llu dense16, %llu removed; versions %s, meshes %s, control %s\n",
           (unsigned long long)s->encodings[1], (unsigned long long)s->encodings[2], (unsigned long long)s->encodings[3],
           (unsigned long long)s->encodings[4], ADIT_SAY_BYTES(s->version_bytes), ADIT_SAY_BYTES(s->mesh_bytes),
           ADIT_SAY_BYTES(s->control_bytes));
    adit_roll_print(&d->roll, name);
}

static int dump_all(struct dump *d, const char *name)
{
    json_t *root = adit_arena_stats_json(&d->stats);
    adit_roll_call(d->arena, true, &d->roll);
    adit_roll_json(&d->roll, root);
    adit_jsonout_set_text(root, "arena", name);
    adit_jsonout_set(root, "segments", adit_arena_segments_json(&d->stats));
    if (!d->json) {
        overview_print(d, name);
        segments_print(d);
    }
    adit_jsonout_set(root, "participant_list", participants_list(d));
    adit_jsonout_set(root, "rings", rings_list(d));
    if (!d->brief)
        adit_jsonout_set(root, "materials", materials_list(d));
    if (!d->brief && d->reader)
        adit_jsonout_set(root, "chunk_list", chunks_list(d));
    if (adit_interrupt_is_set()) {
        json_decref(root);
        return ADIT_EXIT_INTERRUPTED;
    }
    if (d->json)
        return adit_jsonout_print(PROGRAM, root) ? ADIT_EXIT_DONE : ADIT_EXIT_FAILED;
    json_decref(root);
    return ADIT_EXIT_DONE;
}

static int dump_open(struct dump *d, const char *name)
{
    int status = d->brief ? -EUSERS : adit_arena_await(name, ADIT_CONSUMER, PROGRAM, &d->arena);
    if (!status) {
        status = adit_reader_open(d->arena, &d->reader);
        if (status)
            adit_say_note(PROGRAM, "%s: no reader is free, so chunks are not listed", name);
        return 0;
    }
    if (status != -EUSERS) {
        char line[512];
        if (status != -EINTR)
            adit_say_error(PROGRAM, "%s", adit_arena_open_failure(name, status, line, sizeof line));
        return adit_arena_exit(status);
    }
    if (!d->brief)
        adit_say_note(PROGRAM, "%s: no participant's slot is free, so chunks are not listed", name);
    return adit_arena_open(PROGRAM, name, ADIT_OBSERVER, PROGRAM, &d->arena);
}

/* Everything there is, into one file. */
static int image_save(const char *arena, const char *name, const char *path, bool json)
{
    struct adit_arena *a;
    char shown[256];
    struct stat file = {0};
    int code = adit_arena_open(PROGRAM, arena, ADIT_OBSERVER, PROGRAM, &a);
    if (code)
        return code;
    int status = adit_image_save(a, path);
    adit_detach(&a);
    adit_say_printable(shown, sizeof shown, status ? adit_detail() : path, strlen(status ? adit_detail() : path));
    if (status) {
        adit_say_error(PROGRAM, "%s", shown);
        return adit_arena_exit(status);
    }
    (void)stat(path, &file);
    if (!json) {
        printf("%s: its image is %s, %s, of which %s are on the disk\n", name, shown, ADIT_SAY_BYTES((uint64_t)file.st_size),
               ADIT_SAY_BYTES((uint64_t)file.st_blocks * 512));
        return ADIT_EXIT_DONE;
    }
    json_t *o = json_object();
    adit_jsonout_set_text(o, "arena", name);
    adit_jsonout_set_text(o, "image", shown);
    adit_jsonout_set_count(o, "bytes", (uint64_t)file.st_size);
    adit_jsonout_set_count(o, "disk_bytes", (uint64_t)file.st_blocks * 512);
    return adit_jsonout_print(PROGRAM, o) ? ADIT_EXIT_DONE : ADIT_EXIT_FAILED;
}

static int dump_run(int argc, char **argv)
{
    struct dump d = {.stats.size = sizeof d.stats};
    const char *image = NULL;
    const struct adit_option table[] = {
        {"brief", NULL, ADIT_OPTION_FLAG, &d.brief, 0, 0, "segments, participants and rings only, taking no slot"},
        {"image", "FILE", ADIT_OPTION_TEXT, &image, 0, 0, "save all memory of the arena to FILE instead, for `adit check FILE`"},
        {"json", NULL, ADIT_OPTION_FLAG, &d.json, 0, 0, "one JSON object on stdout"},
    };
    const struct adit_usage usage = {PROGRAM, "NAME", "Lists what is in an arena: segments, participants, rings, materials, chunks.",
                                     NULL, table, sizeof table / sizeof *table, tables_tell};
    int first, code = adit_options_parse(&usage, argc, argv, &first);
    if (code != ADIT_OPTIONS_GO)
        return code;
    if (argc - first != 1) {
        adit_say_error(PROGRAM, "give one arena's NAME; `adit ls` lists them");
        return ADIT_EXIT_BAD_INPUT;
    }
    char name[64];
    adit_say_printable(name, sizeof name, argv[first], strlen(argv[first]));
    if (image)
        return image_save(argv[first], name, image, d.json);
    adit_interrupt_install();
    code = dump_open(&d, argv[first]);
    if (code)
        return code;
    int status = adit_stats(d.arena, &d.stats);
    if (!status && d.reader)
        status = adit_tally_keys(d.reader, &d.tally);
    if (status)
        adit_say_error(PROGRAM, "%s: cannot be looked at: %s", name, adit_strerror(status));
    code = status ? adit_arena_exit(status) : dump_all(&d, name);
    adit_tally_close(&d.tally);
    adit_reader_close(&d.reader);
    adit_detach(&d.arena);
    return code;
}

const struct adit_command adit_command_dump = {"dump", "list what is in an arena", dump_run};
