/* compact.c - packing and expanding the compact form.
 *
 * A survey takes what decides the layout: bits that AO, light and materials have, whether the order is that of mesh.h, then the
 * materials that occur and where each slice begins. Then the streams are written, each
 * by a loop of its own over the quads of a range, with the face a constant, so that most of them become vector code.
 *
 * Quads that a hostile peer changes under the packer make the form worthless, and no more: every length is settled by the survey, from
 * private memory.
 *
 * Why a hostile form does no harm: places in the head are not believed, they are computed from counts (layout_of) and must
 * equal what stands there; the counts are bounded by `size` before anything is read. The view keeps a private copy
 * of the head, and whatever is read again later (slices, indices) is clamped to what the copy says.
 */
#include "kernels/compact.h"

#include <errno.h>
#include <string.h>

/* Layout of version 1. vertex_pull.glsl knows these words by number. */
_Static_assert(sizeof(struct adit_compact_head) == 196 && sizeof(struct adit_compact_slices) == 4, "the head of version 1");
_Static_assert(offsetof(struct adit_compact_head, palette_at) == 20 && offsetof(struct adit_compact_head, bounds_lo) == 40 &&
                   offsetof(struct adit_compact_head, start) == 48 && offsetof(struct adit_compact_head, slices) == 124,
               "places in the head of version 1");

enum { SMALL = 256, BEYOND = 64 }; /* materials that a quad's own index can name; one more than the last coordinate */

/* What the layout of a form follows from. */
struct shape {
    uint32_t quads_n, palette_n, slices_n;
    bool is_wide, has_ao, has_light;
};

static uint32_t words_of(size_t bytes)
{
    return (uint32_t)((bytes + 3) / 4);
}

/* Fills head's places and length, from the shape alone. Whatever the shape says within its bounds, nothing overflows. */
static void lay_out(const struct shape *shape, struct adit_compact_head *head)
{
    uint32_t at = ADIT_COMPACT_HEAD_WORDS, n = shape->quads_n;
    at += words_of(shape->slices_n * (shape->is_wide ? sizeof(uint32_t) : sizeof(uint16_t)));
    head->palette_at = at;
    at += words_of(shape->palette_n * sizeof(uint16_t));
    head->quads_at = at;
    at += n;
    head->index_high_at = shape->palette_n > SMALL ? at : 0;
    at += shape->palette_n > SMALL ? words_of(n) : 0;
    head->ao_at = shape->has_ao ? at : 0;
    at += shape->has_ao ? words_of(n) : 0;
    head->light_at = shape->has_light ? at : 0;
    at += shape->has_light ? words_of(n * sizeof(uint16_t)) : 0;
    head->bytes = at * 4;
}

static bool are_bounds_sound(const uint8_t lo[3], const uint8_t hi[3], uint32_t quads_n)
{
    for (int axis = 0; axis < 3; axis++)
        if (quads_n ? lo[axis] > hi[axis] || hi[axis] >= ADIT_CHUNK_DIM : lo[axis] != ADIT_CHUNK_DIM - 1 || hi[axis] != 0)
            return false;
    return true;
}

static inline uint32_t layer_of(uint64_t quad, uint32_t axis)
{
    return (uint32_t)(quad >> 6 * axis & 63);
}

/* -- packing ------------------------------------------------------------------------------------------------------- */

struct survey {
    struct adit_compact_head head;
    struct shape shape;
    uint32_t slice[ADIT_COMPACT_SLICES_MAX + ADIT_CHUNK_DIM]; /* a range may touch 64 entries, however few it keeps */
    uint32_t material_bits;            /* those that are set in any material: none lies above */
    uint16_t index_of[ADIT_MATERIALS]; /* first whether a material occurs, then its place in the palette; up to material_bits */
};

/* u, v, w - 1, h - 1 of a quad, as the compact form has them. */
static inline uint32_t pack_place(uint64_t quad, uint32_t axis)
{
    uint32_t low = (uint32_t)quad, uv = axis == 0 ? low >> 6 & 0xfff : axis == 1 ? (low & 63) | (low >> 6 & 0xfc0) : low & 0xfff;
    return uv | ((uint32_t)(quad >> 18) & 0xfff) << 12;
}

