/* Writes through the library until it ends or is killed. Every line on standard output is a promise that
 * the library made, or what it said instead; a line is one write(2), so nothing is claimed too early.
 *
 *   worker outbox CONFIG FIRST COUNT [BYTES PATIENCE]   writes FIRST, FIRST + 1, ... without waiting,
 *                                                       then ends in order
 *   worker store CONFIG FIRST COUNT [BYTES PATIENCE]    the same, each waited for
 *   worker list CONFIG OWNER...                         prints what the owners have on their lists
 *
 * Write N names the target wN; some name s0 beside, which others do too, and say so: wNs0.
 * No file grows beyond BYTES, until the library has complained PATIENCE times. What else goes on in the process
 * is in trouble.h.
 */
#define _GNU_SOURCE
#include "chatblock.h"

#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "trouble.h"

#define OWNERS 4
#define SHARED "s0"
#define END_MS 20000

static void say(const char *format, ...)
{
    char line[200];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (write(STDOUT_FILENO, line, (size_t)length) != length)
        _exit(3);
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit = {bytes, RLIM_INFINITY};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        _exit(3);
}

static long long patience = 1;

static void complain(void)
{
    if (--patience == 0)
        limit_files(RLIM_INFINITY);
    trouble_ends();
}

static void rest(void)
{
    struct timespec pause = {0, (long)(rand() % 400) * 1000};
    nanosleep(&pause, NULL);
}

struct step {
    char owner[32];
    char marker[32];
    const char *targets[2];
    size_t count;
    int is_delete;
};

/* What write `number` does: per owner, three adds and three deletes in turn, and every fourth names the
 * target that others name too. */
static void plan(struct step *step, uint64_t number)
{
    uint64_t turn = number / OWNERS;
    snprintf(step->owner, sizeof step->owner, "o%d", (int)(number % OWNERS));
    step->is_delete = turn / 3 % 2 == 1;
    step->count = turn % 4 == 0 ? 2 : 1;
    snprintf(step->marker, sizeof step->marker, "w%llu%s", (unsigned long long)number,
             step->count == 2 ? SHARED : "");
    step->targets[0] = step->marker;
    step->targets[1] = SHARED;
}

static void take_completions(const chatblock_client *client)
{
    chatblock_result *result;
    while ((result = chatblock_client_poll(client, 0)) != NULL) {
        if (chatblock_result_status(result) < 0) {
            say("ended %llu %d\n", (unsigned long long)chatblock_result_tag(result),
                chatblock_result_status(result));
            if (chatblock_result_status(result) != CHATBLOCK_ERR_CANCELLED)
                complain();
        }
        chatblock_result_free(result);
    }
}

/* Nothing is promised about a write from here on: it may be gone before anybody can say so. */
static void cancel(const chatblock_client *client, uint64_t number)
{
    say("cancelling %llu\n", (unsigned long long)number);
    if (chatblock_client_cancel(client, number) < 0)
        _exit(3);
}

/* Everything up to `number` was accepted: is it on disk? */
static void record(const chatblock_client *client, uint64_t number)
{
    chatblock_status status = chatblock_client_sync(client, END_MS);
    take_completions(client);
    if (status == CHATBLOCK_OK) {
        say("recorded %llu\n", (unsigned long long)number);
    } else {
        say("unrecorded %llu %d\n", (unsigned long long)number, status);
        complain();
    }
}

static void write_ahead(const chatblock_client *client, uint64_t first, uint64_t count)
{
    for (uint64_t number = first; number < first + count; number++) {
        struct step step;
        plan(&step, number);
        chatblock_status status =
            step.is_delete
                ? chatblock_blocklist_delete_async(client, step.owner, step.targets, step.count, number, NULL)
                : chatblock_blocklist_add_async(client, step.owner, step.targets, step.count, number, NULL);
        if (status != CHATBLOCK_OK) {
            say("refused %llu %d\n", (unsigned long long)number, status);
            complain();
        }
        make_trouble();
        if (is_trouble("cancels") && rand() % 4 == 0)
            cancel(client, number - (number > first ? (uint64_t)(rand() % 2) : 0));
        rest();
        if (number % 6 == 5 || number + 1 == first + count)
            record(client, number);
    }
    say("flushed %d\n", chatblock_client_flush(client, END_MS));
    take_completions(client);
}

/* Every fourth write takes back the one before the last. */
static void write_through(const chatblock_client *client, uint64_t first, uint64_t count)
{
    for (uint64_t number = first; number < first + count; number++) {
        char owner[32], marker[32];
        const char *target = marker;
        int is_delete = number % 4 == 3;
        snprintf(owner, sizeof owner, "o%llu", (unsigned long long)(number / 400));
        snprintf(marker, sizeof marker, "w%llu", (unsigned long long)(number - (is_delete ? 2 : 0)));
        make_trouble();
        chatblock_result *result = is_delete ? chatblock_blocklist_delete(client, owner, &target, 1)
                                             : chatblock_blocklist_add(client, owner, &target, 1);
        chatblock_status status = chatblock_result_status(result);
        if (status == CHATBLOCK_OK) {
            say("recorded %llu\n", (unsigned long long)number);
        } else {
            say("refused %llu %d\n", (unsigned long long)number, status);
            complain();
        }
        chatblock_result_free(result);
    }
}

static void list(const chatblock_client *client, const char *owner)
{
    chatblock_result *result = chatblock_blocklist_get(client, owner, 0, 1000);
    if (chatblock_result_status(result) < 0)
        say("unlisted %s %d\n", owner, chatblock_result_status(result));
    for (size_t index = 0; index < chatblock_result_item_count(result); index++)
        say("listed %s %s\n", owner, chatblock_result_item_account(result, index));
    chatblock_result_free(result);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    /* Nobody is left behind when strace is killed. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* A host under a file size limit ignores its signal; the library leaves signals to the host. */
    signal(SIGXFSZ, SIG_IGN);
    srand((unsigned)getpid());
    trouble_begin();
    int is_list = strcmp(argv[1], "list") == 0;
    if (!is_list && argc > 6) {
        limit_files((rlim_t)strtoull(argv[5], NULL, 10));
        patience = strtoll(argv[6], NULL, 10);
    }

    chatblock_result *error = NULL;
    chatblock_client *client = chatblock_client_open(argv[2], &error);
    say("opened %d\n", client ? CHATBLOCK_OK : chatblock_result_status(error));
    if (!client) {
        fprintf(stderr, "%s\n", chatblock_result_message(error));
        chatblock_result_free(error);
        return 0;
    }
    if (is_list) {
        for (int index = 3; index < argc; index++)
            list(client, argv[index]);
    } else {
        uint64_t first = strtoull(argv[3], NULL, 10), count = strtoull(argv[4], NULL, 10);
        if (strcmp(argv[1], "store") == 0)
            write_through(client, first, count);
        else
            write_ahead(client, first, count);
        trouble_ends();
    }
    say("closed %d\n", chatblock_client_close(client, END_MS));
    return 0;
}
