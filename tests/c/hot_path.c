/* Who blocks whom, without JSON: answers, refusals, and nothing read or written beyond what was given. */
#include "host.h"

#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define LONGEST "0123456789abcdef0123456789abcdef"
#define TOO_LONG LONGEST "x"

static const char *BOB[] = {"bob"};

static int asks(chatblock_client *client, const char *owner, const char *peer)
{
    return chatblock_client_is_blocked(client, owner, peer);
}

static void an_answer_follows_the_calls_that_returned(chatblock_client *client)
{
    CHECK_NUMBER(asks(client, "ann", "bob"), 0);
    CHECK_NUMBER(take(chatblock_blocklist_add(client, "ann", BOB, 1)), CHATBLOCK_OK);
    CHECK_NUMBER(asks(client, "ann", "bob"), 1);
    CHECK_NUMBER(asks(client, "bob", "ann"), 0);
    CHECK_NUMBER(take(chatblock_blocklist_delete(client, "ann", BOB, 1)), CHATBLOCK_OK);
    CHECK_NUMBER(asks(client, "ann", "bob"), 0);
    CHECK_NUMBER(chatblock_blocklist_add_async(client, "ann", BOB, 1, 7, NULL), CHATBLOCK_OK);
    CHECK_NUMBER(take(chatblock_client_poll(client, 20000)), CHATBLOCK_OK);
    CHECK_NUMBER(asks(client, "ann", "bob"), 1);
}

static void an_account_has_1_to_32_bytes(chatblock_client *client)
{
    const char *bad[] = {NULL, "", TOO_LONG};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_NUMBER(asks(client, "ann", bad[i]), CHATBLOCK_ERR_ARGUMENT);
        CHECK_NUMBER(asks(client, bad[i], "bob"), CHATBLOCK_ERR_ARGUMENT);
    }
    CHECK_NUMBER(asks(NULL, "ann", "bob"), CHATBLOCK_ERR_ARGUMENT);
    CHECK_NUMBER(asks(client, "ann", "ann"), 0);
    CHECK_NUMBER(asks(client, LONGEST, LONGEST), 0);
    CHECK_NUMBER(asks(client, "ann", "\xff\xfe"), 0);
    const char *longest[] = {LONGEST};
    CHECK_NUMBER(take(chatblock_blocklist_add(client, "ann", longest, 1)), CHATBLOCK_OK);
    CHECK_NUMBER(asks(client, "ann", LONGEST), 1);
    CHECK_NUMBER(asks(client, "ann", TOO_LONG), CHATBLOCK_ERR_ARGUMENT);
}

static void each_owner_has_its_own_answer(chatblock_client *client)
{
    const char *owners[] = {"ann", NULL, "cid", "", "bob", TOO_LONG, "ann"};
    const int8_t wanted[] = {1, CHATBLOCK_ERR_ARGUMENT, 0, CHATBLOCK_ERR_ARGUMENT, 0, CHATBLOCK_ERR_ARGUMENT, 1};
    int8_t out[8];
    memset(out, 99, sizeof out);
    CHECK_NUMBER(chatblock_client_is_blocked_many(client, owners, 7, "bob", out), 2);
    for (int i = 0; i < 7; i++)
        CHECK_NUMBER(out[i], wanted[i]);
    CHECK_NUMBER(out[7], 99);
}

static void a_refused_question_about_many_writes_nothing(chatblock_client *client)
{
    const int refused = CHATBLOCK_ERR_ARGUMENT;
    const char *owners[] = {"ann"};
    int8_t out = 99;
    CHECK_NUMBER(chatblock_client_is_blocked_many(client, owners, 0, "bob", &out), refused);
    CHECK_NUMBER(chatblock_client_is_blocked_many(client, owners, (size_t)1 << 31, "bob", &out), refused);
    CHECK_NUMBER(chatblock_client_is_blocked_many(client, owners, SIZE_MAX, "bob", &out), refused);
    CHECK_NUMBER(chatblock_client_is_blocked_many(client, NULL, 1, "bob", &out), refused);
    CHECK_NUMBER(chatblock_client_is_blocked_many(client, owners, 1, "bob", NULL), refused);
    CHECK_NUMBER(chatblock_client_is_blocked_many(client, owners, 1, NULL, &out), refused);
    CHECK_NUMBER(chatblock_client_is_blocked_many(client, owners, 1, TOO_LONG, &out), refused);
    CHECK_NUMBER(out, 99);
}

