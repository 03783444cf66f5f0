/* A client in a process of its own, driven over loopback.
 *
 *   worker CONFIG CONNECTIONS
 *
 * says "listening PORT", takes so many connections, serves each in a thread of its own until it ends, then
 * closes the client. A line is a command, and one line answers it:
 *
 *   watch OWNER...         the status
 *   add OWNER PEER...      the status
 *   delete OWNER PEER...   the status
 *   ask OWNER PEER...      what is_blocked says of each peer
 *   apply QUERY BODY       the status of the webhook
 *   stats                  the JSON object
 */
#define _GNU_SOURCE
#include "chatblock.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_WORDS = 1100, MAX_CONNECTIONS = 64, CLOSE_MS = 5000 };

struct connection {
    pthread_t thread;
    const chatblock_client *client;
    int socket;
};

static void fail(const char *what)
{
    perror(what);
    exit(3);
}

/* Frees `result` and gives its status; what failed is told to people. */
static chatblock_status take(chatblock_result *result)
{
    chatblock_status status = chatblock_result_status(result);
    if (status < 0 && status != CHATBLOCK_ERR_SIGNATURE)
        fprintf(stderr, "worker: %s\n", chatblock_result_message(result));
    chatblock_result_free(result);
    return status;
}

/* Cuts `text` at its spaces. */
static size_t split(char *text, const char **words)
{
    size_t count = 0;
    char *rest = NULL;
    for (char *word = strtok_r(text, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        if (count == MAX_WORDS)
            exit(3);
        words[count++] = word;
    }
    return count;
}

static void ask(const chatblock_client *client, const char **words, size_t count, FILE *out)
{
    for (size_t i = 1; i < count; i++)
        fprintf(out, "%s%d", i > 1 ? " " : "", chatblock_client_is_blocked(client, words[0], words[i]));
}

static chatblock_status apply(const chatblock_client *client, char *query)
{
    char *body = query + strcspn(query, " ");
    if (*body != '\0')
        *body++ = '\0';
    return take(chatblock_client_apply_webhook(client, query, body, strlen(body)));
}

static void print_stats(const chatblock_client *client, FILE *out)
{
    chatblock_result *result = chatblock_client_stats(client);
    fputs(chatblock_result_json(result), out);
    chatblock_result_free(result);
}

static void answer(const chatblock_client *client, char *line, FILE *out)
{
    const char *words[MAX_WORDS];
    char *rest = line + strcspn(line, " ");
    if (*rest != '\0')
        *rest++ = '\0';
    if (strcmp(line, "apply") == 0) {
        fprintf(out, "%d", apply(client, rest));
        return;
    }
    size_t count = split(rest, words);
    if (strcmp(line, "stats") == 0)
        print_stats(client, out);
    else if (strcmp(line, "watch") == 0)
        fprintf(out, "%d", chatblock_client_watch(client, words, count));
    else if (count == 0)
        exit(3);
    else if (strcmp(line, "ask") == 0)
        ask(client, words, count, out);
    else if (strcmp(line, "add") == 0)
        fprintf(out, "%d", take(chatblock_blocklist_add(client, words[0], words + 1, count - 1)));
    else if (strcmp(line, "delete") == 0)
        fprintf(out, "%d", take(chatblock_blocklist_delete(client, words[0], words + 1, count - 1)));
    else
        exit(3);
}

static void *serve(void *argument)
{
    const struct connection *connection = argument;
    FILE *in = fdopen(connection->socket, "r"), *out = fdopen(dup(connection->socket), "w");
    char *line = NULL;
    size_t room = 0;
    if (in == NULL || out == NULL)
        fail("a connection");
    for (ssize_t length; (length = getline(&line, &room, in)) > 0;) {
        line[length - 1] = '\0';
        answer(connection->client, line, out);
        fputc('\n', out);
        if (fflush(out) != 0)
            break;
    }
    free(line);
    fclose(in);
    fclose(out);
    return NULL;
}

/* A socket on a port of the system's choice, which is said. */
static int listen_anywhere(int connections)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, connections) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0)
        fail("the listener");
    printf("listening %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

int main(int argc, char **argv)
{
    static struct connection connections[MAX_CONNECTIONS];
    chatblock_result *error = NULL;
    int count = argc == 3 ? atoi(argv[2]) : 0, on = 1;
    if (count < 1 || count > MAX_CONNECTIONS)
        return 2;
    /* Nobody is left behind when the test ends early. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    chatblock_client *client = chatblock_client_open(argv[1], &error);
    if (client == NULL)
        return take(error) != CHATBLOCK_OK;
    int listener = listen_anywhere(count);
    for (int i = 0; i < count; i++) {
        connections[i].client = client;
        connections[i].socket = accept(listener, NULL, NULL);
        if (connections[i].socket < 0)
            fail("accept");
        setsockopt(connections[i].socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (pthread_create(&connections[i].thread, NULL, serve, &connections[i]) != 0)
            fail("a thread");
    }
    for (int i = 0; i < count; i++)
        pthread_join(connections[i].thread, NULL);
    return chatblock_client_close(client, CLOSE_MS) != CHATBLOCK_OK;
}
