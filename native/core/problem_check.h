#pragma once

#include "problem.h"

namespace depthwise {

// Null where the problem keeps the invariants of problem.h, else what is wrong with it. Kernels rely on
// this alone: whatever a caller hands over, an accepted problem makes no index overflow or leave its array.
const char* check(const Problem& problem);

// Sizes of the arrays that a checked problem works on.
int64_t input_floats(const Problem& problem);
int64_t output_floats(const Problem& problem);
int64_t filter_floats(const Problem& problem);

// Multiplications and additions of the taps that don't fall on padding, and the bytes of input, filter
// and output, each counted once.
double flops(const Problem& problem);
double bytes(const Problem& problem);

}  // namespace depthwise
