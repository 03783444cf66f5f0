/* Every function with good arguments, on the engine in memory. */
#include "host.h"

static void versions_and_names_agree_with_the_header(void)
{
    static const struct {
        int32_t status;
        const char *name;
    } names[] = {
#define NAME(status) {status, #status}
        NAME(CHATBLOCK_UNCHANGED),       NAME(CHATBLOCK_PARTIAL),
        NAME(CHATBLOCK_OK),              NAME(CHATBLOCK_ERR_ARGUMENT),
        NAME(CHATBLOCK_ERR_CONFIG),      NAME(CHATBLOCK_ERR_REQUEST),
        NAME(CHATBLOCK_ERR_SERVICE),     NAME(CHATBLOCK_ERR_NETWORK),
        NAME(CHATBLOCK_ERR_TIMEOUT),     NAME(CHATBLOCK_ERR_BUSY),
        NAME(CHATBLOCK_ERR_CANCELLED),   NAME(CHATBLOCK_ERR_CLOSED),
        NAME(CHATBLOCK_ERR_STORAGE),     NAME(CHATBLOCK_ERR_UNKNOWN),
        NAME(CHATBLOCK_ERR_SIGNATURE),   NAME(CHATBLOCK_ERR_UNSUPPORTED),
        NAME(CHATBLOCK_ERR_FORKED),      NAME(CHATBLOCK_ERR_PANIC),
        NAME(CHATBLOCK_ERR_CONNECT),     NAME(CHATBLOCK_ERR_QUEUED),
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        CHECK_TEXT(chatblock_status_name((chatblock_status)names[i].status), names[i].name);
    CHECK_TEXT(chatblock_status_name((chatblock_status)3), "CHATBLOCK_ERR_?");
    CHECK_TEXT(chatblock_status_name((chatblock_status)-18), "CHATBLOCK_ERR_?");

    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", CHATBLOCK_VERSION_MAJOR, CHATBLOCK_VERSION_MINOR,
             CHATBLOCK_VERSION_PATCH);
    CHECK_TEXT(chatblock_version(), version);
    CHECK_NUMBER(chatblock_version_number(), CHATBLOCK_VERSION_NUMBER);
}

static void a_partial_result_tells_what_became_of_each_account(chatblock_client *client)
{
    const char *targets[] = {"bob", "ann", "cat"};
    chatblock_result *r = chatblock_blocklist_add(client, "ann", targets, 3);
    CHECK_NUMBER(chatblock_result_status(r), CHATBLOCK_PARTIAL);
    CHECK_NUMBER(chatblock_result_service_code(r), 30001);
    CHECK_NUMBER(chatblock_result_retryable(r), 0);
    CHECK_HAS(chatblock_result_message(r), "1 of 3 accounts");
    CHECK_HAS(chatblock_result_message(r), "\"ann\"");
    CHECK_HAS(chatblock_result_json(r), "\"Fail_Account\":[\"ann\"]");
    CHECK_NUMBER(chatblock_result_json_len(r), strlen(chatblock_result_json(r)));
    CHECK_NUMBER(chatblock_result_tag(r), 0);
    CHECK_TEXT(chatblock_result_command(r), "black_list_add");
    CHECK_TEXT(chatblock_result_from_account(r), "ann");
    CHECK_TEXT(chatblock_result_usersig(r), "");
    CHECK_NUMBER(chatblock_result_next_index(r), 0);

    CHECK_NUMBER(chatblock_result_item_count(r), 3);
    for (size_t i = 0; i < 3; i++) {
        CHECK_TEXT(chatblock_result_item_account(r, i), targets[i]);
        CHECK_NUMBER(chatblock_result_item_status(r, i), i == 1 ? CHATBLOCK_ERR_SERVICE : CHATBLOCK_OK);
        CHECK_NUMBER(chatblock_result_item_code(r, i), i == 1 ? 30001 : 0);
        CHECK_NUMBER(chatblock_result_item_relation(r, i), CHATBLOCK_RELATION_NONE);
        CHECK_NUMBER(chatblock_result_item_time(r, i), 0);
    }
    chatblock_result_free(r);
}