/* Has the bit BEYOND if a packed quad reaches beyond the last voxel, along u or along v. */
static inline uint32_t excess_of(uint32_t packed)
{
    return ((packed & 63) + (packed >> 12 & 63)) | ((packed >> 6 & 63) + (packed >> 18 & 63));
}

/* What a range's quads have in common. Returns whether they are in the order of their layers and within the chunk. Without branches, so
 * that it becomes vector code. */
static inline bool survey_values(struct survey *s, const uint64_t *quads, uint32_t n, uint32_t axis)
{
    uint64_t in_all = ~0ull, in_any = 0;
    uint32_t excess = 0, descents = 0;
    for (uint32_t i = 0; i < n; i++) {
        in_all &= quads[i];
        in_any |= quads[i];
        excess |= excess_of(pack_place(quads[i], axis));
    }
    for (uint32_t i = 1; i < n; i++)
        descents |= layer_of(quads[i], axis) - layer_of(quads[i - 1], axis);
    s->material_bits |= adit_quad_material(in_any);
    s->shape.has_ao |= n && adit_quad_ao(in_all) != ADIT_QUAD_AO_OPEN;
    s->shape.has_light |= in_any >> 54 != 0;
    return !(excess & BEYOND) && !(descents >> 31);
}

/* Notes a range's materials and where its slices begin. Backwards, so that the last quad to be noted of a slice is its first.
 * Layers are masked, since quads that change meanwhile need not be in order any more. */
static void survey_slices(struct survey *s, uint32_t range, const uint64_t *quads, uint32_t n, uint32_t axis)
{
    uint32_t lowest = n ? layer_of(quads[0], axis) : 0, layers = n ? (layer_of(quads[n - 1], axis) - lowest) % ADIT_CHUNK_DIM + 1 : 0;
    uint32_t *slice = s->slice + s->shape.slices_n, next = n;
    s->head.slices[range] = (struct adit_compact_slices){ (uint8_t)lowest, (uint8_t)layers, (uint16_t)s->shape.slices_n };
    for (uint32_t k = 0; k < layers; k++)
        slice[k] = n;
    for (uint32_t i = n; i-- > 0;) {
        slice[(layer_of(quads[i], axis) - lowest) % ADIT_CHUNK_DIM] = i;
        s->index_of[adit_quad_material(quads[i])] = 1;
    }
    for (uint32_t k = layers; k-- > 0;)
        next = slice[k] = slice[k] < next ? slice[k] : next;
    s->shape.slices_n += layers;
    s->shape.is_wide |= n > 65536;
}

static bool survey(struct survey *s, const struct adit_mesh_result *mesh)
{
    const uint32_t *start = mesh->start;
    uint32_t n = start[ADIT_MESH_RANGES];
    if (start[0] || n > mesh->quads_max || n > ADIT_MESH_QUADS_MAX || (n && !mesh->quads) ||
        !are_bounds_sound(mesh->bounds_lo, mesh->bounds_hi, n))
        return false;
    for (uint32_t r = 0; r < ADIT_MESH_RANGES; r++)
        if (start[r] > start[r + 1])
            return false;
    memset(&s->head, 0, sizeof s->head);
    s->shape = (struct shape){ .quads_n = n };
    s->material_bits = 0;
    for (uint32_t r = 0; r < ADIT_MESH_RANGES; r++) {
        uint32_t axis = adit_face_axis(r / ADIT_MESH_CLASSES), count = start[r + 1] - start[r];
        const uint64_t *quads = mesh->quads + start[r];
        if (!(axis == 0   ? survey_values(s, quads, count, 0)
              : axis == 1 ? survey_values(s, quads, count, 1)
                          : survey_values(s, quads, count, 2)))
            return false;
    }
    memset(s->index_of, 0, (s->material_bits + 1) * sizeof *s->index_of);
    for (uint32_t r = 0; r < ADIT_MESH_RANGES; r++)
        survey_slices(s, r, mesh->quads + start[r], start[r + 1] - start[r], adit_face_axis(r / ADIT_MESH_CLASSES));
    for (uint32_t m = 0; n && m <= s->material_bits; m++)
        s->shape.palette_n += s->index_of[m];
    return true;
}

