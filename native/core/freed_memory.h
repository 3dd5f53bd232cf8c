#pragma once

namespace depthwise {

// Lets the process keep what it frees, up to 64 MiB, for the next outputs. glibc's malloc gives what is freed at the
// end of its heap back to the system beyond some limit, and the next output comes with new pages, whose first writes
// cost several times the convolution. It raises that limit to twice the size of any larger block that it frees, up to
// one of 32 MiB; this frees such a block, never written, the first time that it is called. A program that has set the
// limit itself, by mallopt or GLIBC_TUNABLES, keeps what it set. Does nothing where malloc isn't glibc's.
void keep_freed_memory();

}  // namespace depthwise
