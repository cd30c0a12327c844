/* Which twin of a loop runs fastest here. */

#include "common.h"

static int most = 2;

/* Use no better twin than this from now on, for tests; returns which one that is. */
EXPORT int bof_limit_processor(int twin)
{
    most = twin;
    return processor();
}

static int best(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512vpopcntdq") && __builtin_cpu_supports("avx512vnni")
        && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512dq"))
        return 2;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt"))
        return 1;
#endif
    return 0;
}

int processor(void)
{
    const int twin = best();
    return twin < most ? twin : most;
}
