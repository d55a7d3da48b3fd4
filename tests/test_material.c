/* Names of materials: one name is one id whoever asks, a class once given stays, and every process encodes by it at once. */
#include "tests/chunk_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "runtime/material.h"

#define NAMES 60
#define RACERS 3

static uint16_t voxels[ADIT_CHUNK_VOXELS];

static int name(struct adit_arena *a, const char *text, enum adit_class class, uint16_t *id)
{
    struct adit_material_info info = {.rgba = 0x102030ff, .material_class = class};
    snprintf(info.name, sizeof info.name, "%s", text);
    return adit_material_register(a, &info, id);
}

static void names_and_ids_are_as_adit_h_says(void **state)
{
    struct adit_create_params params = {.size = sizeof params, .data_bytes = 2u << 20, .materials_max = 8};
    struct adit_arena *a = fixture_create(&params), *c = NULL;
    struct adit_material_info info = {.material_class = ADIT_CLASS_OPAQUE};
    uint16_t id = 0;
    (void)state;
    assert_int_equal(adit_material_get(a, 1, &info), -ENOENT);
    assert_int_equal(name(a, "stone", ADIT_CLASS_OPAQUE, &id), 0);
    assert_int_equal(id, 1); /* the lowest free one */
    id = 3;
    assert_int_equal(name(a, "glass", ADIT_CLASS_TRANSLUCENT, &id), 0);
    assert_int_equal(id, 3);
    assert_int_equal(name(a, "glass", ADIT_CLASS_TRANSLUCENT, &id), 0); /* the same again */
    assert_int_equal(name(a, "leaves", ADIT_CLASS_CUTOUT, &id), -EEXIST);
    assert_non_null(strstr(adit_detail(), "'glass'"));
    id = 0;
    assert_int_equal(name(a, "glass", ADIT_CLASS_CUTOUT, &id), 0); /* the first decided on the class */
    assert_int_equal(id, 3);
    assert_int_equal(adit_material_get(a, 3, &info), 0);
    assert_string_equal(info.name, "glass");
    assert_int_equal(info.material_class, ADIT_CLASS_TRANSLUCENT);
    assert_int_equal(info.rgba, 0x102030ff);
    id = 8;
    assert_int_equal(name(a, "beyond", ADIT_CLASS_OPAQUE, &id), -ENOSPC);
    for (uint32_t i = 0; i < 5; i++) {
        id = 0;
        assert_int_equal(name(a, (char[]){(char)('a' + i), 0}, ADIT_CLASS_OPAQUE, &id), 0);
        assert_int_equal(id, i ? i + 3 : 2);
    }
    id = 0;
    assert_int_equal(name(a, "one too many", ADIT_CLASS_OPAQUE, &id), -ENOSPC);
    assert_non_null(strstr(adit_detail(), "materials_max"));
    assert_int_equal(name(a, "stone", ADIT_CLASS_OPAQUE, &id), 0); /* a known name is still found */
    assert_int_equal(id, 1);
    id = 0;
    assert_int_equal(name(a, "", ADIT_CLASS_OPAQUE, &id), -EINVAL);
    assert_int_equal(name(a, "nothing", ADIT_CLASS_AIR, &id), -EINVAL);
    assert_int_equal(name(a, "odd", (enum adit_class)4, &id), -EINVAL);
    memset(info.name, 'x', sizeof info.name); /* no end */
    assert_int_equal(adit_material_register(a, &info, &id), -EINVAL);
    assert_int_equal(adit_material_get(a, 8, &info), -ENOENT);
    assert_int_equal(adit_attach(FIXTURE_NAME, ADIT_CONSUMER, NULL, &c), 0);
    assert_int_equal(name(c, "stone", ADIT_CLASS_OPAQUE, &id), -EROFS);
    assert_int_equal(adit_material_get(c, 3, &info), 0);
    adit_detach(&c);
    adit_detach(&a);
}

struct racer {
    uint16_t *ids; /* shared */
    uint32_t *gate;
};

static void name_all(void *user)
{
    struct racer *r = user;
    struct adit_arena *a = shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER);
    __atomic_add_fetch(r->gate, 1, __ATOMIC_SEQ_CST);
    shm_fixture_until(r->gate, RACERS);
    for (uint32_t i = 0; i < NAMES; i++) {
        char text[16];
        snprintf(text, sizeof text, "material %u", i);
        REQUIRE(!name(a, text, i % 2 ? ADIT_CLASS_CUTOUT : ADIT_CLASS_OPAQUE, &r->ids[i]));
    }
    adit_detach(&a);
}

