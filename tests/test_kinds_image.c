/* Built-in kinds of tasks about images (runtime/adit_kinds.h), and their kernels (kernels/mip.h): against means in doubles, texel by texel. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "tests/kind_fixture.h"

static uint32_t half_of(uint32_t dim) { return dim > 1 ? dim / 2 : 1; }

static uint8_t *random_image(uint32_t width, uint32_t height, uint64_t seed)
{
    uint8_t *image = malloc((size_t)width * height * 4);
    REQUIRE(image);
    for (size_t i = 0; i < (size_t)width * height * 4; i++)
        image[i] = (uint8_t)(shm_fixture_random(&seed) >> 56);
    return image;
}

/* ---- adit.mip ---- */

static double to_light(double v) { return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4); }
static double from_light(double v) { return v <= 0.0031308 ? v * 12.92 : 1.055 * pow(v, 1 / 2.4) - 0.055; }

/* How much of the texel at i lies in the part of the axis that belongs to texel x of the next level. */
static double share(uint32_t i, uint32_t dim, uint32_t x)
{
    double length = (double)dim / half_of(dim), lo = fmax(i, x * length), hi = fmin(i + 1, (x + 1) * length);
    return hi > lo ? hi - lo : 0;
}

/* The mean of a channel, in doubles. */
static double mean_of(const uint8_t *from, uint32_t width, uint32_t height, uint32_t x, uint32_t y, uint32_t channel, bool is_plain)
{
    double sum = 0, all = 0;
    bool is_light = !is_plain && channel < 3;
    for (uint32_t j = y * 2; j < height && j < y * 2 + 3; j++)
        for (uint32_t i = x * 2; i < width && i < x * 2 + 3; i++) {
            double weight = share(i, width, x) * share(j, height, y), v = from[((size_t)j * width + i) * 4 + channel] / 255.0;
            sum += weight * (is_light ? to_light(v) : v);
            all += weight;
        }
    return 255 * (is_light ? from_light(sum / all) : sum / all);
}

/* All levels of an image, each against the one before. */
static void judge_levels(uint32_t width, uint32_t height, uint32_t levels, bool is_plain)
{
    uint8_t *image = random_image(width, height, width * 31 + height), *got = malloc((size_t)width * height * 4 + 4), *from = image, *to = got;
    uint64_t source = kind_buffer((uint64_t)width * height * 4, image), chain = kind_buffer((uint64_t)width * height * 4 + 4, NULL);
    const struct adit_mip_args a = {.width = width, .height = height, .levels = levels, .plain = is_plain};
    struct adit_task_result done = KIND_RUN("adit.mip", a, kind_uses(source, chain), 2);
    struct adit_mip_result r;
    REQUIRE(got);
    assert_int_equal(done.status, 0);
    memcpy(&r, done.data, sizeof r);
    kind_read(chain, got, (uint64_t)width * height * 4 + 4);
    for (uint32_t level = 0; level < r.levels; level++) {
        uint32_t w = half_of(width), h = half_of(height);
        for (uint32_t i = 0; i < w * h * 4; i++)
            REQUIRE(fabs(to[i] - mean_of(from, width, height, i / 4 % w, i / 4 / w, i % 4, is_plain)) < 0.56); /* rounded (tried: odd sides as if even; numbers for light) */
        from = to;
        to += w * h * 4;
        width = w;
        height = h;
    }
    assert_true(levels || (width == 1 && height == 1));
    assert_int_equal(r.bytes, to - got);
    assert_true(!to[0] && !to[3]); /* and no more */
    free(image);
    free(got);
}

static void levels_are_the_means_of_what_they_cover(void **state)
{
    (void)state;
    static const uint32_t sizes[][2] = {{1, 1}, {2, 2}, {64, 64}, {63, 65}, {7, 1}, {1, 300}, {5, 128}, {255, 254}};
    kind_open(1);
    for (uint32_t i = 0; i < 16; i++)
        judge_levels(sizes[i / 2][0], sizes[i / 2][1], 0, i % 2);
    judge_levels(64, 32, 2, false);
    kind_close();
}

static void an_image_of_one_colour_stays_as_it_is(void **state)
{
    (void)state;
    struct adit_mip_srgb srgb;
    uint8_t image[9 * 6 * 4], half[4 * 3 * 4];
    adit_mip_srgb_init(&srgb);
    for (uint32_t v = 0; v < 256; v++) {
        memset(image, (int)v, sizeof image);
        adit_mip_halve(&srgb, image, 9, 6, half);
        for (uint32_t i = 0; i < sizeof half; i++)
            assert_int_equal(half[i], v); /* (tried: borders between values a half too high) */
    }
}

