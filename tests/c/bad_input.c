/* Arguments that are wrong in another way than NULL or not UTF-8: those are in the generated matrix. */
#include "host.h"

#define LONG_ID "0123456789abcdef0123456789abcdef!"

static chatblock_client *client;

static void refused(chatblock_result *r, const char *names)
{
    CHECK_NUMBER(chatblock_result_status(r), CHATBLOCK_ERR_ARGUMENT);
    CHECK_HAS(chatblock_result_message(r), names);
    CHECK_NUMBER(chatblock_result_service_code(r), 0);
    CHECK_NUMBER(chatblock_result_retryable(r), 0);
    CHECK_NUMBER(chatblock_result_item_count(r), 0);
    CHECK_TEXT(chatblock_result_json(r), "");
    chatblock_result_free(r);
}

static void identifiers_have_rules(void)
{
    static const char *const bad[] = {
        "", LONG_ID, "a\nb", "\t", "a\x7f", "a\xc2\x85z", "\xc3\xa9t\xc3\xa9",
    };
    const char *bob[] = {"bob"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *owner = bad[i], *targets[] = {"bob", "cat", bad[i]};
        refused(chatblock_blocklist_add(client, owner, bob, 1), "owner");
        refused(chatblock_blocklist_delete(client, owner, bob, 1), "owner");
        refused(chatblock_blocklist_get(client, owner, 0, 1), "owner");
        refused(chatblock_blocklist_check(client, owner, bob, 1, CHATBLOCK_CHECK_BOTH), "owner");
        refused(chatblock_blocklist_add(client, "ann", targets, 3), "targets[2]");
        refused(chatblock_blocklist_delete(client, "ann", targets, 3), "targets[2]");
        refused(chatblock_blocklist_check(client, "ann", targets, 3, CHATBLOCK_CHECK_BOTH), "targets[2]");
    }
    const char *best[] = {"0123456789abcdef0123456789abcdef", "a \"b\"\\ <c>", "~"};
    CHECK_NUMBER(take(chatblock_blocklist_add(client, "!", best, 3)), CHATBLOCK_OK);
    CHECK_NUMBER(take(chatblock_blocklist_delete(client, "!", best, 3)), CHATBLOCK_OK);
}

static void what_is_refused_changes_nothing(void)
{
    chatblock_result *r = chatblock_blocklist_get(client, "ann", 0, 1000);
    CHECK_NUMBER(chatblock_result_status(r), CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_result_item_count(r), 0);
    chatblock_result_free(r);
}

static void counts_have_limits(void)
{
    static const char *many[100001];
    for (size_t i = 0; i < 100001; i++)
        many[i] = "bob";
    static const size_t bad[] = {0, 100001, SIZE_MAX / sizeof(char *), SIZE_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        refused(chatblock_blocklist_add(client, "ann", many, bad[i]), "count");
        refused(chatblock_blocklist_delete(client, "ann", many, bad[i]), "count");
        refused(chatblock_blocklist_check(client, "ann", many, bad[i], CHATBLOCK_CHECK_BOTH), "count");
    }
    /* Not refused for its length: the last of 100,000 is looked at. */
    many[99999] = "";
    refused(chatblock_blocklist_add(client, "ann", many, 100000), "targets[99999]");
}

static void numbers_have_limits(void)
{
    const char *bob[] = {"bob"};
    static const int32_t types[] = {0, 3, -1, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        refused(chatblock_blocklist_check(client, "ann", bob, 1, (chatblock_check_type)types[i]), "check_type");
    static const uint32_t limits[] = {0, 1001, UINT32_MAX};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        refused(chatblock_blocklist_get(client, "ann", 0, limits[i]), "limit");
    CHECK_NUMBER(take(chatblock_blocklist_get(client, "ann", UINT32_MAX, 1)), CHATBLOCK_OK);
}

static void there_is_no_item_beyond_the_last(void)
{
    const char *bob[] = {"bob"};
    chatblock_result *r = chatblock_blocklist_check(client, "ann", bob, 1, CHATBLOCK_CHECK_BOTH);
    static const size_t bad[] = {1, 2, (size_t)UINT32_MAX, SIZE_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_TEXT(chatblock_result_item_account(r, bad[i]), "");
        CHECK_NUMBER(chatblock_result_item_status(r, bad[i]), CHATBLOCK_ERR_ARGUMENT);
        CHECK_NUMBER(chatblock_result_item_code(r, bad[i]), 0);
        CHECK_NUMBER(chatblock_result_item_relation(r, bad[i]), 0);
        CHECK_NUMBER(chatblock_result_item_time(r, bad[i]), 0);
    }
    chatblock_result_free(r);
}

static void commands_are_four(void)
{
    static const char *const bad[] = {"", "black_list", "BLACK_LIST_ADD", "black_list_add ", "add"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refused(chatblock_client_call(client, bad[i], "{}"), "command must be one of black_list_add");
}

static void signatures_need_an_app_a_key_and_a_user(void)
{
    refused(chatblock_usersig_generate(0, TEST_KEY, "ann", 60), "sdkappid");
    refused(chatblock_usersig_generate(1, "", "ann", 60), "secret_key");
    refused(chatblock_usersig_generate(1, TEST_KEY, "", 60), "identifier");
    refused(chatblock_usersig_generate(1, TEST_KEY, "a\nb", 60), "identifier");
    refused(chatblock_usersig_generate(1, TEST_KEY, LONG_ID, 60), "identifier");
    refused(chatblock_usersig_generate(1, TEST_KEY, "ann", UINT32_MAX), "expire_seconds");
    refused(chatblock_usersig_verify(0, TEST_KEY, "ann", "x"), "sdkappid");
    refused(chatblock_usersig_verify(1, "", "ann", "x"), "secret_key");
    refused(chatblock_usersig_verify(1, TEST_KEY, "a\nb", "x"), "identifier");

    static char large[1 << 20];
    memset(large, 'A', sizeof large - 1);
    const char *const bad[] = {"", "*", "eJw", large};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        chatblock_result *r = chatblock_usersig_verify(1, TEST_KEY, "ann", bad[i]);
        CHECK_NUMBER(chatblock_result_service_code(r), 70003);
        CHECK_NUMBER(take(r), CHATBLOCK_ERR_SIGNATURE);
    }
}

static void every_number_has_a_name(void)
{
    static const int32_t numbers[] = {INT32_MIN, -1000, 3, INT32_MAX};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        CHECK_TEXT(chatblock_status_name((chatblock_status)numbers[i]), "CHATBLOCK_ERR_?");
}

int main(void)
{
    client = open_client("{}");
    identifiers_have_rules();
    counts_have_limits();
    numbers_have_limits();
    commands_are_four();
    what_is_refused_changes_nothing();
    there_is_no_item_beyond_the_last();
    signatures_need_an_app_a_key_and_a_user();
    every_number_has_a_name();
    CHECK_NUMBER(chatblock_client_close(client, INT32_MIN), CHATBLOCK_OK);
    return check_report();
}
