/* SPDX-License-Identifier: MIT */
#ifndef FAULT_PRELOAD_H
#define FAULT_PRELOAD_H

/* For what is preloaded in the place of a function: the function itself. */

#include <dlfcn.h>

/* ISO C knows no way from an object to a function but through memory. */
#define REAL(name) (*(__typeof__(name) **)&(void *){ dlsym(RTLD_NEXT, #name) })

#endif