static void one_name_is_one_id_in_racing_processes(void **state)
{
    uint16_t(*ids)[NAMES] = shm_fixture_shared(RACERS * sizeof *ids);
    uint32_t *gate = shm_fixture_shared(sizeof *gate);
    pid_t children[RACERS];
    (void)state;
    for (uint32_t i = 0; i < RACERS; i++)
        children[i] = fixture_fork(name_all, &(struct racer){ids[i], gate});
    struct adit_arena *a = fixture_create(NULL);
    fixture_start();
    for (uint32_t i = 0; i < RACERS; i++)
        assert_int_equal(shm_fixture_wait(children[i]), 0);
    for (uint32_t i = 1; i < RACERS; i++)
        assert_memory_equal(ids[i], ids[0], sizeof *ids);
    for (uint32_t i = 0; i < NAMES; i++) {
        struct adit_material_info info;
        assert_int_equal(ids[0][i], i + 1); /* all went the same way: no id is left out */
        assert_int_equal(adit_material_get(a, ids[0][i], &info), 0);
        assert_int_equal(info.material_class, i % 2 ? ADIT_CLASS_CUTOUT : ADIT_CLASS_OPAQUE);
    }
    adit_detach(&a);
}

/* Publishes all of material 9, before and after its class is known. */
static void publish_glass(void *user)
{
    uint32_t *turn = user;
    struct adit_arena *a = shm_fixture_attach(FIXTURE_NAME, ADIT_PRODUCER);
    for (uint32_t i = 0; i < ADIT_CHUNK_VOXELS; i++)
        voxels[i] = 9;
    REQUIRE(!adit_chunk_put(a, &(struct adit_key){.x = 0}, voxels, NULL));
    __atomic_store_n(turn, 1, __ATOMIC_SEQ_CST);
    shm_fixture_until(turn, 2);
    REQUIRE(!adit_chunk_put(a, &(struct adit_key){.x = 1}, voxels, NULL));
    adit_detach(&a);
}

static void a_class_named_here_is_encoded_by_in_another_process(void **state)
{
    uint32_t *turn = shm_fixture_shared(sizeof *turn);
    pid_t child = fixture_fork(publish_glass, turn);
    struct adit_arena *a = fixture_create(NULL);
    struct adit_reader *r;
    uint16_t id = 9;
    (void)state;
    fixture_start();
    shm_fixture_until(turn, 1);
    assert_int_equal(name(a, "glass", ADIT_CLASS_TRANSLUCENT, &id), 0);
    __atomic_store_n(turn, 2, __ATOMIC_SEQ_CST);
    assert_int_equal(shm_fixture_wait(child), 0);
    assert_int_equal(adit_reader_open(a, &r), 0);
    adit_enter(r);
    for (int32_t x = 0; x < 2; x++) {
        struct adit_chunk_view view;
        assert_int_equal(adit_chunk_acquire(r, &(struct adit_key){.x = x}, &view), 0);
        assert_int_equal(view.full, !x); /* ids never named are opaque; glass is not */
        assert_int_equal(view.solid, ADIT_CHUNK_VOXELS);
    }
    adit_exit(r);
    adit_reader_close(&r);
    adit_detach(&a);
}

#define REGISTRATIONS 300
#define READERS 2

struct looker {
    struct adit_arena *arena;
    uint32_t *named; /* ids 1..named are named */
};

static enum adit_class class_of(uint32_t id) { return id % 3 ? ADIT_CLASS_TRANSLUCENT : ADIT_CLASS_CUTOUT; }

static void *read_classes(void *user)
{
    struct looker *l = user;
    uint32_t named = 0;
    while (named < REGISTRATIONS) {
        named = __atomic_load_n(l->named, __ATOMIC_ACQUIRE);
        const uint8_t *classes = adit_classes_enter(l->arena);
        REQUIRE(classes && classes[0] == ADIT_CLASS_AIR);
        for (uint32_t id = 1; id <= REGISTRATIONS; id++) /* what was named before enter is known; the rest may be */
            REQUIRE(classes[id] == class_of(id) || (id > named && classes[id] == ADIT_CLASS_OPAQUE));
        adit_classes_exit(l->arena);
    }
    return NULL;
}

static void readers_know_every_class_named_before(void **state)
{
    struct adit_arena *a = fixture_create(NULL);
    uint32_t named = 0;
    struct looker looker = {a, &named};
    pthread_t threads[READERS];
    (void)state;
    for (uint32_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_classes, &looker), 0);
    for (uint32_t i = 1; i <= REGISTRATIONS; i++) {
        char text[16];
        uint16_t id = (uint16_t)i;
        snprintf(text, sizeof text, "m%u", i);
        REQUIRE(!name(a, text, class_of(i), &id));
        __atomic_store_n(&named, i, __ATOMIC_RELEASE);
    }
    for (uint32_t i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    adit_detach(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_ids_are_as_adit_h_says),
        cmocka_unit_test(one_name_is_one_id_in_racing_processes),
        cmocka_unit_test(a_class_named_here_is_encoded_by_in_another_process),
        cmocka_unit_test(readers_know_every_class_named_before),
    };
    return cmocka_run_group_tests_name("materials", tests, shm_fixture_set_up, shm_fixture_tear_down);
}
