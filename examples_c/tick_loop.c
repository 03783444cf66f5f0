/*
 * A game loop that never waits for the service: players block each other with a key, the loop submits
 * that, and a later tick takes the completion.
 *
 *   tick_loop '{}'      the configuration, as for quickstart
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <time.h>

#include "chatblock.h"

enum { TICKS = 6, TICK_NANOSECONDS = 1000000000 / 30 };

/* Input of the players: the tick, and who blocked whom in it. */
static const struct input {
    int tick;
    const char *player, *unwanted;
} INPUTS[] = {
    {0, "ann", "bob"}, {1, "ann", "cat"}, {1, "dan", "ann"}, {3, "ann", "ann"}, {4, "ann", "eve"},
};
enum { INPUT_COUNT = sizeof INPUTS / sizeof *INPUTS };

/* One line for each input, printed at the end: which tick an answer arrives in depends on the service. */
static char became[INPUT_COUNT][80];

/* Submits the input of this tick. The tag identifies the input of a completion. */
static void read_input(const chatblock_client *client, int tick)
{
    for (uint64_t i = 0; i < INPUT_COUNT; i++) {
        if (INPUTS[i].tick != tick)
            continue;
        chatblock_result *error = NULL;
        chatblock_blocklist_add_async(client, INPUTS[i].player, &INPUTS[i].unwanted, 1, i, &error);
        /* Nothing was accepted, and no completion will come: with BUSY the player tries again. */
        if (error != NULL)
            snprintf(became[i], sizeof became[i], "%s", chatblock_result_message(error));
        chatblock_result_free(error);
    }
}

/* Takes the completions that are ready, without waiting. Returns how many. */
static int take_completions(const chatblock_client *client)
{
    int count = 0;
    for (chatblock_result *r; (r = chatblock_client_poll(client, 0)) != NULL; count++) {
        uint64_t i = chatblock_result_tag(r);
        snprintf(became[i], sizeof became[i], "%s (%d)",
                 chatblock_status_name(chatblock_result_status(r)),
                 (int)chatblock_result_service_code(r));
        chatblock_result_free(r);
    }
    return count;
}

/* Sleeps until the next tick begins. */
static void end_tick(struct timespec *next)
{
    next->tv_nsec += TICK_NANOSECONDS;
    if (next->tv_nsec >= 1000000000) {
        next->tv_nsec -= 1000000000;
        next->tv_sec++;
    }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, next, NULL);
}

int main(int argc, char **argv)
{
    int done = 0;
    struct timespec next;
    chatblock_result *error = NULL;
    chatblock_client *client = chatblock_client_open(argc > 1 ? argv[1] : "{}", &error);
    if (client == NULL) {
        fprintf(stderr, "cannot open: %s\n", chatblock_result_message(error));
        chatblock_result_free(error);
        return 1;
    }
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (int tick = 0; tick < TICKS; tick++) {
        read_input(client, tick);
        done += take_completions(client);
        /* Physics, messages and the rest of the game are here. */
        end_tick(&next);
    }
    /* What is not done would be dropped by close: let it finish, at most two seconds. */
    if (chatblock_client_flush(client, 2000) < 0)
        fprintf(stderr, "some answers did not come in time\n");
    done += take_completions(client);
    for (int i = 0; i < INPUT_COUNT; i++)
        printf("tick %d: %s blocks %s: %s\n", INPUTS[i].tick, INPUTS[i].player, INPUTS[i].unwanted,
               became[i]);
    printf("%d of %d blocks were answered\n", done, INPUT_COUNT);
    return chatblock_client_close(client, 2000) < 0;
}
