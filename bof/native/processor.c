/* Which variant of a loop runs fastest here. */

#include "common.h"

#if defined(__x86_64__)
#include <cpuid.h>

#define BIT(word, n) ((word) >> (n) & 1u)

/* The parts of the processor's state that the system saves: 1 and 2 for AVX, 5 to 7 for AVX-512 besides. */
static unsigned saved_state(void)
{
    unsigned low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

/* Asked of the processor itself: the compilers' own functions for this do not work with every run-time library. */
static int best(void)
{
    unsigned a, b, c, d, features;
    if (!__get_cpuid(1, &a, &b, &features, &d) || !BIT(features, 27) || !BIT(features, 23))
        return 0;
    const unsigned saved = saved_state();
    if ((saved & 0x6) != 0x6 || !__get_cpuid_count(7, 0, &a, &b, &c, &d) || !BIT(b, 5))
        return 0;
    const unsigned avx512 = BIT(b, 16) & BIT(b, 17) & BIT(b, 30) & BIT(b, 31); /* F, DQ, BW, VL */
    return (saved & 0xE6) == 0xE6 && avx512 && BIT(c, 11) && BIT(c, 14) ? 2 : 1; /* VNNI, VPOPCNTDQ */
}
#else
static int best(void)
{
    return 0;
}
#endif

static int most = 2;

/* Use no better variant than this from now on, for tests; returns which one that is. */
EXPORT int64_t bof_limit_processor(int64_t variant)
{
    most = (int)variant;
    return processor();
}

int processor(void)
{
    static int known = -1;
    if (known < 0)
        known = best();
    return known < most ? known : most;
}
