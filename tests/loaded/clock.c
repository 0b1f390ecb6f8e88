/* Preloaded, it puts the wall clock of a program CLOCK_OFFSET seconds ahead; how long things take stays true. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

typedef int told_by(clockid_t, struct timespec *);

static long offset(void)
{
    const char *given = getenv("CLOCK_OFFSET");
    return given ? atol(given) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static told_by *real;
    if (!real)
        real = (told_by *)dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += offset();
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec told;
    (void)zone;
    int failed = clock_gettime(CLOCK_REALTIME, &told);
    if (!failed) {
        now->tv_sec = told.tv_sec;
        now->tv_usec = told.tv_nsec / 1000;
    }
    return failed;
}

time_t time(time_t *now)
{
    struct timespec told;
    if (clock_gettime(CLOCK_REALTIME, &told))
        return -1;
    if (now)
        *now = told.tv_sec;
    return told.tv_sec;
}
