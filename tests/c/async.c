/* Calls without waiting: each function by itself, from one thread. */
#include "host.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAIRS = 100, MANY = 1001, QUEUE = 4, ATTEMPTS = 20000 };

static const char *const BOB[] = {"bob"};

static int is_readable(int descriptor)
{
    struct pollfd waiting = {descriptor, POLLIN, 0};
    return poll(&waiting, 1, 0) == 1 && (waiting.revents & POLLIN) != 0;
}

/* Nothing is accepted and not done, and nothing waits to be taken. */
static void is_quiet(chatblock_client *client)
{
    CHECK_NUMBER(chatblock_client_flush(client, 0), CHATBLOCK_OK);
    CHECK(chatblock_client_poll(client, 0) == NULL);
}

static void completes(chatblock_client *client, uint64_t tag, const char *command, size_t items)
{
    chatblock_result *r = chatblock_client_poll(client, -1);
    CHECK_NUMBER(chatblock_result_status(r), CHATBLOCK_OK);
    CHECK(chatblock_result_tag(r) == tag);
    CHECK_TEXT(chatblock_result_command(r), command);
    CHECK_TEXT(chatblock_result_from_account(r), "ann");
    CHECK_NUMBER(chatblock_result_item_count(r), items);
    CHECK_TEXT(chatblock_result_item_account(r, 0), "bob");
    CHECK_HAS(chatblock_result_json(r), "\"ActionStatus\":\"OK\"");
    chatblock_result_free(r);
}

static void every_call_completes_once(void)
{
    chatblock_client *client = open_client("{}");
    const char *targets[] = {"bob", "cat"};
    CHECK_NUMBER(chatblock_blocklist_add_async(client, "ann", targets, 2, UINT64_MAX, NULL), CHATBLOCK_OK);
    completes(client, UINT64_MAX, "black_list_add", 2);
    CHECK_NUMBER(
        chatblock_blocklist_check_async(client, "ann", targets, 2, CHATBLOCK_CHECK_BOTH, 0, NULL),
        CHATBLOCK_OK);
    completes(client, 0, "black_list_check", 2);
    CHECK_NUMBER(chatblock_client_submit(client, "black_list_get",
                                         "{\"From_Account\":\"ann\",\"StartIndex\":0,"
                                         "\"MaxLimited\":20,\"LastSequence\":0}",
                                         7, NULL),
                 CHATBLOCK_OK);
    completes(client, 7, "black_list_get", 2);
    CHECK_NUMBER(chatblock_blocklist_get_async(client, "ann", 0, 1, 6, NULL), CHATBLOCK_OK);
    completes(client, 6, "black_list_get", 1);
    CHECK_NUMBER(chatblock_blocklist_delete_async(client, "ann", targets, 2, 7, NULL), CHATBLOCK_OK);
    completes(client, 7, "black_list_delete", 2);
    is_quiet(client);
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
}

/* A call that goes out in parts is one completion too; what was copied need not live on. */
static void a_long_list_is_one_completion(void)
{
    static char names[MANY][16];
    static const char *targets[MANY];
    chatblock_client *client = open_client("{}");
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], i == 0 ? "bob" : "p%d", i);
        targets[i] = names[i];
    }
    CHECK_NUMBER(
        chatblock_blocklist_check_async(client, "ann", targets, MANY, CHATBLOCK_CHECK_SINGLE, 5, NULL),
        CHATBLOCK_OK);
    memset(names, 'x', sizeof names);
    completes(client, 5, "black_list_check", MANY);
    is_quiet(client);
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
}

static void stats_have(chatblock_client *client, const char *part)
{
    chatblock_result *r = chatblock_client_stats(client);
    CHECK_NUMBER(chatblock_result_status(r), CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_result_item_count(r), 0);
    CHECK_TEXT(chatblock_result_message(r), "");
    CHECK_HAS(chatblock_result_json(r), part);
    CHECK_NUMBER(chatblock_result_json_len(r), strlen(chatblock_result_json(r)));
    chatblock_result_free(r);
}