static void what_was_so_already_is_unchanged(chatblock_client *client)
{
    const char *targets[] = {"bob", "dan"};
    chatblock_result *r = chatblock_blocklist_add(client, "ann", targets, 2);
    CHECK_NUMBER(chatblock_result_status(r), CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_result_service_code(r), 0);
    CHECK_TEXT(chatblock_result_message(r), "");
    CHECK_NUMBER(chatblock_result_item_status(r, 0), CHATBLOCK_UNCHANGED);
    CHECK_NUMBER(chatblock_result_item_code(r, 0), 30001);
    CHECK_NUMBER(chatblock_result_item_status(r, 1), CHATBLOCK_OK);
    chatblock_result_free(r);

    const char *others[] = {"dan", "nobody"};
    r = chatblock_blocklist_delete(client, "ann", others, 2);
    CHECK_NUMBER(chatblock_result_status(r), CHATBLOCK_OK);
    CHECK_TEXT(chatblock_result_command(r), "black_list_delete");
    CHECK_NUMBER(chatblock_result_item_status(r, 0), CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_result_item_status(r, 1), CHATBLOCK_UNCHANGED);
    chatblock_result_free(r);
}

static void a_check_knows_four_relations(chatblock_client *client)
{
    const char *ann[] = {"ann"};
    CHECK_NUMBER(take(chatblock_blocklist_add(client, "bob", ann, 1)), CHATBLOCK_OK);
    CHECK_NUMBER(take(chatblock_blocklist_add(client, "eve", ann, 1)), CHATBLOCK_OK);

    const char *targets[] = {"zoe", "cat", "eve", "bob"};
    chatblock_result *r =
        chatblock_blocklist_check(client, "ann", targets, 4, CHATBLOCK_CHECK_BOTH);
    CHECK_NUMBER(chatblock_result_status(r), CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_result_item_relation(r, 0), CHATBLOCK_RELATION_NO);
    CHECK_NUMBER(chatblock_result_item_relation(r, 1), CHATBLOCK_RELATION_A_WITH_B);
    CHECK_NUMBER(chatblock_result_item_relation(r, 2), CHATBLOCK_RELATION_B_WITH_A);
    CHECK_NUMBER(chatblock_result_item_relation(r, 3), CHATBLOCK_RELATION_BOTH_WAY);
    chatblock_result_free(r);

    r = chatblock_blocklist_check(client, "ann", targets, 4, CHATBLOCK_CHECK_SINGLE);
    CHECK_TEXT(chatblock_result_command(r), "black_list_check");
    CHECK_NUMBER(chatblock_result_item_relation(r, 2), CHATBLOCK_RELATION_NO);
    CHECK_NUMBER(chatblock_result_item_relation(r, 3), CHATBLOCK_RELATION_A_WITH_B);
    chatblock_result_free(r);
}

static void the_outcome_of_a_call_sums_up_its_accounts(void)
{
    chatblock_client *client = open_client("{}");
    const char *self[] = {"ann"}, *both[] = {"ann", "bob"}, *bob[] = {"bob"};
    chatblock_result *r = chatblock_blocklist_add(client, "ann", self, 1);
    CHECK_NUMBER(chatblock_result_status(r), CHATBLOCK_ERR_SERVICE);
    CHECK_NUMBER(chatblock_result_service_code(r), 30001);
    CHECK_HAS(chatblock_result_json(r), "\"ResultItem\"");
    CHECK_NUMBER(take(r), CHATBLOCK_ERR_SERVICE);
    CHECK_NUMBER(take(chatblock_blocklist_add(client, "ann", both, 2)), CHATBLOCK_PARTIAL);
    CHECK_NUMBER(take(chatblock_blocklist_add(client, "ann", bob, 1)), CHATBLOCK_OK);
    chatblock_client_close(client, 0);

    client = open_client("{\"accounts\":\"imported\"}");
    r = chatblock_blocklist_add(client, "ann", bob, 1);
    CHECK_NUMBER(chatblock_result_status(r), CHATBLOCK_ERR_SERVICE);
    CHECK_NUMBER(chatblock_result_service_code(r), 30003);
    CHECK_HAS(chatblock_result_message(r), "import");
    CHECK_NUMBER(chatblock_result_item_status(r, 0), CHATBLOCK_ERR_SERVICE);
    chatblock_result_free(r);
    r = chatblock_blocklist_get(client, "ann", 0, 10);
    CHECK_NUMBER(chatblock_result_status(r), CHATBLOCK_ERR_SERVICE);
    CHECK_NUMBER(chatblock_result_item_count(r), 0);
    chatblock_result_free(r);
    chatblock_client_close(client, 0);
}