static void wrong_images_are_refused(void **state)
{
    (void)state;
    kind_open(1);
    uint64_t a = kind_buffer(16 * 16 * 4, NULL), b = kind_buffer(85 * 4, NULL), small = kind_buffer(85 * 4 - 1, NULL);
    const struct adit_mip_args good = {.width = 16, .height = 16},
                               bad[] = {{.width = 0, .height = 16}, {.width = 16, .height = 0}, {.width = 16, .height = 17}, {.width = 65536, .height = 65536},
                                        {.width = UINT32_MAX, .height = UINT32_MAX}, {.width = 65537, .height = 1}, {.width = 16, .height = 16, .levels = 5}, {.width = 16, .height = 16, .plain = 2}};
    for (uint32_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(KIND_STATUS("adit.mip", bad[i], kind_uses(a, b), 2), -EINVAL);
    struct adit_task_result short_of = KIND_RUN("adit.mip", good, kind_uses(a, small), 2);
    struct adit_mip_result r;
    memcpy(&r, short_of.data, sizeof r);
    assert_int_equal(short_of.status, -ENOSPC);
    assert_int_equal(r.bytes, 85 * 4);
    assert_int_equal(KIND_STATUS("adit.mip", good, kind_uses(a, b), 1), -EINVAL);
    assert_int_equal(KIND_STATUS("adit.mip", good, kind_uses(a, b), 2), 0);
    kind_close();
}

/* ---- adit.atlas ---- */

#define IMAGES 60u
#define ATLAS 256u

static struct adit_task_result pack(const struct adit_atlas_args *a, uint64_t from, uint64_t to, uint64_t places)
{
    const struct adit_use uses[] = {{from, ADIT_READ}, {to, ADIT_WRITE}, {places, ADIT_WRITE}};
    return KIND_RUN("adit.atlas", *a, uses, 3);
}

/* Images with a list of them before: sizes of sides to most; of all the same texels that say which image and place they are. */
static uint8_t *images_of(uint32_t n, uint32_t most, uint64_t seed, size_t *bytes)
{
    uint8_t *all = calloc(1, n * (sizeof(struct adit_atlas_image) + most * most * 4));
    struct adit_atlas_image *list = (struct adit_atlas_image *)(void *)all;
    REQUIRE(all);
    *bytes = n * sizeof *list;
    for (uint32_t i = 0; i < n; i++) {
        list[i] = (struct adit_atlas_image){1 + (uint32_t)(shm_fixture_random(&seed) >> 33) % most, 1 + (uint32_t)(shm_fixture_random(&seed) >> 33) % most, *bytes};
        for (uint32_t k = 0; k < list[i].width * list[i].height; k++, *bytes += 4)
            memcpy(all + *bytes, (const uint8_t[4]){(uint8_t)(i + 1), (uint8_t)(k % list[i].width), (uint8_t)(k / list[i].width), 255}, 4);
    }
    return all;
}

static uint32_t clamp(int32_t v, uint32_t n) { return v < 0 ? 0 : (uint32_t)v < n ? (uint32_t)v : n - 1; }

/* Each texel of the atlas belongs to at most one image or its margin, and is that image's. */
static void judge_atlas(const uint8_t *atlas, const struct adit_atlas_image *list, const struct adit_atlas_place *places, uint32_t n, uint32_t margin)
{
    static uint32_t owner[ATLAS * ATLAS];
    memset(owner, 0, sizeof owner);
    for (uint32_t i = 0; i < n; i++) {
        const struct adit_atlas_place *p = &places[i];
        int32_t m = (int32_t)margin;
        REQUIRE(p->width == list[i].width && p->height == list[i].height && p->x >= margin && p->y >= margin);
        REQUIRE(p->x + p->width + margin <= ATLAS && p->y + p->height + margin <= ATLAS);
        for (int32_t y = -m; y < (int32_t)p->height + m; y++)
            for (int32_t x = -m; x < (int32_t)p->width + m; x++) {
                uint32_t at = (uint32_t)((int32_t)p->y + y) * ATLAS + (uint32_t)((int32_t)p->x + x);
                const uint8_t expected[4] = {(uint8_t)(i + 1), (uint8_t)clamp(x, p->width), (uint8_t)clamp(y, p->height), 255};
                REQUIRE(!owner[at]);
                owner[at] = i + 1;
                REQUIRE(!memcmp(atlas + at * 4, expected, 4)); /* (tried: margins of zeroes) */
            }
    }
    for (uint32_t i = 0; i < ATLAS * ATLAS; i++)
        REQUIRE(owner[i] || !(atlas[i * 4] | atlas[i * 4 + 3]));
}

static void an_atlas_has_every_image_once_with_its_margin(void **state)
{
    (void)state;
    static uint8_t atlas[ATLAS * ATLAS * 4];
    struct adit_atlas_place places[IMAGES];
    struct adit_atlas_result r;
    size_t bytes;
    kind_open_beside(ADIT_PRODUCER, 1);
    for (uint32_t margin = 0; margin < 6; margin += 1 + margin) {
        const struct adit_atlas_args a = {.images = IMAGES, .width = ATLAS, .height = ATLAS, .margin = margin};
        uint8_t *all = images_of(IMAGES, margin == 3 ? 20 : 40, margin + 1, &bytes);
        uint64_t from = kind_buffer(bytes, all), to = kind_buffer(sizeof atlas, NULL), where = kind_buffer(sizeof places, NULL);
        struct adit_task_result done = pack(&a, from, to, where);
        assert_int_equal(done.status, 0);
        memcpy(&r, done.data, sizeof r);
        kind_read(to, atlas, sizeof atlas);
        kind_read(where, places, sizeof places);
        judge_atlas(atlas, (const struct adit_atlas_image *)(const void *)all, places, IMAGES, margin);
        assert_int_equal(r.texels * 4, bytes - IMAGES * sizeof(struct adit_atlas_image));
        assert_int_equal(r.placed, IMAGES);
        assert_in_range(r.height, r.texels / ATLAS, ATLAS);
        free(all);
    }
    kind_close();
}

static void wrong_atlases_are_refused(void **state)
{
    (void)state;
    size_t bytes;
    uint8_t *all = images_of(4, 8, 3, &bytes);
    struct adit_atlas_image *list = (struct adit_atlas_image *)(void *)all;
    kind_open(1);
    uint64_t from = kind_buffer(bytes, all), to = kind_buffer(64 * 64 * 4, NULL), where = kind_buffer(4 * sizeof(struct adit_atlas_place), NULL);
    const struct adit_atlas_args good = {.images = 4, .width = 64, .height = 64},
                                 bad[] = {{.images = 0, .width = 64, .height = 64}, {.images = 5, .width = 64, .height = 64}, {.images = ADIT_ATLAS_IMAGES_MAX + 1, .width = 64, .height = 64},
                                          {.images = 4, .width = 0, .height = 64}, {.images = 4, .width = 64, .height = 65}, {.images = 4, .width = 1u << 31, .height = 2},
                                          {.images = 4, .width = 64, .height = 64, .margin = 65}},
                                 small = {.images = 4, .width = 5, .height = 5};
    assert_int_equal(pack(&good, from, to, where).status, 0);
    assert_int_equal(pack(&small, from, to, where).status, -ENOSPC);
    for (uint32_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(pack(&bad[i], from, to, where).status, -EINVAL);
    const struct adit_atlas_image wrong[] = {{0, 1, 64}, {1, 0, 64}, {16385, 1, 64}, {1, 16385, 64}, {1, 1, 66}, {1, 1, bytes}, {1, 1, UINT64_MAX - 3}, {16384, 16384, 0}, {1, 1, bytes - 3}};
    for (uint32_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct adit_atlas_image was = list[2];
        list[2] = wrong[i];
        assert_int_equal(adit_buffer_put(kind_arena, from, all, bytes), 0);
        assert_int_equal(pack(&good, from, to, where).status, -EINVAL); /* (tried: ends not compared) */
        list[2] = was;
    }
    list[2] = (struct adit_atlas_image){1, 1, bytes - 4}; /* the last texel there is */
    assert_int_equal(adit_buffer_put(kind_arena, from, all, bytes), 0);
    assert_int_equal(pack(&good, from, to, where).status, 0);
    assert_int_equal(KIND_STATUS("adit.atlas", good, kind_uses(from, to), 2), -EINVAL);
    const struct adit_use uses[] = {{from, ADIT_READ}, {to, ADIT_WRITE}, {where, ADIT_READ}};
    assert_int_equal(KIND_STATUS("adit.atlas", good, uses, 3), -EINVAL);
    free(all);
    kind_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_are_the_means_of_what_they_cover),
        cmocka_unit_test(an_image_of_one_colour_stays_as_it_is),
        cmocka_unit_test(wrong_images_are_refused),
        cmocka_unit_test(an_atlas_has_every_image_once_with_its_margin),
        cmocka_unit_test(wrong_atlases_are_refused),
    };
    return cmocka_run_group_tests(tests, shm_fixture_set_up, shm_fixture_tear_down);
}
