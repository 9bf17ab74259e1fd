// The floor of a copy: memcpy of 1 MiB and of 64 MiB between two arrays whose pages are there, MiB/s of one copy.
//
//   memcpy bytes [COUNT]
//
// COUNT copies of 1 MiB, a tenth as many (at least three) of 64 MiB; medians. Prints one line of JSON.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const size_t MIB = 1024 * 1024;

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static int compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static double measure(size_t mib, long count)
{
    size_t size = mib * MIB;
    char *from = malloc(size), *to = malloc(size);
    int64_t *times = malloc((size_t)count * sizeof *times);
    if (from == NULL || to == NULL || times == NULL) {
        perror("malloc");
        exit(1);
    }
    memset(from, 1, size);
    memset(to, 2, size);
    for (long i = 0; i < count; i++) {
        int64_t start = now();
        memcpy(to, from, size);
        __asm__ volatile("" : : "r"(to) : "memory"); // the copy is not to be left out
        times[i] = now() - start;
    }
    qsort(times, (size_t)count, sizeof *times, compare);
    double rate = (double)mib / ((double)times[count / 2] / 1e9);
    free(from);
    free(to);
    free(times);
    return rate;
}

int main(int count_arguments, char **arguments)
{
    long count = count_arguments > 2 ? atol(arguments[2]) : 200;
    if (count_arguments < 2 || count_arguments > 3 || count < 1 || strcmp(arguments[1], "bytes") != 0) {
        fprintf(stderr, "usage: %s bytes [COUNT]\n", arguments[0]);
        return 2;
    }

    double one = measure(1, count);
    double many = measure(64, count / 10 > 3 ? count / 10 : 3);
    printf("{\"case\": \"bytes\", \"version\": \"C memcpy\", \"mib_1\": %.0f, \"mib_64\": %.0f}\n", one, many);
    return 0;
}
