/* adit_kinds.h - the kinds of tasks that adit brings along. Part of adit.h, which includes it.
 *
 *     adit_kinds_register_builtin(a);                             in processes that work, and once before others submit
 *
 *     uint32_t fft;  adit_kind_find(a, "adit.fft", &fft);         in processes that submit
 *     struct adit_fft_args args = {.points = 512};
 *     struct adit_use uses[] = {{samples, ADIT_READ}, {spectrum, ADIT_WRITE}};
 *     struct adit_task_spec s = {.size = sizeof s, .kind = fft, .args = &args, .args_bytes = sizeof args, .uses = uses, .uses_n = 2};
 *
 * Of each kind stand here its name, its arguments, the buffers that it uses in their order with their access, its result, and the statuses it ends with. Arguments are
 * of fixed width, all of their bytes are sent, and those named zero must be so. What is wrong with arguments or buffers is -EINVAL: other numbers or accesses of buffers than
 * said, numbers out of range, content that would lie beyond a buffer. Nothing that a buffer holds leads to more than an error. Beside what is named any may
 * end with -ENOMEM (this process, or the arena), -ECANCELED (asked to stop), -ESTALE, -EAGAIN, -EUSERS (it was stopped long in the middle, or too much
 * was under way: submit it again), and with what adit_task_spec says of buffers.
 */
#ifndef ADIT_KINDS_H
#define ADIT_KINDS_H

#ifndef ADIT_API
#error "include runtime/adit.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Registers them all, in this process as what it runs (in a consumer without those for producers only). To do so again is nothing. Blocks and fails as
 * adit_kind_register; -EEXIST: somebody has given one of their names to something else. */
ADIT_API int adit_kinds_register_builtin(struct adit_arena *arena);

/* ---- adit.fft --------------------------------------------------------------------------------------------------- */

/* Real fast Fourier transforms of 32-bit floats, count of them one behind the other. Buffers: READ, WRITE; of count * points * 4 bytes at least.
 * Samples are x[0..N). A spectrum of N points is packed in as many floats: X[0], X[N/2] (both real), then real and imaginary part of X[1], X[2] .. X[N/2 - 1],
 * where X[k] is the sum of x[n] * exp(-2 pi i k n / N). Forward does not scale; inverse divides by N, so it gives back the samples. */
struct adit_fft_args {
    uint32_t points;  /* N: 64 to 65,536, a power of two */
    uint32_t inverse; /* 0: samples to spectra, 1: spectra to samples */
    uint32_t count;   /* transforms, 0: one */
    uint32_t zero;
};
#define ADIT_FFT_POINTS_MIN 64u
#define ADIT_FFT_POINTS_MAX 65536u

/* ---- adit.compress, adit.decompress ----------------------------------------------------------------------------- */

enum adit_codec { ADIT_CODEC_LZ4 = 1 /* a frame of LZ4 (lz4_Frame_format.md), with a checksum */, ADIT_CODEC_ZSTD /* a frame of Zstandard (RFC 8878) */ }; /* either says how much it holds */
/* Bytes of the first buffer become bytes of the second. Buffers: READ, WRITE. -ENOSPC: the second has too few (adit_compress_bound is always enough).
 *
 * Both look whether they shall stop before each slice of what is long, and their progress is bytes: of the first buffer to compress, of the second to decompress. A slice takes so long at most,
 * in processor time of a Sapphire Rapids guest, of four sorts of input: LZ4 2 ms fast, 16 ms at level 12; zstd 8 ms at level 3, 40 ms at 12, 200 ms at 19; back 1.4 ms by either. */
struct adit_compress_args {
    uint32_t codec;
    int32_t level;  /* 0: the library's own; LZ4 1 (fast), 3 to 12 (its HC), zstd 1 to 19: smaller and slower */
    uint64_t bytes; /* of the first buffer, 0: all of them */
};
/* -EBADMSG: not what compress makes, cut off, or damaged; -ENOSPC: the second buffer has too few. */
struct adit_decompress_args {
    uint32_t codec, zero;
    uint64_t bytes; /* of the first buffer, 0: all of them, which must be frames to the end */
};
/* The result of both. */
struct adit_compress_result {
    uint64_t bytes; /* of the second buffer; behind them are zeroes */
};
/* So many bytes are room enough for what bytes of them are compressed to. Pure. */
static inline uint64_t adit_compress_bound(uint64_t bytes) { return bytes + bytes / 128 + 128; }

/* ---- adit.encode, adit.decode ----------------------------------------------------------------------------------- */

/* Voxels of a chunk into the bytes that a published version has (one material, bricks with palettes, or dense), and back. No arguments. Buffers: READ, WRITE. encode: of
 * ADIT_CHUNK_VOXELS 16-bit materials at least, index (z*64 + y)*64 + x; what it makes depends on the classes of materials, for its masks. -ENOSPC: the second buffer has
 * fewer than result.bytes; ADIT_ENCODE_BYTES_MAX are always enough. decode: the other way. -EBADMSG: not what encode made, or damaged (its hash tells). A chunk takes
 * some 0.1 ms, so neither looks whether it shall stop. */
