#include <chatblock.h>
#include <stdio.h>

int main(void)
{
    chatblock_client *client = chatblock_client_open("{}", NULL);
    const char *bob[] = {"bob"};
    chatblock_result *result = chatblock_blocklist_add(client, "ann", bob, 1);
    if (chatblock_result_status(result) < 0)
        fprintf(stderr, "%s\n", chatblock_result_message(result));
    puts(chatblock_result_json(result));
    chatblock_result_free(result);
    return chatblock_client_close(client, 1000) < 0;
}
