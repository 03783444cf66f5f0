/* What the programs of this directory share beside the checks. */
#ifndef HOST_H
#define HOST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <dirent.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#define TEST_KEY "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static chatblock_client *open_client(const char *config_json)
{
    chatblock_result *error = NULL;
    chatblock_client *client = chatblock_client_open(config_json, &error);
    if (client == NULL) {
        printf("cannot open %s: %s\n", config_json, chatblock_result_message(error));
        exit(2);
    }
    return client;
}

/* Frees `result` and gives its status. */
static inline chatblock_status take(chatblock_result *result)
{
    chatblock_status status = chatblock_result_status(result);
    chatblock_result_free(result);
    return status;
}

static inline void sleep_ms(long milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static inline double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* How many entries a directory has: open descriptors of /proc/self/fd, threads of /proc/self/task. */
static inline int entries(const char *path)
{
    int count = 0;
    DIR *directory = opendir(path);
    if (directory == NULL)
        return -1;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static inline int open_files(void)
{
    return entries("/proc/self/fd") - 1; /* the directory itself */
}

/* Threads of this process, once those that are about to end have ended: waits until there are no
 * more than `expected`, at most ten seconds. */
static inline int threads_left(int expected)
{
    int count = entries("/proc/self/task");
    for (int round = 0; round < 1000 && count > expected; round++) {
        sleep_ms(10);
        count = entries("/proc/self/task");
    }
    return count;
}

#endif
