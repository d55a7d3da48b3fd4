/* say.c - one fprintf a line, so that lines of several processes do not mix (stderr is unbuffered, a line is written in
 * one call). */
#include "tools/say.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/progress.h"

#define LINE_BYTES 2048

void adit_say_begin(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDONLY); /* the lowest number that is free */
    } while (fd >= 0 && fd <= 2);
    if (fd > 2)
        close(fd);
    signal(SIGXFSZ, SIG_IGN);
}

static void line_print(const char *program, const char *kind, const char *format, va_list arguments)
{
    char message[LINE_BYTES], clean[LINE_BYTES], line[LINE_BYTES + 128];
    vsnprintf(message, sizeof message, format, arguments);
    adit_say_printable(clean, sizeof clean, message, sizeof message); /* names of files are anybody's */
    snprintf(line, sizeof line, "%s: %s%s\n", program, kind, clean);
    adit_progress_clear();
    fputs(line, stderr);
}

void adit_say_error(const char *program, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    line_print(program, "", format, arguments);
    va_end(arguments);
}

void adit_say_note(const char *program, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    line_print(program, "note: ", format, arguments);
    va_end(arguments);
}

/* The length of the printable UTF-8 character at s, 0 when there is none: C0, C1, DEL, surrogates, overlong forms and
 * the marks that turn the direction of writing are not printable. */
static size_t character_bytes(const uint8_t *s, size_t n)
{
    if (s[0] < 0x80)
        return s[0] >= 0x20 && s[0] != 0x7f;
    size_t want = s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;
    if (!want || want > n)
        return 0;
    uint32_t code = s[0] & (0xffu >> (want + 1));
    for (size_t i = 1; i < want; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3f);
    }
    static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < smallest[want] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) || code < 0xa0)
        return 0;
    if ((code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
        (code >= 0x2066 && code <= 0x2069) || code == 0xfeff)
        return 0;
    return want;
}

char *adit_say_printable(char *out, size_t bytes, const void *text, size_t text_bytes)
{
    const uint8_t *s = text;
    size_t at = 0;
    for (size_t i = 0; i < text_bytes && s[i] && bytes;) {
        size_t n = character_bytes(s + i, text_bytes - i), take = n ? n : 1;
        if (at + take >= bytes)
            break;
        if (n)
            memcpy(out + at, s + i, n);
        else
            out[at] = '?';
        at += take;
        i += take;
    }
    if (bytes)
        out[at] = 0;
    return out;
}

char *adit_say_bytes(char *out, size_t bytes, uint64_t value)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double v = (double)value;
    size_t u = 0;
    for (; v >= 1024 && u + 1 < sizeof units / sizeof *units; u++)
        v /= 1024;
    snprintf(out, bytes, v >= 100 || v == (double)(uint64_t)v ? "%.0f %s" : "%.1f %s", v, units[u]);
    return out;
}

char *adit_say_count(char *out, size_t bytes, uint64_t value)
{
    char digits[24];
    size_t n = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)value), at = 0;
    for (size_t i = 0; i < n && at + 2 < bytes; i++) {
        if (i && (n - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    if (bytes)
        out[at] = 0;
    return out;
}

char *adit_say_duration(char *out, size_t bytes, double ns)
{
    const char *unit = "ns";
    if (ns >= 1e9) {
        ns /= 1e9;
        unit = "s";
    } else if (ns >= 1e6) {
        ns /= 1e6;
        unit = "ms";
    } else if (ns >= 1e3) {
        ns /= 1e3;
        unit = "us";
    }
    snprintf(out, bytes, ns >= 99.95 ? "%.0f %s" : ns >= 9.995 ? "%.1f %s" : "%.2f %s", ns, unit);
    return out;
}
