/*
 * A store in a file outlives the process.
 *
 *   durable block.db     ann blocks one more player each time
 */
#include <stdio.h>

#include "chatblock.h"

/* Opens the store, or prints why not. The path must not need escapes in JSON. */
static chatblock_client *open_store(const char *path)
{
    char config[4096];
    chatblock_result *error = NULL;
    if (snprintf(config, sizeof config, "{\"path\": \"%s\"}", path) >= (int)sizeof config)
        return NULL;
    chatblock_client *client = chatblock_client_open(config, &error);
    if (client == NULL) {
        fprintf(stderr, "%s\n", chatblock_result_message(error));
        chatblock_result_free(error);
    }
    return client;
}

/* The length of ann's list, or -1. */
static int count(const chatblock_client *client)
{
    chatblock_result *r = chatblock_blocklist_get(client, "ann", 0, 1000);
    int entries = chatblock_result_status(r) < 0 ? -1 : (int)chatblock_result_item_count(r);
    chatblock_result_free(r);
    return entries;
}

int main(int argc, char **argv)
{
    char name[32];
    const char *target[] = {name};
    chatblock_client *client = argc == 2 ? open_store(argv[1]) : NULL;
    if (client == NULL) {
        fprintf(stderr, "usage: durable STORE\n");
        return 1;
    }
    int before = count(client);
    printf("ann blocked %d before this program started\n", before);

    /* When this returns OK the entry is on disk. */
    snprintf(name, sizeof name, "player%d", before + 1);
    chatblock_result *r = chatblock_blocklist_add(client, "ann", target, 1);
    printf("ann blocks %s: %s\n", name, chatblock_status_name(chatblock_result_status(r)));
    chatblock_result_free(r);
    chatblock_client_close(client, 2000);

    client = open_store(argv[1]);
    if (client == NULL)
        return 1;
    int after = count(client);
    printf("ann blocks %d after the store was opened again\n", after);
    chatblock_client_close(client, 2000);
    return after == before + 1 ? 0 : 1;
}
