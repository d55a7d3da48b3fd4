/* anvil_look.c - tables and rules. Colours are of our own choice, near the mean of what the game shows from above.
 *
 * The search for a colour strips one suffix or prefix at a time (stairs, slab; polished, waxed) until the table knows
 * what is left, so the tables hold bases only. */
#include "tools/worlds/anvil_look.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "tools/worlds/anvil_numeric.h"

#define DEEPSLATE 0x515155
#define AFFIXES_MAX 6 /* "waxed_exposed_cut_copper_stairs" has three */

struct colour {
    const char *name;
    uint32_t rgb;
};

static const struct colour bases[] = {
    /* stone and earth */
    {"stone", 0x7e7e7e}, {"granite", 0x956856}, {"diorite", 0xbcbcbd}, {"andesite", 0x888989},
    {"deepslate", DEEPSLATE}, {"cobbled_deepslate", 0x4e4e52}, {"tuff", 0x6c6d66}, {"calcite", 0xdfe0dc},
    {"dripstone_block", 0x866c5d}, {"pointed_dripstone", 0x866c5d}, {"basalt", 0x4c4c50}, {"blackstone", 0x2b2530},
    {"gilded_blackstone", 0x4a3a2b}, {"cobblestone", 0x7b7b7b}, {"mossy_cobblestone", 0x6c755f},
    {"bedrock", 0x4a4a4a}, {"obsidian", 0x100b1b}, {"crying_obsidian", 0x210b3d}, {"stone_bricks", 0x7a7a7a},
    {"mossy_stone_bricks", 0x737a69}, {"bricks", 0x976353}, {"resin_bricks", 0xcf591c}, {"dirt", 0x866144},
    {"coarse_dirt", 0x77563c}, {"rooted_dirt", 0x90684d}, {"podzol", 0x6b4f2a}, {"grass_block", 0x74a64b},
    {"mycelium", 0x705f68}, {"farmland", 0x5d3b1d}, {"dirt_path", 0x94793f}, {"grass_path", 0x94793f},
    {"mud", 0x3d3b3e}, {"packed_mud", 0x8e6b50}, {"mud_bricks", 0x89684f}, {"clay", 0xa1a6b3},
    {"gravel", 0x847f7e}, {"suspicious_gravel", 0x827d7a}, {"sand", 0xdbcfa3}, {"suspicious_sand", 0xd9cb9a},
    {"red_sand", 0xbe6722}, {"sandstone", 0xd8cb9b}, {"red_sandstone", 0xb5621e}, {"moss_block", 0x5a6e2e},
    {"moss_carpet", 0x5a6e2e}, {"pale_moss_block", 0x6b7069}, {"pale_moss_carpet", 0x6b7069}, {"bone_block", 0xd9d3bc},
    /* snow, water, fire */
    {"snow", 0xf5f9fb}, {"snow_block", 0xf5f9fb}, {"powder_snow", 0xf3f8fa}, {"ice", 0x92b8fd},
    {"frosted_ice", 0x8cb3fb}, {"packed_ice", 0x8eb5fa}, {"blue_ice", 0x75a9fd}, {"water", 0x3f6fd8},
    {"bubble_column", 0x3f6fd8}, {"lava", 0xd6601a}, {"magma_block", 0x8f4120}, {"fire", 0xe08a2e},
    {"soul_fire", 0x37c3c8}, {"campfire", 0x6b5231}, {"soul_campfire", 0x4b6466}, {"torch", 0xffd46b},
    {"soul_torch", 0x6fdfe2}, {"lantern", 0xd9a34a}, {"soul_lantern", 0x57a6b0}, {"glowstone", 0xdcb36d},
    {"shroomlight", 0xf09246}, {"sea_lantern", 0xaccabf}, {"redstone_lamp", 0x8f5a33}, {"jack_o_lantern", 0xd98f1c},
    {"ochre_froglight", 0xfaf5ce}, {"verdant_froglight", 0xe5f5e2}, {"pearlescent_froglight", 0xf5ecef},
    /* ores and metals */
    {"coal_ore", 0x696969}, {"iron_ore", 0x88817a}, {"gold_ore", 0x918658}, {"diamond_ore", 0x798e8d},
    {"emerald_ore", 0x6c8974}, {"lapis_ore", 0x6b758d}, {"redstone_ore", 0x8c6d6d}, {"copper_ore", 0x7c7d78},
    {"nether_gold_ore", 0x73372a}, {"nether_quartz_ore", 0x764340}, {"ancient_debris", 0x60443c},
    {"coal_block", 0x141414}, {"iron_block", 0xdcdcdc}, {"gold_block", 0xf6d03d}, {"diamond_block", 0x63ede4},
    {"emerald_block", 0x2bcb58}, {"lapis_block", 0x1f448d}, {"redstone_block", 0xaf1906}, {"netherite_block", 0x433d40},
    {"raw_iron_block", 0xa6886b}, {"raw_gold_block", 0xdda82f}, {"raw_copper_block", 0x9a6a4f},
    {"copper_block", 0xc06c50}, {"exposed_copper", 0xa17e68}, {"weathered_copper", 0x6c996e},
    {"oxidized_copper", 0x52a285}, {"amethyst_block", 0x8662bf}, {"budding_amethyst", 0x8461bb},
    {"amethyst_cluster", 0xa380d0}, {"amethyst_bud", 0x9a76cb}, {"quartz_block", 0xece6df}, {"heavy_core", 0x51565f},
    /* the nether, the end, the sea */
    {"netherrack", 0x632727}, {"nether_bricks", 0x2d161b}, {"red_nether_bricks", 0x46080a}, {"soul_sand", 0x523e33},
    {"soul_soil", 0x4c3a2f}, {"crimson_nylium", 0x831f1f}, {"warped_nylium", 0x2b7265}, {"nether_wart_block", 0x730302},
    {"nether_wart", 0x7a1a1d}, {"warped_wart_block", 0x167779}, {"nether_portal", 0x6f2bc4}, {"end_stone", 0xdcdf9f},
    {"end_stone_bricks", 0xdae0a2}, {"purpur_block", 0xaa7eaa}, {"purpur_pillar", 0xac81ac}, {"purpur", 0xaa7eaa},
    {"end_portal", 0x0b1a20}, {"end_gateway", 0x0b1a20}, {"end_portal_frame", 0x5b7961}, {"chorus_plant", 0x5e395e},
    {"chorus_flower", 0x977897}, {"dragon_egg", 0x0d0910}, {"prismarine", 0x639d98}, {"prismarine_bricks", 0x63ac9f},
    {"dark_prismarine", 0x345c4c}, {"sponge", 0xc4c14b}, {"wet_sponge", 0xabb547}, {"kelp", 0x578c2d},
    {"kelp_plant", 0x57822b}, {"seagrass", 0x337f08}, {"tall_seagrass", 0x3b8b0e}, {"dried_kelp_block", 0x323a26},
    {"tube_coral", 0x3053c5}, {"brain_coral", 0xc55498}, {"bubble_coral", 0xa11a9f}, {"fire_coral", 0xa6262f},
    {"horn_coral", 0xd1ba3e}, {"sculk", 0x0d1e24}, {"sculk_vein", 0x0a313a},
    {"sculk_catalyst", 0x4d5e5b}, {"sculk_sensor", 0x074b58}, {"sculk_shrieker", 0xc7cda9},
    /* plants */
    {"short_grass", 0x6fa348}, {"grass", 0x6fa348}, {"tall_grass", 0x6a9f45}, {"fern", 0x639243},
    {"large_fern", 0x639243}, {"dead_bush", 0x6b4f29}, {"vine", 0x4f7f2f}, {"lily_pad", 0x2c7f3e},
    {"sugar_cane", 0x95c166}, {"bamboo", 0x6a9023}, {"bamboo_sapling", 0x5c7725}, {"cactus", 0x56802c},
    {"wheat", 0xb6a046}, {"carrots", 0x7fa33a}, {"potatoes", 0x63a54a}, {"beetroots", 0x6b8c3c},
    {"pumpkin", 0xc77619}, {"carved_pumpkin", 0xc0741a}, {"pumpkin_stem", 0x8aa63a}, {"melon", 0x71931f},
    {"melon_stem", 0x8aa63a}, {"cocoa", 0x8c5a2b}, {"hay_block", 0xa88d15}, {"dandelion", 0xe9cf2f},
    {"poppy", 0xc9342b}, {"blue_orchid", 0x2fa3d4}, {"allium", 0xa56ad0}, {"azure_bluet", 0xc8d3c0},
    {"red_tulip", 0xb93a22}, {"orange_tulip", 0xc9742b}, {"white_tulip", 0xcfd6c4}, {"pink_tulip", 0xcf9cb8},
    {"oxeye_daisy", 0xcdd3b8}, {"cornflower", 0x4f72c9}, {"lily_of_the_valley", 0xd6dcd0}, {"wither_rose", 0x29291a},
    {"torchflower", 0xe08a2e}, {"sunflower", 0xe8c22f}, {"lilac", 0xb48fb6}, {"rose_bush", 0xa5352b},
    {"peony", 0xc99fc0}, {"brown_mushroom", 0x9b7554}, {"red_mushroom", 0xc8372f}, {"brown_mushroom_block", 0x957051},
    {"red_mushroom_block", 0xc82f2d}, {"mushroom_stem", 0xcbc4b9}, {"azalea", 0x657d2f}, {"spore_blossom", 0xcf619f},
    {"cave_vines", 0x5b6d29}, {"cave_vines_plant", 0x5b6d29}, {"glow_lichen", 0x708377}, {"hanging_roots", 0xa1735c},
    {"big_dripleaf", 0x708e34}, {"small_dripleaf", 0x5f7831}, {"sweet_berry_bush", 0x3f6b43},
    {"pink_petals", 0xf0b4d2}, {"pitcher_plant", 0x7c8fb0}, {"mangrove_roots", 0x4b3c26}, {"cobweb", 0xe4e9ea},
    /* things made */
    {"glass", 0xc4e6ee}, {"tinted_glass", 0x2d272f}, {"slime_block", 0x70c05b}, {"honey_block", 0xfbb937},
    {"honeycomb_block", 0xe5941e}, {"bookshelf", 0x75603b}, {"chest", 0x9a6b2a}, {"trapped_chest", 0x9a6b2a},
    {"ender_chest", 0x2b3c3e}, {"barrel", 0x86643a}, {"crafting_table", 0x7a4f2c}, {"furnace", 0x6e6e6e},
    {"blast_furnace", 0x505052}, {"smoker", 0x595347}, {"dispenser", 0x7a7a7a}, {"dropper", 0x7a7a7a},
    {"observer", 0x626262}, {"hopper", 0x4a4a4c}, {"piston", 0x8a7f66}, {"sticky_piston", 0x7b8a5c},
    {"piston_head", 0x9a8252}, {"note_block", 0x593b29}, {"jukebox", 0x5d402f}, {"tnt", 0xb5452f},
    {"ladder", 0x7c5f36}, {"rail", 0x7d7058}, {"powered_rail", 0x8a6d4a}, {"detector_rail", 0x7b685a},
    {"activator_rail", 0x73574a}, {"redstone_wire", 0xa01410}, {"redstone_torch", 0xd0432f}, {"repeater", 0xa09d9c},
    {"comparator", 0xa6a3a2}, {"lever", 0x6f5d42}, {"tripwire", 0x8f8f8f}, {"tripwire_hook", 0x847560},
    {"iron_bars", 0x88898a}, {"chain", 0x33394a}, {"iron_chain", 0x33394a}, {"iron", 0xc3c2c2}, {"anvil", 0x474747},
    {"cauldron", 0x4a494a}, {"brewing_stand", 0x7a6551}, {"enchanting_table", 0x81483f}, {"beacon", 0x76dcd7},
    {"spawner", 0x24303b}, {"trial_spawner", 0x3a4953}, {"vault", 0x38454d}, {"cake", 0xf2d5c9},
    {"scaffolding", 0xab8449}, {"target", 0xe2aa9e}, {"bee_nest", 0xc99c45}, {"beehive", 0x9d7c4d},
    {"loom", 0x8d7257}, {"cartography_table", 0x645344}, {"fletching_table", 0xc5b485}, {"smithing_table", 0x393b47},
    {"stonecutter", 0x7b7773}, {"grindstone", 0x8c8c8c}, {"lectern", 0xae8a53}, {"composter", 0x70471f},
    {"bell", 0xf0c94a}, {"lodestone", 0x8e9196}, {"conduit", 0xa08c71}, {"end_rod", 0xe8e0d4},
    {"daylight_detector", 0x827463}, {"flower_pot", 0x7c4536}, {"skeleton_skull", 0xc9c9c9}, {"terracotta", 0x985e44},
    {"command_block", 0xb5886b}, {"structure_block", 0x5a4a5d}, {"barrier", 0xc0392b}, {"light", 0xfff6c8},
    {"candle", 0xead4a6}, {"moving_piston", 0x8a7f66}, {"structure_void", 0x2a6f8f}, {"jigsaw", 0x50465a},
    {"light_weighted", 0xf6d03d}, {"heavy_weighted", 0xdcdcdc}, {"flowering_azalea", 0x70793f}, {"crafter", 0x6f6462},
    {"decorated_pot", 0x8c5646}, {"creaking_heart", 0x8a6c5f}, {"pale_hanging_moss", 0x6b7069},
    {"resin_clump", 0xcf591c}, {"resin_block", 0xd9641e}, {"frogspawn", 0x6a6a5c}, {"lightning_rod", 0xc06c50},
    {"respawn_anchor", 0x4b2a78}, {"twisting_vines", 0x148b7c}, {"weeping_vines", 0x7f2018},
    {"nether_sprouts", 0x148b7c}, {"sea_pickle", 0x5a6128}, {"turtle_egg", 0xe4e3c0}, {"sniffer_egg", 0x8f5b45},
    {"big_dripleaf_stem", 0x5f7a30}, {"shulker_box", 0x8b618b}, {"dragon_head", 0x1d1a22}, {"player_head", 0x8a6047},
    {"wither_skeleton_skull", 0x2e2e2e}, {"creeper_head", 0x5aa04a}, {"zombie_head", 0x4f7a40},
    {"piglin_head", 0xd9a07a}, {"open_eyeblossom", 0xd98a4b}, {"closed_eyeblossom", 0x6f6f69},
    {"firefly_bush", 0x6f8a3c}, {"leaf_litter", 0x8a6a42}, {"wildflowers", 0xd9c84b}, {"cactus_flower", 0xd0678f},
    {"bush", 0x6a9f45}, {"short_dry_grass", 0xb09a5a}, {"tall_dry_grass", 0xb09a5a}, {"test_block", 0x9a9a9a},
};