static void pack_tables(struct survey *s, uint32_t *words)
{
    uint32_t slices_n = s->shape.slices_n, palette_n = 0, *slices = words + ADIT_COMPACT_HEAD_WORDS;
    uint16_t *palette = (uint16_t *)(words + s->head.palette_at);
    memcpy(words, &s->head, sizeof s->head);
    if (s->shape.is_wide)
        memcpy(slices, s->slice, slices_n * sizeof *slices);
    else
        for (uint32_t i = 0; i < slices_n + (slices_n & 1); i++)
            ((uint16_t *)slices)[i] = (uint16_t)(i < slices_n ? s->slice[i] : 0);
    for (uint32_t m = 0; palette_n < s->shape.palette_n; m++) {
        if (s->index_of[m]) {
            s->index_of[m] = (uint16_t)palette_n;
            palette[palette_n++] = (uint16_t)m;
        }
    }
    if (palette_n & 1)
        palette[palette_n] = 0;
}

/* Two loops: places become vector code, and looking up materials cannot. */
static inline void pack_quads(const struct survey *s, const uint64_t *restrict quads, uint32_t n, uint32_t axis, uint32_t *restrict out)
{
    for (uint32_t i = 0; i < n; i++)
        out[i] = pack_place(quads[i], axis);
    for (uint32_t i = 0; i < n; i++)
        out[i] |= (uint32_t)s->index_of[adit_quad_material(quads[i])] << 24;
}

/* The streams that only some meshes have. */
static void pack_streams(const struct survey *s, const uint64_t *quads, uint32_t *words)
{
    const struct adit_compact_head *head = &s->head;
    uint32_t n = s->shape.quads_n;
    if (head->index_high_at) {
        uint8_t *out = (uint8_t *)(words + head->index_high_at);
        for (uint32_t i = 0; i < words_of(n) * 4; i++)
            out[i] = i < n ? (uint8_t)(s->index_of[adit_quad_material(quads[i])] >> 8) : 0;
    }
    if (head->ao_at) {
        uint8_t *out = (uint8_t *)(words + head->ao_at);
        for (uint32_t i = 0; i < words_of(n) * 4; i++)
            out[i] = i < n ? (uint8_t)adit_quad_ao(quads[i]) : 0;
    }
    if (head->light_at) {
        uint16_t *out = (uint16_t *)(words + head->light_at);
        for (uint32_t i = 0; i < n + (n & 1); i++)
            out[i] = i < n ? (uint16_t)(quads[i] >> 54) : 0;
    }
}

int adit_compact_pack(const struct adit_mesh_result *mesh, void *form, size_t room, size_t *bytes)
{
    struct survey s;
    *bytes = 0;
    if ((room && !form) || (uintptr_t)form % 4 || !survey(&s, mesh))
        return -EINVAL;
    s.head.magic = ADIT_COMPACT_MAGIC;
    s.head.version = ADIT_COMPACT_VERSION;
    s.head.flags = s.shape.is_wide ? ADIT_COMPACT_WIDE : 0;
    s.head.faces = mesh->faces;
    s.head.palette_n = s.shape.palette_n;
    s.head.slices_n = (uint16_t)s.shape.slices_n;
    memcpy(s.head.bounds_lo, mesh->bounds_lo, sizeof s.head.bounds_lo);
    memcpy(s.head.bounds_hi, mesh->bounds_hi, sizeof s.head.bounds_hi);
    memcpy(s.head.start, mesh->start, sizeof s.head.start);
    lay_out(&s.shape, &s.head);
    *bytes = s.head.bytes;
    if (room < s.head.bytes)
        return -ENOSPC;
    uint32_t *words = form;
    pack_tables(&s, words);
    for (uint32_t axis = 0; axis < 3; axis++) { /* both faces of an axis, with all classes, are one piece */
        uint32_t first = mesh->start[axis * 2 * ADIT_MESH_CLASSES], n = mesh->start[(axis + 1) * 2 * ADIT_MESH_CLASSES] - first;
        uint32_t *out = words + s.head.quads_at + first;
        if (axis == 0)
            pack_quads(&s, mesh->quads + first, n, 0, out);
        else if (axis == 1)
            pack_quads(&s, mesh->quads + first, n, 1, out);
        else
            pack_quads(&s, mesh->quads + first, n, 2, out);
    }
    pack_streams(&s, mesh->quads, words);
    return 0;
}

/* -- judging ------------------------------------------------------------------------------------------------------- */

/* Memory that may change under us is read once into a value, not whenever the compiler likes. */
static uint32_t peek(const uint32_t *word)
{
    return *(const volatile uint32_t *)word;
}

