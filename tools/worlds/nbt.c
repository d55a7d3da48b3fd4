/* nbt.c - bounded by construction: every advance of a cursor goes through take(), which knows the end of its span, and
 * the only nesting is the array of frames in skip(). A payload is skipped once for each level a caller descends, so the
 * work is linear in the data for any fixed depth of calls. */
#include "tools/worlds/nbt.h"

#include <errno.h>
#include <string.h>

/* Moves on by bytes and returns where they began, NULL when the span has fewer. */
static const uint8_t *take(struct adit_nbt *from, uint64_t bytes)
{
    if (bytes > (uint64_t)(from->end - from->at))
        return NULL;
    const uint8_t *start = from->at;
    from->at += bytes;
    return start;
}

static uint64_t big_endian(const uint8_t *at, uint32_t bytes)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return value;
}

/* The size of a payload of fixed size, 0 for the other types. */
static uint32_t fixed_bytes(uint8_t type)
{
    static const uint8_t bytes[ADIT_NBT_TYPES] = {[ADIT_NBT_BYTE] = 1, [ADIT_NBT_SHORT] = 2, [ADIT_NBT_INT] = 4,
                                                  [ADIT_NBT_LONG] = 8, [ADIT_NBT_FLOAT] = 4, [ADIT_NBT_DOUBLE] = 8};
    return bytes[type];
}

static uint32_t array_unit(uint8_t type)
{
    return type == ADIT_NBT_BYTES ? 1 : type == ADIT_NBT_INTS ? 4 : type == ADIT_NBT_LONGS ? 8 : 0;
}

static int read_string(struct adit_nbt *from, const char **text, size_t *bytes)
{
    const uint8_t *at = take(from, 2);
    if (!at)
        return -EBADMSG;
    *bytes = (size_t)big_endian(at, 2);
    *text = (const char *)take(from, *bytes);
    return *text ? 0 : -EBADMSG;
}

static int read_list_head(struct adit_nbt *from, uint8_t *type, uint32_t *count)
{
    const uint8_t *at = take(from, 5);
    if (!at || at[0] >= ADIT_NBT_TYPES)
        return -EBADMSG;
    uint32_t raw = (uint32_t)big_endian(at + 1, 4);
    *type = at[0];
    *count = raw > INT32_MAX ? 0 : raw;
    return 0;
}

/* What is open while a payload is skipped: a compound, or a list with some elements to go. */
struct frame {
    uint8_t type; /* ADIT_NBT_COMPOUND, or of the list's elements */
    bool is_list;
    uint32_t left;
};

/* Passes over one payload that is no compound and no list. */
static int skip_leaf(struct adit_nbt *from, uint8_t type)
{
    uint32_t fixed = fixed_bytes(type);
    if (fixed)
        return take(from, fixed) ? 0 : -EBADMSG;
    if (type == ADIT_NBT_STRING) {
        const char *text;
        size_t bytes;
        return read_string(from, &text, &bytes);
    }
    uint32_t unit = array_unit(type); /* none: type end, of which a list could claim any number for no bytes */
    const uint8_t *at = unit ? take(from, 4) : NULL;
    return at && take(from, big_endian(at, 4) * unit) ? 0 : -EBADMSG;
}

/* Passes over one payload of any type. Each turn of the loop takes a byte at least, or closes a frame, so it ends. */
static int skip(struct adit_nbt *from, uint8_t type)
{
    struct frame frames[ADIT_NBT_DEPTH_MAX];
    uint32_t depth = 0;
    for (;;) {
        if (type == ADIT_NBT_COMPOUND || type == ADIT_NBT_LIST) {
            if (depth == ADIT_NBT_DEPTH_MAX)
                return -EBADMSG;
            struct frame *open = &frames[depth++];
            *open = (struct frame){.type = ADIT_NBT_COMPOUND, .is_list = type == ADIT_NBT_LIST};
            if (open->is_list && read_list_head(from, &open->type, &open->left))
                return -EBADMSG;
            if (open->is_list && fixed_bytes(open->type)) { /* in one step: no turn for each number */
                if (!take(from, (uint64_t)open->left * fixed_bytes(open->type)))
                    return -EBADMSG;
                open->left = 0;
            }
        } else if (skip_leaf(from, type)) {
            return -EBADMSG;
        }
        /* Find the next payload: in the innermost frame that still has one. */
        for (;;) {
            if (depth == 0)
                return 0;
            struct frame *top = &frames[depth - 1];
            if (top->is_list) {
                if (top->left == 0) {
                    depth--;
                    continue;
                }
                top->left--;
                type = top->type;
                break;
            }
            const uint8_t *at = take(from, 1);
            if (!at || *at >= ADIT_NBT_TYPES)
                return -EBADMSG;
            if (*at == ADIT_NBT_END) {
                depth--;
                continue;
            }
            const char *name;
            size_t bytes;
            if (read_string(from, &name, &bytes))
                return -EBADMSG;
            type = *at;
            break;
        }
    }
}

int adit_nbt_root(const uint8_t *data, size_t bytes, struct adit_nbt_tag *root)
{
    struct adit_nbt from = {data, data + bytes};
    const uint8_t *at = take(&from, 1);
    *root = (struct adit_nbt_tag){.type = ADIT_NBT_COMPOUND};
    if (!at || *at != ADIT_NBT_COMPOUND || read_string(&from, &root->name, &root->name_bytes))
        return -EBADMSG;
    root->body = from;
    return 0;
}

int adit_nbt_next(struct adit_nbt *compound, struct adit_nbt_tag *tag)
{
    const uint8_t *at = take(compound, 1);
    if (!at || *at >= ADIT_NBT_TYPES)
        return -EBADMSG;
    if (*at == ADIT_NBT_END)
        return 0;
    tag->type = *at;
    if (read_string(compound, &tag->name, &tag->name_bytes))
        return -EBADMSG;
    tag->body.at = compound->at;
    if (skip(compound, tag->type))
        return -EBADMSG;
    tag->body.end = compound->at;
    return 1;
}

int adit_nbt_list(const struct adit_nbt_tag *list, uint8_t *type, uint32_t *count, struct adit_nbt *body)
{
    if (list->type != ADIT_NBT_LIST)
        return -EBADMSG;
    *body = list->body;
    return read_list_head(body, type, count);
}

int adit_nbt_element(struct adit_nbt *list, uint8_t type, struct adit_nbt_tag *element)
{
    *element = (struct adit_nbt_tag){.name = "", .type = type, .body.at = list->at};
    if (type == ADIT_NBT_END || skip(list, type))
        return -EBADMSG;
    element->body.end = list->at;
    return 0;
}

bool adit_nbt_is(const struct adit_nbt_tag *tag, const char *name)
{
    return strlen(name) == tag->name_bytes && memcmp(name, tag->name, tag->name_bytes) == 0;
}

bool adit_nbt_integer(const struct adit_nbt_tag *tag, int64_t *value)
{
    if (tag->type < ADIT_NBT_BYTE || tag->type > ADIT_NBT_LONG)
        return false;
    uint32_t bytes = fixed_bytes(tag->type), unused = 64 - 8 * bytes;
    *value = (int64_t)(big_endian(tag->body.at, bytes) << unused) >> unused;
    return true;
}

const uint8_t *adit_nbt_array(const struct adit_nbt_tag *tag, uint8_t type, size_t *count)
{
    if (tag->type != type)
        return NULL;
    uint32_t head = type == ADIT_NBT_STRING ? 2 : 4;
    *count = (size_t)big_endian(tag->body.at, head);
    return tag->body.at + head;
}
