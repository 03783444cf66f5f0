/* P14: from nothing to the first answer, as a game server's start sees it. Argument: the shared library. */

#include <chatblock.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now_ms(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void *library;

static void *symbol(const char *name) {
    void *found = dlsym(library, name);
    if (!found) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    return found;
}

int main(int count, char **arguments) {
    const double wall = now_ms(CLOCK_MONOTONIC), cpu = now_ms(CLOCK_PROCESS_CPUTIME_ID);
    library = count == 2 ? dlopen(arguments[1], RTLD_NOW) : NULL;
    if (!library) {
        fprintf(stderr, "%s\n", count == 2 ? dlerror() : "usage: LIBRARY");
        return 1;
    }
    chatblock_client *(*open)(const char *, chatblock_result **) = symbol("chatblock_client_open");
    chatblock_result *(*check)(const chatblock_client *, const char *, const char *const *, size_t, int32_t) =
        symbol("chatblock_blocklist_check");
    int32_t (*relation)(const chatblock_result *, size_t) = symbol("chatblock_result_item_relation");

    const char *bob = "bob";
    const chatblock_client *client = open("{}", NULL);
    const chatblock_result *answer = check(client, "ann", &bob, 1, CHATBLOCK_CHECK_SINGLE);
    if (relation(answer, 0) != CHATBLOCK_RELATION_NO) {
        fprintf(stderr, "the first check has no answer\n");
        return 1;
    }
    printf("{\"wall_ms\": %.4f, \"cpu_ms\": %.4f}\n", now_ms(CLOCK_MONOTONIC) - wall,
           now_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    return 0;
}
