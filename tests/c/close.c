/* Closing while calls hang on the network, and the three ways in which a network fails. The other
 * side is a listener on loopback that takes connections and says nothing. */
#include "network.h"

#include <fcntl.h>
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

/* A pipe as standard error, in which there is no room left. */
static int make_stderr_a_full_pipe(int *read_end)
{
    char zeros[4096] = {0};
    int ends[2], kept = dup(2);
    CHECK(kept >= 0 && pipe(ends) == 0);
    CHECK(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
    while (write(ends[1], zeros, sizeof zeros) > 0)
        continue;
    CHECK(fcntl(ends[1], F_SETFL, 0) == 0);
    CHECK(dup2(ends[1], 2) == 2 && close(ends[1]) == 0);
    *read_end = ends[0];
    return kept;
}

static void a_log_that_nobody_reads_holds_close_up_for_its_share(int timeout_ms)
{
    int read_end, kept = make_stderr_a_full_pipe(&read_end);
    const char *bob[] = {"bob"};
    chatblock_client *client = open_client("{\"log\":{\"to\":\"stderr\",\"level\":\"debug\"}}");
    chatblock_status added = take(chatblock_blocklist_add(client, "ann", bob, 1));
    double began = seconds();
    chatblock_status closed = chatblock_client_close(client, timeout_ms);
    double took = seconds() - began;
    CHECK(dup2(kept, 2) == 2 && close(kept) == 0);
    /* The line that the library is about to write fails now, and its thread ends. */
    CHECK(close(read_end) == 0);
    CHECK_NUMBER(added, CHATBLOCK_OK);
    CHECK_NUMBER(closed, CHATBLOCK_OK);
    CHECK(took < 10.0);
}

/* Round after round the destructors of a thread run later, when more of what the thread had is gone. */
enum { ROUND_OF_CLOSE = 2 };

static pthread_key_t last_words;

struct late {
    chatblock_client *client;
    int round;
    chatblock_status added, closed;
};

static void close_late(void *argument)
{
    struct late *late = (struct late *)argument;
    const char *bob[] = {"bob"};
    if (++late->round < ROUND_OF_CLOSE) {
        pthread_setspecific(last_words, late);
        return;
    }
    late->added = take(chatblock_blocklist_add(late->client, "ann", bob, 1));
    late->closed = chatblock_client_close(late->client, 5000);
}

static void *leave_the_client_to_a_destructor(void *argument)
{
    const char *cat[] = {"cat"};
    chatblock_client *client = ((struct late *)argument)->client;
    CHECK_NUMBER(take(chatblock_blocklist_add(client, "ann", cat, 1)), CHATBLOCK_OK);
    /* Waits, so that what waiting needs of the thread exists, and is gone when the destructor runs. */
    CHECK(chatblock_client_poll(client, 1) == NULL);
    CHECK(pthread_setspecific(last_words, argument) == 0);
    return NULL;
}

static void the_destructor_of_a_thread_may_close_and_wait_for_a_log(const char *config)
{
    int read_end, kept = make_stderr_a_full_pipe(&read_end);
    struct late late = {open_client(config), 0, CHATBLOCK_ERR_PANIC, CHATBLOCK_ERR_PANIC};
    pthread_t thread;
    CHECK(pthread_key_create(&last_words, close_late) == 0);
    CHECK(pthread_create(&thread, NULL, leave_the_client_to_a_destructor, &late) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(pthread_key_delete(last_words) == 0);
    CHECK(dup2(kept, 2) == 2 && close(kept) == 0 && close(read_end) == 0);
    CHECK_NUMBER(late.added, CHATBLOCK_OK);
    CHECK_NUMBER(late.closed, CHATBLOCK_OK);
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
    a_log_that_nobody_reads_holds_close_up_for_its_share(20000);
    a_log_that_nobody_reads_holds_close_up_for_its_share(-1);
    the_destructor_of_a_thread_may_close_and_wait_for_a_log(
        "{\"path\":\"late\",\"log\":{\"to\":\"stderr\",\"level\":\"debug\"}}");
    CHECK_NUMBER(threads_left(tasks), tasks);
    CHECK_NUMBER(open_files(), files);
    return check_report();
}
