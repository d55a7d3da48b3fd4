/* json_walk.c - reads JSON text in place. See json_walk.h. */
#include "tests/json_walk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32

static const char *value_end(const char *p, const char *end, int depth);

static const char *skip_space(const char *p, const char *end)
{
    while (p < end && strchr(" \t\n\r", *p) && *p)
        p++;
    return p;
}

/* Each of these answers where its thing ends, or NULL if it is not there. */
static const char *string_end(const char *p, const char *end)
{
    if (p >= end || *p++ != '"')
        return NULL;
    for (; p < end && *p != '"'; p++) {
        if ((unsigned char)*p < 0x20)
            return NULL;
        if (*p == '\\' && (++p >= end || !strchr("\"\\/bfnrtu", *p)))
            return NULL;
    }
    return p < end ? p + 1 : NULL;
}

static const char *digits_end(const char *p, const char *end)
{
    const char *from = p;
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p > from ? p : NULL;
}

static const char *number_end(const char *p, const char *end)
{
    if (p < end && *p == '-')
        p++;
    if (p + 1 < end && *p == '0' && p[1] >= '0' && p[1] <= '9')
        return NULL;
    p = digits_end(p, end);
    if (p && p < end && *p == '.')
        p = digits_end(p + 1, end);
    if (p && p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        p = digits_end(p, end);
    }
    return p;
}

static const char *list_end(const char *p, const char *end, char close, int depth)
{
    p = skip_space(p + 1, end);
    if (p < end && *p == close)
        return p + 1;
    for (;;) { /* ends: every round moves p on */
        if (close == '}') {
            p = string_end(p, end);
            p = p ? skip_space(p, end) : NULL;
            if (!p || p >= end || *p != ':')
                return NULL;
            p = skip_space(p + 1, end);
        }
        p = value_end(p, end, depth + 1);
        p = p ? skip_space(p, end) : NULL;
        if (!p || p >= end)
            return NULL;
        if (*p == close)
            return p + 1;
        if (*p != ',')
            return NULL;
        p = skip_space(p + 1, end);
    }
}

static const char *value_end(const char *p, const char *end, int depth)
{
    static const char *const words[] = {"true", "false", "null"};
    if (p >= end || depth > DEPTH_MAX)
        return NULL;
    if (*p == '"')
        return string_end(p, end);
    if (*p == '{' || *p == '[')
        return list_end(p, end, *p == '{' ? '}' : ']', depth);
    for (int i = 0; i < 3; i++)
        if ((size_t)(end - p) >= strlen(words[i]) && !memcmp(p, words[i], strlen(words[i])))
            return p + strlen(words[i]);
    return number_end(p, end);
}

bool json_parse(const char *text, size_t bytes, struct json *value)
{
    const char *end = text + bytes, *from = skip_space(text, end), *stop = value_end(from, end, 0);
    *value = (struct json){from, stop};
    return stop && skip_space(stop, end) == end;
}

bool json_member(struct json value, const char *name, struct json *member)
{
    if (*value.from != '{')
        return false;
    const char *p = skip_space(value.from + 1, value.end);
    while (*p != '}') { /* ends: the text was checked */
        const char *key_end = string_end(p, value.end);
        bool is_it = json_is_string((struct json){p, key_end}, name);
        p = skip_space(skip_space(key_end, value.end) + 1, value.end);
        *member = (struct json){p, value_end(p, value.end, 0)};
        if (is_it)
            return true;
        p = skip_space(member->end, value.end);
        p = *p == ',' ? skip_space(p + 1, value.end) : p;
    }
    return false;
}

bool json_next(struct json array, struct json *next)
{
    if (*array.from != '[')
        return false;
    const char *p = skip_space(next->from ? next->end : array.from + 1, array.end);
    p = *p == ',' ? skip_space(p + 1, array.end) : p;
    if (*p == ']')
        return false;
    *next = (struct json){p, value_end(p, array.end, 0)};
    return true;
}

uint64_t json_count(struct json array)
{
    uint64_t count = 0;
    for (struct json item = {0}; json_next(array, &item);)
        count++;
    return count;
}

double json_number(struct json value)
{
    return number_end(value.from, value.end) == value.end ? strtod(value.from, NULL) : (double)NAN;
}

bool json_is_string(struct json value, const char *text)
{
    size_t length = strlen(text);
    return (size_t)(value.end - value.from) == length + 2 && *value.from == '"' && !memcmp(value.from + 1, text, length);
}

bool json_is(struct json value, const char *literal)
{
    return (size_t)(value.end - value.from) == strlen(literal) && !memcmp(value.from, literal, strlen(literal));
}