static void stats_count_every_call_once(void)
{
    chatblock_client *client = open_client("{\"queue\":{\"max_calls\":1}}");
    stats_have(client, "\"backend\":\"embedded\"");
    CHECK_NUMBER(take(chatblock_blocklist_add(client, "ann", BOB, 1)), CHATBLOCK_OK);
    chatblock_result *error = (chatblock_result *)&BOB;
    CHECK_NUMBER(chatblock_blocklist_add_async(client, "ann", BOB, 1, 1, &error), CHATBLOCK_OK);
    CHECK(error == NULL);
    CHECK_NUMBER(chatblock_blocklist_add_async(client, "ann", BOB, 1, 2, &error), CHATBLOCK_ERR_BUSY);
    CHECK_HAS(chatblock_result_message(error), "queue");
    CHECK_TEXT(chatblock_result_command(error), "black_list_add");
    CHECK_NUMBER(chatblock_result_retryable(error), 1);
    chatblock_result_free(error);
    CHECK_NUMBER(chatblock_client_flush(client, -1), CHATBLOCK_OK);
    stats_have(client, "\"total\":{\"accepted\":2,\"confirmed\":2,\"refused\":0,\"in_doubt\":0,"
                       "\"not_sent\":0,\"cancelled\":0,\"pending\":0}");
    stats_have(client, "\"queue\":{\"calls\":0,\"completions\":1,\"max_calls\":1,\"busy\":1,");
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
    CHECK_NUMBER(take(chatblock_client_stats(NULL)), CHATBLOCK_ERR_ARGUMENT);
}

/* Every item is OK and not UNCHANGED: no call overtook another. */
static void calls_of_one_owner_keep_their_order(void)
{
    chatblock_client *client = open_client("{}");
    for (uint64_t tag = 0; tag < 2 * PAIRS; tag += 2) {
        CHECK_NUMBER(chatblock_blocklist_add_async(client, "ann", BOB, 1, tag, NULL), CHATBLOCK_OK);
        CHECK_NUMBER(chatblock_blocklist_delete_async(client, "ann", BOB, 1, tag + 1, NULL), CHATBLOCK_OK);
    }
    for (uint64_t tag = 0; tag < 2 * PAIRS; tag++) {
        chatblock_result *r = chatblock_client_poll(client, -1);
        CHECK(chatblock_result_tag(r) == tag);
        CHECK_NUMBER(chatblock_result_item_status(r, 0), CHATBLOCK_OK);
        chatblock_result_free(r);
    }
    is_quiet(client);
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
}

/* A check that does not wait and one that does. */
static void a_check_sees_the_writes_before_it(void)
{
    chatblock_client *client = open_client("{}");
    for (uint64_t i = 0; i < PAIRS; i++) {
        char name[16];
        const char *target[] = {name};
        snprintf(name, sizeof name, "p%d", (int)i);
        CHECK_NUMBER(chatblock_blocklist_add_async(client, "ann", target, 1, 1, NULL), CHATBLOCK_OK);
        if (i % 2 == 0) {
            CHECK_NUMBER(
                chatblock_blocklist_check_async(client, "ann", target, 1, CHATBLOCK_CHECK_SINGLE, 2, NULL),
                CHATBLOCK_OK);
            CHECK_NUMBER(take(chatblock_client_poll(client, -1)), CHATBLOCK_OK);
        }
        chatblock_result *r =
            i % 2 == 0 ? chatblock_client_poll(client, -1)
                       : chatblock_blocklist_check(client, "ann", target, 1, CHATBLOCK_CHECK_SINGLE);
        CHECK_TEXT(chatblock_result_command(r), "black_list_check");
        CHECK_NUMBER(chatblock_result_item_relation(r, 0), CHATBLOCK_RELATION_A_WITH_B);
        chatblock_result_free(r);
        if (i % 2 != 0)
            CHECK_NUMBER(take(chatblock_client_poll(client, -1)), CHATBLOCK_OK);
    }
    is_quiet(client);
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
}

