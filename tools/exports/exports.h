/* exports.h - the front header of tools/exports: a scene as a file (export.h) and as a picture (picture.h); pixels as PNG (png_file.h). */
#ifndef ADIT_EXPORTS_H
#define ADIT_EXPORTS_H

#include "tools/exports/export.h"
#include "tools/exports/picture.h"
#include "tools/exports/png_file.h"
#include "tools/exports/scene.h"

#endif
