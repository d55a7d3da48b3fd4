/* shape.c - quads to corners and faces. See shape.h.
 *
 * Why a conforming scene conforms: every corner that is written is a corner of some quad, hence in the set of each mesh
 * whose box it lies in; every edge that is written has none of the set inside it, or it had been halved there; and what
 * lies inside an edge of a mesh lies in that mesh's box. Two triangles on one edge need not know of each other.
 *
 * A quad that a damaged mesh has beyond its chunk (up to 127) is drawn as it is: what lies outside the box is in no set. */
#include "tools/exports/shape.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DIM = ADIT_CHUNK_DIM, SIDE = ADIT_SHAPE_SIDE, NO_INDEX = 0xffff };

/* A corner of the quad at hand, counted from its first along u and v, 0..64 each. */
struct spot {
    uint8_t u, v;
};

struct triangle {
    struct spot at[3];
};

struct adit_shaper {
    const struct adit_scene *scene;
    const struct adit_scene_mesh **sorted; /* by place; NULL when plain */
    uint64_t set[SIDE][SIDE][2];           /* [z][y], bits by x: where a corner of the scene lies in this mesh's box */
    uint32_t base[3], u_axis, v_axis;      /* of the quad at hand */
    bool turned;                           /* its faces are written the other way round */
    uint16_t index[SIDE][SIDE];            /* [v][u]: which corner of shape, or NO_INDEX */
    struct spot spot[ADIT_SHAPE_CORNERS_MAX]; /* of corner i of shape */
    struct triangle pending[ADIT_SHAPE_FACES_MAX];
    struct adit_shape shape;
};

/* ---- the corners around a mesh */

static int place_compare(const int32_t a[3], const struct adit_scene_mesh *b)
{
    int32_t c[3] = {b->x, b->y, b->z};
    for (int i = 2; i >= 0; i--)
        if (a[i] != c[i])
            return a[i] < c[i] ? -1 : 1;
    return 0;
}

static int mesh_compare(const void *a, const void *b)
{
    const struct adit_scene_mesh *const *m = a, *const *n = b;
    return place_compare((const int32_t[3]){(*m)->x, (*m)->y, (*m)->z}, *n);
}

int adit_shaper_open(const struct adit_scene *scene, struct adit_shaper **shaper)
{
    struct adit_shaper *s = malloc(sizeof *s);
    *shaper = s;
    if (!s)
        return -ENOMEM;
    s->scene = scene;
    s->sorted = NULL;
    memset(s->index, 0xff, sizeof s->index);
    if (!scene->form.conforming)
        return 0;
    s->sorted = malloc((scene->meshes_count + 1) * sizeof *s->sorted);
    if (!s->sorted) {
        adit_shaper_close(s);
        *shaper = NULL;
        return -ENOMEM;
    }
    for (size_t i = 0; i < scene->meshes_count; i++)
        s->sorted[i] = &scene->meshes[i];
    qsort(s->sorted, scene->meshes_count, sizeof *s->sorted, mesh_compare);
    return 0;
}

void adit_shaper_close(struct adit_shaper *shaper)
{
    if (!shaper)
        return;
    free(shaper->sorted);
    free(shaper);
}

static bool is_in_box(int32_t place)
{
    return place >= 0 && place < SIDE;
}

/* Enters the corners of a mesh that lies shift voxels from the one at hand, as far as they are in its box. */
static void corners_enter(struct adit_shaper *s, const struct adit_scene_mesh *mesh, const int32_t shift[3])
{
    for (uint32_t range = 0; range < ADIT_MESH_RANGES; range++) {
        uint32_t face = range / ADIT_MESH_CLASSES, corner[4][3];
        for (uint32_t i = mesh->start[range]; i < mesh->start[range + 1]; i++) {
            adit_scene_corners(adit_scene_quad(mesh, i), face, corner);
            for (uint32_t k = 0; k < 4; k++) {
                int32_t at[3];
                for (uint32_t axis = 0; axis < 3; axis++)
                    at[axis] = (int32_t)corner[k][axis] + shift[axis];
                if (is_in_box(at[0]) && is_in_box(at[1]) && is_in_box(at[2]))
                    s->set[at[2]][at[1]][at[0] / 64] |= 1ull << at[0] % 64;
            }
        }
    }
}