static void a_poll_ends(void)
{
    chatblock_client *client = open_client("{}");
    double began = seconds();
    CHECK(chatblock_client_poll(client, 50) == NULL);
    CHECK(seconds() - began > 0.045);

    /* One token ends one poll: the second one would wait for ever without the second token. */
    CHECK_NUMBER(chatblock_client_wakeup(client), CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_client_wakeup(client), CHATBLOCK_OK);
    CHECK(chatblock_client_poll(client, -1) == NULL);
    CHECK(chatblock_client_poll(client, -1) == NULL);
    began = seconds();
    CHECK(chatblock_client_poll(client, 50) == NULL);
    CHECK(seconds() - began > 0.045);
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
}

static void the_descriptor_tells_what_waits(void)
{
    chatblock_client *client = open_client("{}");
    int descriptor = chatblock_client_event_fd(client);
    CHECK(descriptor >= 0 && descriptor == chatblock_client_event_fd(client));
    CHECK(!is_readable(descriptor));
    CHECK_NUMBER(chatblock_client_wakeup(client), CHATBLOCK_OK);
    CHECK(is_readable(descriptor));
    CHECK(chatblock_client_poll(client, 0) == NULL);
    CHECK(!is_readable(descriptor));
    for (int i = 0; i < 3; i++)
        CHECK_NUMBER(chatblock_blocklist_add_async(client, "ann", BOB, 1, 1, NULL), CHATBLOCK_OK);
    struct pollfd waiting = {descriptor, POLLIN, 0};
    CHECK_NUMBER(poll(&waiting, 1, -1), 1);
    CHECK_NUMBER(chatblock_client_flush(client, -1), CHATBLOCK_OK);
    for (int i = 0; i < 3; i++) {
        CHECK(is_readable(descriptor));
        CHECK_NUMBER(take(chatblock_client_poll(client, 0)), CHATBLOCK_OK);
    }
    CHECK(!is_readable(descriptor));
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
}

/* Polls until there is nothing, as a loop with EPOLLET does at each edge. */
static int drain(chatblock_client *client)
{
    int taken = 0;
    for (chatblock_result *result; (result = chatblock_client_poll(client, 0)) != NULL; taken++)
        chatblock_result_free(result);
    return taken;
}

static void every_arrival_after_a_null_is_an_edge(void)
{
    chatblock_client *client = open_client("{}");
    int descriptor = chatblock_client_event_fd(client);
    int loop = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event edge, seen;
    memset(&edge, 0, sizeof edge);
    edge.events = EPOLLIN | EPOLLET;
    CHECK(loop >= 0 && epoll_ctl(loop, EPOLL_CTL_ADD, descriptor, &edge) == 0);

    /* Two tokens and one poll: one token is left, and what arrives next is seen all the same. */
    CHECK_NUMBER(chatblock_client_wakeup(client), CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_client_wakeup(client), CHATBLOCK_OK);
    CHECK_NUMBER(epoll_wait(loop, &seen, 1, 0), 1);
    CHECK_NUMBER(drain(client), 0);
    CHECK_NUMBER(epoll_wait(loop, &seen, 1, 0), 0);
    CHECK_NUMBER(chatblock_blocklist_add_async(client, "ann", BOB, 1, 1, NULL), CHATBLOCK_OK);
    CHECK_NUMBER(epoll_wait(loop, &seen, 1, 20000), 1);
    CHECK_NUMBER(drain(client), 1);
    CHECK_NUMBER(drain(client), 0);

    /* A read by the host program takes nothing away, neither what waits nor what comes. */
    CHECK_NUMBER(chatblock_client_wakeup(client), CHATBLOCK_OK);
    uint64_t foreign = 0;
    (void)!read(descriptor, &foreign, sizeof foreign);
    CHECK(is_readable(descriptor));
    CHECK_NUMBER(epoll_wait(loop, &seen, 1, 0), 1);
    CHECK_NUMBER(drain(client), 0);
    (void)!read(descriptor, &foreign, sizeof foreign);
    CHECK_NUMBER(chatblock_blocklist_add_async(client, "ann", BOB, 1, 1, NULL), CHATBLOCK_OK);
    CHECK_NUMBER(epoll_wait(loop, &seen, 1, 20000), 1);
    CHECK(is_readable(descriptor));
    CHECK_NUMBER(drain(client), 1);
    close(loop);
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
}

