// The floor of a round trip between two processes: eight bytes over a pipe to a forked child, and back over another.
//
//   pipe_echo roundtrip [COUNT] [spin]
//
// Without `spin` both sides sleep in read(2); with it the pipes do not block and both sides read until something is there.
// Prints one line of JSON.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WARM_UP = 2000, LIMIT_SECONDS = 60 };

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

// A pipe takes eight bytes as a whole or, when it does not block and nothing is there, says EAGAIN.
static bool receive(int pipe, uint64_t *value)
{
    for (;;) {
        ssize_t length = read(pipe, value, sizeof *value);
        if (length == (ssize_t)sizeof *value) {
            return true;
        }
        if (length == 0) {
            return false;
        }
        if (errno != EAGAIN && errno != EINTR) {
            fail("read");
        }
    }
}

static void send(int pipe, uint64_t value)
{
    if (write(pipe, &value, sizeof value) != (ssize_t)sizeof value) {
        fail("write");
    }
}

static void exchange(int to, int from, uint64_t value)
{
    uint64_t answer = ~value;
    send(to, value);
    if (!receive(from, &answer) || answer != value) {
        fputs("the echo differs\n", stderr);
        exit(1);
    }
}

static int compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static double microseconds(const int64_t *sorted_times, long count, long percent)
{
    return (double)sorted_times[(count - 1) * percent / 100] / 1e3;
}

int main(int count_arguments, char **arguments)
{
    long count = 2000;
    bool spin = false;
    if (count_arguments < 2 || strcmp(arguments[1], "roundtrip") != 0) {
        fprintf(stderr, "usage: %s roundtrip [COUNT] [spin]\n", arguments[0]);
        return 2;
    }
    for (int i = 2; i < count_arguments; i++) {
        if (strcmp(arguments[i], "spin") == 0) {
            spin = true;
        } else if ((count = atol(arguments[i])) < 1) {
            fprintf(stderr, "no count: %s\n", arguments[i]);
            return 2;
        }
    }

    int flags = spin ? O_NONBLOCK : 0;
    int to[2], from[2];
    if (pipe2(to, flags) != 0 || pipe2(from, flags) != 0) {
        fail("pipe2");
    }

    alarm(LIMIT_SECONDS);
    pid_t child = fork();
    if (child < 0) {
        fail("fork");
    }
    if (child == 0) {
        // The child ends when the parent's end of its pipe closes.
        close(to[1]);
        close(from[0]);
        uint64_t value;
        while (receive(to[0], &value)) {
            send(from[1], value);
        }
        _exit(0);
    }

    close(to[0]);
    close(from[1]);
    int64_t *times = malloc((size_t)count * sizeof *times);
    if (times == NULL) {
        fail("malloc");
    }
    for (int i = 0; i < WARM_UP; i++) {
        exchange(to[1], from[0], (uint64_t)i);
    }
    for (long i = 0; i < count; i++) {
        int64_t start = now();
        exchange(to[1], from[0], (uint64_t)i);
        times[i] = now() - start;
    }
    close(to[1]);
    waitpid(child, NULL, 0);

    qsort(times, (size_t)count, sizeof *times, compare);
    printf("{\"case\": \"roundtrip\", \"version\": \"C pipes, %s\", \"p50_us\": %.2f, \"p99_us\": %.2f}\n",
           spin ? "spinning" : "blocking", microseconds(times, count, 50), microseconds(times, count, 99));
    free(times);
    return 0;
}
