/* Long lists, full lists, and the calls with the service's own JSON. */
#include "host.h"

enum { MANY = 2500, FULL = 1000 };

static char names[MANY][12];
static const char *many[MANY];

static void make_names(void)
{
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "p%d", i);
        many[i] = names[i];
    }
}

static size_t occurrences(const char *text, const char *part)
{
    size_t count = 0;
    while ((text = strstr(text, part)) != NULL) {
        text += strlen(part);
        count++;
    }
    return count;
}

/* Every account of `many` in its place. */
static int is_in_order(const chatblock_result *r)
{
    int same = chatblock_result_item_count(r) == MANY;
    for (size_t i = 0; same && i < MANY; i++)
        same = strcmp(chatblock_result_item_account(r, i), many[i]) == 0;
    return same;
}

static int all_items(const chatblock_result *r, size_t from, size_t to, chatblock_status status)
{
    for (size_t i = from; i < to; i++)
        if (chatblock_result_item_status(r, i) != status)
            return 0;
    return 1;
}

static void a_list_fills_up_in_the_middle_of_a_call(chatblock_client *client)
{
    chatblock_result *r = chatblock_blocklist_add(client, "ann", many, MANY);
    CHECK_NUMBER(chatblock_result_status(r), CHATBLOCK_PARTIAL);
    CHECK_NUMBER(chatblock_result_service_code(r), 30013);
    CHECK(is_in_order(r));
    CHECK(all_items(r, 0, FULL, CHATBLOCK_OK));
    CHECK(all_items(r, FULL, MANY, CHATBLOCK_ERR_SERVICE));
    CHECK_NUMBER(chatblock_result_item_code(r, FULL), 30013);
    CHECK_HAS(chatblock_result_message(r), "1500 of 2500 accounts failed, the first is \"p1000\"");
    CHECK_NUMBER(occurrences(chatblock_result_json(r), "\"ErrorCode\""), 1);
    CHECK_NUMBER(occurrences(chatblock_result_json(r), "\"To_Account\":"), MANY);
    chatblock_result_free(r);

    r = chatblock_blocklist_add(client, "ann", many + FULL, 1);
    CHECK_NUMBER(chatblock_result_status(r), CHATBLOCK_ERR_SERVICE);
    CHECK_NUMBER(chatblock_result_service_code(r), 30013);
    CHECK_NUMBER(chatblock_result_retryable(r), 0);
    chatblock_result_free(r);
}

static void parts_of_a_long_list_are_joined(chatblock_client *client)
{
    chatblock_result *r = chatblock_blocklist_check(client, "ann", many, MANY, CHATBLOCK_CHECK_BOTH);
    CHECK_NUMBER(chatblock_result_status(r), CHATBLOCK_OK);
    CHECK(is_in_order(r));
    CHECK_NUMBER(chatblock_result_item_relation(r, FULL - 1), CHATBLOCK_RELATION_A_WITH_B);
    CHECK_NUMBER(chatblock_result_item_relation(r, FULL), CHATBLOCK_RELATION_NO);
    CHECK_NUMBER(occurrences(chatblock_result_json(r), "\"Relation\""), MANY);
    chatblock_result_free(r);

    r = chatblock_blocklist_delete(client, "ann", many, MANY);
    CHECK_NUMBER(chatblock_result_status(r), CHATBLOCK_OK);
    CHECK(is_in_order(r));
    CHECK(all_items(r, 0, FULL, CHATBLOCK_OK));
    CHECK(all_items(r, FULL, MANY, CHATBLOCK_UNCHANGED));
    chatblock_result_free(r);
}