/* While nothing is taken the queue takes as many calls as it says, whatever becomes of them meanwhile. */
static void a_full_queue_is_busy(void)
{
    chatblock_client *client = open_client("{\"queue\":{\"max_calls\":4}}");
    int accepted = 0, busy = 0;
    for (int i = 0; i < ATTEMPTS; i++) {
        chatblock_status status = chatblock_blocklist_add_async(client, "ann", BOB, 1, 1, NULL);
        accepted += status == CHATBLOCK_OK;
        busy += status == CHATBLOCK_ERR_BUSY;
    }
    CHECK_NUMBER(accepted, QUEUE);
    CHECK_NUMBER(accepted + busy, ATTEMPTS);
    CHECK_NUMBER(chatblock_client_flush(client, -1), CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_blocklist_add_async(client, "ann", BOB, 1, 1, NULL), CHATBLOCK_ERR_BUSY);
    CHECK_NUMBER(take(chatblock_client_poll(client, 0)), CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_blocklist_add_async(client, "ann", BOB, 1, 1, NULL), CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_blocklist_add_async(client, "ann", BOB, 1, 1, NULL), CHATBLOCK_ERR_BUSY);
    for (int i = 0; i < QUEUE; i++)
        CHECK_NUMBER(take(chatblock_client_poll(client, -1)), CHATBLOCK_OK);
    is_quiet(client);
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
}

