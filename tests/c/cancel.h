/* What the generated program about pthread_cancel() uses (see cancel.rs): every exported function is called by a thread
 * with a cancellation pending. The call returns, and the cancellation is acted on after it. */
#ifndef CANCEL_H
#define CANCEL_H

#include "network.h"

#include <pthread.h>

static chatblock_client *client, *opened;
static chatblock_result *result, *error, *given;
static const char *const targets[] = {"bob", "cat"};
static int8_t answers[2];
static uint32_t pairs[4];
static size_t unknown;
static int returned;

#define GOOD_CONFIG "{\"path\":\"other.db\",\"log\":{\"to\":\"other.log\",\"level\":\"debug\"}}"

#define GOOD_REQUEST "{\"From_Account\":\"ann\",\"StartIndex\":0,\"MaxLimited\":9,\"LastSequence\":0}"

static inline chatblock_client *fresh_client(void)
{
    chatblock_client *fresh = open_client(GOOD_CONFIG);
    take(chatblock_blocklist_add(fresh, "ann", targets, 2));
    return fresh;
}

/* The caller's next cancellation point; not reached by a call that was left in the middle. */
static void *after_the_call(void)
{
    returned = 1;
    pthread_testcancel();
    return NULL;
}

#define CANCELLED(name, call)                                                                      \
    static void *in_##name(void *unused)                                                           \
    {                                                                                              \
        (void)unused;                                                                              \
        pthread_cancel(pthread_self());                                                            \
        call;                                                                                      \
        return after_the_call();                                                                   \
    }

static void cancelled(void *(*body)(void *), const char *name)
{
    pthread_t thread;
    void *end = NULL;
    returned = 0;
    CHECK(pthread_create(&thread, NULL, body, NULL) == 0 && pthread_join(thread, &end) == 0);
    check_that(returned, "the call returns", name, __FILE__, __LINE__);
    check_that(end == PTHREAD_CANCELED, "and the thread is cancelled after it", name, __FILE__, __LINE__);
    chatblock_result_free(given);
    chatblock_result_free(error);
    chatblock_client_close(opened, 0);
    given = error = NULL;
    opened = NULL;
}

static void *in_a_long_poll(void *unused)
{
    (void)unused;
    given = chatblock_client_poll(client, -1);
    return after_the_call();
}

static void *in_a_long_flush(void *unused)
{
    (void)unused;
    CHECK_NUMBER(chatblock_client_flush(client, -1), CHATBLOCK_OK);
    return after_the_call();
}

/* Cancels a thread that waits in a function, and ends the wait after that. */
static void cancelled_while_waiting(void *(*body)(void *), int wakes)
{
    pthread_t thread;
    void *end = NULL;
    returned = 0;
    CHECK(pthread_create(&thread, NULL, body, NULL) == 0);
    sleep_ms(20);
    CHECK(pthread_cancel(thread) == 0);
    if (wakes)
        CHECK_NUMBER(chatblock_client_wakeup(client), CHATBLOCK_OK);
    CHECK(pthread_join(thread, &end) == 0);
    CHECK(returned);
    CHECK(end == PTHREAD_CANCELED);
}

/* `all` calls every function; once on a store, and once on a service that never answers. `first` is also the first call
 * of a client, which starts its thread. */
static int in_every_backend(void (*all)(void), void *(*first)(void *))
{
    int port = 0;
    client = open_client("{\"path\":\"own.db\",\"log\":{\"to\":\"own.log\",\"level\":\"debug\"}}");
    result = chatblock_blocklist_add(client, "ann", targets, 2);
    all();
    CHECK_NUMBER(take(chatblock_blocklist_get(client, "ann", 0, 10)), CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);

    int listener = listen_on_loopback(&port);
    client = open_remote_with(port, 100, 100, ",\"outbox\":{\"path\":\"box.db\"}");
    all();
    chatblock_client_close(client, 1000);

    client = open_remote(port, 100, 100);
    cancelled(first, "the first call");
    chatblock_client_close(client, 1000);

    client = open_remote(port, 100, 100);
    cancelled_while_waiting(in_a_long_poll, 1);
    CHECK_NUMBER(chatblock_blocklist_add_async(client, "ann", targets, 2, 1, NULL), CHATBLOCK_OK);
    cancelled_while_waiting(in_a_long_flush, 0);
    chatblock_client_close(client, 1000);
    close(listener);
    chatblock_result_free(result);
    return check_report();
}

#endif
