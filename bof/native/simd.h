/* The vector instructions of this processor's kind. */

#ifndef BOF_SIMD_H
#define BOF_SIMD_H

#include "common.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#endif
