/* What a forked child has of its parent's client: nothing, and the parent keeps all.
 *
 *   forked descriptors CONFIG   a child of a busy client has no descriptor that the client opened, and the client goes on
 *   forked daemon CONFIG        the client is opened, the program becomes a daemon, and opens it again
 *   forked survivor CONFIG      the client is opened, a child is left behind that lives until its input ends, and the program
 *                               ends without closing
 */
#define _GNU_SOURCE
#include "chatblock.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 1024, FORKS = 50, SECONDS = 60 };

static chatblock_client *open_client(const char *config)
{
    chatblock_result *error = NULL;
    chatblock_client *client = chatblock_client_open(config, &error);
    if (!client)
        printf("%s\n", chatblock_result_message(error));
    fflush(stdout);
    chatblock_result_free(error);
    return client;
}

static int add(const chatblock_client *client, const char *target, uint64_t tag)
{
    if (chatblock_blocklist_add_async(client, "ann", &target, 1, tag, NULL) != CHATBLOCK_OK)
        return -1;
    chatblock_status status = chatblock_client_sync(client, 20000);
    return status == CHATBLOCK_ERR_UNSUPPORTED ? chatblock_client_flush(client, 20000) : status;
}

/* Marks the descriptors that are open. */
static void look(char *is_open)
{
    memset(is_open, 0, MOST);
    DIR *all = opendir("/proc/self/fd");
    for (struct dirent *entry; (entry = readdir(all)) != NULL;) {
        int number = atoi(entry->d_name);
        if (entry->d_name[0] != '.' && number != dirfd(all) && number < MOST)
            is_open[number] = 1;
    }
    closedir(all);
}

static void name(int number)
{
    char link[64], target[256];
    snprintf(link, sizeof link, "/proc/self/fd/%d", number);
    ssize_t length = readlink(link, target, sizeof target - 1);
    target[length < 0 ? 0 : length] = 0;
    /* SQLite's own descriptors have no locks in a child, and random numbers come from a device. */
    if (strstr(target, ".db") || strstr(target, "random"))
        return;
    printf("the child has %d, %s\n", number, target);
    fflush(stdout);
    _exit(1);
}

static int descriptors(const char *config)
{
    static char before[MOST], after[MOST];
    look(before);
    chatblock_client *client = open_client(config);
    if (!client || chatblock_client_event_fd(client) < 0)
        return 1;
    for (uint64_t round = 0; round < FORKS; round++) {
        if (add(client, "bob", round) < 0)
            return 2;
        pid_t child = fork();
        if (child == 0) {
            look(after);
            for (int number = 0; number < MOST; number++)
                if (after[number] && !before[number])
                    name(number);
            _exit(chatblock_client_close(client, -1) != CHATBLOCK_OK);
        }
        int status;
        if (waitpid(child, &status, 0) != child || status != 0)
            return 3;
    }
    /* The parent's event still works. */
    struct pollfd event = {chatblock_client_event_fd(client), POLLIN, 0};
    if (chatblock_client_wakeup(client) < 0 || poll(&event, 1, 20000) != 1)
        return 4;
    return chatblock_client_close(client, 20000) < 0 ? 5 : 0;
}

static int become_daemon(const char *config)
{
    chatblock_client *client = open_client(config);
    if (!client || add(client, "a1", 1) < 0)
        return 1;
    fflush(stdout);
    if (daemon(1, 1) != 0)
        return 2;
    alarm(SECONDS);
    chatblock_client_close(client, 0);
    client = open_client(config);
    if (!client || add(client, "a2", 2) < 0)
        return 3;
    printf("opened again\n");
    return chatblock_client_close(client, 20000) < 0 ? 4 : 0;
}

static int leave_a_child(const char *config)
{
    chatblock_client *client = open_client(config);
    if (!client || add(client, "a1", 1) < 0)
        return 1;
    if (fork() == 0) {
        char byte;
        alarm(SECONDS);
        while (read(STDIN_FILENO, &byte, 1) > 0)
            ;
        _exit(0);
    }
    printf("left\n");
    fflush(stdout);
    _exit(0);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 64;
    /* What hangs ends. */
    alarm(SECONDS);
    if (strcmp(argv[1], "daemon") == 0)
        return become_daemon(argv[2]);
    if (strcmp(argv[1], "survivor") == 0)
        return leave_a_child(argv[2]);
    return descriptors(argv[2]);
}