#define ADIT_ENCODE_BYTES_MAX 607232u
struct adit_encode_result {
    uint32_t bytes;
    uint32_t encoding; /* 1 uniform, 2 bricks, 3 dense */
    uint32_t solid;    /* voxels that are not air */
    uint32_t zero;
};

/* ---- adit.generate ---------------------------------------------------------------------------------------------- */

/* Makes a chunk of a built-in world, at any level of detail (kernels/generate.h: one voxel of 2^lod along each axis), names its materials, and publishes it, air or not, in place of version `replaces`. Run twice it is run once: where the key has
 * another version by now, but with these very voxels, that is it. No buffers; producers only. -EEXIST: the key has another version, with other voxels; -ERANGE: no
 * key; -ENOSPC, -EAGAIN: as adit_chunk_put and adit_material_register. */
struct adit_generate_args {
    char generator[16]; /* "terrain", "noise50", "checker"; zeroes behind */
    uint64_t seed;
    uint64_t replaces;  /* 0: the key never had a version */
    struct adit_key key;
    uint32_t renewable; /* 1: the version says so (adit_put_params): whoever submits this will do so again */
    uint32_t zero;
};
struct adit_generate_result {
    uint64_t version;
    uint32_t published; /* 1: by this attempt */
    uint32_t zero;
};

/* ---- adit.mesh, adit.cull --------------------------------------------------------------------------------------- */

/* Sees to it that the chunk's mesh is published that goes with it and its neighbours as they were when the task was submitted, or later: makes it, as a dispatcher's worker does, unless
 * it is there or somebody else is making it. No buffers; producers only. -ENOENT: the key never had a version; -ERANGE; -EBADMSG: its version is damaged; -EBUSY: somebody else
 * has been at it for a second. */
struct adit_mesh_args {
    struct adit_key key;
    uint32_t culled; /* 1: one quad a face instead of greedy merging, if it is made here */
    uint32_t zero;
};
struct adit_mesh_task_result {
    uint64_t version, serial; /* the mesh's: of which version it is, and its number */
    uint32_t quads, faces;
    uint32_t made; /* 1: by this attempt */
    uint32_t zero;
};

/* The visible faces of a chunk (kernels/mesh.h), its neighbours' borders considered: one quad each, in the order of a culled mesh. Buffers: none, for their numbers alone, or WRITE, for
 * the quads, 8 bytes each. Nothing is published. -ENOSPC: there are result.faces, more than the buffer has room for; -ENOENT, -ERANGE, -EBADMSG. */
struct adit_cull_args {
    struct adit_key key;
};
struct adit_cull_result {
    uint64_t version; /* of the chunk */
    uint32_t faces;
    uint32_t of[ADIT_FACES]; /* by enum adit_face */
    uint32_t zero;
};

/* ---- adit.move -------------------------------------------------------------------------------------------------- */

/* Moves the versions of the chunks in a box, lo <= key < hi, to the memory of a node, and their meshes with them, or to the node of all who watch these. Nobody is told: numbers and contents are the same, who has
 * acquired what was there keeps it. What is published meanwhile lies where its placement says; the producer's next version, too, so under ADIT_PLACE_PRODUCER it is of use for chunks that are read and meshed more
 * than they are changed. Run twice it moves what is left. For maintenance: at ADIT_IDLE, and near the node. No buffers; producers only. -EINVAL: the arena has no data segment on that node; -ENOSPC: it
 * is full, result says how far it came; -EBADMSG. */
struct adit_move_args {
    int32_t lo[3], hi[3];
    int32_t node; /* the kernel's number; -1: that of an arena that is bound to none */
    uint8_t world, lod;
    uint16_t zero;
};
struct adit_move_result {
    uint32_t versions, meshes; /* moved, by this attempt */
    uint32_t replaced;         /* published, or being meshed, meanwhile, or given up: left to those who do */
    uint32_t zero;
};

/* ---- adit.lod, adit.lod_publish --------------------------------------------------------------------------------- */

/* A chunk halved (kernels/lod.h); one without a version is air. lod: into a buffer of 32^3 16-bit materials at least, index (z*32 + y)*32 + x; WRITE. lod_publish: into its octant
 * of the chunk of the next level that covers it, which is published anew, unless that octant is so already; no buffers; producers only. Others may publish it meanwhile: what
 * they wrote into other octants stays. -ERANGE: no key, or (lod_publish) no next level; -EBADMSG; -EAGAIN: others got in between 64 times; -ENOSPC: as adit_chunk_put. */
struct adit_lod_args {
    struct adit_key key; /* of the chunk that is halved */
};
struct adit_lod_result {
    uint64_t from;    /* version of that chunk, 0: it never had one */
    uint64_t version; /* lod_publish: of the chunk of the next level, 0: it has none, as all of it is air */
    uint32_t published; /* 1: by this attempt */
    uint32_t zero;
};