static void flush_sync_and_cancel(void)
{
    chatblock_client *client = open_client("{}");
    CHECK_NUMBER(chatblock_client_cancel(client, 1), 0);
    CHECK_NUMBER(chatblock_client_sync(client, -1), CHATBLOCK_ERR_UNSUPPORTED);
    CHECK_NUMBER(chatblock_blocklist_add_async(client, "ann", BOB, 1, 1, NULL), CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_client_flush(client, -1), CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_client_cancel(client, 1), 0);
    completes(client, 1, "black_list_add", 1);
    is_quiet(client);
    /* Nobody takes this one: nothing is lost by it. */
    CHECK_NUMBER(chatblock_blocklist_add_async(client, "ann", BOB, 1, 1, NULL), CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_client_flush(client, 60000), CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
}

static void what_is_synced_is_there_again(void)
{
    const char *config = "{\"path\":\"synced\"}";
    chatblock_client *client = open_client(config);
    CHECK_NUMBER(chatblock_client_sync(client, 0), CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_blocklist_add_async(client, "ann", BOB, 1, 1, NULL), CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_client_sync(client, -1), CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
    client = open_client(config);
    chatblock_result *r = chatblock_blocklist_get(client, "ann", 0, 1);
    CHECK_TEXT(chatblock_result_item_account(r, 0), "bob");
    chatblock_result_free(r);
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
}

static void a_copy_is_a_store_like_any_other(void)
{
    chatblock_client *client = open_client("{\"path\":\"copied\"}");
    CHECK_NUMBER(take(chatblock_blocklist_add(client, "ann", BOB, 1)), CHATBLOCK_OK);
    CHECK_NUMBER(take(chatblock_client_backup(client, "copy")), CHATBLOCK_OK);
    CHECK_NUMBER(take(chatblock_client_backup(client, "copy")), CHATBLOCK_ERR_STORAGE);
    CHECK_NUMBER(take(chatblock_client_backup(client, "")), CHATBLOCK_ERR_ARGUMENT);
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
    client = open_client("{\"path\":\"copy\"}");
    chatblock_result *r = chatblock_blocklist_get(client, "ann", 0, 1);
    CHECK_TEXT(chatblock_result_item_account(r, 0), "bob");
    chatblock_result_free(r);
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
    client = open_client("{}");
    CHECK_NUMBER(take(chatblock_client_backup(client, "nothing")), CHATBLOCK_ERR_UNSUPPORTED);
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
}

/* What a forked child finds, told as one letter. */
static char look_from_child(chatblock_client *client)
{
    const chatblock_status forked = CHATBLOCK_ERR_FORKED;
    if (chatblock_blocklist_add_async(client, "ann", BOB, 1, 1, NULL) != forked)
        return 'a';
    if (chatblock_blocklist_delete_async(client, "ann", BOB, 1, 1, NULL) != forked)
        return 'd';
    if (chatblock_blocklist_check_async(client, "ann", BOB, 1, CHATBLOCK_CHECK_BOTH, 1, NULL) != forked)
        return 'k';
    if (chatblock_blocklist_get_async(client, "ann", 0, 1, 1, NULL) != forked)
        return 'G';
    if (chatblock_client_submit(client, "black_list_get", "{}", 1, NULL) != forked)
        return 's';
    if (chatblock_client_poll(client, -1) != NULL)
        return 'p';
    if (chatblock_client_event_fd(client) != forked || chatblock_client_wakeup(client) != forked)
        return 'w';
    if (chatblock_client_cancel(client, 1) != forked)
        return 'c';
    if (chatblock_client_flush(client, -1) != forked || chatblock_client_sync(client, -1) != forked)
        return 'f';
    if (take(chatblock_client_stats(client)) != forked || take(chatblock_client_backup(client, "copy")) != forked)
        return 't';
    return chatblock_client_close(client, -1) == CHATBLOCK_OK ? '+' : 'x';
}

/* A completion waits when the child is made: it is the parent's. */
static void a_forked_child_has_no_completions(void)
{
    chatblock_client *client = open_client("{}");
    int ends[2];
    char told = 0;
    CHECK_NUMBER(chatblock_blocklist_add_async(client, "ann", BOB, 1, 9, NULL), CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_client_flush(client, -1), CHATBLOCK_OK);
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        told = look_from_child(client);
        if (write(ends[1], &told, 1) != 1)
            _exit(1);
        /* As in process.c: what was copied is nobody's to free here. */
        kill(getpid(), SIGKILL);
    }
    CHECK(close(ends[1]) == 0 && read(ends[0], &told, 1) == 1 && close(ends[0]) == 0);
    CHECK_NUMBER(told, '+');
    CHECK(waitpid(child, NULL, 0) == child);
    completes(client, 9, "black_list_add", 1);
    is_quiet(client);
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
}

static void errno_stays(void)
{
    chatblock_client *client = open_client("{}");
    errno = 77;
    CHECK_NUMBER(chatblock_blocklist_add_async(client, "ann", BOB, 1, 1, NULL), CHATBLOCK_OK);
    CHECK_NUMBER(take(chatblock_client_poll(client, -1)), CHATBLOCK_OK);
    CHECK(chatblock_client_poll(client, 1) == NULL && chatblock_client_event_fd(client) >= 0);
    CHECK_NUMBER(chatblock_client_wakeup(client), CHATBLOCK_OK);
    is_quiet(client);
    CHECK_NUMBER(errno, 77);
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
}

int main(void)
{
    int files = open_files(), tasks = entries("/proc/self/task");
    every_call_completes_once();
    a_long_list_is_one_completion();
    stats_count_every_call_once();
    calls_of_one_owner_keep_their_order();
    a_check_sees_the_writes_before_it();
    a_poll_ends();
    the_descriptor_tells_what_waits();
    every_arrival_after_a_null_is_an_edge();
    a_full_queue_is_busy();
    flush_sync_and_cancel();
    what_is_synced_is_there_again();
    a_copy_is_a_store_like_any_other();
    a_forked_child_has_no_completions();
    errno_stays();
    CHECK_NUMBER(threads_left(tasks), tasks);
    CHECK_NUMBER(open_files(), files);
    return check_report();
}
