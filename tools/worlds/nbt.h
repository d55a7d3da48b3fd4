/* nbt.h - reading Minecraft's Named Binary Tags in place: no tree, no allocation, no recursion.
 *
 *     struct adit_nbt_tag root, tag;
 *     if (adit_nbt_root(data, bytes, &root))
 *         damaged;
 *     while ((got = adit_nbt_next(&root.body, &tag)) > 0)
 *         if (adit_nbt_is(&tag, "xPos"))
 *             ...
 *
 * A tag's body is the span of its payload; walking a compound or a list moves the front of that span. Each step checks
 * that the whole payload of the tag it yields lies within the span, so what a caller holds is always sound inside.
 * Payloads are nested at most ADIT_NBT_DEPTH_MAX deep, the limit of the game itself.
 * Source: minecraft.wiki, "NBT format". All numbers are big-endian.
 */
#ifndef ADIT_NBT_H
#define ADIT_NBT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADIT_NBT_DEPTH_MAX 512

enum adit_nbt_type {
    ADIT_NBT_END,
    ADIT_NBT_BYTE,
    ADIT_NBT_SHORT,
    ADIT_NBT_INT,
    ADIT_NBT_LONG,
    ADIT_NBT_FLOAT,
    ADIT_NBT_DOUBLE,
    ADIT_NBT_BYTES,
    ADIT_NBT_STRING,
    ADIT_NBT_LIST,
    ADIT_NBT_COMPOUND,
    ADIT_NBT_INTS,
    ADIT_NBT_LONGS,
    ADIT_NBT_TYPES
};

struct adit_nbt {
    const uint8_t *at, *end;
};

struct adit_nbt_tag {
    const char *name; /* not ended by a zero; names of list elements are empty */
    size_t name_bytes;
    struct adit_nbt body; /* for arrays, strings and lists from their length on */
    uint8_t type;         /* enum adit_nbt_type */
};

/* All functions return -EBADMSG when the data break off, name an unknown type, hold a negative array length or nest too
 * deep. They never read outside the span that they are given. */

/* The root compound. Only its name is checked: its tags are as the walk yields them. Returns 0. */
int adit_nbt_root(const uint8_t *data, size_t bytes, struct adit_nbt_tag *root);

/* The next tag of a compound. Returns 1, or 0 at the compound's end. */
int adit_nbt_next(struct adit_nbt *compound, struct adit_nbt_tag *tag);

/* Starts a list: *body becomes its elements, of *type, *count of them (a negative count is an empty list). Returns 0. */
int adit_nbt_list(const struct adit_nbt_tag *list, uint8_t *type, uint32_t *count, struct adit_nbt *body);

/* The next element of a list of this type. Returns 0. */
int adit_nbt_element(struct adit_nbt *list, uint8_t type, struct adit_nbt_tag *element);

bool adit_nbt_is(const struct adit_nbt_tag *tag, const char *name);

/* The number in a byte, short, int or long. False when the tag is something else. */
bool adit_nbt_integer(const struct adit_nbt_tag *tag, int64_t *value);

/* The elements of an array of this type, or the bytes of a string, and their count. NULL when the tag is another type. */
const uint8_t *adit_nbt_array(const struct adit_nbt_tag *tag, uint8_t type, size_t *count);

#endif