/* Blocks that share a colour by how their names begin, whatever their shape. */
static const struct colour families[] = {
    {"exposed_", 0xa17e68}, {"weathered_", 0x6c996e}, {"oxidized_", 0x52a285}, {"dead_", 0x827a76}};

static const struct {
    const char *name;
    uint32_t planks, bark, leaves;
} woods[] = {
    {"oak", 0xa2834f, 0x6d5533, 0x4f8a2c},      {"spruce", 0x735531, 0x3b2611, 0x3f6440},
    {"birch", 0xc0af79, 0xd8d7d2, 0x6d9150},    {"jungle", 0xa07351, 0x554419, 0x4a8f22},
    {"acacia", 0xa85a32, 0x676157, 0x6f8f2a},   {"dark_oak", 0x432b14, 0x3c2f1a, 0x43702a},
    {"mangrove", 0x763631, 0x544329, 0x5a8a30}, {"cherry", 0xe3b3ad, 0x37212c, 0xe7adc4},
    {"pale_oak", 0xe4dad8, 0x574e4b, 0x747b72}, {"bamboo", 0xc2ad50, 0x8f9040, 0x6a9023},
    {"crimson", 0x653147, 0x5d191e, 0x730302},  {"warped", 0x2b6963, 0x3a3b4e, 0x167779},
    {"azalea", 0xa2834f, 0x6d5533, 0x5a732d},   {"flowering_azalea", 0xa2834f, 0x6d5533, 0x75703d},
    {"petrified_oak", 0xa2834f, 0x6d5533, 0x4f8a2c},
};

