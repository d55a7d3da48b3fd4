/* anvil_numeric.c - one line of text an id. A line is a list of variants parted by '|', chosen by the data value: under
 * a mask where the higher bits mean something else. '*' stands for the dye colour of the data. Data beyond the list
 * give its first variant, an empty variant stands for the first too. */
#include "tools/worlds/anvil_numeric.h"

#include <stdio.h>
#include <string.h>

const char *const adit_anvil_dyes[16] = {"white", "orange", "magenta",    "light_blue", "yellow", "lime",
                                         "pink",  "gray",   "light_gray", "cyan",       "purple", "blue",
                                         "brown", "green",  "red",        "black"};

struct numeric {
    const char *variants;
    uint8_t mask; /* 0 stands for 15: all the data */
};

static const struct numeric numerics[256] = {
    [0] = {"air", 0},
    [1] = {"stone|granite|polished_granite|diorite|polished_diorite|andesite|polished_andesite", 0},
    [2] = {"grass_block", 0},
    [3] = {"dirt|coarse_dirt|podzol", 0},
    [4] = {"cobblestone", 0},
    [5] = {"oak_planks|spruce_planks|birch_planks|jungle_planks|acacia_planks|dark_oak_planks", 0},
    [6] = {"oak_sapling|spruce_sapling|birch_sapling|jungle_sapling|acacia_sapling|dark_oak_sapling", 7},
    [7] = {"bedrock", 0},
    [8] = {"water", 0},
    [9] = {"water", 0},
    [10] = {"lava", 0},
    [11] = {"lava", 0},
    [12] = {"sand|red_sand", 0},
    [13] = {"gravel", 0},
    [14] = {"gold_ore", 0},
    [15] = {"iron_ore", 0},
    [16] = {"coal_ore", 0},
    [17] = {"oak_log|spruce_log|birch_log|jungle_log|oak_log|spruce_log|birch_log|jungle_log|oak_log|spruce_log|"
            "birch_log|jungle_log|oak_wood|spruce_wood|birch_wood|jungle_wood",
            0},
    [18] = {"oak_leaves|spruce_leaves|birch_leaves|jungle_leaves", 3},
    [19] = {"sponge|wet_sponge", 0},
    [20] = {"glass", 0},
    [21] = {"lapis_ore", 0},
    [22] = {"lapis_block", 0},
    [23] = {"dispenser", 0},
    [24] = {"sandstone|chiseled_sandstone|cut_sandstone", 0},
    [25] = {"note_block", 0},
    [26] = {"red_bed", 0},
    [27] = {"powered_rail", 0},
    [28] = {"detector_rail", 0},
    [29] = {"sticky_piston", 0},
    [30] = {"cobweb", 0},
    [31] = {"dead_bush|short_grass|fern", 0},
    [32] = {"dead_bush", 0},
    [33] = {"piston", 0},
    [34] = {"piston_head", 0},
    [35] = {"*_wool", 0},
    [36] = {"moving_piston", 0},
    [37] = {"dandelion", 0},
    [38] = {"poppy|blue_orchid|allium|azure_bluet|red_tulip|orange_tulip|white_tulip|pink_tulip|oxeye_daisy", 0},
    [39] = {"brown_mushroom", 0},
    [40] = {"red_mushroom", 0},
    [41] = {"gold_block", 0},
    [42] = {"iron_block", 0},
    [43] = {"smooth_stone_slab|sandstone_slab|petrified_oak_slab|cobblestone_slab|brick_slab|stone_brick_slab|"
            "nether_brick_slab|quartz_slab|smooth_stone|smooth_sandstone||||||smooth_quartz",
            0},
    [44] = {"smooth_stone_slab|sandstone_slab|petrified_oak_slab|cobblestone_slab|brick_slab|stone_brick_slab|"
            "nether_brick_slab|quartz_slab",
            7},
    [45] = {"bricks", 0},
    [46] = {"tnt", 0},
    [47] = {"bookshelf", 0},
    [48] = {"mossy_cobblestone", 0},
    [49] = {"obsidian", 0},
    [50] = {"torch", 0},
    [51] = {"fire", 0},
    [52] = {"spawner", 0},
    [53] = {"oak_stairs", 0},
    [54] = {"chest", 0},
    [55] = {"redstone_wire", 0},
    [56] = {"diamond_ore", 0},
    [57] = {"diamond_block", 0},
    [58] = {"crafting_table", 0},
    [59] = {"wheat", 0},
    [60] = {"farmland", 0},
    [61] = {"furnace", 0},
    [62] = {"furnace", 0},
    [63] = {"oak_sign", 0},
    [64] = {"oak_door", 0},
    [65] = {"ladder", 0},
    [66] = {"rail", 0},
    [67] = {"cobblestone_stairs", 0},
    [68] = {"oak_wall_sign", 0},
    [69] = {"lever", 0},
    [70] = {"stone_pressure_plate", 0},
    [71] = {"iron_door", 0},
    [72] = {"oak_pressure_plate", 0},
    [73] = {"redstone_ore", 0},
    [74] = {"redstone_ore", 0},
    [75] = {"redstone_torch", 0},
    [76] = {"redstone_torch", 0},
    [77] = {"stone_button", 0},
    [78] = {"snow", 0},
    [79] = {"ice", 0},
    [80] = {"snow_block", 0},
    [81] = {"cactus", 0},
    [82] = {"clay", 0},
    [83] = {"sugar_cane", 0},
    [84] = {"jukebox", 0},
    [85] = {"oak_fence", 0},
    [86] = {"carved_pumpkin", 0},
    [87] = {"netherrack", 0},
    [88] = {"soul_sand", 0},
    [89] = {"glowstone", 0},
    [90] = {"nether_portal", 0},
    [91] = {"jack_o_lantern", 0},
    [92] = {"cake", 0},
    [93] = {"repeater", 0},
    [94] = {"repeater", 0},
    [95] = {"*_stained_glass", 0},
    [96] = {"oak_trapdoor", 0},
    [97] = {"infested_stone|infested_cobblestone|infested_stone_bricks|infested_mossy_stone_bricks|"
            "infested_cracked_stone_bricks|infested_chiseled_stone_bricks",
            0},
    [98] = {"stone_bricks|mossy_stone_bricks|cracked_stone_bricks|chiseled_stone_bricks", 0},
    [99] = {"brown_mushroom_block||||||||||mushroom_stem|||||mushroom_stem", 0},
    [100] = {"red_mushroom_block||||||||||mushroom_stem|||||mushroom_stem", 0},
    [101] = {"iron_bars", 0},
    [102] = {"glass_pane", 0},
    [103] = {"melon", 0},
    [104] = {"pumpkin_stem", 0},
    [105] = {"melon_stem", 0},
    [106] = {"vine", 0},
    [107] = {"oak_fence_gate", 0},
    [108] = {"brick_stairs", 0},
    [109] = {"stone_brick_stairs", 0},
    [110] = {"mycelium", 0},
    [111] = {"lily_pad", 0},
    [112] = {"nether_bricks", 0},
    [113] = {"nether_brick_fence", 0},
    [114] = {"nether_brick_stairs", 0},
    [115] = {"nether_wart", 0},
    [116] = {"enchanting_table", 0},
    [117] = {"brewing_stand", 0},
    [118] = {"cauldron", 0},
    [119] = {"end_portal", 0},
    [120] = {"end_portal_frame", 0},
    [121] = {"end_stone", 0},
    [122] = {"dragon_egg", 0},
    [123] = {"redstone_lamp", 0},
    [124] = {"redstone_lamp", 0},
    [125] = {"oak_slab|spruce_slab|birch_slab|jungle_slab|acacia_slab|dark_oak_slab", 7},
    [126] = {"oak_slab|spruce_slab|birch_slab|jungle_slab|acacia_slab|dark_oak_slab", 7},
    [127] = {"cocoa", 0},
    [128] = {"sandstone_stairs", 0},
    [129] = {"emerald_ore", 0},
    [130] = {"ender_chest", 0},
    [131] = {"tripwire_hook", 0},
    [132] = {"tripwire", 0},
    [133] = {"emerald_block", 0},
    [134] = {"spruce_stairs", 0},
    [135] = {"birch_stairs", 0},
    [136] = {"jungle_stairs", 0},
    [137] = {"command_block", 0},
    [138] = {"beacon", 0},
    [139] = {"cobblestone_wall|mossy_cobblestone_wall", 0},
    [140] = {"flower_pot", 0},
    [141] = {"carrots", 0},
    [142] = {"potatoes", 0},
    [143] = {"oak_button", 0},
    [144] = {"skeleton_skull", 0},
    [145] = {"anvil||||chipped_anvil|chipped_anvil|chipped_anvil|chipped_anvil|damaged_anvil|damaged_anvil|"
             "damaged_anvil|damaged_anvil",
             0},
    [146] = {"trapped_chest", 0},
    [147] = {"light_weighted_pressure_plate", 0},
    [148] = {"heavy_weighted_pressure_plate", 0},
    [149] = {"comparator", 0},
    [150] = {"comparator", 0},
    [151] = {"daylight_detector", 0},
    [152] = {"redstone_block", 0},
    [153] = {"nether_quartz_ore", 0},
    [154] = {"hopper", 0},
    [155] = {"quartz_block|chiseled_quartz_block|quartz_pillar|quartz_pillar|quartz_pillar", 0},
    [156] = {"quartz_stairs", 0},
    [157] = {"activator_rail", 0},
    [158] = {"dropper", 0},
    [159] = {"*_terracotta", 0},
    [160] = {"*_stained_glass_pane", 0},
    [161] = {"acacia_leaves|dark_oak_leaves", 3},
    [162] = {"acacia_log|dark_oak_log|||acacia_log|dark_oak_log|||acacia_log|dark_oak_log|||acacia_wood|dark_oak_wood",
             0},
    [163] = {"acacia_stairs", 0},
    [164] = {"dark_oak_stairs", 0},
    [165] = {"slime_block", 0},
    [166] = {"barrier", 0},
    [167] = {"iron_trapdoor", 0},
    [168] = {"prismarine|prismarine_bricks|dark_prismarine", 0},
    [169] = {"sea_lantern", 0},
    [170] = {"hay_block", 0},
    [171] = {"*_carpet", 0},
    [172] = {"terracotta", 0},
    [173] = {"coal_block", 0},
    [174] = {"packed_ice", 0},
    /* The upper half of a tall plant (data 8 and more) does not say which: most are grass. */
    [175] = {"sunflower|lilac|tall_grass|large_fern|rose_bush|peony|||tall_grass|tall_grass|tall_grass|tall_grass|"
             "tall_grass|tall_grass|tall_grass|tall_grass",
             0},
    [176] = {"white_banner", 0},
    [177] = {"white_wall_banner", 0},
    [178] = {"daylight_detector", 0},
    [179] = {"red_sandstone|chiseled_red_sandstone|cut_red_sandstone", 0},
    [180] = {"red_sandstone_stairs", 0},
    [181] = {"red_sandstone_slab||||||||smooth_red_sandstone", 0},
    [182] = {"red_sandstone_slab", 0},
    [183] = {"spruce_fence_gate", 0},
    [184] = {"birch_fence_gate", 0},
    [185] = {"jungle_fence_gate", 0},
    [186] = {"dark_oak_fence_gate", 0},
    [187] = {"acacia_fence_gate", 0},
    [188] = {"spruce_fence", 0},
    [189] = {"birch_fence", 0},
    [190] = {"jungle_fence", 0},
    [191] = {"dark_oak_fence", 0},
    [192] = {"acacia_fence", 0},
    [193] = {"spruce_door", 0},
    [194] = {"birch_door", 0},
    [195] = {"jungle_door", 0},
    [196] = {"acacia_door", 0},
    [197] = {"dark_oak_door", 0},
    [198] = {"end_rod", 0},
    [199] = {"chorus_plant", 0},
    [200] = {"chorus_flower", 0},
    [201] = {"purpur_block", 0},
    [202] = {"purpur_pillar", 0},
    [203] = {"purpur_stairs", 0},
    [204] = {"purpur_slab", 0},
    [205] = {"purpur_slab", 0},
    [206] = {"end_stone_bricks", 0},
    [207] = {"beetroots", 0},
    [208] = {"dirt_path", 0},
    [209] = {"end_gateway", 0},
    [210] = {"repeating_command_block", 0},
    [211] = {"chain_command_block", 0},
    [212] = {"frosted_ice", 0},
    [213] = {"magma_block", 0},
    [214] = {"nether_wart_block", 0},
    [215] = {"red_nether_bricks", 0},
    [216] = {"bone_block", 0},
    [217] = {"structure_void", 0},
    [218] = {"observer", 0},
    [251] = {"*_concrete", 0},
    [252] = {"*_concrete_powder", 0},
    [255] = {"structure_block", 0},
};

