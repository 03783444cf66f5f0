#include <chatblock.h>
#include <stdio.h>

int main(void)
{
    chatblock_result *error = NULL;
    chatblock_client *client = chatblock_client_open("{}", &error);
    if (client == NULL) {
        fprintf(stderr, "open: %s\n", chatblock_result_message(error));
        chatblock_result_free(error);
        return 1;
    }
    const char *targets[] = {"bob"};
    chatblock_result *result = chatblock_blocklist_add(client, "ann", targets, 1);
    int failed = chatblock_result_status(result) != CHATBLOCK_OK;
    if (failed)
        fprintf(stderr, "add: %s\n", chatblock_result_message(result));
    else
        puts(chatblock_result_json(result));
    chatblock_result_free(result);
    return chatblock_client_close(client, 1000) < 0 || failed;
}
