/* test_world_look.c - colours and classes of Minecraft blocks by name, and names of numeric ids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tools/worlds/anvil_look.h"
#include "tools/worlds/anvil_numeric.h"

static enum adit_class class_of(const char *name)
{
    enum adit_class class;
    adit_anvil_look(name, &class);
    return class;
}

static uint32_t rgba_of(const char *name)
{
    enum adit_class class;
    return adit_anvil_look(name, &class);
}

static void one_sees_through_glass_and_past_leaves(void **state)
{
    (void)state;
    static const char *const translucent[] = {
        "glass",        "ice",          "water",       "white_stained_glass", "black_stained_glass_pane",
        "glass_pane",   "tinted_glass", "slime_block", "honey_block",         "frosted_ice",
        "nether_portal"};
    static const char *const cutout[] = {"oak_leaves",
                                         "flowering_azalea_leaves",
                                         "birch_sapling",
                                         "mangrove_propagule",
                                         "poppy",
                                         "red_tulip",
                                         "torch",
                                         "soul_wall_torch",
                                         "rail",
                                         "powered_rail",
                                         "ladder",
                                         "vine",
                                         "cave_vines_plant",
                                         "oak_door",
                                         "iron_door",
                                         "oak_trapdoor",
                                         "iron_bars",
                                         "oak_fence",
                                         "nether_brick_fence",
                                         "warped_fence_gate",
                                         "grass",
                                         "short_grass",
                                         "tall_grass",
                                         "wheat",
                                         "cobweb",
                                         "lantern",
                                         "chain",
                                         "lever",
                                         "stone_button",
                                         "potted_cactus",
                                         "oak_wall_sign",
                                         "red_banner",
                                         "sugar_cane",
                                         "pointed_dripstone",
                                         "sculk_vein",
                                         "dead_tube_coral_wall_fan",
                                         "piston_head"};
    static const char *const opaque[] = {"stone",
                                         "grass_block",
                                         "packed_ice",
                                         "blue_ice",
                                         "snow_block",
                                         "oak_stairs",
                                         "stone_slab",
                                         "sea_lantern",
                                         "jack_o_lantern",
                                         "ochre_froglight",
                                         "glowstone",
                                         "red_mushroom_block",
                                         "hay_block",
                                         "bookshelf",
                                         "lava",
                                         "chest",
                                         "oak_log",
                                         "dried_kelp_block",
                                         "tube_coral_block",
                                         "chain_command_block",
                                         "farmland",
                                         "daylight_detector",
                                         "amethyst_block",
                                         "mod:unheard_of",
                                         "numeric:4000",
                                         ""};
    for (size_t i = 0; i < sizeof(translucent) / sizeof(*translucent); i++) {
        assert_int_equal(class_of(translucent[i]), ADIT_CLASS_TRANSLUCENT);
        assert_true((rgba_of(translucent[i]) & 255) < 255);
    }
    for (size_t i = 0; i < sizeof(cutout) / sizeof(*cutout); i++)
        if (class_of(cutout[i]) != ADIT_CLASS_CUTOUT)
            fail_msg("%s is no cutout", cutout[i]);
    for (size_t i = 0; i < sizeof(opaque) / sizeof(*opaque); i++) {
        if (class_of(opaque[i]) != ADIT_CLASS_OPAQUE)
            fail_msg("%s is not opaque", opaque[i]);
        assert_int_equal(rgba_of(opaque[i]) & 255, 255);
    }
}

static void shapes_and_treatments_have_the_colour_of_their_base(void **state)
{
    (void)state;
    static const char *const same[][2] = {
        {"polished_granite_stairs", "granite"},
        {"stone_brick_wall", "stone_bricks"},
        {"nether_brick_fence", "nether_bricks"},
        {"brick_slab", "bricks"},
        {"quartz_stairs", "quartz_block"},
        {"waxed_exposed_cut_copper_stairs", "exposed_copper"},
        {"oak_stairs", "oak_planks"},
        {"stripped_oak_log", "oak_planks"},
        {"infested_mossy_stone_bricks", "mossy_stone_bricks"},
        {"light_blue_concrete_powder", "light_blue_wool"},
        {"minecraft:stone", "stone"},
        {"polished_blackstone_brick_slab", "blackstone"},
        {"iron_trapdoor", "iron_door"},
        {"glass_pane", "glass"},
        {"chipped_anvil", "anvil"},
    };
    for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++)
        if (rgba_of(same[i][0]) != rgba_of(same[i][1]))
            fail_msg("%s is not of the colour of %s", same[i][0], same[i][1]);
    assert_int_not_equal(rgba_of("oak_log"), rgba_of("oak_planks"));
    assert_int_not_equal(rgba_of("white_wool"), rgba_of("white_terracotta"));
    assert_int_not_equal(rgba_of("deepslate_gold_ore"), rgba_of("gold_ore"));
    assert_int_equal(rgba_of("mod:unheard_of"), rgba_of("mod:unheard_of"));
    assert_int_not_equal(rgba_of("mod:unheard_of"), rgba_of("mod:unheard_off"));
}

static void names_without_sense_are_survived(void **state)
{
    (void)state;
    char name[ADIT_ANVIL_NAME_BYTES];
    static const char *const parts[] = {"_", "_wall", "polished_", "_stairs", ":", "light_blue_", "stripped_", "oak_"};
    for (uint32_t seed = 0; seed < 20000; seed++) {
        uint32_t random = seed * 2654435761u;
        name[0] = 0;
        while (strlen(name) + 16 < sizeof(name) && random) {
            strcat(name, parts[random & 7]);
            random >>= seed % 3 + 1;
        }
        enum adit_class class;
        adit_anvil_look(name, &class);
        assert_true(class == ADIT_CLASS_OPAQUE || class == ADIT_CLASS_TRANSLUCENT || class == ADIT_CLASS_CUTOUT);
    }
}

static void every_numeric_id_of_the_game_has_a_name(void **state)
{
    (void)state;
    for (uint32_t id = 0; id < 256; id++)
        for (uint32_t data = 0; data < 16; data++) {
            char name[ADIT_ANVIL_NAME_BYTES];
            adit_anvil_numeric_name(id, data, name);
            bool unused = id == 253 || id == 254;
            assert_int_equal(strncmp(name, unused ? "numeric:" : "minecraft:", 8), 0);
            assert_true(strlen(name) > 12 || !strcmp(name, "minecraft:air") || unused);
            for (const char *c = name; *c; c++)
                assert_true((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_' || *c == ':');
            assert_true(id == 0 ? adit_anvil_is_air(name) : !adit_anvil_is_air(name));
        }
}

static void every_block_of_the_numeric_worlds_has_a_colour_of_the_tables(void **state)
{
    (void)state;
    char name[ADIT_ANVIL_NAME_BYTES];
    for (uint32_t id = 1; id < 256; id++)
        for (uint32_t data = 0; data < 16; data++) {
            adit_anvil_numeric_name(id, data, name);
            if (!strncmp(name, "minecraft:", 10) && !adit_anvil_is_known(name))
                fail_msg("%s has no colour", name);
        }
    assert_false(adit_anvil_is_known("mod:unheard_of"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_sees_through_glass_and_past_leaves),
        cmocka_unit_test(shapes_and_treatments_have_the_colour_of_their_base),
        cmocka_unit_test(names_without_sense_are_survived),
        cmocka_unit_test(every_numeric_id_of_the_game_has_a_name),
        cmocka_unit_test(every_block_of_the_numeric_worlds_has_a_colour_of_the_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