static uint32_t slice_at(const struct adit_compact_view *view, uint32_t i)
{
    const uint32_t *slices = view->words + ADIT_COMPACT_HEAD_WORDS;
    return view->head.flags & ADIT_COMPACT_WIDE ? peek(slices + i) : peek(slices + i / 2) >> i % 2 * 16 & 0xffff;
}

/* Whether head, a private copy, describes a form that lies within size: then its places may be used. */
static bool is_head_sound(const struct adit_compact_head *head, size_t size)
{
    uint32_t n = head->start[ADIT_MESH_RANGES], slices_n = 0;
    if (head->magic != ADIT_COMPACT_MAGIC || head->version != ADIT_COMPACT_VERSION || head->flags & ~ADIT_COMPACT_WIDE)
        return false;
    if (head->start[0] || n > ADIT_MESH_QUADS_MAX || head->palette_n > ADIT_MATERIALS)
        return false;
    for (uint32_t r = 0; r < ADIT_MESH_RANGES; r++) {
        const struct adit_compact_slices *slices = &head->slices[r];
        if (head->start[r] > head->start[r + 1] || slices->at != slices_n || slices->lowest + slices->layers > ADIT_CHUNK_DIM)
            return false;
        if ((head->start[r] == head->start[r + 1]) != (slices->layers == 0))
            return false;
        slices_n += slices->layers;
    }
    if (!are_bounds_sound(head->bounds_lo, head->bounds_hi, n))
        return false;
    struct shape shape = { .quads_n = n, .palette_n = head->palette_n, .slices_n = slices_n,
                           .is_wide = head->flags & ADIT_COMPACT_WIDE, .has_ao = head->ao_at != 0, .has_light = head->light_at != 0 };
    struct adit_compact_head want;
    lay_out(&shape, &want);
    return head->slices_n == slices_n && head->palette_at == want.palette_at && head->quads_at == want.quads_at &&
           head->index_high_at == want.index_high_at && head->ao_at == want.ao_at && head->light_at == want.light_at &&
           head->bytes == want.bytes && want.bytes <= size;
}

/* Whether the slices of every range ascend from its beginning and end before its end does. */
static bool are_slices_sound(const struct adit_compact_view *view)
{
    for (uint32_t r = 0; r < ADIT_MESH_RANGES; r++) {
        const struct adit_compact_slices *slices = &view->head.slices[r];
        uint32_t n = view->head.start[r + 1] - view->head.start[r], last = 0;
        for (uint32_t k = 0; k < slices->layers; k++) {
            uint32_t begin = slice_at(view, slices->at + k);
            if (begin < last || begin >= n || (k == 0 && begin) || (k == 1 && !begin))
                return false;
            last = begin;
        }
    }
    return true;
}

static bool are_quads_sound(const struct adit_compact_view *view)
{
    const struct adit_compact_head *head = &view->head;
    const uint32_t *quads = view->words + head->quads_at;
    const uint8_t *high = (const uint8_t *)(view->words + head->index_high_at);
    uint32_t n = head->start[ADIT_MESH_RANGES], excess = 0, index_max = 0, dark = 0;
    for (uint32_t i = 0; i < n; i++) {
        excess |= excess_of(quads[i]);
        index_max = quads[i] >> 24 > index_max ? quads[i] >> 24 : index_max;
    }
    for (uint32_t i = 0; head->index_high_at && i < n; i++) {
        uint32_t index = quads[i] >> 24 | (uint32_t)high[i] << 8;
        index_max = index > index_max ? index : index_max;
    }
    const uint16_t *light = (const uint16_t *)(view->words + head->light_at);
    for (uint32_t i = 0; head->light_at && i < n; i++)
        dark |= light[i];
    return !(excess & BEYOND) && (!n || index_max < head->palette_n) && dark < 1024;
}

int adit_compact_open(const void *bytes, size_t size, struct adit_compact_view *view)
{
    if (!bytes || (uintptr_t)bytes % 4)
        return -EINVAL;
    if (size < sizeof view->head)
        return -EBADMSG;
    view->words = bytes;
    memcpy(&view->head, bytes, sizeof view->head);
    return is_head_sound(&view->head, size) && are_slices_sound(view) && are_quads_sound(view) ? 0 : -EBADMSG;
}

bool adit_compact_is_sound(const void *bytes, size_t size)
{
    struct adit_compact_view view;
    return !adit_compact_open(bytes, size, &view);
}

