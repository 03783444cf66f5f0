/* What a question costs through the C ABI: nanoseconds for one, and for each of 64 owners asked at once. */
#define _POSIX_C_SOURCE 200809L

#include <chatblock.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { OWNERS = 64, QUESTIONS = 6400, ROUNDS = 2000 };

static chatblock_client *client;
static char names[OWNERS][16];
static const char *owners[OWNERS];

static double nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int one_by_one(void)
{
    int blocked = 0;
    for (int i = 0; i < QUESTIONS; i++)
        blocked += chatblock_client_is_blocked(client, owners[i % OWNERS], "speaker");
    return blocked;
}

static int many_at_once(void)
{
    int8_t answers[OWNERS];
    int blocked = 0;
    for (int i = 0; i < QUESTIONS / OWNERS; i++)
        blocked += chatblock_client_is_blocked_many(client, owners, OWNERS, "speaker", answers);
    return blocked;
}

/* The best of many short rounds: others who use the machine only ever make it slower. */
static void measure(const char *name, int (*ask)(void))
{
    double best = 1e18;
    for (int round = 0; round < ROUNDS; round++) {
        double began = nanoseconds();
        int blocked = ask();
        double took = nanoseconds() - began;
        if (blocked != QUESTIONS / 2) {
            fprintf(stderr, "%s: %d of %d are blocked\n", name, blocked, QUESTIONS);
            exit(1);
        }
        if (took < best)
            best = took;
    }
    printf("%s %.1f\n", name, best / QUESTIONS);
}

int main(void)
{
    const char *const speaker[] = {"speaker"};
    client = chatblock_client_open("{}", NULL);
    for (int i = 0; i < OWNERS; i++) {
        snprintf(names[i], sizeof names[i], "player%04d", i);
        owners[i] = names[i];
        if (i % 2 == 0)
            chatblock_result_free(chatblock_blocklist_add(client, owners[i], speaker, 1));
    }
    measure("one", one_by_one);
    measure("many", many_at_once);
    return chatblock_client_close(client, 1000) < 0;
}
