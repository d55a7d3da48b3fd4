/* golden_generated.h - what is known of the generated volumes of volumes.h: 64^3 with border 1 (interior 62^3), seed 7.
 *
 * sha256 is of the bytes of the volume. solid: voxels of the interior that are not air; visible: unit faces; greedy:
 * quads of the greedy mesh; optimum: the fewest quads that cover the same; ao_greedy: quads of the greedy mesh with AO. The last three are for the classes named, in
 * the notation of `adit mesh --classes` (t and c: the ids that are translucent and cutout; all others are opaque).
 */
#ifndef ADIT_TESTS_GOLDEN_GENERATED_H
#define ADIT_TESTS_GOLDEN_GENERATED_H

#include <stdint.h>

static const struct golden_volume {
    const char *kind, *sha256;
    uint32_t solid, visible, greedy, optimum, ao_greedy;
    const char *classes;
    uint32_t class_visible, class_greedy, class_optimum;
} golden_generated[] = {
    { "empty", "8a39d2abd3999ab73c34db2476849cddf303ce389b35826850f9a700589b4a90",
      0, 0, 0, 0, 0, "", 0, 0, 0 },
    { "solid", "f317dd9d6ba01c465d82e4c4d55d01d270dda69db4a01a64c587a5593ac6084d",
      238328, 0, 0, 0, 0, "", 0, 0, 0 },
    { "box", "b76a8537254dd83cd6f6b90680af5c310841b68bd48ef104fd8bcd9aaae88649",
      238328, 23064, 6, 6, 6, "", 23064, 6, 6 },
    { "sphere", "a319b102a83a2ef0227f1ade0af29e4aa42b8661c4ed8cfdf942ab221bd06038",
      113104, 16968, 7260, 7230, 12444, "", 16968, 7260, 7230 },
    { "checker", "296f8cd956af760c1748464b5a553f5c4faaa70ce4822c8670c9bdb6e32a650b",
      119164, 714984, 714984, 714984, 714984, "", 714984, 714984, 714984 },
    { "noise50", "2ea771014e78ec6bf8019c5d1b687efd7db64cfdb3fc597cc0cb7f1a026d759c",
      119009, 357189, 234868, 233068, 354155, "", 357189, 234868, 233068 },
    { "noise50m3", "b424e6c3c965d42477471d44dc294f886cb151820cbef55f0a63ad8e1a05b39e",
      119009, 357189, 306458, 306345, 356142, "", 357189, 306458, 306345 },
    { "noise25", "5c8789fc569b493b80a6554af6f5843db8638999dc9ae60395492c5acd668adc",
      59689, 268230, 193919, 193200, 260191, "", 268230, 193919, 193200 },
    { "mats", "1c5af50c85fc82b07978ffb421fe2b3143f200c38d19a59a43cad5f6d0d310ee",
      238328, 23064, 22880, 22880, 22880, "", 23064, 22880, 22880 },
    { "terrain", "b42356fa11a20412aab065da16c0beb82607e79c953279da2ce6762bb3931f1f",
      107836, 14546, 5200, 5135, 10352, "t:4;c:7", 18677, 6012, 5899 },
    { "flat", "c355c300efdbc779518c31f99b99210cab888e6eb8ea31e11dcdb66e5765f87c",
      119164, 3844, 1, 1, 1, "", 3844, 1, 1 },
    { "stripes", "0549412e862218167d02e033d50209c0a31d009e1c25b0e51e1be34b914cf821",
      119164, 3844, 62, 62, 62, "", 3844, 62, 62 },
    { "glass", "6c739e6bc101578f23d5c93357fef0193fd4b667aac047c33bf11ffa6ffdf545",
      178860, 267386, 237915, 237876, 267084, "t:4;c:7", 715253, 530589, 528940 },
    { "menger", "a241aff8b9b304b60ed84ff1bbc9435995d89282033e07373f697d436616d044",
      61484, 132882, 71667, 70590, 106395, "", 132882, 71667, 70590 },
};
enum { GOLDEN_GENERATED = sizeof golden_generated / sizeof *golden_generated };

#endif