static void a_list_is_read_page_by_page(void)
{
    chatblock_client *client = open_client("{}");
    const char *targets[] = {"p0", "p1", "p2", "p3", "p4", "p5", "p6"};
    long long before = (long long)time(NULL);
    CHECK_NUMBER(take(chatblock_blocklist_add(client, "ann", targets, 7)), CHATBLOCK_OK);

    size_t pages = 0, seen = 0;
    uint32_t start = 0;
    do {
        chatblock_result *r = chatblock_blocklist_get(client, "ann", start, 3);
        CHECK_NUMBER(chatblock_result_status(r), CHATBLOCK_OK);
        for (size_t i = 0; i < chatblock_result_item_count(r); i++, seen++) {
            CHECK(seen < 7);
            CHECK_TEXT(chatblock_result_item_account(r, i), targets[seen % 7]);
            CHECK_NUMBER(chatblock_result_item_status(r, i), CHATBLOCK_OK);
            CHECK(chatblock_result_item_time(r, i) >= before);
        }
        start = chatblock_result_next_index(r);
        chatblock_result_free(r);
    } while (++pages < 10 && start != 0);
    CHECK_NUMBER(pages, 3);
    CHECK_NUMBER(seen, 7);

    static const struct {
        const char *owner;
        uint32_t start;
    } empty[] = {{"ann", 7}, {"ann", UINT32_MAX}, {"nobody", 0}};
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        chatblock_result *r = chatblock_blocklist_get(client, empty[i].owner, empty[i].start, 1000);
        CHECK_NUMBER(chatblock_result_status(r), CHATBLOCK_OK);
        CHECK_NUMBER(chatblock_result_item_count(r), 0);
        CHECK_NUMBER(chatblock_result_next_index(r), 0);
        chatblock_result_free(r);
    }
    chatblock_client_close(client, 0);
}

static void results_outlive_the_client_and_are_freed_in_any_order(void)
{
    chatblock_client *client = open_client("{}");
    const char *bob[] = {"bob"};
    chatblock_result *first = chatblock_blocklist_add(client, "ann", bob, 1);
    chatblock_result *second = chatblock_blocklist_get(client, "ann", 0, 1);
    chatblock_result *third = chatblock_blocklist_check(client, "ann", bob, 1, CHATBLOCK_CHECK_BOTH);
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
    chatblock_result_free(second);
    CHECK_TEXT(chatblock_result_item_account(third, 0), "bob");
    chatblock_result_free(third);
    CHECK_TEXT(chatblock_result_from_account(first), "ann");
    chatblock_result_free(first);
}

static void verify(const char *sig, uint32_t app, const char *key, const char *user, int32_t code)
{
    chatblock_result *r = chatblock_usersig_verify(app, key, user, sig);
    CHECK_NUMBER(chatblock_result_status(r), code ? CHATBLOCK_ERR_SIGNATURE : CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_result_service_code(r), code);
    CHECK(strstr(chatblock_result_message(r), key) == NULL);
    chatblock_result_free(r);
}

static void a_signature_is_made_and_verified(void)
{
    chatblock_result *r = chatblock_usersig_generate(1400000001, TEST_KEY, "ann", 60);
    CHECK_NUMBER(chatblock_result_status(r), CHATBLOCK_OK);
    const char *sig = chatblock_result_usersig(r);
    CHECK(strlen(sig) > 100);
    CHECK_TEXT(chatblock_result_json(r), "");
    verify(sig, 1400000001, TEST_KEY, "ann", 0);
    verify("no signature", 1400000001, TEST_KEY, "ann", 70003);
    verify(sig, 1400000002, TEST_KEY, "ann", 70014);
    verify(sig, 1400000001, TEST_KEY, "bob", 70013);
    verify(sig, 1400000001, "another key", "ann", 70009);
    chatblock_result_free(r);
}

int main(void)
{
    versions_and_names_agree_with_the_header();
    chatblock_client *client = open_client("{}");
    a_partial_result_tells_what_became_of_each_account(client);
    what_was_so_already_is_unchanged(client);
    a_check_knows_four_relations(client);
    CHECK_NUMBER(chatblock_client_close(client, 0), CHATBLOCK_OK);
    the_outcome_of_a_call_sums_up_its_accounts();
    a_list_is_read_page_by_page();
    results_outlive_the_client_and_are_freed_in_any_order();
    a_signature_is_made_and_verified();
    return check_report();
}
