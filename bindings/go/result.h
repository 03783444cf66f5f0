/* A whole result in two calls into C, because each call has its price. */
#ifndef CHATBLOCK_GO_RESULT_H
#define CHATBLOCK_GO_RESULT_H

#include <chatblock.h>

/* The parts of a result; texts belong to it. */
struct result_view {
    chatblock_status status;
    int32_t service_code;
    int32_t retryable;
    uint32_t next_index;
    uint64_t tag;
    const char *message;
    const char *json;
    size_t json_len;
    const char *command;
    const char *owner;
    size_t item_count;
};

struct item_view {
    const char *account;
    int64_t time;
    chatblock_status status;
    int32_t code;
    int32_t relation;
};

static void view_result(const chatblock_result *result, struct result_view *out)
{
    out->status = chatblock_result_status(result);
    out->service_code = chatblock_result_service_code(result);
    out->retryable = chatblock_result_retryable(result);
    out->next_index = chatblock_result_next_index(result);
    out->tag = chatblock_result_tag(result);
    out->message = chatblock_result_message(result);
    out->json = chatblock_result_json(result);
    out->json_len = chatblock_result_json_len(result);
    out->command = chatblock_result_command(result);
    out->owner = chatblock_result_from_account(result);
    out->item_count = chatblock_result_item_count(result);
}

/* Writes `count` items: the item_count of the result. */
static void view_items(const chatblock_result *result, struct item_view *out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out[i].account = chatblock_result_item_account(result, i);
        out[i].time = chatblock_result_item_time(result, i);
        out[i].status = chatblock_result_item_status(result, i);
        out[i].code = chatblock_result_item_code(result, i);
        out[i].relation = chatblock_result_item_relation(result, i);
    }
}

#endif
