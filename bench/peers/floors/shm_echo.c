// The floor of a byte array's echo between two processes that keep their own copies: through shared memory, four copies.
//
//   shm_echo bytes [COUNT] [spin|futex]
//
// The parent copies its array in, the child copies it out into an array of its own and in again, the parent copies it out.
// They hand over through a counter in the shared memory: `spin` (the default) watches it and, after a while without a
// change, lets others run; `futex` sleeps on it. COUNT echoes of 1 MiB, a tenth as many (at least three) of 64 MiB; medians,
// both ways counted. Prints one line of JSON.

#define _GNU_SOURCE
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LIMIT_SECONDS = 60, WARM_UP = 3, SPINS = 20000 };

static const size_t MIB = 1024 * 1024;

// `turn` is odd while the child has the data and even while the parent has it.
struct handover {
    _Atomic uint32_t turn;
};

static bool sleeping;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static void give(struct handover *shared, uint32_t turn)
{
    atomic_store_explicit(&shared->turn, turn, memory_order_release);
    if (sleeping) {
        syscall(SYS_futex, &shared->turn, FUTEX_WAKE, 1, NULL, NULL, 0);
    }
}

static void await(struct handover *shared, uint32_t turn)
{
    uint32_t seen;
    for (long spins = 1; (seen = atomic_load_explicit(&shared->turn, memory_order_acquire)) != turn; spins++) {
        if (sleeping) {
            syscall(SYS_futex, &shared->turn, FUTEX_WAIT, seen, NULL, NULL, 0);
        } else if (spins % SPINS == 0) {
            sched_yield();
        }
    }
}

static void *map(size_t size, int flags)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) {
        fail("mmap");
    }
    return memory;
}

static int compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static void serve(struct handover *shared, char *area, size_t size, long echoes)
{
    char *own = map(size, MAP_PRIVATE);
    for (uint32_t turn = 1; echoes-- > 0; turn += 2) {
        await(shared, turn);
        memcpy(own, area, size);
        memcpy(area, own, size);
        give(shared, turn + 1);
    }
}

static double measure(size_t mib, long count)
{
    size_t size = mib * MIB;
    struct handover *shared = map(sizeof *shared, MAP_SHARED);
    char *area = map(size, MAP_SHARED);
    pid_t child = fork();
    if (child < 0) {
        fail("fork");
    }
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve(shared, area, size, WARM_UP + count);
        _exit(0);
    }

    char *data = map(size, MAP_PRIVATE), *result = map(size, MAP_PRIVATE);
    for (size_t i = 0; i < size; i++) {
        data[i] = (char)(i * 31 + i / 4096);
    }
    int64_t *times = malloc((size_t)count * sizeof *times);
    if (times == NULL) {
        fail("malloc");
    }
    uint32_t turn = 1;
    for (long i = -WARM_UP; i < count; i++, turn += 2) {
        int64_t start = now();
        memcpy(area, data, size);
        give(shared, turn);
        await(shared, turn + 1);
        memcpy(result, area, size);
        int64_t time = now() - start;
        if (i >= 0) {
            times[i] = time;
        }
        if (i < 0 && memcmp(data, result, size) != 0) {
            fputs("the echo differs\n", stderr);
            exit(1);
        }
    }
    waitpid(child, NULL, 0);
    qsort(times, (size_t)count, sizeof *times, compare);
    double rate = 2.0 * (double)mib / ((double)times[count / 2] / 1e9);
    free(times);
    munmap(data, size);
    munmap(result, size);
    munmap(area, size);
    munmap(shared, sizeof *shared);
    return rate;
}

int main(int count_arguments, char **arguments)
{
    long count = 200;
    if (count_arguments < 2 || strcmp(arguments[1], "bytes") != 0) {
        fprintf(stderr, "usage: %s bytes [COUNT] [spin|futex]\n", arguments[0]);
        return 2;
    }
    for (int i = 2; i < count_arguments; i++) {
        if (strcmp(arguments[i], "futex") == 0) {
            sleeping = true;
        } else if (strcmp(arguments[i], "spin") != 0 && (count = atol(arguments[i])) < 1) {
            fprintf(stderr, "no count: %s\n", arguments[i]);
            return 2;
        }
    }

    alarm(LIMIT_SECONDS);
    double one = measure(1, count);
    double many = measure(64, count / 10 > 3 ? count / 10 : 3);
    printf("{\"case\": \"bytes\", \"version\": \"C shared memory, %s\", \"mib_1\": %.0f, \"mib_64\": %.0f}\n",
           sleeping ? "futex" : "spinning", one, many);
    return 0;
}
