/* A good guest in the process: forks, threads, small stacks, errno, descriptors. */
#include "host.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

enum { THREADS = 8, CALLS = 200, ROUNDS = 1000 };

/* What a forked child finds, told as one letter. */
static char look_from_child(chatblock_client *client)
{
    const char *bob[] = {"bob"};
    if (take(chatblock_blocklist_add(client, "ann", bob, 1)) != CHATBLOCK_ERR_FORKED)
        return 'a';
    if (take(chatblock_blocklist_get(client, "ann", 0, 1)) != CHATBLOCK_ERR_FORKED)
        return 'g';
    if (take(chatblock_client_call(client, "black_list_get", "{}")) != CHATBLOCK_ERR_FORKED)
        return 'c';
    if (chatblock_client_close(client, -1) != CHATBLOCK_OK)
        return 'x';
    client = open_client("{}");
    if (take(chatblock_blocklist_add(client, "ann", bob, 1)) != CHATBLOCK_OK)
        return 'o';
    chatblock_client_close(client, 0);
    return '+';
}

static void a_forked_child_leaves_the_client_to_its_parent(const char *config)
{
    chatblock_client *client = open_client(config);
    const char *bob[] = {"bob"};
    CHECK_NUMBER(take(chatblock_blocklist_add(client, "ann", bob, 1)), CHATBLOCK_OK);
    int ends[2];
    char told = 0;
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        told = look_from_child(client);
        if (write(ends[1], &told, 1) != 1)
            _exit(1);
        /* The parent's client was copied with everything else and is nobody's to free here: valgrind
         * is not to look for it. */
        kill(getpid(), SIGKILL);
    }
    CHECK(close(ends[1]) == 0 && read(ends[0], &told, 1) == 1 && close(ends[0]) == 0);
    CHECK_NUMBER(told, '+');
    CHECK(waitpid(child, NULL, 0) == child);

    chatblock_result *r = chatblock_blocklist_check(client, "ann", bob, 1, CHATBLOCK_CHECK_SINGLE);
    CHECK_NUMBER(chatblock_result_item_relation(r, 0), CHATBLOCK_RELATION_A_WITH_B);
    chatblock_result_free(r);
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
}

struct player {
    chatblock_client *client;
    int number;
    int wrong;
};

/* Blocks and unblocks in a list of its own and in one that all share. */
static void *play(void *argument)
{
    struct player *player = (struct player *)argument;
    char own[16];
    snprintf(own, sizeof own, "owner%d", player->number);
    for (int i = 0; i < CALLS; i++) {
        char name[32];
        const char *target[] = {name};
        snprintf(name, sizeof name, "p%d_%d", player->number, i);
        chatblock_client *client = player->client;
        player->wrong += take(chatblock_blocklist_add(client, own, target, 1)) != CHATBLOCK_OK;
        player->wrong += take(chatblock_blocklist_add(client, "all", target, 1)) != CHATBLOCK_OK;
        chatblock_result *r = chatblock_blocklist_check(client, own, target, 1, CHATBLOCK_CHECK_BOTH);
        player->wrong += chatblock_result_item_relation(r, 0) != CHATBLOCK_RELATION_A_WITH_B;
        chatblock_result_free(r);
        player->wrong += take(chatblock_blocklist_delete(client, "all", target, 1)) != CHATBLOCK_OK;
    }
    return NULL;
}

static size_t list_length(chatblock_client *client, const char *owner)
{
    chatblock_result *r = chatblock_blocklist_get(client, owner, 0, 1000);
    size_t count = chatblock_result_item_count(r);
    chatblock_result_free(r);
    return count;
}