/* The dyes, in the order of adit_anvil_dyes: as cloth, and as baked clay, which has a brown of its own. */
static const uint32_t cloth[16] = {0xe9ecec, 0xf07613, 0xbd44b3, 0x3aafd9, 0xf8c627, 0x70b919, 0xed8dac, 0x3e4447,
                                   0x8e8e86, 0x158991, 0x792aac, 0x35399d, 0x724728, 0x546d1b, 0xa12722, 0x191a1e};
static const uint32_t clay[16] = {0xd1b2a1, 0xa15325, 0x95586c, 0x716c8a, 0xba8523, 0x677534, 0xa14e4e, 0x392a23,
                                  0x876a61, 0x565b5b, 0x764656, 0x4a3b5b, 0x4d3323, 0x4c532a, 0x8f3d2e, 0x251610};

static bool ends_with(const char *name, const char *suffix)
{
    size_t n = strlen(name), s = strlen(suffix);
    return n >= s && memcmp(name + n - s, suffix, s) == 0;
}

static bool starts_with(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

static const char *without_namespace(const char *name)
{
    const char *colon = strchr(name, ':');
    return colon ? colon + 1 : name;
}

bool adit_anvil_is_air(const char *name)
{
    const char *base = starts_with(name, "minecraft:") ? name + 10 : name;
    return !strcmp(base, "air") || !strcmp(base, "cave_air") || !strcmp(base, "void_air");
}

static bool find_base(const char *name, uint32_t *rgb)
{
    for (size_t i = 0; i < sizeof(bases) / sizeof(*bases); i++)
        if (!strcmp(bases[i].name, name)) {
            *rgb = bases[i].rgb;
            return true;
        }
    for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++)
        if (starts_with(name, families[i].name)) {
            *rgb = families[i].rgb;
            return true;
        }
    return false;
}

