// pull_patches.vert - draws meshes of 8-byte quads whose materials are patches of an atlas (kernels/patch.h), with six vertices a quad.
#version 450
#extension GL_GOOGLE_include_directive : require
#define PULL_QUAD adit_quad_at
#define PULL_INDEXED 0
#define PULL_PATCHES 1
#include "pull_mesh.glsl"