static void after_a_part_that_fails_whole_the_rest_is_not_sent(void)
{
    chatblock_client *client = open_client("{\"accounts\":\"imported\"}");
    chatblock_result *r = chatblock_blocklist_add(client, "ann", many, MANY);
    CHECK_NUMBER(chatblock_result_status(r), CHATBLOCK_ERR_SERVICE);
    CHECK_NUMBER(chatblock_result_service_code(r), 30003);
    CHECK(is_in_order(r));
    CHECK(all_items(r, 0, MANY, CHATBLOCK_ERR_SERVICE));
    CHECK_NUMBER(chatblock_result_item_code(r, 0), 0);
    chatblock_result_free(r);
    chatblock_client_close(client, 0);
}

static void the_json_function_does_what_the_typed_ones_do(void)
{
    static const struct {
        const char *command, *request;
    } calls[] = {
        {"black_list_add", "{\"From_Account\":\"ann\",\"To_Account\":[\"bob\"]}"},
        {"black_list_get",
         "{\"From_Account\":\"ann\",\"StartIndex\":0,\"MaxLimited\":10,\"LastSequence\":0}"},
        {"black_list_check", "{\"From_Account\":\"ann\",\"To_Account\":[\"bob\"],"
                             "\"CheckType\":\"BlackCheckResult_Type_Single\"}"},
        {"black_list_delete", "{\"From_Account\":\"ann\",\"To_Account\":[\"bob\"]}"},
    };
    chatblock_client *client = open_client("{}");
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        chatblock_result *r = chatblock_client_call(client, calls[i].command, calls[i].request);
        CHECK_NUMBER(chatblock_result_status(r), CHATBLOCK_OK);
        CHECK_TEXT(chatblock_result_command(r), calls[i].command);
        CHECK_TEXT(chatblock_result_from_account(r), "ann");
        CHECK_HAS(chatblock_result_json(r), "\"ActionStatus\":\"OK\"");
        CHECK_NUMBER(chatblock_result_item_count(r), 1);
        CHECK_TEXT(chatblock_result_item_account(r, 0), "bob");
        if (i == 2)
            CHECK_NUMBER(chatblock_result_item_relation(r, 0), CHATBLOCK_RELATION_A_WITH_B);
        chatblock_result_free(r);
    }
    chatblock_client_close(client, 0);
}

#define ANN "{\"From_Account\":\"ann\""

