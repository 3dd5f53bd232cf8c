// Stands in for pthreadpool's own header, which xnnpack.h includes and Debian's libxnnpack-dev neither
// carries nor depends on. Used only where the real one is absent.
#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pthreadpool* pthreadpool_t;

pthreadpool_t pthreadpool_create(size_t threads_count);
void pthreadpool_destroy(pthreadpool_t threadpool);

#ifdef __cplusplus
}
#endif
