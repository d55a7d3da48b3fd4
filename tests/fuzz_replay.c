/* fuzz_replay.c - drives a fuzz target where libFuzzer is not: every seed, then seeded mutations of them.
 *
 * A target is a tests/fuzz_<concept>.c with LLVMFuzzerTestOneInput and nothing else, its seeds lie in
 * tests/corpus/<concept>/. The gcc variants link this main to it, the clang variant (build/fuzz) libFuzzer's own. Both
 * take the same arguments, so that a check runs them alike:
 *
 *     fuzz_vox -runs=2000 -seed=1 -max_len=65536 -artifact_prefix=build/fuzz/ tests/corpus/vox
 *
 * -runs counts mutated inputs beyond the seeds themselves. An input on which a sanitizer ends the program is left as
 * <artifact_prefix>crash-<target>; given back as an argument it is run alone (a file is a seed too, -runs=0). Mutations
 * depend on the seed and the corpus only, so a failure repeats. Blind mutation finds less than coverage does; it is
 * here so that every target runs under the same compiler and sanitizers as the product.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

#define SEEDS_MAX 4096
#define SEED_BYTES_MAX (8u << 20)
#define EDITS_MAX 8

struct seed {
    uint8_t *bytes;
    size_t size;
};

static struct seed seeds[SEEDS_MAX];
static size_t seed_count, length_max = 1u << 20;
static uint64_t random_state = 1, runs;
static const char *artifact_prefix = "";
static char artifact[512];

/* What the target is looking at, for the death callback. */
static const uint8_t *current_bytes;
static size_t current_size;

static void save_current(void)
{
    int fd = open(artifact, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, current_bytes, current_size) != (ssize_t)current_size)
        fprintf(stderr, "fuzz_replay: could not keep the input in %s: %s\n", artifact, strerror(errno));
    else
        fprintf(stderr, "fuzz_replay: the input is in %s\n", artifact);
}

/* xorshift64* (Vigna 2016). */
static uint64_t random_next(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545f4914f6cdd1du;
}

static size_t random_below(size_t limit)
{
    return limit ? (size_t)(random_next() % limit) : 0;
}

static int seed_load_file(const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0)
        goto fail;
    if (status.st_size > SEED_BYTES_MAX || seed_count == SEEDS_MAX) {
        errno = EFBIG;
        goto fail;
    }
    struct seed *seed = &seeds[seed_count];
    seed->bytes = malloc((size_t)status.st_size + 1);
    if (!seed->bytes)
        goto fail;
    ssize_t got = read(fd, seed->bytes, (size_t)status.st_size);
    if (got < 0)
        goto fail;
    seed->size = (size_t)got;
    seed_count++;
    close(fd);
    return 0;
fail:
    fprintf(stderr, "fuzz_replay: %s: %s\n", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name); /* alphasort follows the locale, and mutations must repeat anywhere */
}

static int seed_load(const char *path)
{
    struct stat status;
    struct dirent **entries = NULL;
    int error = 0;

    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode))
        return seed_load_file(path);
    int count = scandir(path, &entries, NULL, by_name);
    for (int i = 0; i < count; i++) {
        char file[4096];
        snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        if (error == 0 && stat(file, &status) == 0 && S_ISREG(status.st_mode))
            error = seed_load_file(file);
        free(entries[i]);
    }
    free(entries);
    return error;
}

static void run(const uint8_t *bytes, size_t size)
{
    /* A copy of exactly this size lets ASan see a read of one byte too many. */
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    memcpy(copy, bytes, size);
    current_bytes = copy;
    current_size = size;
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

/* One edit in place: a bit, a byte, an extreme integer at a place, a cut, a piece moved, a piece of another seed. */
static size_t mutate(uint8_t *bytes, size_t size)
{
    static const uint32_t extremes[] = {0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff};
    size_t at = random_below(size), width = (size_t)1 << random_below(3), from, length;

    if (size == 0)
        return 0;
    switch (random_below(7)) {
    case 0:
        bytes[at] ^= (uint8_t)(1u << random_below(8));
        return size;
    case 1:
        bytes[at] = (uint8_t)random_next();
        return size;
    case 2: /* little and big endian alike: the extremes are near palindromes */
        if (at + width <= size)
            memcpy(bytes + at, &extremes[random_below(sizeof extremes / sizeof extremes[0])], width);
        return size;
    case 3:
        return at;
    case 4: /* drop a piece */
        length = random_below(size - at);
        memmove(bytes + at, bytes + at + length, size - at - length);
        return size - length;
    case 5: /* repeat a piece over another place */
        from = random_below(size);
        length = random_below(size - (at > from ? at : from));
        memmove(bytes + at, bytes + from, length);
        return size;
    default: {
        const struct seed *other = &seeds[random_below(seed_count)];
        from = random_below(other->size);
        length = random_below(other->size - from);
        if (length > size - at)
            length = size - at;
        memcpy(bytes + at, other->bytes + from, length);
        return size;
    }
    }
}

static bool parse(const char *argument)
{
    if (strncmp(argument, "-runs=", 6) == 0)
        runs = strtoull(argument + 6, NULL, 10);
    else if (strncmp(argument, "-seed=", 6) == 0)
        random_state = strtoull(argument + 6, NULL, 10) | (uint64_t)1 << 40;
    else if (strncmp(argument, "-max_len=", 9) == 0)
        length_max = strtoul(argument + 9, NULL, 10);
    else if (strncmp(argument, "-artifact_prefix=", 17) == 0)
        artifact_prefix = argument + 17;
    else
        return argument[0] == '-'; /* libFuzzer's other flags mean nothing here */
    return true;
}

int main(int count, char **arguments)
{
    const char *name = strrchr(arguments[0], '/');

    for (int i = 1; i < count; i++)
        if (!parse(arguments[i]) && seed_load(arguments[i]) != 0)
            return 2;
    snprintf(artifact, sizeof artifact, "%scrash-%s", artifact_prefix, name ? name + 1 : arguments[0]);
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(save_current);

    run((const uint8_t *)"", 0);
    for (size_t i = 0; i < seed_count; i++)
        run(seeds[i].bytes, seeds[i].size);
    for (uint64_t i = 0; i < runs && seed_count; i++) {
        const struct seed *seed = &seeds[random_below(seed_count)];
        size_t size = seed->size < length_max ? seed->size : length_max;
        uint8_t *bytes = malloc(size + 1);
        if (!bytes)
            return 1;
        memcpy(bytes, seed->bytes, size);
        for (size_t edits = 1 + random_below(EDITS_MAX); edits > 0; edits--)
            size = mutate(bytes, size);
        run(bytes, size);
        free(bytes);
    }
    printf("%s: %zu seeds and %llu mutations\n", name ? name + 1 : arguments[0], seed_count,
           seed_count ? (unsigned long long)runs : 0ull);
    for (size_t i = 0; i < seed_count; i++)
        free(seeds[i].bytes);
    return 0;
}