/* Copies variant number index of a list, or its first where that one is empty or missing. */
static void pick(const char *list, uint32_t index, char *out, size_t bytes)
{
    const char *at = list;
    for (uint32_t i = 0; i < index && at; i++) {
        const char *bar = strchr(at, '|');
        at = bar ? bar + 1 : NULL;
    }
    if (!at || *at == '|' || *at == 0)
        at = list;
    snprintf(out, bytes, "%.*s", (int)strcspn(at, "|"), at);
}

void adit_anvil_numeric_name(uint32_t id, uint32_t data, char name[ADIT_ANVIL_NAME_BYTES])
{
    data &= 15;
    if (id >= 219 && id < 251) { /* one id a colour */
        const char *kind = id < 235 ? "shulker_box" : "glazed_terracotta";
        snprintf(name, ADIT_ANVIL_NAME_BYTES, "minecraft:%s_%s", adit_anvil_dyes[(id - 219) & 15], kind);
        return;
    }
    const char *variants = id < 256 ? numerics[id].variants : NULL;
    if (!variants) {
        snprintf(name, ADIT_ANVIL_NAME_BYTES, "numeric:%u", id);
        return;
    }
    if (variants[0] == '*') {
        snprintf(name, ADIT_ANVIL_NAME_BYTES, "minecraft:%s%s", adit_anvil_dyes[data], variants + 1);
        return;
    }
    char variant[64];
    pick(variants, numerics[id].mask ? data & numerics[id].mask : data, variant, sizeof(variant));
    snprintf(name, ADIT_ANVIL_NAME_BYTES, "minecraft:%s", variant);
}
