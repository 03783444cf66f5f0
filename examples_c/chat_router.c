/*
 * A chat router: one thread checks for every message whether the receiver has blocked the sender, players
 * are watched when they log in, and webhooks report at once what other clients blocked.
 *
 *   chat_router '{}'            the embedded backend, where every owner is cached; no webhooks
 *   chat_router CONFIG PORT     the service, or `chatblock serve`, whose webhooks arrive at 127.0.0.1:PORT
 *
 * Both sides need the same "webhook.token", and `serve` a "webhook.url" with that port. The exit status is 0
 * if every message was routed as expected.
 */
#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "chatblock.h"

/* Messages arrive through a pipe: what is written in one call is read in one call. */
struct message {
    char from[33], to[33];
};

struct router {
    const chatblock_client *client;
    int messages[2];
    sem_t routed;
};

/* The router thread. It never waits for the network: a check costs about one memory access. */
static void *route(void *argument)
{
    struct router *router = argument;
    struct message m;
    while (read(router->messages[0], &m, sizeof m) == sizeof m) {
        const char *owner = m.to;
        int32_t blocked = chatblock_client_is_blocked(router->client, m.to, m.from);
        if (blocked == CHATBLOCK_ERR_UNKNOWN) {
            /* UNKNOWN is not "no". This game delivers, and caches the owner for the next message. */
            chatblock_client_watch(router->client, &owner, 1);
            printf("%s to %s: delivered, %s is not cached yet\n", m.from, m.to, m.to);
        } else if (blocked < 0) {
            printf("%s to %s: refused, %s\n", m.from, m.to, chatblock_status_name(blocked));
        } else {
            printf("%s to %s: %s\n", m.from, m.to, blocked ? "dropped" : "delivered");
        }
        sem_post(&router->routed);
    }
    return NULL;
}

/* A player writes to another; returns when the message is routed. */
static void say(struct router *router, const char *from, const char *to)
{
    struct message m = {.from = ""};
    snprintf(m.from, sizeof m.from, "%s", from);
    snprintf(m.to, sizeof m.to, "%s", to);
    if (write(router->messages[1], &m, sizeof m) == sizeof m)
        sem_wait(&router->routed);
}

/*
 * The webhook endpoint. It replaces the HTTP server that a game has already, and is only an example: one
 * request at a time, bodies with a Content-Length only, no TLS.
 */
enum { MAX_REQUEST = 1 << 20, SILENCE_SECONDS = 2 };

struct endpoint {
    const chatblock_client *client;
    int listener;
    int taken; /* to be read when the thread has ended */
    char request[MAX_REQUEST + 1];
};

/* Where the body starts, or NULL while the head is not complete; *length from its Content-Length. */
static char *find_body(char *request, size_t *length)
{
    char *body = strstr(request, "\r\n\r\n");
    *length = 0;
    for (char *line = request; body != NULL && line < body; line = strstr(line, "\r\n") + 2)
        if (strncasecmp(line, "Content-Length:", 15) == 0)
            *length = strtoul(line + 15, NULL, 10);
    return body != NULL ? body + 4 : NULL;
}

/* Reads until the body is complete; NULL if it does not arrive in time or is too long. */
static char *read_request(struct endpoint *endpoint, int connection, size_t *length)
{
    char *request = endpoint->request, *body = NULL;
    size_t filled = 0;
    for (;;) {
        ssize_t count = recv(connection, request + filled, MAX_REQUEST - filled, 0);
        if (count <= 0)
            return NULL;
        filled += (size_t)count;
        request[filled] = '\0';
        body = find_body(request, length);
        if (body != NULL && filled - (size_t)(body - request) >= *length)
            return body;
    }
}

/* The query string of the request line, which is truncated after it. */
static const char *find_query(char *request)
{
    char *target = request + strcspn(request, " \r");
    target += *target == ' ';
    target[strcspn(target, " \r")] = '\0';
    char *query = strchr(target, '?');
    return query != NULL ? query + 1 : "";
}

static void send_all(int connection, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t count = send(connection, text, length, MSG_NOSIGNAL);
        if (count <= 0)
            return;
        text += count;
        length -= (size_t)count;
    }
}

static void answer(struct endpoint *endpoint, int connection)
{
    size_t length;
    char head[120];
    const struct timeval silence = {.tv_sec = SILENCE_SECONDS};
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence);
    const char *body = read_request(endpoint, connection, &length);
    if (body == NULL)
        return;
    /* This verifies the webhook; the JSON of the result is the HTTP response in every case. */
    chatblock_result *r =
        chatblock_client_apply_webhook(endpoint->client, find_query(endpoint->request), body, length);
    if (chatblock_result_status(r) < 0)
        fprintf(stderr, "a webhook was refused: %s\n", chatblock_result_message(r));
    else
        endpoint->taken++;
    snprintf(head, sizeof head,
             "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
             "Connection: close\r\n\r\n",
             chatblock_result_json_len(r));
    send_all(connection, head, strlen(head));
    send_all(connection, chatblock_result_json(r), chatblock_result_json_len(r));
    chatblock_result_free(r);
}

