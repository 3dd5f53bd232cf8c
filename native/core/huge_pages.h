#pragma once

#include <cstdint>

namespace depthwise {

// Asks the system to back memory that is about to be written for the first time with pages of 2 MiB, where it is large
// enough to hold some: the first write to each page of 4 KiB costs 0.1 to 20 us, several times the convolution's share.
void prefer_huge_pages(void* memory, int64_t bytes);

}  // namespace depthwise
