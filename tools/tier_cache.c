#include "tools/tier_cache.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "runtime/kept_file.h"
#include "tools/jsonout.h"
#include "tools/tier_json.h"

#define KEPT_MAX 8u /* files of other fingerprints: other drivers, other builds */
#define DUMP (JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17))

static void file_of(const char *folder, const char *fingerprint, char *out)
{
    snprintf(out, ADIT_TIER_PATH_BYTES, "%.440s/tiers-%.16s.json", folder, fingerprint);
}

/* The hash of all but "checksum", whose dump depends on the values alone. */
static bool checksum_of(json_t *root, char hex[17])
{
    char *text = json_dumps(root, DUMP);
    if (text)
        snprintf(hex, 17, "%016llx", (unsigned long long)XXH3_64bits(text, strlen(text)));
    free(text);
    return text != NULL;
}

/* NULL, or why it is not believed. */
static const char *root_judge(json_t *root, const char *fingerprint, struct adit_tier_table **out)
{
    const char *said = json_string_value(json_object_get(root, "checksum"));
    char kept[17], now[17];
    snprintf(kept, sizeof kept, "%s", said ? said : "");
    if (!said || json_object_del(root, "checksum") || !checksum_of(root, now) || strcmp(kept, now) != 0)
        return "it is damaged";
    if (adit_tier_table_parse(root, out))
        return "it is of another version";
    if (strcmp((*out)->fingerprint, fingerprint) != 0) {
        adit_tier_table_free(out);
        return "it is of another machine or build";
    }
    return NULL;
}

int adit_tier_cache_read(const char *fingerprint, struct adit_tier_table **out, char *line, size_t line_bytes)
{
    char folder[ADIT_KEPT_PATH_BYTES], path[ADIT_TIER_PATH_BYTES];
    int status = -ENOENT;
    *out = NULL;
    for (uint32_t i = 0; i < ADIT_KEPT_FOLDERS && status == -ENOENT; i++) {
        uint64_t bytes;
        const char *why = NULL;
        if (adit_kept_folder(i, folder))
            continue;
        file_of(folder, fingerprint, path);
        int fd = adit_kept_open(path, ADIT_TIER_FILE_MAX, &bytes, &why);
        if (fd == -ENOENT)
            continue;
        json_t *root = why ? NULL : json_loadfd(fd, JSON_REJECT_DUPLICATES, NULL);
        why = why ? why : root_judge(root, fingerprint, out);
        json_decref(root);
        if (fd >= 0)
            close(fd);
        status = why ? -EBADMSG : 0;
        if (why) {
            snprintf(line, line_bytes, "%s: %s; measured anew", path, why);
        } else {
            snprintf((*out)->file, sizeof (*out)->file, "%s", path);
            (*out)->is_cached = true;
        }
    }
    return status;
}

/* Whether it is called as file_of does. */
static bool is_kept_name(const char *name) { return !strncmp(name, "tiers-", 6) && strlen(name) == 27; }

bool adit_tier_cache_newest(const char *fingerprint, uint32_t n, char newest[17])
{
    char folder[ADIT_KEPT_PATH_BYTES], path[ADIT_TIER_PATH_BYTES];
    struct stat st, of = {0};
    *newest = 0;
    for (uint32_t i = 0; i < ADIT_KEPT_FOLDERS && !*newest; i++) {
        DIR *d = adit_kept_folder(i, folder) ? NULL : opendir(folder);
        for (struct dirent *e; d && (e = readdir(d));) {
            snprintf(path, sizeof path, "%.440s/%.64s", folder, e->d_name);
            if (!is_kept_name(e->d_name) || strncmp(e->d_name + 6, fingerprint, n) != 0 || stat(path, &st))
                continue;
            if (*newest && (st.st_mtim.tv_sec < of.st_mtim.tv_sec ||
                            (st.st_mtim.tv_sec == of.st_mtim.tv_sec && st.st_mtim.tv_nsec <= of.st_mtim.tv_nsec)))
                continue;
            snprintf(newest, 17, "%.16s", e->d_name + 6);
            of = st;
        }
        if (d)
            closedir(d);
    }
    return *newest;
}

/* Removes the oldest files of other fingerprints, until KEPT_MAX are left. */
static void older_remove(const char *folder, const char *but)
{
    for (;;) { /* each time one less */
        char path[ADIT_TIER_PATH_BYTES], oldest[ADIT_TIER_PATH_BYTES] = "";
        struct stat st, of = {0};
        uint32_t n = 0;
        DIR *d = opendir(folder);
        for (struct dirent *e; d && (e = readdir(d));) {
            if (!is_kept_name(e->d_name))
                continue;
            snprintf(path, sizeof path, "%.440s/%.64s", folder, e->d_name);
            if (!strcmp(path, but) || stat(path, &st))
                continue;
            n++;
            if (!*oldest || st.st_mtime < of.st_mtime) {
                memcpy(oldest, path, sizeof path);
                of = st;
            }
        }
        if (d)
            closedir(d);
        if (n <= KEPT_MAX || unlink(oldest))
            return;
    }
}

int adit_tier_cache_write(struct adit_tier_table *table, char *line, size_t line_bytes)
{
    char folder[ADIT_KEPT_PATH_BYTES], path[ADIT_TIER_PATH_BYTES], hex[17];
    json_t *root = adit_tier_table_json(table);
    char *text = NULL;
    int error = -ENOMEM;
    if (root && checksum_of(root, hex)) {
        adit_jsonout_set_text(root, "checksum", hex);
        text = json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
    }
    json_decref(root);
    snprintf(line, line_bytes, "the table of tiers cannot be kept: neither XDG_CACHE_HOME nor HOME is a folder's path");
    error = text ? -ENOENT : -ENOMEM;
    for (uint32_t i = 0; text && i < ADIT_KEPT_FOLDERS && error; i++) {
        if (adit_kept_folder(i, folder))
            continue;
        file_of(folder, table->fingerprint, path);
        const struct iovec part = {text, strlen(text)};
        error = adit_kept_write(folder, path, &part, 1);
        if (error)
            snprintf(line, line_bytes, "the table of tiers cannot be kept: %s: %s", path, strerror(-error));
    }
    free(text);
    if (!error) {
        snprintf(table->file, sizeof table->file, "%s", path);
        older_remove(folder, path);
    }
    return error;
}
