#include "tests/crashsymbols.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    const Elf64_Sym *symbols;
    size_t n;
    const char *names;
    uint64_t base; /* where the program lies */
} table;

static bool adopt(const uint8_t *file, size_t bytes)
{
    const Elf64_Ehdr *e = (const Elf64_Ehdr *)(const void *)file;
    if (bytes < sizeof *e || memcmp(e->e_ident, ELFMAG, SELFMAG) || e->e_ident[EI_CLASS] != ELFCLASS64 ||
        e->e_shoff + (uint64_t)e->e_shnum * sizeof(Elf64_Shdr) > bytes)
        return false;
    const Elf64_Shdr *s = (const Elf64_Shdr *)(const void *)(file + e->e_shoff);
    for (uint32_t i = 0; i < e->e_shnum; i++)
        if (s[i].sh_type == SHT_SYMTAB && s[i].sh_link < e->e_shnum && s[i].sh_offset + s[i].sh_size <= bytes) {
            table.symbols = (const Elf64_Sym *)(const void *)(file + s[i].sh_offset);
            table.n = s[i].sh_size / sizeof(Elf64_Sym);
            table.names = (const char *)file + s[s[i].sh_link].sh_offset;
        }
    table.base = e->e_type == ET_DYN ? getauxval(AT_PHDR) - e->e_phoff : 0;
    return table.symbols;
}

bool crashsymbols_open(void)
{
    struct stat st;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool done = false;
    if (!fstat(fd, &st)) {
        void *file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        done = file != MAP_FAILED && adopt(file, (size_t)st.st_size);
    }
    close(fd);
    return done;
}

bool crashsymbols_each(bool (*each)(const char *name, uint64_t begin, uint64_t end, void *user), void *user)
{
    for (size_t i = 0; i < table.n; i++) {
        const Elf64_Sym *s = &table.symbols[i];
        if (ELF64_ST_TYPE(s->st_info) == STT_FUNC && s->st_shndx != SHN_UNDEF &&
            !each(table.names + s->st_name, table.base + s->st_value, table.base + s->st_value + s->st_size, user))
            return false;
    }
    return true;
}

struct named {
    uint64_t address;
    char *text;
    size_t bytes;
};

static bool name_if_here(const char *name, uint64_t begin, uint64_t end, void *user)
{
    struct named *n = user;
    if (n->address < begin || n->address >= end)
        return true;
    snprintf(n->text, n->bytes, "%s+0x%llx", name, (unsigned long long)(n->address - begin));
    return false;
}

void crashsymbols_name(uint64_t address, char *text, size_t bytes)
{
    struct named n = {address, text, bytes};
    if (crashsymbols_each(name_if_here, &n))
        snprintf(text, bytes, "0x%llx", (unsigned long long)address);
}

struct ranged {
    const char *name;
    uint32_t nth, left;
    uint64_t begin, end;
};

static bool take_if_named(const char *name, uint64_t begin, uint64_t end, void *user)
{
    struct ranged *r = user;
    size_t n = strlen(r->name);
    bool is_it = !strncmp(name, r->name, n) && (r->nth ? name[n] == '.' : !name[n]);
    if (!is_it || r->left--)
        return true;
    r->begin = begin;
    r->end = end;
    return false;
}

bool crashsymbols_range(const char *name, uint32_t nth, uint64_t *begin, uint64_t *end)
{
    struct ranged r = {.name = name, .nth = nth, .left = nth ? nth - 1 : 0};
    if (crashsymbols_each(take_if_named, &r))
        return false;
    *begin = r.begin;
    *end = r.end;
    return true;
}