/* -- expanding ----------------------------------------------------------------------------------------------------- */

/* A slice's quads, all at one layer; material[] has a place for every index that a quad can hold, shifted to its bits of the quad. */
static inline void expand_quads(const uint32_t *in, uint32_t n, uint32_t axis, uint32_t layer, const uint64_t *material, uint64_t *out)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t q = in[i];
        uint32_t at = axis == 0   ? layer | (q & 0xfff) << 6
                      : axis == 1 ? (q & 63) | layer << 6 | (q & 0xfc0) << 6
                                  : (q & 0xfff) | layer << 12;
        out[i] = at | (uint64_t)(q & 0xfff000) << 6 | material[q >> 24];
    }
}

/* A range's quads, as far as there is room for them: slices may be anything by now, and are clamped. */
static inline void expand_range(const struct adit_compact_view *view, uint32_t range, uint32_t axis, const uint64_t *material,
                                uint64_t *out, uint32_t quads_max)
{
    const struct adit_compact_slices *slices = &view->head.slices[range];
    uint32_t first = view->head.start[range], end = view->head.start[range + 1], begin = first;
    const uint32_t *quads = view->words + view->head.quads_at;
    end = end < quads_max ? end : quads_max;
    for (uint32_t k = 1; k <= slices->layers && begin < end; k++) {
        uint32_t next = k < slices->layers ? slice_at(view, slices->at + k) : ADIT_MESH_QUADS_MAX;
        next = next < end - first ? first + next : end;
        if (next <= begin)
            continue;
        expand_quads(quads + begin, next - begin, axis, slices->lowest + k - 1, material, out + begin);
        begin = next;
    }
}

/* Adds what lies in streams of its own to the first n quads. */
static void expand_streams(const struct adit_compact_view *view, uint64_t *quads, uint32_t n)
{
    const struct adit_compact_head *head = &view->head;
    const uint32_t *packed = view->words + head->quads_at;
    const uint16_t *palette = (const uint16_t *)(view->words + head->palette_at);
    const uint8_t *high = (const uint8_t *)(view->words + head->index_high_at);
    for (uint32_t i = 0; head->index_high_at && i < n; i++) {
        uint32_t index = peek(packed + i) >> 24 | (uint32_t)((const volatile uint8_t *)high)[i] << 8;
        quads[i] |= (uint64_t)palette[index < head->palette_n ? index : 0] << 30;
    }
    const uint8_t *ao = (const uint8_t *)(view->words + head->ao_at);
    for (uint32_t i = 0; head->ao_at && i < n; i++)
        quads[i] |= (uint64_t)ao[i] << 46;
    const uint16_t *light = (const uint16_t *)(view->words + head->light_at);
    for (uint32_t i = 0; head->light_at && i < n; i++)
        quads[i] |= (uint64_t)light[i] << 54;
}

int adit_compact_expand(const struct adit_compact_view *view, struct adit_mesh_result *result)
{
    const struct adit_compact_head *head = &view->head;
    const uint16_t *palette = (const uint16_t *)(view->words + head->palette_at);
    uint32_t n = head->start[ADIT_MESH_RANGES], room = result->quads_max;
    uint64_t material[SMALL], ao = head->ao_at ? 0 : (uint64_t)ADIT_QUAD_AO_OPEN << 46;
    for (uint32_t i = 0; i < SMALL; i++)
        material[i] = ao | (!head->index_high_at && i < head->palette_n ? (uint64_t)palette[i] << 30 : 0);
    for (uint32_t r = 0; r < ADIT_MESH_RANGES; r++) {
        uint32_t axis = adit_face_axis(r / ADIT_MESH_CLASSES);
        if (axis == 0)
            expand_range(view, r, 0, material, result->quads, room);
        else if (axis == 1)
            expand_range(view, r, 1, material, result->quads, room);
        else
            expand_range(view, r, 2, material, result->quads, room);
    }
    expand_streams(view, result->quads, n < room ? n : room);
    memcpy(result->start, head->start, sizeof result->start);
    memcpy(result->bounds_lo, head->bounds_lo, sizeof result->bounds_lo);
    memcpy(result->bounds_hi, head->bounds_hi, sizeof result->bounds_hi);
    result->faces = head->faces;
    return n > room ? -ENOSPC : 0;
}
