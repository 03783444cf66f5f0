/* Calls without waiting that are refused at once: as their twins that wait, and nothing is left of them. */
#include "host.h"

enum { MOST_TARGETS = 100000 };

static const char *const BOB[] = {"bob"};

/* A call without waiting is refused as its twin that waits: with the same status, in the same words. */
static void refused_alike(chatblock_status status, chatblock_result *error, chatblock_result *waiting)
{
    CHECK(error != NULL && status < 0);
    CHECK_NUMBER(chatblock_result_status(error), status);
    CHECK_NUMBER(chatblock_result_status(waiting), status);
    CHECK_TEXT(chatblock_result_message(error), chatblock_result_message(waiting));
    CHECK(*chatblock_result_message(error) != '\0');
    chatblock_result_free(error);
    chatblock_result_free(waiting);
}

static void check_is_refused(chatblock_client *c, const char *from, const char *const *to, size_t n, int type)
{
    chatblock_result *error = NULL;
    chatblock_check_type kind = (chatblock_check_type)type;
    chatblock_status status = chatblock_blocklist_check_async(c, from, to, n, kind, 1, &error);
    CHECK_NUMBER(status, CHATBLOCK_ERR_ARGUMENT);
    refused_alike(status, error, chatblock_blocklist_check(c, from, to, n, kind));
    CHECK_NUMBER(chatblock_blocklist_check_async(c, from, to, n, kind, 1, NULL), CHATBLOCK_ERR_ARGUMENT);
}

static void page_is_refused(chatblock_client *c, const char *from, uint32_t limit)
{
    chatblock_result *error = NULL;
    chatblock_status status = chatblock_blocklist_get_async(c, from, 0, limit, 1, &error);
    CHECK_NUMBER(status, CHATBLOCK_ERR_ARGUMENT);
    refused_alike(status, error, chatblock_blocklist_get(c, from, 0, limit));
}

static void targets_are_refused(chatblock_client *c, const char *from, const char *const *to, size_t n)
{
    chatblock_result *error = NULL;
    chatblock_status status = chatblock_blocklist_add_async(c, from, to, n, 1, &error);
    CHECK_NUMBER(status, CHATBLOCK_ERR_ARGUMENT);
    refused_alike(status, error, chatblock_blocklist_add(c, from, to, n));
    status = chatblock_blocklist_delete_async(c, from, to, n, 1, &error);
    CHECK_NUMBER(status, CHATBLOCK_ERR_ARGUMENT);
    refused_alike(status, error, chatblock_blocklist_delete(c, from, to, n));
    check_is_refused(c, from, to, n, CHATBLOCK_CHECK_BOTH);
}

static void bad_targets_are_refused_at_once(chatblock_client *client)
{
    static const char *many[MOST_TARGETS + 1];
    const char *with_null[] = {"bob", NULL}, *not_text[] = {"bob", "\xff"}, *empty[] = {"bob", ""};
    for (size_t i = 0; i <= MOST_TARGETS; i++)
        many[i] = "bob";
    targets_are_refused(NULL, "ann", BOB, 1);
    targets_are_refused(client, NULL, BOB, 1);
    targets_are_refused(client, "\xff", BOB, 1);
    targets_are_refused(client, "", BOB, 1);
    targets_are_refused(client, "ann", NULL, 1);
    targets_are_refused(client, "ann", with_null, 2);
    targets_are_refused(client, "ann", not_text, 2);
    targets_are_refused(client, "ann", empty, 2);
    targets_are_refused(client, "ann", BOB, 0);
    targets_are_refused(client, "ann", many, MOST_TARGETS + 1);
    page_is_refused(NULL, "ann", 9);
    page_is_refused(client, NULL, 9);
    page_is_refused(client, "", 9);
    page_is_refused(client, "ann", 0);
    page_is_refused(client, "ann", 1001);
    check_is_refused(client, "ann", BOB, 1, 0);
    check_is_refused(client, "ann", BOB, 1, 3);
    check_is_refused(client, "ann", BOB, 1, INT32_MIN);
}

static void request_is_refused(chatblock_client *c, const char *command, const char *request, chatblock_status wanted)
{
    chatblock_result *error = NULL;
    chatblock_status status = chatblock_client_submit(c, command, request, 1, &error);
    CHECK_NUMBER(status, wanted);
    refused_alike(status, error, chatblock_client_call(c, command, request));
    CHECK_NUMBER(chatblock_client_submit(c, command, request, 1, NULL), wanted);
}

static void bad_json_is_refused_at_once(chatblock_client *client)
{
    const char *good = "{\"From_Account\":\"ann\",\"To_Account\":[\"bob\"]}";
    const char *add = "black_list_add", *bad[] = {"", "{", "[]", "{}", "{\"From_Account\":\"ann\"}",
                                                   "{\"From_Account\":\"ann\",\"To_Account\":[\"bob\"],\"ExpireAt\":1}"};
    request_is_refused(NULL, add, good, CHATBLOCK_ERR_ARGUMENT);
    request_is_refused(client, NULL, good, CHATBLOCK_ERR_ARGUMENT);
    request_is_refused(client, add, NULL, CHATBLOCK_ERR_ARGUMENT);
    request_is_refused(client, "\xff", good, CHATBLOCK_ERR_ARGUMENT);
    request_is_refused(client, add, "\xff", CHATBLOCK_ERR_ARGUMENT);
    request_is_refused(client, "black_list_drop", good, CHATBLOCK_ERR_ARGUMENT);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        request_is_refused(client, add, bad[i], CHATBLOCK_ERR_REQUEST);
}

static void what_is_refused_leaves_nothing(void)
{
    chatblock_client *client = open_client("{}");
    bad_targets_are_refused_at_once(client);
    bad_json_is_refused_at_once(client);
    CHECK_NUMBER(chatblock_client_flush(client, 0), CHATBLOCK_OK);
    CHECK(chatblock_client_poll(client, 0) == NULL);
    CHECK_NUMBER(take(chatblock_blocklist_get(client, "ann", 0, 1)), CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
    CHECK(chatblock_client_poll(NULL, -1) == NULL);
    CHECK_NUMBER(chatblock_client_event_fd(NULL), CHATBLOCK_ERR_ARGUMENT);
    CHECK_NUMBER(chatblock_client_wakeup(NULL), CHATBLOCK_ERR_ARGUMENT);
    CHECK_NUMBER(chatblock_client_cancel(NULL, 1), CHATBLOCK_ERR_ARGUMENT);
    CHECK_NUMBER(chatblock_client_sync(NULL, -1), CHATBLOCK_ERR_ARGUMENT);
    CHECK_NUMBER(chatblock_client_flush(NULL, -1), CHATBLOCK_ERR_ARGUMENT);
}

int main(void)
{
    int files = open_files(), tasks = entries("/proc/self/task");
    what_is_refused_leaves_nothing();
    CHECK_NUMBER(threads_left(tasks), tasks);
    CHECK_NUMBER(open_files(), files);
    return check_report();
}
