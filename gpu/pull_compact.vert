// pull_compact.vert - draws meshes in the compact form, with four vertices a quad and one index buffer for all.
#version 450
#extension GL_GOOGLE_include_directive : require
#define PULL_QUAD adit_compact_at
#define PULL_INDEXED 1
#define PULL_PATCHES 0
#include "pull_mesh.glsl"
