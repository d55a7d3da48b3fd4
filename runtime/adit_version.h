/* adit_version.h - which adit this is. Part of adit.h, which includes it; scripts ask tools/version, which reads it here.
 *
 *     #if ADIT_VERSION_NUMBER < 200                           compiled against something older than 0.2.0
 *     if (strcmp(adit_version(), ADIT_VERSION)) ...           the library that runs is not the one that was compiled against
 *
 * Versions are semantic (semver.org): a program that worked with one goes on working, compiled anew or not, with a later one of the same MAJOR, or, while that is 0, of the same 0.MINOR; this much stands in the name that
 * programs load the library by (libadit.so.0.1). What lies in an arena is numbered by itself: processes of any versions share an arena when their layout is the same, and adit_attach refuses one of another layout (-EPROTO, with both numbers in
 * adit_detail()).
 */
#ifndef ADIT_VERSION_H
#define ADIT_VERSION_H

/* The version that is compiled against. */
#define ADIT_VERSION_MAJOR 0
#define ADIT_VERSION_MINOR 1
#define ADIT_VERSION_PATCH 0

/* The same as a number, 0.1.0 is 100, and as text, "0.1.0". */
#define ADIT_VERSION_NUMBER (ADIT_VERSION_MAJOR * 10000 + ADIT_VERSION_MINOR * 100 + ADIT_VERSION_PATCH)
#define ADIT_VERSION_TEXT_OF(major, minor, patch) #major "." #minor "." #patch
#define ADIT_VERSION_TEXT(major, minor, patch) ADIT_VERSION_TEXT_OF(major, minor, patch)
#define ADIT_VERSION ADIT_VERSION_TEXT(ADIT_VERSION_MAJOR, ADIT_VERSION_MINOR, ADIT_VERSION_PATCH)

#ifndef ADIT_API
#define ADIT_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ADIT_VERSION of the library that runs, "0.1.0"; valid for ever. Any thread. */
ADIT_API const char *adit_version(void);

#ifdef __cplusplus
}
#endif

#endif