static bool find_dyed(const char *name, uint32_t *rgb)
{
    /* From the end: "light_blue_" and "light_gray_" start with no other dye, but "blue" names other things too. */
    for (int i = 15; i >= 0; i--) {
        size_t n = strlen(adit_anvil_dyes[i]);
        if (strncmp(name, adit_anvil_dyes[i], n) != 0 || name[n] != '_')
            continue;
        const char *kind = name + n + 1;
        static const char *const kinds[] = {"wool", "carpet", "bed", "banner", "wall_banner", "concrete",
                                            "concrete_powder", "stained_glass", "stained_glass_pane", "shulker_box",
                                            "candle", "candle_cake", "glazed_terracotta"};
        if (!strcmp(kind, "terracotta"))
            return *rgb = clay[i], true;
        for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++)
            if (!strcmp(kind, kinds[k]))
                return *rgb = cloth[i], true;
    }
    return false;
}

static bool find_wood(const char *name, uint32_t *rgb)
{
    bool stripped = starts_with(name, "stripped_");
    const char *base = stripped ? name + 9 : name;
    for (size_t i = 0; i < sizeof(woods) / sizeof(*woods); i++) {
        size_t n = strlen(woods[i].name);
        if (strncmp(base, woods[i].name, n) != 0 || base[n] != '_')
            continue;
        const char *part = base + n + 1;
        if (!strcmp(part, "leaves") || !strcmp(part, "sapling") || !strcmp(part, "propagule") ||
            !strcmp(part, "roots") || !strcmp(part, "fungus"))
            *rgb = woods[i].leaves;
        else if (!strcmp(part, "log") || !strcmp(part, "wood") || !strcmp(part, "stem") || !strcmp(part, "hyphae") ||
                 !strcmp(part, "block"))
            *rgb = stripped ? woods[i].planks : woods[i].bark;
        else
            *rgb = woods[i].planks;
        return true;
    }
    return false;
}