static void a_refused_request_names_its_member(chatblock_client *client)
{
    static const struct {
        const char *command, *request, *names;
    } bad[] = {
        {"black_list_add", "", "request JSON"},
        {"black_list_add", "[]", "request JSON"},
        {"black_list_add", ANN, "line 1"},
        {"black_list_add", ANN ",\"To_Account\":[\"b\"]}{}", "line 1"},
        {"black_list_add", "{}", "From_Account is missing"},
        {"black_list_add", "{\"From_Account\":1}", "From_Account is not a string"},
        {"black_list_add", "{\"From_Account\":\"\",\"To_Account\":[\"b\"]}", "From_Account is empty"},
        {"black_list_add", "{\"From_Account\":\"a\\nb\",\"To_Account\":[\"b\"]}", "From_Account"},
        {"black_list_add", "{\"From_Account\":\"a\\u0000b\",\"To_Account\":[\"b\"]}", "From_Account"},
        {"black_list_add", ANN "}", "To_Account is missing"},
        {"black_list_add", ANN ",\"To_Account\":\"b\"}", "To_Account is not an array"},
        {"black_list_delete", ANN ",\"To_Account\":[]}", "To_Account is empty"},
        {"black_list_delete", ANN ",\"To_Account\":[\"b\",7]}", "To_Account[1]"},
        {"black_list_delete", ANN ",\"To_Account\":[\"b\",\"\"]}", "To_Account[1]"},
        {"black_list_check", ANN ",\"To_Account\":[\"b\"]}", "CheckType is missing"},
        {"black_list_check", ANN ",\"To_Account\":[\"b\"],\"CheckType\":\"Both\"}", "CheckType"},
        {"black_list_get", ANN ",\"MaxLimited\":1,\"LastSequence\":0}", "StartIndex is missing"},
        {"black_list_get", ANN ",\"StartIndex\":-1,\"MaxLimited\":1,\"LastSequence\":0}", "StartIndex"},
        {"black_list_get", ANN ",\"StartIndex\":0,\"MaxLimited\":1001,\"LastSequence\":0}", "MaxLimited"},
        {"black_list_get", ANN ",\"StartIndex\":0,\"MaxLimited\":\"9\",\"LastSequence\":0}", "MaxLimited"},
        {"black_list_get", ANN ",\"StartIndex\":0,\"MaxLimited\":9}", "LastSequence is missing"},
        {"black_list_add", ANN ",\"To_Account\":[\"b\"],\"ExpireAt\":1}", "member ExpireAt is unknown"},
        {"black_list_delete", ANN ",\"to_account\":[\"b\"]}", "black_list_delete has From_Account, To_Account"},
        {"black_list_check", ANN ",\"To_Account\":[\"b\"],\"\\u0007\":{\"a\":[]}}", "member \\u{7} is unknown"},
        {"black_list_get", ANN ",\"StartIndex\":0,\"MaxLimited\":9,\"LastSequence\":0,\"To_Account\":[]}", "To_Account"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        chatblock_result *r = chatblock_client_call(client, bad[i].command, bad[i].request);
        CHECK_NUMBER(chatblock_result_status(r), CHATBLOCK_ERR_REQUEST);
        CHECK_HAS(chatblock_result_message(r), bad[i].names);
        CHECK_HAS(chatblock_result_message(r), "nothing was sent");
        CHECK_TEXT(chatblock_result_json(r), "");
        CHECK_NUMBER(chatblock_result_item_count(r), 0);
        chatblock_result_free(r);
    }
    CHECK_NUMBER(take(chatblock_client_call(client, "black_list_purge", "{}")), CHATBLOCK_ERR_ARGUMENT);
}

/* A request with `count` targets, or with `count` brackets around a number. */
static chatblock_status call_with(chatblock_client *client, const char *head, const char *element,
                                  size_t count, const char *tail)
{
    size_t most = strlen(head) + count * strlen(element) + strlen(tail) + 1;
    char *request = (char *)malloc(most), *end = request;
    if (request == NULL)
        return CHATBLOCK_ERR_PANIC;
    end += snprintf(end, most, "%s", head);
    for (size_t i = 0; i < count; i++)
        end += snprintf(end, most - (size_t)(end - request), "%s", element);
    snprintf(end, most - (size_t)(end - request), "%s", tail);
    chatblock_result *r = chatblock_client_call(client, "black_list_add", request);
    free(request);
    return take(r);
}

static void a_request_has_limits(chatblock_client *client)
{
    const char *head = ANN ",\"To_Account\":[\"b\"";
    CHECK_NUMBER(call_with(client, head, ",\"b\"", 999, "]}"), CHATBLOCK_OK);
    CHECK_NUMBER(call_with(client, head, ",\"b\"", 1000, "]}"), CHATBLOCK_ERR_REQUEST);
    CHECK_NUMBER(call_with(client, ANN ",\"To_Account\":", "[", 10000, "]}"), CHATBLOCK_ERR_REQUEST);
    CHECK_NUMBER(call_with(client, ANN ",\"x\":\"", "0123456789", 10000, "\",\"To_Account\":[\"b\"]}"),
                 CHATBLOCK_ERR_REQUEST);
    CHECK_NUMBER(call_with(client, ANN ",", "          ", 10000, "\"To_Account\":[\"b\"]}"), CHATBLOCK_OK);
}

int main(void)
{
    make_names();
    chatblock_client *client = open_client("{}");
    a_list_fills_up_in_the_middle_of_a_call(client);
    parts_of_a_long_list_are_joined(client);
    after_a_part_that_fails_whole_the_rest_is_not_sent();
    the_json_function_does_what_the_typed_ones_do();
    a_refused_request_names_its_member(client);
    a_request_has_limits(client);
    CHECK_NUMBER(chatblock_client_close(client, 0), CHATBLOCK_OK);
    return check_report();
}
