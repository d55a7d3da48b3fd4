#include "tools/tier_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "tools/jsonout.h"
#include "tools/tier_json.h"

#define KEPT_MAX 8u /* files of other fingerprints: other drivers, other builds */
#define DUMP (JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17))

/* The i-th folder that may keep it: $XDG_CACHE_HOME/adit, ~/.cache/adit. Relative paths do not count (XDG base directories). */
static bool folder_of(uint32_t i, char *out, size_t bytes)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n = i == 0 ? (cache && *cache == '/' ? snprintf(out, bytes, "%s/adit", cache) : -1)
                   : (home && *home == '/' ? snprintf(out, bytes, "%s/.cache/adit", home) : -1);
    return n > 0 && (size_t)n < bytes - 64; /* room for the file's name */
}

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

/* NULL: it is this user's file, and to be read. */
static const char *file_unfit(int fd, struct stat *st)
{
    return fstat(fd, st)                                                 ? "it cannot be looked at"
           : !S_ISREG(st->st_mode)                                       ? "it is no file"
           : st->st_uid != geteuid()                                     ? "it is another user's"
           : st->st_size <= 0 || (uint64_t)st->st_size > ADIT_TIER_FILE_MAX ? "it has not the size of one"
                                                                         : NULL;
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
    char folder[ADIT_TIER_PATH_BYTES], path[ADIT_TIER_PATH_BYTES];
    int status = -ENOENT;
    *out = NULL;
    for (uint32_t i = 0; i < 2 && status == -ENOENT; i++) {
        if (!folder_of(i, folder, sizeof folder))
            continue;
        file_of(folder, fingerprint, path);
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
            continue;
        struct stat st;
        const char *why = file_unfit(fd, &st);
        json_t *root = why ? NULL : json_loadfd(fd, JSON_REJECT_DUPLICATES, NULL);
        why = why ? why : root_judge(root, fingerprint, out);
        json_decref(root);
        close(fd);
        status = why ? -EBADMSG : 0;
        if (why)
            snprintf(line, line_bytes, "%s: %s; measured anew", path, why);
        else
            snprintf((*out)->file, sizeof (*out)->file, "%s", path);
    }
    return status;
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
            if (strncmp(e->d_name, "tiers-", 6) != 0 || strlen(e->d_name) != 27)
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

static int file_write(const char *path, const char *text)
{
    char part[ADIT_TIER_PATH_BYTES + 32];
    snprintf(part, sizeof part, "%s.%ld.part", path, (long)getpid());
    FILE *f = fopen(part, "we");
    if (!f)
        return -errno;
    int error = fputs(text, f) < 0 || fflush(f) ? -errno : 0;
    if (fclose(f) && !error)
        error = -errno;
    if (!error && rename(part, path))
        error = -errno;
    if (error)
        unlink(part);
    return error;
}

int adit_tier_cache_write(struct adit_tier_table *table, char *line, size_t line_bytes)
{
    char folder[ADIT_TIER_PATH_BYTES], path[ADIT_TIER_PATH_BYTES], hex[17];
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
    for (uint32_t i = 0; text && i < 2 && error; i++) {
        if (!folder_of(i, folder, sizeof folder))
            continue;
        char *slash = strrchr(folder, '/');
        *slash = 0;
        (void)mkdir(folder, 0700); /* one of these fails where it is there, and then the file tells */
        *slash = '/';
        (void)mkdir(folder, 0700);
        file_of(folder, table->fingerprint, path);
        error = file_write(path, text);
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