static void pairs_are_written_up_to_the_capacity(chatblock_client *client)
{
    const char *accounts[] = {"ann", "bob", "cid", "bob"};
    uint32_t pairs[6];
    size_t unknown = 99;
    memset(pairs, 0xee, sizeof pairs);
    CHECK_NUMBER(chatblock_client_blocked_pairs(client, accounts, 4, pairs, 3, &unknown), 2);
    CHECK_NUMBER(unknown, 0);
    CHECK(pairs[0] == 0 && pairs[1] == 1 && pairs[2] == 0 && pairs[3] == 3);
    CHECK_NUMBER(pairs[4], 0xeeeeeeee);

    memset(pairs, 0xee, sizeof pairs);
    CHECK_NUMBER(chatblock_client_blocked_pairs(client, accounts, 4, pairs, 1, NULL), 2);
    CHECK(pairs[0] == 0 && pairs[1] == 1);
    CHECK_NUMBER(pairs[2], 0xeeeeeeee);
    CHECK_NUMBER(chatblock_client_blocked_pairs(client, accounts, 4, NULL, 0, NULL), 2);
    CHECK_NUMBER(chatblock_client_blocked_pairs(client, accounts, 1, pairs, 1, NULL), 0);
}

static void a_refused_question_about_pairs_writes_nothing(chatblock_client *client)
{
    const int refused = CHATBLOCK_ERR_ARGUMENT;
    const char *bad[][2] = {{"ann", NULL}, {"", "bob"}, {"ann", TOO_LONG}};
    const char *accounts[] = {"ann", "bob"};
    uint32_t pairs[2] = {99, 99};
    size_t unknown = 99;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_NUMBER(chatblock_client_blocked_pairs(client, bad[i], 2, pairs, 1, &unknown), refused);
    CHECK_NUMBER(chatblock_client_blocked_pairs(client, accounts, 0, pairs, 1, &unknown), refused);
    CHECK_NUMBER(chatblock_client_blocked_pairs(client, accounts, 10001, pairs, 1, &unknown), refused);
    CHECK_NUMBER(chatblock_client_blocked_pairs(client, NULL, 2, pairs, 1, &unknown), refused);
    CHECK_NUMBER(chatblock_client_blocked_pairs(client, accounts, 2, NULL, 1, &unknown), refused);
    CHECK(pairs[0] == 99 && pairs[1] == 99 && unknown == 99);
}

/* `text` with its NUL as the last byte before memory that cannot be read. */
static const char *at_the_edge(const char *text)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = strlen(text) + 1;
    char *memory = (char *)mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory + page, page, PROT_NONE) != 0)
        exit(2);
    return (const char *)memcpy(memory + page - size, text, size);
}

static void nothing_is_read_behind_the_end(chatblock_client *client)
{
    const char *texts[] = {"", "a", "ann", "bob", "1234567", "12345678", "123456789abcdef", LONGEST, TOO_LONG};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *edge = at_the_edge(texts[i]);
        size_t length = strlen(texts[i]);
        int is_sound = length >= 1 && length <= 32;
        int8_t out[1];
        const char *accounts[] = {edge, "zed"};
        CHECK_NUMBER(asks(client, edge, "zed"), is_sound ? 0 : CHATBLOCK_ERR_ARGUMENT);
        CHECK_NUMBER(asks(client, "zed", edge), is_sound ? 0 : CHATBLOCK_ERR_ARGUMENT);
        CHECK_NUMBER(chatblock_client_is_blocked_many(client, accounts, 1, "zed", out), 0);
        CHECK_NUMBER(out[0], is_sound ? 0 : CHATBLOCK_ERR_ARGUMENT);
        CHECK_NUMBER(chatblock_client_blocked_pairs(client, accounts, 2, NULL, 0, NULL),
                     is_sound ? 0 : CHATBLOCK_ERR_ARGUMENT);
    }
}