static void eight_threads_share_a_client(void)
{
    chatblock_client *client = open_client("{}");
    struct player players[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        players[i].client = client;
        players[i].number = i;
        players[i].wrong = 0;
        CHECK(pthread_create(&threads[i], NULL, play, &players[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK_NUMBER(players[i].wrong, 0);
    }
    CHECK_NUMBER(list_length(client, "all"), 0);
    CHECK_NUMBER(list_length(client, "owner0"), CALLS);
    CHECK_NUMBER(list_length(client, "owner7"), CALLS);
    CHECK_NUMBER(chatblock_client_close(client, 0), CHATBLOCK_OK);
}

/* Each function once with good arguments; errno must stay as it is. */
#define KEEPS_ERRNO(call)                                                                          \
    do {                                                                                           \
        errno = 77;                                                                                \
        call;                                                                                      \
        CHECK_NUMBER(errno, 77);                                                                   \
    } while (0)

static void read_everything(const chatblock_result *r)
{
    KEEPS_ERRNO(chatblock_result_status(r));
    KEEPS_ERRNO(chatblock_result_service_code(r));
    KEEPS_ERRNO(chatblock_result_retryable(r));
    KEEPS_ERRNO(chatblock_result_message(r));
    KEEPS_ERRNO(chatblock_result_json(r));
    KEEPS_ERRNO(chatblock_result_json_len(r));
    KEEPS_ERRNO(chatblock_result_tag(r));
    KEEPS_ERRNO(chatblock_result_command(r));
    KEEPS_ERRNO(chatblock_result_from_account(r));
    KEEPS_ERRNO(chatblock_result_item_count(r));
    KEEPS_ERRNO(chatblock_result_item_account(r, 0));
    KEEPS_ERRNO(chatblock_result_item_status(r, 0));
    KEEPS_ERRNO(chatblock_result_item_code(r, 0));
    KEEPS_ERRNO(chatblock_result_item_relation(r, 0));
    KEEPS_ERRNO(chatblock_result_item_time(r, 0));
    KEEPS_ERRNO(chatblock_result_next_index(r));
    KEEPS_ERRNO(chatblock_result_usersig(r));
}

static void call_everything(const char *config)
{
    chatblock_client *client = NULL;
    chatblock_result *r[9] = {NULL}, *error = NULL;
    const char *targets[] = {"bob", "ann", "cat"};
    KEEPS_ERRNO(chatblock_version());
    KEEPS_ERRNO(chatblock_version_number());
    KEEPS_ERRNO(chatblock_status_name(CHATBLOCK_OK));
    KEEPS_ERRNO(chatblock_client_open("{\"path\":\"no/such/directory/store\"}", &error));
    KEEPS_ERRNO(chatblock_result_free(error));
    KEEPS_ERRNO(client = chatblock_client_open(config, NULL));
    KEEPS_ERRNO(r[0] = chatblock_blocklist_add(client, "ann", targets, 3));
    KEEPS_ERRNO(r[1] = chatblock_blocklist_check(client, "ann", targets, 3, CHATBLOCK_CHECK_BOTH));
    KEEPS_ERRNO(r[2] = chatblock_blocklist_get(client, "ann", 0, 1));
    KEEPS_ERRNO(r[3] = chatblock_client_call(client, "black_list_add",
                                             "{\"From_Account\":\"ann\",\"To_Account\":[\"bob\"]}"));
    KEEPS_ERRNO(r[4] = chatblock_blocklist_delete(client, "ann", targets, 3));
    KEEPS_ERRNO(r[5] = chatblock_usersig_generate(1, TEST_KEY, "ann", 60));
    KEEPS_ERRNO(r[6] = chatblock_usersig_verify(1, TEST_KEY, "ann", chatblock_result_usersig(r[5])));
    KEEPS_ERRNO(r[7] = chatblock_client_stats(client));
    KEEPS_ERRNO(r[8] = chatblock_client_backup(client, "everything-copy"));
    KEEPS_ERRNO(chatblock_client_close(client, 1000));
    CHECK_NUMBER(chatblock_result_status(r[1]), CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_result_status(r[6]), CHATBLOCK_OK);
    for (size_t i = 0; i < 9; i++) {
        read_everything(r[i]);
        KEEPS_ERRNO(chatblock_result_free(r[i]));
    }
}

static void *call_everything_of(void *config)
{
    call_everything((const char *)config);
    return NULL;
}

static void a_small_stack_is_enough(size_t kib, const char *config)
{
    pthread_attr_t attributes;
    pthread_t thread;
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstacksize(&attributes, kib * 1024) == 0);
    CHECK(pthread_create(&thread, &attributes, call_everything_of, (void *)config) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(pthread_attr_destroy(&attributes) == 0);
}

static void a_thousand_clients_leave_nothing_behind(const char *config, int rounds)
{
    int files = open_files(), threads = entries("/proc/self/task");
    const char *bob[] = {"bob"};
    for (int i = 0; i < rounds; i++) {
        chatblock_client *client = open_client(config);
        if (i % 10 == 0)
            CHECK_NUMBER(take(chatblock_blocklist_add(client, "ann", bob, 1)), CHATBLOCK_OK);
        CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
    }
    CHECK_NUMBER(open_files(), files);
    CHECK_NUMBER(threads_left(threads), threads);
}

/* The argument is the size of the small stack in KiB; with a file it is twice as large. */
int main(int argc, char **argv)
{
    size_t kib = argc > 1 ? strtoul(argv[1], NULL, 10) : 32;
    const char *durable = "{\"path\":\"store\"}", *logging = "{\"log\":{\"to\":\"log\"}}";
    a_forked_child_leaves_the_client_to_its_parent("{}");
    a_forked_child_leaves_the_client_to_its_parent(durable);
    a_forked_child_leaves_the_client_to_its_parent(logging);
    eight_threads_share_a_client();
    call_everything(durable);
    a_small_stack_is_enough(kib, "{}");
    a_small_stack_is_enough(2 * kib, "{\"path\":\"small\",\"log\":{\"to\":\"small-log\",\"level\":\"debug\"}}");
    a_thousand_clients_leave_nothing_behind("{}", ROUNDS);
    a_thousand_clients_leave_nothing_behind(durable, ROUNDS / 20);
    a_thousand_clients_leave_nothing_behind(logging, ROUNDS / 20);
    return check_report();
}