/* The thread of the endpoint; ends when the listener is shut down. */
static void *take_webhooks(void *argument)
{
    struct endpoint *endpoint = argument;
    int connection;
    while ((connection = accept(endpoint->listener, NULL, NULL)) >= 0) {
        answer(endpoint, connection);
        close(connection);
    }
    return NULL;
}

static int listen_on(int port)
{
    int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 16) == 0)
        return listener;
    perror("the webhook endpoint");
    close(listener);
    return -1;
}

/* Whether the check of owner and peer becomes blocked (1) or not blocked (0) as expected, within ten seconds. */
static int becomes(const chatblock_client *client, const char *owner, const char *peer, int32_t expected)
{
    const struct timespec pause = {.tv_nsec = 10000000};
    for (int i = 0; i < 1000; i++) {
        if (chatblock_client_is_blocked(client, owner, peer) == expected)
            return 1;
        nanosleep(&pause, NULL);
    }
    printf("the router did not learn that %s %s %s\n", owner, expected ? "blocks" : "does not block", peer);
    return 0;
}

/* What bob's phone does: the change reaches the router through the service. */
static int change(const chatblock_client *phone, int is_block)
{
    const char *ann[] = {"ann"};
    chatblock_result *r = is_block ? chatblock_blocklist_add(phone, "bob", ann, 1)
                                   : chatblock_blocklist_delete(phone, "bob", ann, 1);
    int is_done = chatblock_result_status(r) >= 0;
    printf("bob %s ann: %s\n", is_block ? "blocks" : "unblocks",
           is_done ? "done" : chatblock_result_message(r));
    chatblock_result_free(r);
    return is_done;
}

static int play(struct router *router, const chatblock_client *phone)
{
    const char *logins[] = {"bob"};
    if (chatblock_client_watch(router->client, logins, 1) < 0 || !becomes(router->client, "bob", "ann", 0))
        return 0;
    say(router, "ann", "bob");
    say(router, "ann", "dan"); /* who has not logged in */
    if (!change(phone, 1) || !becomes(router->client, "bob", "ann", 1))
        return 0;
    say(router, "ann", "bob");
    if (!change(phone, 0) || !becomes(router->client, "bob", "ann", 0))
        return 0;
    say(router, "ann", "bob");
    return chatblock_client_unwatch(router->client, logins, 1) >= 0; /* he logs out */
}

static chatblock_client *open_client(const char *config)
{
    chatblock_result *error = NULL;
    chatblock_client *client = chatblock_client_open(config, &error);
    if (client == NULL)
        fprintf(stderr, "cannot open: %s\n", chatblock_result_message(error));
    chatblock_result_free(error);
    return client;
}

/* Runs the players beside a router thread. Without another client this one acts as the phone. */
static int with_router(chatblock_client *client, const chatblock_client *phone)
{
    int is_done = 0;
    pthread_t thread;
    struct router router = {.client = client};
    if (pipe(router.messages) != 0)
        return 0;
    sem_init(&router.routed, 0, 0);
    if (pthread_create(&thread, NULL, route, &router) == 0) {
        is_done = play(&router, phone != NULL ? phone : client);
        close(router.messages[1]);
        pthread_join(thread, NULL);
    } else {
        close(router.messages[1]);
    }
    close(router.messages[0]);
    sem_destroy(&router.routed);
    return is_done;
}

static int with_webhooks(chatblock_client *client, const char *config, int port)
{
    static struct endpoint endpoint;
    int is_done = 0;
    pthread_t thread;
    chatblock_client *phone = open_client(config);
    endpoint.client = client;
    endpoint.listener = phone != NULL ? listen_on(port) : -1;
    if (endpoint.listener >= 0) {
        if (pthread_create(&thread, NULL, take_webhooks, &endpoint) == 0) {
            is_done = with_router(client, phone);
            shutdown(endpoint.listener, SHUT_RDWR);
            pthread_join(thread, NULL);
            printf("%d webhooks were taken\n", endpoint.taken);
        }
        close(endpoint.listener);
    }
    return chatblock_client_close(phone, 2000) >= 0 && is_done;
}

int main(int argc, char **argv)
{
    const char *config = argc > 1 ? argv[1] : "{}";
    chatblock_client *client = open_client(config);
    if (client == NULL)
        return 1;
    int is_done = argc > 2 ? with_webhooks(client, config, atoi(argv[2])) : with_router(client, NULL);
    chatblock_status closed = chatblock_client_close(client, 2000);
    return !is_done || closed < 0;
}