static void watching_takes_1_to_100000_accounts(chatblock_client *client)
{
    const char *owners[] = {"ann", "bob"};
    const char *bad[][2] = {{"ann", NULL}, {"ann", ""}, {TOO_LONG, "ann"}, {"ann", "\xff"}};
    CHECK_NUMBER(chatblock_client_watch(client, owners, 2), CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_client_unwatch(client, owners, 2), CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_client_watch(client, owners, 0), CHATBLOCK_ERR_ARGUMENT);
    CHECK_NUMBER(chatblock_client_watch(client, NULL, 1), CHATBLOCK_ERR_ARGUMENT);
    CHECK_NUMBER(chatblock_client_watch(client, owners, 100001), CHATBLOCK_ERR_ARGUMENT);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_NUMBER(chatblock_client_watch(client, bad[i], 2), CHATBLOCK_ERR_ARGUMENT);
        CHECK_NUMBER(chatblock_client_unwatch(client, bad[i], 2), CHATBLOCK_ERR_ARGUMENT);
    }
}

static void the_embedded_engine_takes_no_webhooks(chatblock_client *client)
{
    chatblock_result *r = chatblock_client_apply_webhook(client, "SdkAppid=1", "{}", 2);
    CHECK_NUMBER(chatblock_result_status(r), CHATBLOCK_ERR_UNSUPPORTED);
    CHECK_HAS(chatblock_result_json(r), "\"ActionStatus\":\"FAIL\",\"ErrorCode\":1,");
    chatblock_result_free(r);
    CHECK_NUMBER(take(chatblock_client_apply_webhook(client, NULL, "{}", 2)), CHATBLOCK_ERR_ARGUMENT);
    CHECK_NUMBER(take(chatblock_client_apply_webhook(client, "x", NULL, 2)), CHATBLOCK_ERR_ARGUMENT);
}

/* What a forked child finds, told as one letter. */
static char look_from_child(chatblock_client *client)
{
    const char *accounts[] = {"ann", "bob"};
    int8_t out[2];
    if (asks(client, "ann", "bob") != CHATBLOCK_ERR_FORKED)
        return 'b';
    if (chatblock_client_is_blocked_many(client, accounts, 2, "bob", out) != CHATBLOCK_ERR_FORKED)
        return 'm';
    if (chatblock_client_blocked_pairs(client, accounts, 2, NULL, 0, NULL) != CHATBLOCK_ERR_FORKED)
        return 'p';
    if (chatblock_client_watch(client, accounts, 2) != CHATBLOCK_ERR_FORKED)
        return 'w';
    if (chatblock_client_unwatch(client, accounts, 2) != CHATBLOCK_ERR_FORKED)
        return 'u';
    if (take(chatblock_client_apply_webhook(client, "", NULL, 0)) != CHATBLOCK_ERR_FORKED)
        return 'h';
    return '+';
}

static void a_forked_child_is_told_so(chatblock_client *client)
{
    int ends[2];
    char told = 0;
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        told = look_from_child(client);
        if (write(ends[1], &told, 1) != 1)
            _exit(1);
        kill(getpid(), SIGKILL); /* as in process.c: the copied client is nobody's to free here */
    }
    CHECK(close(ends[1]) == 0 && read(ends[0], &told, 1) == 1 && close(ends[0]) == 0);
    CHECK_NUMBER(told, '+');
    CHECK(waitpid(child, NULL, 0) == child);
    CHECK_NUMBER(asks(client, "ann", "bob"), 1);
}

int main(void)
{
    chatblock_client *client = open_client("{\"path\":\"hot_path.db\"}");
    an_answer_follows_the_calls_that_returned(client);
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
    client = open_client("{\"path\":\"hot_path.db\"}");
    CHECK_NUMBER(asks(client, "ann", "bob"), 1);
    CHECK_NUMBER(asks(client, "bob", "ann"), 0);
    an_account_has_1_to_32_bytes(client);
    each_owner_has_its_own_answer(client);
    a_refused_question_about_many_writes_nothing(client);
    pairs_are_written_up_to_the_capacity(client);
    a_refused_question_about_pairs_writes_nothing(client);
    nothing_is_read_behind_the_end(client);
    watching_takes_1_to_100000_accounts(client);
    the_embedded_engine_takes_no_webhooks(client);
    a_forked_child_is_told_so(client);
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
    return check_report();
}
