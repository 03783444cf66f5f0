/*
 * The four blocklist calls, item by item.
 *
 *   quickstart '{}'                                 the embedded backend, in memory
 *   quickstart '{"path": "block.db"}'               the same, in a file
 *   quickstart '{"sdkappid": 1400000001, "secret_key_file": "key", "region": "singapore"}'
 *                                                   the cloud service
 *
 * What it prints is the same each time and on every backend, except for lines that begin with "time".
 */
#include <stdio.h>

#include "chatblock.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const ANN[] = {"ann"};

/* One line for the call, one for each account. Frees the result: everything was read. */
static void report(const char *what, chatblock_result *r)
{
    printf("%s: %s\n", what, chatblock_status_name(chatblock_result_status(r)));
    for (size_t i = 0; i < chatblock_result_item_count(r); i++) {
        int code = (int)chatblock_result_item_code(r, i);
        printf("  %-4s %s", chatblock_result_item_account(r, i),
               chatblock_status_name(chatblock_result_item_status(r, i)));
        if (code != 0)
            printf(" (%d)", code);
        printf("\n");
    }
    if (chatblock_result_message(r)[0] != '\0')
        printf("  %s\n", chatblock_result_message(r));
    chatblock_result_free(r);
}

/* Ann blocks five others and, by mistake, herself; bob and eve block ann. */
static void block(const chatblock_client *client)
{
    const char *unwanted[] = {"bob", "cat", "ann", "dan", "fay", "gil"};
    chatblock_result *r = chatblock_blocklist_add(client, "ann", unwanted, COUNT(unwanted));
    if (chatblock_result_status(r) == CHATBLOCK_PARTIAL)
        printf("the first code of the service is %d\n", (int)chatblock_result_service_code(r));
    report("ann blocks six", r);
    report("bob blocks ann", chatblock_blocklist_add(client, "bob", ANN, 1));
    report("eve blocks ann", chatblock_blocklist_add(client, "eve", ANN, 1));
}

static const char *in_words(int32_t relation)
{
    switch (relation) {
    case CHATBLOCK_RELATION_NO:
        return "nobody blocks";
    case CHATBLOCK_RELATION_A_WITH_B:
        return "ann blocks";
    case CHATBLOCK_RELATION_B_WITH_A:
        return "ann is blocked";
    case CHATBLOCK_RELATION_BOTH_WAY:
        return "each blocks the other";
    default:
        return "no answer";
    }
}

/* Checks which of these may play with ann. */
static void check(const chatblock_client *client)
{
    const char *others[] = {"bob", "cat", "eve", "zoe"};
    chatblock_result *r =
        chatblock_blocklist_check(client, "ann", others, COUNT(others), CHATBLOCK_CHECK_BOTH);
    printf("ann and four others: %s\n", chatblock_status_name(chatblock_result_status(r)));
    for (size_t i = 0; i < chatblock_result_item_count(r); i++)
        printf("  %-4s %s\n", chatblock_result_item_account(r, i),
               in_words(chatblock_result_item_relation(r, i)));
    chatblock_result_free(r);
}

/* Reads ann's list in pages of two. */
static void list(const chatblock_client *client)
{
    uint32_t next = 0;
    int page = 0;
    do {
        chatblock_result *r = chatblock_blocklist_get(client, "ann", next, 2);
        if (chatblock_result_status(r) < 0) {
            report("ann's list", r);
            return;
        }
        printf("page %d of ann's list\n", ++page);
        for (size_t i = 0; i < chatblock_result_item_count(r); i++) {
            const char *account = chatblock_result_item_account(r, i);
            printf("  %s\n", account);
            printf("time %s was blocked: %lld\n", account,
                   (long long)chatblock_result_item_time(r, i));
        }
        next = chatblock_result_next_index(r);
        chatblock_result_free(r);
    } while (next != 0);
}

/* Unblocks all of them: the next run starts with the same lists. */
static void unblock(const chatblock_client *client)
{
    const char *all[] = {"bob", "cat", "dan", "fay", "gil", "zoe"};
    report("ann unblocks six", chatblock_blocklist_delete(client, "ann", all, COUNT(all)));
    report("bob unblocks ann", chatblock_blocklist_delete(client, "bob", ANN, 1));
    report("eve unblocks ann", chatblock_blocklist_delete(client, "eve", ANN, 1));
}

/* Mistakes have a status for the program and a message for people. */
static void make_mistakes(const chatblock_client *client)
{
    report("a page of no entries", chatblock_blocklist_get(client, "ann", 0, 0));
    report("JSON without targets",
           chatblock_client_call(client, "black_list_add", "{\"From_Account\": \"ann\"}"));
}

int main(int argc, char **argv)
{
    chatblock_result *error = NULL;
    chatblock_client *client = chatblock_client_open(argc > 1 ? argv[1] : "{}", &error);
    if (client == NULL) {
        fprintf(stderr, "cannot open: %s\n", chatblock_result_message(error));
        chatblock_result_free(error);
        return 1;
    }
    printf("chatblock %s\n", chatblock_version());
    block(client);
    check(client);
    list(client);
    unblock(client);
    make_mistakes(client);
    if (chatblock_client_close(client, 2000) < 0)
        fprintf(stderr, "a call was still on the network\n");
    return 0;
}
