/*
 * A server around epoll: the client is one more descriptor beside the others. Here the other one is a pipe
 * on which players type one letter for the player they block; a real server has its sockets there.
 *
 *   epoll_loop '{}'     the configuration, as for quickstart
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "chatblock.h"

static int watch(int epoll, int descriptor)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = descriptor}};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}

/* Submits what was typed; the letter is the tag. Returns how many were accepted, or -1 at the end. */
static int read_input(const chatblock_client *client, int input)
{
    char letters[16];
    int accepted = 0;
    ssize_t count = read(input, letters, sizeof letters);
    for (ssize_t i = 0; i < count; i++) {
        char name[] = {'p', letters[i], '\0'};
        const char *unwanted[] = {name};
        chatblock_result *error = NULL;
        chatblock_blocklist_add_async(client, "ann", unwanted, 1, (unsigned char)letters[i], &error);
        if (error != NULL)
            printf("ann blocks %s: %s\n", name, chatblock_result_message(error));
        accepted += error == NULL;
        chatblock_result_free(error);
    }
    return count > 0 ? accepted : -1;
}

/* The descriptor is readable until this has taken every completion. Returns how many. */
static int take_completions(const chatblock_client *client)
{
    int count = 0;
    for (chatblock_result *r; (r = chatblock_client_poll(client, 0)) != NULL; count++) {
        printf("%s blocks p%c: %s\n", chatblock_result_from_account(r), (char)chatblock_result_tag(r),
               chatblock_status_name(chatblock_result_status(r)));
        chatblock_result_free(r);
    }
    return count;
}

/* Runs until the players have left and every call is answered. Returns how many were answered, or -1. */
static int serve(const chatblock_client *client, int epoll, int input, int blocklist)
{
    int is_open = 1, accepted = 0, answered = 0;
    while (is_open || answered < accepted) {
        struct epoll_event events[2];
        int count = epoll_wait(epoll, events, 2, 10000);
        if (count <= 0)
            return -1;
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == blocklist) {
                answered += take_completions(client);
                continue;
            }
            int more = read_input(client, input);
            accepted += more > 0 ? more : 0;
            if (more < 0) {
                is_open = 0;
                epoll_ctl(epoll, EPOLL_CTL_DEL, input, NULL);
            }
        }
    }
    return answered;
}

int main(int argc, char **argv)
{
    int typed[2], epoll = epoll_create1(EPOLL_CLOEXEC), answered = -1;
    chatblock_result *error = NULL;
    chatblock_client *client = chatblock_client_open(argc > 1 ? argv[1] : "{}", &error);
    if (client == NULL) {
        fprintf(stderr, "cannot open: %s\n", chatblock_result_message(error));
        chatblock_result_free(error);
        return 1;
    }
    /* Not to be read or closed: it belongs to the client. */
    int blocklist = chatblock_client_event_fd(client);
    if (blocklist >= 0 && pipe(typed) == 0) {
        /* The players of this example have typed already, and have left. */
        if (write(typed[1], "bcbd", 4) == 4 && close(typed[1]) == 0 && watch(epoll, typed[0]) == 0 &&
            watch(epoll, blocklist) == 0)
            answered = serve(client, epoll, typed[0], blocklist);
        close(typed[0]);
    }
    printf("%d blocks were answered\n", answered);
    /* Every call is answered; a program that does not know this calls flush before close. */
    chatblock_status flushed = chatblock_client_flush(client, 2000);
    chatblock_status closed = chatblock_client_close(client, 2000);
    close(epoll);
    return answered != 4 || flushed < 0 || closed < 0;
}
