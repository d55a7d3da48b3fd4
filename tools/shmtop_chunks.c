/* shmtop_chunks.c - the screen chunks: a layer as a picture, and every chunk. */
#include "tools/say.h"
#include "tools/shmtop_map.h"
#include "tools/shmtop_look.h"

static void chunks_lines(const struct shmtop_look *look, struct shmtop_page *page)
{
    if (look->s->chunks_all > look->s->chunks_n)
        shmtop_page_line(page, SHMTOP_WARNING, "%s of %s chunks are shown", ADIT_SAY_COUNT(look->s->chunks_n), ADIT_SAY_COUNT(look->s->chunks_all));
    shmtop_map_draw(look, page);
}

static const struct shmtop_column columns[] = {
    {"world", "W", "The world of its key.", SHMTOP_NUMBER, 2, 0},
    {"lod", "LOD", "The level of detail of its key.", SHMTOP_NUMBER, 3, 0},
    {"x", "X", "Its key: x, in chunks.", SHMTOP_NUMBER, 7, 0},
    {"y", "Y", "Its key: y, in chunks; up.", SHMTOP_NUMBER, 5, 0},
    {"z", "Z", "Its key: z, in chunks.", SHMTOP_NUMBER, 7, 0},
    {"state", "STATE", "clean; dirty: to be meshed; in work: somebody meshes it; given up: its version killed whoever meshed it; removed; none: a key without a version.", SHMTOP_TEXT, 8, 0},
    {"version", "VERSION", "The number of its current version.", SHMTOP_COUNT, 9, 0},
    {"encoding", "ENCODING", "How its voxels lie in memory: uniform, bricks, dense16, removed.", SHMTOP_TEXT, 8, 0},
    {"bytes", "BYTES", "The block of its version.", SHMTOP_BYTES, 9, 66},
    {"versions_per_s", "EDITS/s", "Versions of it that were published, a second.", SHMTOP_RATE, 7, 74},
    {"solid", "SOLID", "Its voxels that are not air.", SHMTOP_COUNT, 8, 90},
    {"mesh", "MESH", "How many meshes it has had.", SHMTOP_COUNT, 7, 100},
    {"quads", "QUADS", "Quads of its current mesh.", SHMTOP_COUNT, 7, 100},
    {"mesh_bytes", "MESH BYTES", "The block of its mesh.", SHMTOP_BYTES, 10, 120},
    {"node", "NODE", "The memory node its version lies on.", SHMTOP_NUMBER, 4, 130},
    {"age_ns", "AGE", "How long ago its version was published.", SHMTOP_DURATION, 9, 110},
    {"dirty_ns", "DIRTY FOR", "How long it has been dirty; none: it is not.", SHMTOP_DURATION, 9, 140},
    {"pid", "BY", "The process that is at it; none: nobody.", SHMTOP_NUMBER, 8, 150},
};

static void fill(const struct shmtop_look *look, struct shmtop_table *t)
{
    for (uint32_t i = 0; i < look->s->chunks_n; i++) {
        const struct adit_chunk_info *c = &look->s->chunks[i], *was = shmtop_snapshot_chunk(look->before, &c->key);
        if (!shmtop_table_row(t, shmtop_key_id(&c->key), c->state == ADIT_CHUNK_GIVEN_UP ? SHMTOP_WARNING : SHMTOP_PLAIN))
            continue;
        shmtop_cell_number(t, c->key.world);
        shmtop_cell_number(t, c->key.lod);
        shmtop_cell_number(t, c->key.x);
        shmtop_cell_number(t, c->key.y);
        shmtop_cell_number(t, c->key.z);
        shmtop_cell_text(t, shmtop_chunk_state(c->state));
        shmtop_cell_count(t, c->version);
        shmtop_cell_text(t, shmtop_encoding(c->encoding));
        shmtop_cell_count(t, c->bytes);
        shmtop_cell_real(t, was ? shmtop_rate(look->s, look->before, c->version, was->version) : 0);
        shmtop_cell_count(t, c->solid);
        shmtop_cell_count(t, c->mesh);
        shmtop_cell_count(t, c->quads);
        shmtop_cell_count(t, c->mesh_bytes);
        shmtop_cell_node(t, c->node);
        shmtop_cell_age(t, look->s, c->published_ns);
        shmtop_cell_age(t, look->s, c->state == ADIT_CHUNK_DIRTY ? c->dirty_ns : 0);
        shmtop_cell_pid(t, c->pid);
    }
}

const struct shmtop_screen shmtop_screen_chunks = {
    .name = "chunks",
    .text = "A layer of chunks as a picture of their states, and every chunk with its version, encoding and mesh.",
    .lines = chunks_lines,
    .has_map = true,
    .tables = {{"chunks", "Chunks", columns, sizeof columns / sizeof *columns, fill}},
    .tables_n = 1,
};
