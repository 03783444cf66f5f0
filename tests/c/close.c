/* Closing while calls hang on the network, and the three ways in which a network fails. The other
 * side is a listener on loopback that takes connections and says nothing. */
#include "network.h"

#include <pthread.h>

enum { CALLERS = 4 };

struct caller {
    chatblock_client *client;
    char owner[8]; /* each has its own: writes of one owner would go out one after the other */
    chatblock_result *result;
    double ended;
};

static void *call(void *argument)
{
    struct caller *caller = (struct caller *)argument;
    const char *bob[] = {"bob"};
    caller->result = chatblock_blocklist_add(caller->client, caller->owner, bob, 1);
    caller->ended = seconds();
    return NULL;
}

/* Left alone, the calls would hang for thirty seconds. */
static void close_ends_calls_that_hang(int timeout_ms, double most_seconds)
{
    struct caller callers[CALLERS];
    pthread_t threads[CALLERS];
    int port, peers[CALLERS], files = open_files(), tasks = entries("/proc/self/task");
    int listener = listen_on_loopback(&port);
    chatblock_client *client = open_remote(port, 30000, 30000);
    for (int i = 0; i < CALLERS; i++) {
        callers[i].client = client;
        snprintf(callers[i].owner, sizeof callers[i].owner, "ann%d", i);
        CHECK(pthread_create(&threads[i], NULL, call, &callers[i]) == 0);
    }
    for (int i = 0; i < CALLERS; i++)
        CHECK((peers[i] = accept_request(listener)) >= 0);

    double began = seconds();
    chatblock_status status = chatblock_client_close(client, timeout_ms);
    double took = seconds() - began;
    CHECK(status == CHATBLOCK_OK || status == CHATBLOCK_ERR_TIMEOUT);
    CHECK(took < most_seconds);
    for (int i = 0; i < CALLERS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(callers[i].ended - began < most_seconds);
        CHECK_TEXT(chatblock_result_command(callers[i].result), "black_list_add");
        CHECK_NUMBER(chatblock_result_item_count(callers[i].result), 1);
        CHECK_NUMBER(take(callers[i].result), CHATBLOCK_ERR_CLOSED);
    }
    CHECK(close(listener) == 0);
    for (int i = 0; i < CALLERS; i++)
        CHECK(close(peers[i]) == 0);
    CHECK_NUMBER(threads_left(tasks), tasks);
    CHECK_NUMBER(open_files(), files);
}

static void silence_is_a_timeout(void)
{
    int port, listener = listen_on_loopback(&port);
    chatblock_client *client = open_remote(port, 200, 400);
    const char *targets[] = {"bob", "cat"};
    chatblock_result *r = chatblock_blocklist_add(client, "ann", targets, 2);
    CHECK_NUMBER(chatblock_result_status(r), CHATBLOCK_ERR_TIMEOUT);
    CHECK_NUMBER(chatblock_result_retryable(r), 1);
    CHECK_NUMBER(chatblock_result_service_code(r), 0);
    CHECK_HAS(chatblock_result_message(r), "may have happened");
    CHECK_NUMBER(chatblock_result_item_status(r, 1), CHATBLOCK_ERR_TIMEOUT);
    CHECK_TEXT(chatblock_result_json(r), "");
    chatblock_result_free(r);
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
    CHECK(close(listener) == 0);
}

static void *hang_up(void *argument)
{
    int peer = accept_request(*(int *)argument);
    shutdown(peer, SHUT_RDWR);
    close(peer);
    return NULL;
}

static void a_broken_connection_is_a_network_error(void)
{
    pthread_t thread;
    int port, listener = listen_on_loopback(&port);
    chatblock_client *client = open_remote(port, 5000, 5000);
    CHECK(pthread_create(&thread, NULL, hang_up, &listener) == 0);
    chatblock_result *r = chatblock_blocklist_get(client, "ann", 0, 1);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK_NUMBER(chatblock_result_status(r), CHATBLOCK_ERR_NETWORK);
    CHECK_NUMBER(chatblock_result_retryable(r), 1);
    CHECK(strstr(chatblock_result_message(r), "usersig=") == NULL);
    chatblock_result_free(r);
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
    CHECK(close(listener) == 0);
}

static void nobody_there_is_a_connect_error(void)
{
    int port, listener = listen_on_loopback(&port);
    CHECK(close(listener) == 0);
    chatblock_client *client = open_remote(port, 5000, 5000);
    const char *bob[] = {"bob"};
    chatblock_result *r = chatblock_blocklist_delete(client, "ann", bob, 1);
    CHECK_NUMBER(chatblock_result_status(r), CHATBLOCK_ERR_CONNECT);
    CHECK_NUMBER(chatblock_result_retryable(r), 1);
    CHECK_HAS(chatblock_result_message(r), "nothing was sent");
    chatblock_result_free(r);
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
}

static chatblock_client *open_with_outbox(int port)
{
    return open_remote_with(port, 30000, 30000, ",\"outbox\":{\"path\":\"close.db\"}");
}

static void check_queued(chatblock_result *r)
{
    CHECK_NUMBER(chatblock_result_status(r), CHATBLOCK_ERR_QUEUED);
    CHECK_NUMBER(chatblock_result_retryable(r), 0);
    CHECK_NUMBER(chatblock_result_service_code(r), 0);
    CHECK_HAS(chatblock_result_message(r), "do not repeat it");
    CHECK_NUMBER(chatblock_result_item_status(r, 0), CHATBLOCK_ERR_QUEUED);
    CHECK_TEXT(chatblock_result_json(r), "");
    chatblock_result_free(r);
}

static void close_tells_that_a_recorded_write_stays(void)
{
    struct caller caller = {NULL, "eve", NULL, 0};
    pthread_t thread;
    int port, peer, listener = listen_on_loopback(&port);
    caller.client = open_with_outbox(port);
    CHECK(pthread_create(&thread, NULL, call, &caller) == 0);
    CHECK((peer = accept_request(listener)) >= 0);
    CHECK_NUMBER(chatblock_client_close(caller.client, -1), CHATBLOCK_OK);
    CHECK(pthread_join(thread, NULL) == 0);
    check_queued(caller.result);
    CHECK(close(listener) == 0);
    CHECK(close(peer) == 0);
    caller.client = open_with_outbox(port);
    chatblock_result *stats = chatblock_client_stats(caller.client);
    CHECK_HAS(chatblock_result_json(stats), "\"writes\":1,");
    chatblock_result_free(stats);
    CHECK_NUMBER(chatblock_client_close(caller.client, -1), CHATBLOCK_OK);
}

int main(void)
{
    int files = open_files(), tasks = entries("/proc/self/task");
    close_ends_calls_that_hang(0, 5.0);
    close_ends_calls_that_hang(5000, 10.0);
    close_ends_calls_that_hang(-1, 10.0);
    silence_is_a_timeout();
    a_broken_connection_is_a_network_error();
    nobody_there_is_a_connect_error();
    close_tells_that_a_recorded_write_stays();
    CHECK_NUMBER(threads_left(tasks), tasks);
    CHECK_NUMBER(open_files(), files);
    return check_report();
}
