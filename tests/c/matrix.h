/* What the generated NULL matrix uses (see matrix.rs). */
#ifndef MATRIX_H
#define MATRIX_H

#include "host.h"

#include <errno.h>

static chatblock_client *client;
static chatblock_result *result, *error;
static const char *const targets[] = {"bob", "cat"};
static const char *const holed[] = {NULL, "cat"};
static const char *const garbled[] = {"a\xff", "cat"};
static int8_t answers[2];
static uint32_t pairs[4];
static size_t unknown;

#define GOOD_CONFIG "{}"
#define GOOD_REQUEST "{\"From_Account\":\"ann\",\"StartIndex\":0,\"MaxLimited\":9,\"LastSequence\":0}"

static inline chatblock_client *fresh_client(void)
{
    return open_client(GOOD_CONFIG);
}

#define KEEPS_ERRNO(check)                                                                         \
    do {                                                                                           \
        errno = 77;                                                                                \
        check;                                                                                     \
        check_that(errno == 77, "errno is kept by " #check, "", __FILE__, __LINE__);               \
    } while (0)

static void refused(chatblock_result *r, const char *name)
{
    CHECK_NUMBER(chatblock_result_status(r), CHATBLOCK_ERR_ARGUMENT);
    CHECK(strncmp(chatblock_result_message(r), name, strlen(name)) == 0);
    CHECK_NUMBER(chatblock_result_item_count(r), 0);
    chatblock_result_free(r);
}

/* A call that was refused at once, with the reason at `error`. */
static void not_accepted(chatblock_status status, const char *name)
{
    CHECK_NUMBER(status, CHATBLOCK_ERR_ARGUMENT);
    CHECK(error != NULL);
    refused(error, name);
    error = NULL;
}

static void opened(chatblock_client *other)
{
    CHECK(other != NULL);
    CHECK_NUMBER(chatblock_client_close(other, 0), CHATBLOCK_OK);
}

static void not_opened(const chatblock_client *other, chatblock_result **why)
{
    CHECK(other == NULL);
    refused(*why, "config_json");
    *why = NULL;
}

static void begin(void)
{
    client = open_client("{}");
    result = chatblock_blocklist_add(client, "ann", targets, 2);
}

/* Nothing of all that has changed or broken the client. */
static int end(void)
{
    CHECK_NUMBER(take(result), CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_client_flush(client, -1), CHATBLOCK_OK);
    CHECK_NUMBER(take(chatblock_blocklist_get(client, "ann", 0, 10)), CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
    return check_report();
}

#endif