/* Cuts one shape from the end or one treatment from the front of name. False when there is none. */
static bool cut_affix(char *name)
{
    static const char *const suffixes[] = {
        "_stairs", "_slab",  "_wall",     "_fence_gate", "_fence",      "_pressure_plate", "_button", "_trapdoor",
        "_door",   "_block", "_wall_fan", "_fan",        "_wall_torch", "_bricks",         "_brick",  "_tiles",
        "_tile",   "_plant", "_pillar",   "_head",       "_grate",      "_bulb",           "_cauldron",
        "_pane"};
    static const char *const prefixes[] = {"polished_", "smooth_", "chiseled_", "cut_",     "cracked_",  "mossy_",
                                           "waxed_",    "infested_", "potted_", "stripped_", "damaged_", "chipped_",
                                           "repeating_", "chain_",  "deepslate_", "wall_", "calibrated_",
                                           "reinforced_", "small_", "medium_", "large_"};
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++)
        if (ends_with(name, suffixes[i])) {
            name[strlen(name) - strlen(suffixes[i])] = 0;
            return *name != 0;
        }
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
        if (starts_with(name, prefixes[i])) {
            memmove(name, name + strlen(prefixes[i]), strlen(name + strlen(prefixes[i])) + 1);
            return *name != 0;
        }
    return false;
}

/* A quiet colour for a name that no rule knows: of middle brightness and little saturation. */
static uint32_t colour_of_hash(const char *name)
{
    uint32_t hash = XXH32(name, strlen(name), 0);
    uint32_t red = 0x60 + (hash & 0x5f), green = 0x60 + (hash >> 8 & 0x5f), blue = 0x60 + (hash >> 16 & 0x5f);
    return red << 16 | green << 8 | blue;
}