/* The first mesh of the sorted ones whose place is not before the one asked for. */
static size_t mesh_search(const struct adit_shaper *s, const int32_t place[3])
{
    size_t low = 0, high = s->scene->meshes_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (place_compare(place, s->sorted[middle]) > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void adit_shaper_mesh(struct adit_shaper *s, const struct adit_scene_mesh *mesh)
{
    if (!s->sorted)
        return;
    memset(s->set, 0, sizeof s->set);
    for (int32_t i = 0; i < 27; i++) {
        const int32_t step[3] = {i % 3 - 1, i / 3 % 3 - 1, i / 9 - 1};
        if (step[0] && step[1] && step[2])
            continue; /* shares one place with the box, its corner, which is inside no edge */
        int64_t wide[3] = {(int64_t)mesh->x + step[0], (int64_t)mesh->y + step[1], (int64_t)mesh->z + step[2]};
        int32_t place[3], shift[3];
        bool is_place = true;
        for (int axis = 0; axis < 3; axis++) {
            place[axis] = (int32_t)wide[axis];
            shift[axis] = step[axis] * DIM;
            is_place &= place[axis] == wide[axis];
        }
        for (size_t k = is_place ? mesh_search(s, place) : SIZE_MAX;
             k < s->scene->meshes_count && !place_compare(place, s->sorted[k]); k++)
            corners_enter(s, s->sorted[k], shift);
    }
}

/* ---- the quad at hand */

static bool is_corner(const struct adit_shaper *s, uint32_t u, uint32_t v)
{
    uint32_t at[3] = {s->base[0], s->base[1], s->base[2]};
    at[s->u_axis] += u;
    at[s->v_axis] += v;
    return at[0] < SIDE && at[1] < SIDE && at[2] < SIDE && s->set[at[2]][at[1]][at[0] / 64] >> at[0] % 64 & 1;
}

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
    while (b) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* A corner of the scene inside the edge a b, the one nearest its middle. False when there is none. */
static bool corner_inside(const struct adit_shaper *s, struct spot a, struct spot b, struct spot *corner)
{
    int32_t du = b.u - a.u, dv = b.v - a.v;
    int32_t parts = (int32_t)common_divisor((uint32_t)abs(du), (uint32_t)abs(dv)), nearest = 2 * parts;
    for (int32_t i = 1; i < parts; i++) {
        int32_t u = a.u + du / parts * i, v = a.v + dv / parts * i, off = abs(2 * i - parts);
        if (off < nearest && is_corner(s, (uint32_t)u, (uint32_t)v)) {
            nearest = off;
            *corner = (struct spot){(uint8_t)u, (uint8_t)v};
        }
    }
    return nearest < parts;
}

static uint16_t corner_index(struct adit_shaper *s, struct spot spot)
{
    uint16_t *index = &s->index[spot.v][spot.u];
    if (*index == NO_INDEX) {
        uint32_t at[3] = {s->base[0], s->base[1], s->base[2]};
        *index = (uint16_t)s->shape.corners++;
        s->spot[*index] = spot;
        at[s->u_axis] += spot.u;
        at[s->v_axis] += spot.v;
        for (uint32_t axis = 0; axis < 3; axis++)
            s->shape.corner[*index][axis] = (int16_t)(s->scene->form.mirror == axis + 1 ? -(int32_t)at[axis] : (int32_t)at[axis]);
    }
    return *index;
}

static void face_add(struct adit_shaper *s, const struct spot *spots, uint32_t sides)
{
    uint16_t *face = s->shape.face[s->shape.faces++];
    for (uint32_t k = 0; k < sides; k++)
        face[s->turned && k ? sides - k : k] = corner_index(s, spots[k]);
}

/* Halves a triangle and its halves until no corner lies inside an edge. Twice its area is a whole number and each half has less:
 * 2 w h triangles at most, of which the stack never holds more. */
static void triangle_add(struct adit_shaper *s, struct triangle whole)
{
    uint32_t depth = 0;
    s->pending[depth++] = whole;
    while (depth) {
        struct triangle t = s->pending[--depth];
        struct spot p;
        uint32_t k = 0;
        while (k < 3 && !corner_inside(s, t.at[k], t.at[(k + 1) % 3], &p))
            k++;
        if (k == 3) {
            face_add(s, t.at, 3);
            continue;
        }
        struct spot a = t.at[k], b = t.at[(k + 1) % 3], c = t.at[(k + 2) % 3];
        s->pending[depth++] = (struct triangle){{p, b, c}};
        s->pending[depth++] = (struct triangle){{a, p, c}};
    }
}

/* The light of each corner of the shape, wherever in the quad it lies: between the quad's corners (u0v0 u1v0 u0v1 u1v1) as a renderer would interpolate. */
static void open_fill(struct adit_shaper *s, uint64_t quad)
{
    uint32_t ao = adit_quad_ao(quad);
    s->shape.is_open = ao == ADIT_QUAD_AO_OPEN;
    for (uint32_t i = 0; !s->shape.is_open && i < s->shape.corners; i++) {
        float u = (float)s->spot[i].u / (float)adit_quad_w(quad), v = (float)s->spot[i].v / (float)adit_quad_h(quad);
        float low = (float)(ao & 3) * (1 - u) + (float)(ao >> 2 & 3) * u, high = (float)(ao >> 4 & 3) * (1 - u) + (float)(ao >> 6 & 3) * u;
        s->shape.open[i] = adit_shape_open(low * (1 - v) + high * v);
    }
}

const struct adit_shape *adit_shaper_quad(struct adit_shaper *s, uint64_t quad, uint32_t face, uint32_t sides)
{
    uint32_t corner[4][3];
    struct spot spots[4];
    adit_scene_corners(quad, face, corner);
    s->u_axis = adit_face_u(face);
    s->v_axis = adit_face_v(face);
    s->turned = s->scene->form.clockwise != (s->scene->form.mirror != 0);
    s->shape.corners = s->shape.faces = 0;
    s->shape.sides = s->sorted ? 3 : sides;
    memcpy(s->base, corner[0], sizeof s->base);
    for (uint32_t k = 0; k < 4; k++)
        spots[k] = (struct spot){(uint8_t)(corner[k][s->u_axis] - s->base[s->u_axis]),
                                 (uint8_t)(corner[k][s->v_axis] - s->base[s->v_axis])};
    for (uint32_t k = 0; k < 4; k++)
        corner_index(s, spots[k]);
    if (s->shape.sides == 4) {
        face_add(s, spots, 4);
    } else if (!s->sorted) {
        face_add(s, spots, 3);
        face_add(s, (const struct spot[3]){spots[0], spots[2], spots[3]}, 3);
    } else {
        triangle_add(s, (struct triangle){{spots[0], spots[1], spots[2]}});
        triangle_add(s, (struct triangle){{spots[0], spots[2], spots[3]}});
    }
    open_fill(s, quad);
    for (uint32_t i = 0; i < s->shape.corners; i++) /* what was entered is forgotten again */
        s->index[s->spot[i].v][s->spot[i].u] = NO_INDEX;
    return &s->shape;
}

struct adit_shape_count adit_shaper_count(struct adit_shaper *s, const struct adit_scene_mesh *mesh, uint32_t class,
                                          uint32_t sides)
{
    struct adit_shape_count count = {0};
    for (uint32_t range = 0; range < ADIT_MESH_RANGES; range++) {
        if (class && range % ADIT_MESH_CLASSES != class - 1)
            continue;
        if (!s->sorted) {
            uint64_t quads = mesh->start[range + 1] - mesh->start[range];
            count.corners += quads * 4;
            count.faces += quads * (sides == 4 ? 1 : 2);
            continue;
        }
        for (uint32_t i = mesh->start[range]; i < mesh->start[range + 1]; i++) {
            const struct adit_shape *shape = adit_shaper_quad(s, adit_scene_quad(mesh, i), range / ADIT_MESH_CLASSES, sides);
            count.corners += shape->corners;
            count.faces += shape->faces;
        }
    }
    return count;
}

void adit_shaper_origin(const struct adit_scene *scene, const struct adit_scene_mesh *mesh, int64_t origin[3])
{
    adit_scene_mesh_origin(scene, mesh, origin);
    if (scene->form.mirror)
        origin[scene->form.mirror - 1] = -origin[scene->form.mirror - 1];
}

void adit_shaper_normal(const struct adit_scene *scene, uint32_t face, int32_t normal[3])
{
    uint32_t axis = adit_face_axis(face);
    normal[0] = normal[1] = normal[2] = 0;
    normal[axis] = (face & 1) != (scene->form.mirror == axis + 1) ? 1 : -1;
}
