/* Mapped files that become shorter while they are read. The system then sends SIGBUS, which ends the process; here the
   missing pages become zeros and the loss is counted, so that the reader finishes and its result is thrown away.

   The handler only reads the table, calls mmap and sigaction, and adds to a counter: all of it is allowed in a signal
   handler. Windows has no such signal: it does not let a mapped file become shorter. */

#if defined(__linux__)
#define _GNU_SOURCE
#elif defined(__APPLE__)
#define _DARWIN_C_SOURCE
#endif

#include "common.h"

#if defined(_WIN32)

static int64_t watch(const uint8_t *mapping, int64_t *n_faults, int64_t n)
{
    (void)mapping, (void)n_faults, (void)n;
    return 0;
}

static void unwatch(int64_t slot)
{
    (void)slot;
}

#else

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* One mapping: start is 0 where the slot is free, TAKEN while it is filled in; both ends are whole pages. */
typedef struct {
    _Atomic uintptr_t start, stop;
    int64_t *n_faults;
} Range;

#define TAKEN 1

/* Linux allows a process 65,530 mappings of all kinds unless an administrator raises it. The pages of the table that
   are not used take no memory. */
#define N_RANGES (1 << 16)

static Range ranges[N_RANGES];
static _Atomic int64_t n_used; /* ranges behind the first n_used are free */
static uintptr_t page;

static struct sigaction previous; /* what handled the signal before */
static atomic_flag installing = ATOMIC_FLAG_INIT;
static int is_installed;
static int is_above_newer; /* another handler came after ours, and may pass the signal on to ours */
static _Atomic int has_passed_on;

/* Where the fault lies in watched mappings, zeros take the place of the file from there to the mapping's end: all that
   lies behind the end of a shorter file is missing too. Returns whether it does. */
static int replace_missing(uintptr_t address)
{
    const int64_t n = atomic_load(&n_used);
    int is_ours = 0;
    for (int64_t i = 0; i < n; i++) {
        const uintptr_t start = atomic_load(&ranges[i].start), stop = atomic_load(&ranges[i].stop);
        if (start <= TAKEN || address < start || address >= stop)
            continue;
        void *const from = (void *)(address & ~(page - 1));
        if (mmap(from, stop - (uintptr_t)from, PROT_READ, MAP_PRIVATE | MAP_ANON | MAP_FIXED, -1, 0) == MAP_FAILED)
            return 0;
        __atomic_fetch_add(ranges[i].n_faults, 1, __ATOMIC_SEQ_CST);
        is_ours = 1;
    }
    return is_ours;
}

/* The signal ends the process, once the handler returns. */
static void die_of(int number)
{
    struct sigaction standard;
    memset(&standard, 0, sizeof standard);
    standard.sa_handler = SIG_DFL;
    sigaction(number, &standard, NULL);
    raise(number);
}

/* A handler that came after ours may put ours back and send the signal again, as Python's faulthandler does: then the
   second time is the end. */
static void pass_on(int number, siginfo_t *info, void *context)
{
    const int was_sent = info->si_code <= 0;
    const int again = atomic_exchange(&has_passed_on, 1);
    if (previous.sa_flags & SA_SIGINFO) {
        if (is_above_newer && again)
            die_of(number);
        else
            previous.sa_sigaction(number, info, context);
    } else if (previous.sa_handler == SIG_DFL || (previous.sa_handler == SIG_IGN && !was_sent)) {
        die_of(number);
    } else if (previous.sa_handler != SIG_IGN) {
        if (is_above_newer && again)
            die_of(number);
        else
            previous.sa_handler(number);
    }
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    const int before = errno;
    if (info->si_code <= 0 || !replace_missing((uintptr_t)info->si_addr))
        pass_on(number, info, context);
    errno = before;
}

/* Puts the handler in front of whatever handles the signal now. Returns whether it could. */
static int install(void)
{
    struct sigaction ours, now;
    if (sigaction(SIGBUS, NULL, &now))
        return 0;
    if (now.sa_flags & SA_SIGINFO && now.sa_sigaction == on_fault)
        return 1;
    previous = now;
    is_above_newer = is_installed;
    page = (uintptr_t)sysconf(_SC_PAGESIZE);
    memset(&ours, 0, sizeof ours);
    ours.sa_sigaction = on_fault;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&ours.sa_mask);
    is_installed = 1;
    return !sigaction(SIGBUS, &ours, NULL);
}

/* A free place of the table, which nobody else takes; -1 where there is none. */
static int64_t take_range(void)
{
    for (int64_t i = 0; i < N_RANGES; i++) {
        uintptr_t nothing = 0;
        if (!atomic_compare_exchange_strong(&ranges[i].start, &nothing, TAKEN))
            continue;
        int64_t n = atomic_load(&n_used);
        while (n <= i && !atomic_compare_exchange_weak(&n_used, &n, i + 1))
            ;
        return i;
    }
    return -1;
}

static int64_t watch(const uint8_t *mapping, int64_t *n_faults, int64_t n)
{
    while (atomic_flag_test_and_set(&installing))
        ;
    const int can_watch = install();
    atomic_flag_clear(&installing);
    const int64_t slot = can_watch ? take_range() : -1;
    if (slot < 0)
        return NO_MEMORY;
    ranges[slot].n_faults = n_faults;
    atomic_store(&ranges[slot].stop, ((uintptr_t)mapping + (uintptr_t)n + page - 1) & ~(page - 1));
    atomic_store(&ranges[slot].start, (uintptr_t)mapping & ~(page - 1));
    return slot;
}

static void unwatch(int64_t slot)
{
    atomic_store(&ranges[slot].stop, 0);
    atomic_store(&ranges[slot].start, 0);
}

#endif

/* Watches the n bytes of a mapped file from now on. *n_faults grows when a part of it turns out to be missing. Returns
   the number to unwatch it by. */
EXPORT int64_t bof_watch_mapping(const uint8_t *mapping, int64_t *n_faults, int64_t n)
{
    return watch(mapping, n_faults, n);
}

/* Forgets a mapping, before it is taken away. */
EXPORT int64_t bof_unwatch_mapping(int64_t slot)
{
    unwatch(slot);
    return 0;
}
