/*
 * Blocks players through the cloud service, and shows what a game server does after each outcome.
 *
 *   remote REGION-OR-URL SDKAPPID KEYFILE OWNER PLAYER...
 *   remote singapore 1400000001 /etc/game/chat.key ann bob cat
 *
 * The exit status is 0 if every player is blocked, 1 if not, 2 for a wrong command line.
 */
#include <stdio.h>
#include <string.h>

#include "chatblock.h"

/* A configuration in JSON; 0 when an argument would need escapes or is too long. */
static int write_config(char *config, size_t size, char **argv)
{
    for (int i = 1; i <= 3; i++)
        if (strpbrk(argv[i], "\"\\\n") != NULL)
            return 0;
    const char *place = strstr(argv[1], "://") != NULL ? "base_url" : "region";
    int length = snprintf(config, size,
                          "{\"%s\": \"%s\", \"sdkappid\": %s, \"secret_key_file\": \"%s\","
                          " \"call_ms\": 4000, \"attempt_ms\": 1500, \"connect_ms\": 1000}",
                          place, argv[1], argv[2], argv[3]);
    return length > 0 && (size_t)length < size;
}

/* The service refused. */
static void refused(const char *account, int code, int may_retry)
{
    if (code == 30013)
        printf("tell the player: the list is full, unblock somebody before %s\n", account);
    else if (code == 30003)
        printf("tell support: %s is not known to the service, import the account\n", account);
    else if (may_retry)
        printf("put %s into the queue: the service is busy (%d)\n", account, code);
    else
        printf("tell the developer: %s was refused for good (%d)\n", account, code);
}

/* Some or all accounts were not blocked: one line for each kind of failure. */
static void read_items(const chatblock_result *r)
{
    for (size_t i = 0; i < chatblock_result_item_count(r); i++) {
        const char *account = chatblock_result_item_account(r, i);
        chatblock_status status = chatblock_result_item_status(r, i);
        int32_t code = chatblock_result_item_code(r, i);
        if (code == 0) /* the call was refused as a whole: one code for all */
            code = chatblock_result_service_code(r);
        if (status == CHATBLOCK_ERR_SERVICE)
            refused(account, (int)code, chatblock_result_retryable(r));
        else if (status < 0)
            printf("put %s into the queue: %s\n", account, chatblock_status_name(status));
    }
}

/* Acts on the outcome; 1 if everything is done. */
static int conclude(const chatblock_result *r)
{
    switch (chatblock_result_status(r)) {
    case CHATBLOCK_OK:
        printf("done: all %zu are blocked\n", chatblock_result_item_count(r));
        return 1;
    case CHATBLOCK_PARTIAL:
        printf("done in part\n");
        read_items(r);
        break;
    case CHATBLOCK_ERR_SERVICE:
        printf("nothing done\n");
        read_items(r);
        break;
    case CHATBLOCK_ERR_CONNECT:
        /* Nothing was sent: repeat the call at any time, or drop it. */
        printf("try later: the service cannot be reached, nothing was sent\n");
        break;
    case CHATBLOCK_ERR_NETWORK:
    case CHATBLOCK_ERR_TIMEOUT:
        /* Repeat the same call, not another one: blocking twice does no harm. */
        printf("repeat: no answer, the players may be blocked or not\n");
        break;
    case CHATBLOCK_ERR_QUEUED:
        /* With an outbox only: it is on disk, and sent until it is answered. Do not repeat it. */
        printf("queued: recorded and sent later, do not repeat it\n");
        break;
    default:
        /* Statuses of later versions too: negative is not done, retryable says whether to repeat. */
        printf("%s\n", chatblock_result_retryable(r) ? "try later" : "give up");
    }
    fprintf(stderr, "%s\n", chatblock_result_message(r));
    return 0;
}

int main(int argc, char **argv)
{
    char config[4096];
    if (argc < 6 || !write_config(config, sizeof config, argv)) {
        fprintf(stderr, "usage: remote REGION-OR-URL SDKAPPID KEYFILE OWNER PLAYER...\n");
        return 2;
    }
    chatblock_result *error = NULL;
    chatblock_client *client = chatblock_client_open(config, &error);
    if (client == NULL) {
        fprintf(stderr, "%s\n", chatblock_result_message(error));
        chatblock_result_free(error);
        return 2;
    }
    chatblock_result *r = chatblock_blocklist_add(client, argv[4], (const char *const *)(argv + 5),
                                                  (size_t)(argc - 5));
    int done = conclude(r);
    chatblock_result_free(r);
    chatblock_client_close(client, 2000);
    return done ? 0 : 1;
}
