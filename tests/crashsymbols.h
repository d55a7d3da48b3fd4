/* crashsymbols.h - the functions of this program, by address: its own symbol table, read from /proc/self/exe (elf(5)).
 *
 *     crashsymbols_open();
 *     crashsymbols_name(address, text, sizeof text);      "adit_block_alloc+0x1c"
 */
#ifndef ADIT_CRASHSYMBOLS_H
#define ADIT_CRASHSYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False: the program has been stripped, or is no ELF file of 64 bits. */
bool crashsymbols_open(void);
/* Calls each for every function; stops and returns false when it does. */
bool crashsymbols_each(bool (*each)(const char *name, uint64_t begin, uint64_t end, void *user), void *user);
/* Writes FUNCTION+0xOFFSET, or the address when no function is known there. */
void crashsymbols_name(uint64_t address, char *text, size_t bytes);
/* The function's range (nth 0), or that of a part or a copy the compiler made of it (f.cold, f.isra.0; nth from 1). False: no such. */
bool crashsymbols_range(const char *name, uint32_t nth, uint64_t *begin, uint64_t *end);

#endif