/* ---- adit.raycast ----------------------------------------------------------------------------------------------- */

/* The first voxel that is not air along a ray through a world's chunks of one level of detail, as they are now; chunks without a version are air. In voxels of that level: chunk x covers
 * 64 x to 64 x + 64. No buffers. -ERANGE: it leaves the range of keys; -EBADMSG: a damaged chunk was in its way. */
struct adit_raycast_args {
    double origin[3];
    float direction[3];  /* of any length but 0 */
    float distance_max;  /* in voxels, 0 to ADIT_RAYCAST_DISTANCE_MAX */
    uint8_t lod, world;
    uint8_t zero[6];
};
#define ADIT_RAYCAST_DISTANCE_MAX 65536.0f
struct adit_raycast_result {
    struct adit_key key; /* of the chunk that was hit */
    int32_t voxel[3];    /* of the world; in its chunk: & 63 */
    uint16_t material;   /* 0: nothing was hit, and key, voxel and face say where the ray ends */
    uint8_t face;        /* enum adit_face of the voxel that it came in through; ADIT_FACES: it began inside */
    uint8_t zero;
    double distance;     /* from the origin to that face */
    uint64_t version;    /* of the chunk that was hit */
};

/* ---- adit.box --------------------------------------------------------------------------------------------------- */

/* The voxels in a box that are not air, or those of one material: how many, whether any, or which. Each chunk as it is at the moment it is looked at; chunks without a version are air.
 * Buffers: LIST: WRITE, else none. The order of "first" and of the list is by chunks z, y, x, and within a chunk by z, y, x. -ERANGE: it leaves the range of keys; -EBADMSG: a
 * damaged chunk lies in it. */
enum adit_box_mode { ADIT_BOX_COUNT = 1, ADIT_BOX_ANY /* ends with the first one */, ADIT_BOX_LIST };
struct adit_box_args {
    int32_t lo[3], hi[3]; /* voxels of that level, both inside; lo <= hi, at most ADIT_BOX_CHUNKS_MAX chunks */
    uint16_t material;    /* 0: all that is not air */
    uint8_t mode;         /* enum adit_box_mode */
    uint8_t lod, world;
    uint8_t zero[3];
};
#define ADIT_BOX_CHUNKS_MAX 4096u
struct adit_box_result {
    uint64_t count;  /* ANY: 0 or 1 */
    uint32_t listed; /* of them, in the buffer: as many as it has room for */
    int32_t first[3];
    uint16_t material; /* of the first; 0: there is none */
    uint16_t zero[3];
};
struct adit_box_voxel { /* in the buffer */
    int32_t at[3];
    uint16_t material, zero;
};

/* ---- adit.mip --------------------------------------------------------------------------------------------------- */

/* The levels below an image of RGBA, 8 bits a channel, rows one behind the other, each half as wide and high as the one before, rounded down, by a box filter (kernels/mip.h).
 * Buffers: READ, WRITE; of width * height * 4 bytes at least, and the levels one behind the other. -ENOSPC: the second buffer has fewer than result.bytes. */
struct adit_mip_args {
    uint32_t width, height; /* 1 to 65,536 */
    uint32_t levels;        /* 0: all, down to 1 x 1; no more than there are */
    uint32_t plain;         /* 0: colours are sRGB and are averaged as light; 1: all channels are plain numbers */
};
struct adit_mip_result {
    uint64_t bytes;
    uint32_t levels, zero;
};

/* ---- adit.atlas ------------------------------------------------------------------------------------------------- */

/* Packs images of RGBA, 8 bits a channel, into one, the tallest first, by a skyline (kernels/skyline.h). Buffers: READ: images * struct adit_atlas_image, and wherever these say their
 * texels, rows one behind the other; WRITE: the atlas, width * height texels, zeroes where no image is; WRITE: images * struct adit_atlas_place. Around each image its outermost
 * texels are repeated `margin` times, so that filters do not fetch from its neighbour. -ENOSPC: they do not fit. */
struct adit_atlas_args {
    uint32_t images;        /* 1 to ADIT_ATLAS_IMAGES_MAX */
    uint32_t width, height; /* of the atlas, 1 to 16,384 */
    uint32_t margin;        /* 0 to 64 */
};
#define ADIT_ATLAS_IMAGES_MAX 4096u
struct adit_atlas_image {
    uint32_t width, height; /* 1 to 16,384 */
    uint64_t at;            /* byte of the buffer where its texels begin, a multiple of 4 */
};
struct adit_atlas_place {
    uint32_t x, y; /* of the image, its margin not counted */
    uint32_t width, height;
};
struct adit_atlas_result {
    uint32_t height; /* rows in use, margins counted */
    uint32_t placed; /* images: with -ENOSPC less than all */
    uint64_t texels; /* of the images themselves */
};

#ifdef __cplusplus
}
#endif

#endif
