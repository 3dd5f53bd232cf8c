#pragma once

namespace depthwise {

// Whether this CPU has the instructions and its operating system saves their registers.
bool cpu_has_avx2();    // AVX2 and FMA
bool cpu_has_avx512();  // AVX-512 F, BW, DQ and VL

}  // namespace depthwise