static bool find_colour(const char *name, uint32_t *rgb)
{
    char left[ADIT_ANVIL_NAME_BYTES], plural[ADIT_ANVIL_NAME_BYTES + 8];
    snprintf(left, sizeof(left), "%s", name);
    if (starts_with(name, "deepslate_") && ends_with(name, "_ore") && find_base(name + strlen("deepslate_"), rgb)) {
        *rgb = (*rgb >> 1 & 0x7f7f7f) + (DEEPSLATE >> 1 & 0x7f7f7f); /* as on stone, half way to deepslate */
        return true;
    }
    for (int round = 0; round < AFFIXES_MAX; round++) {
        if (find_base(left, rgb) || find_dyed(left, rgb) || find_wood(left, rgb))
            return true;
        static const char *const endings[] = {"s", "_block", "_bricks"};
        for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
            snprintf(plural, sizeof(plural), "%s%s", left, endings[i]);
            if (find_base(plural, rgb))
                return true;
        }
        if (!cut_affix(left))
            break;
    }
    return false;
}

bool adit_anvil_is_known(const char *name)
{
    uint32_t rgb;
    return find_colour(without_namespace(name), &rgb);
}

/* Whether name ends with one of these words, each at the begin of the name or after a '_'. */
static bool ends_with_any(const char *name, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (ends_with(name, words[i])) {
            size_t before = strlen(name) - strlen(words[i]);
            if (before == 0 || name[before - 1] == '_')
                return true;
        }
    return false;
}
#define ENDS_WITH_ANY(name, list) ends_with_any(name, list, sizeof(list) / sizeof(*(list)))

static enum adit_class class_of(const char *name)
{
    static const char *const solid[] = {"packed_ice", "blue_ice", "sea_lantern", "jack_o_lantern",
                                        "muddy_mangrove_roots"};
    static const char *const clear[] = {"glass", "glass_pane", "ice", "water", "bubble_column", "slime_block",
                                        "honey_block", "nether_portal"};
    static const char *const holed[] = {
        "leaves", "sapling", "propagule", "grass", "fern", "bush", "vine", "vines", "vines_plant", "lily_pad",
        "sugar_cane", "bamboo", "cactus", "wheat", "carrots", "potatoes", "beetroots", "pumpkin_stem", "melon_stem",
        "nether_wart", "cocoa", "dandelion", "poppy", "orchid", "allium", "bluet", "tulip", "daisy", "cornflower",
        "lily_of_the_valley", "rose", "torchflower", "torchflower_crop", "sunflower", "lilac", "peony", "petals",
        "wildflowers", "litter", "flowers", "eyeblossom", "mushroom", "fungus", "roots", "sprouts", "azalea", "blossom",
        "lichen", "dripleaf", "dripleaf_stem", "pitcher_plant", "pitcher_crop", "seagrass", "kelp", "kelp_plant",
        "coral", "coral_fan", "wall_fan", "sea_pickle", "cobweb", "torch", "fire", "campfire", "lantern", "chain",
        "candle", "rail", "ladder", "lever", "button", "pressure_plate", "tripwire", "tripwire_hook", "redstone_wire",
        "repeater", "comparator", "door", "trapdoor", "iron_bars", "copper_bars", "fence", "fence_gate", "sign", "banner",
        "grate", "scaffolding", "spawner", "brewing_stand", "end_rod", "flower_pot", "skull", "head", "chorus_plant",
        "amethyst_cluster", "amethyst_bud", "sculk_vein",
        "barrier", "structure_void", "light", "bell", "frogspawn", "turtle_egg", "pointed_dripstone", "lightning_rod",
        "hanging_moss", "resin_clump", "cactus_flower", "conduit"};
    if (ENDS_WITH_ANY(name, solid))
        return ADIT_CLASS_OPAQUE;
    if (ENDS_WITH_ANY(name, clear))
        return ADIT_CLASS_TRANSLUCENT;
    if (ENDS_WITH_ANY(name, holed) || starts_with(name, "potted_"))
        return ADIT_CLASS_CUTOUT;
    return ADIT_CLASS_OPAQUE;
}

uint32_t adit_anvil_look(const char *name, enum adit_class *class)
{
    const char *base = without_namespace(name);
    *class = class_of(base);
    uint32_t alpha = 0xff;
    if (*class == ADIT_CLASS_TRANSLUCENT)
        alpha = !strcmp(base, "water") || !strcmp(base, "bubble_column") ? 0xa0
                : ends_with(base, "ice")                                 ? 0xc0
                : ends_with(base, "_block")                              ? 0xb4
                                                                         : 0x70;
    uint32_t rgb;
    if (!find_colour(base, &rgb))
        rgb = colour_of_hash(base);
    return rgb << 8 | alpha;
}
