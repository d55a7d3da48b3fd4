/* probe.h - points at which a tracer may look into a running process: USDT probes of the provider "adit" (SystemTap's sys/sdt.h; bpftrace, perf and gdb know them). Each is one nop and a note in the ELF file; nothing else happens until a tracer
 * puts a breakpoint there. The list, with their arguments, is in README.md of this folder.
 *
 *     ADIT_PROBE(publish, key, version);
 *
 * Without sys/sdt.h (Debian's systemtap-sdt-dev) they are nothing.
 */
#ifndef ADIT_PROBE_H
#define ADIT_PROBE_H

#if __has_include(<sys/sdt.h>)
#include <sys/sdt.h>
#define ADIT_PROBE(name, a, b) DTRACE_PROBE2(adit, name, a, b)
#else
#define ADIT_PROBE(name, a, b) ((void)(a), (void)(b))
#endif

#endif
