/* kernels.h - the front header of kernels/, pure functions over voxels: other folders include this one. */
#ifndef ADIT_KERNELS_H
#define ADIT_KERNELS_H

#include "kernels/compact.h"
#include "kernels/exact.h"
#include "kernels/generate.h"
#include "kernels/lod.h"
#include "kernels/mesh.h"
#include "kernels/meshlet.h"
#include "kernels/mip.h"
#include "kernels/patch.h"
#include "kernels/processor.h"
#include "kernels/quad.h"
#include "kernels/raycast.h"
#include "kernels/remesh.h"
#include "kernels/skyline.h"
#include "kernels/voxels.h"

#endif
