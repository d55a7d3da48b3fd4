/* fuzz_compact.c - hostile compact forms: what is called sound is expanded, and must be a mesh that can be packed again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/compact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Packs what came out and expands that: the same mesh. */
static void judge(const struct adit_mesh_result *mesh)
{
    uint32_t n = mesh->start[ADIT_MESH_RANGES];
    size_t bytes, room = adit_compact_bytes_max(n);
    void *form = malloc(room);
    struct adit_mesh_result again = { .quads = malloc((n ? n : 1) * sizeof *again.quads), .quads_max = n };
    struct adit_compact_view view;
    if (!form || !again.quads || adit_compact_pack(mesh, form, room, &bytes) || adit_compact_open(form, bytes, &view) ||
        adit_compact_expand(&view, &again))
        abort();
    if (memcmp(again.quads, mesh->quads, n * sizeof *mesh->quads) != 0 || memcmp(again.start, mesh->start, sizeof again.start) != 0)
        abort();
    free(again.quads);
    free(form);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct adit_compact_view view;
    uint8_t *copy = malloc(size ? size : 1); /* aligned, and of this size for ASan; the caller's bytes may be neither */
    if (!copy)
        abort();
    memcpy(copy, data, size);
    if (!adit_compact_open(copy, size, &view)) {
        uint32_t n = view.head.start[ADIT_MESH_RANGES];
        struct adit_mesh_result mesh = { .quads = malloc((n ? n : 1) * sizeof *mesh.quads), .quads_max = n };
        if (!mesh.quads || adit_compact_expand(&view, &mesh))
            abort();
        judge(&mesh);
        for (size_t i = sizeof view.head; i < size; i += 97) { /* and what changes behind an opened head */
            copy[i] ^= 0xff;
            mesh.quads_max = n / 2;
            adit_compact_expand(&view, &mesh);
        }
        free(mesh.quads);
    }
    free(copy);
    return 0;
}
