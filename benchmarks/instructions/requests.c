/* What a process asks of the callgrind that runs it; run without, it asks nobody. */
#include <valgrind/callgrind.h>

void start(void)
{
    CALLGRIND_ZERO_STATS;
    CALLGRIND_START_INSTRUMENTATION;
}

void stop(const char *name)
{
    CALLGRIND_STOP_INSTRUMENTATION;
    CALLGRIND_DUMP_STATS_AT(name);
}
