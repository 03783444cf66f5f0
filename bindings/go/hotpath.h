/* The hot path without a C copy of each text: Go's texts have no NUL at their end. */
#ifndef CHATBLOCK_GO_HOTPATH_H
#define CHATBLOCK_GO_HOTPATH_H

#include <chatblock.h>
#include <string.h>

enum { LONGEST_ACCOUNT = 32, OWNERS_AT_ONCE = 128 };

/* Whether `text` is an account; then it stands in `out` with its NUL. */
static int is_account(const char *text, size_t len, char out[LONGEST_ACCOUNT + 1])
{
    if (len == 0 || len > LONGEST_ACCOUNT || memchr(text, '\0', len) != NULL)
        return 0;
    memcpy(out, text, len);
    out[len] = '\0';
    return 1;
}

/* As chatblock_client_is_blocked(). */
static int32_t is_blocked(const chatblock_client *client, const char *owner, size_t owner_len,
                          const char *peer, size_t peer_len)
{
    char owner_text[LONGEST_ACCOUNT + 1], peer_text[LONGEST_ACCOUNT + 1];
    if (!is_account(owner, owner_len, owner_text) || !is_account(peer, peer_len, peer_text))
        return CHATBLOCK_ERR_ARGUMENT;
    return chatblock_client_is_blocked(client, owner_text, peer_text);
}

/*
 * As chatblock_client_is_blocked_many(), with `texts` that holds the peer and then the owners, one behind the
 * other, each with its NUL. OK, or a negative status; then some of `out` may be written.
 */
static chatblock_status is_blocked_many(const chatblock_client *client, const char *texts, size_t count,
                                        int8_t *out)
{
    const char *owners[OWNERS_AT_ONCE], *peer = texts;
    texts += strlen(texts) + 1;
    for (size_t done = 0, part; done < count; done += part) {
        for (part = 0; part < OWNERS_AT_ONCE && done + part < count; part++) {
            owners[part] = texts;
            texts += strlen(texts) + 1;
        }
        int32_t answer = chatblock_client_is_blocked_many(client, owners, part, peer, out + done);
        if (answer < 0)
            return answer;
    }
    return CHATBLOCK_OK;
}

#endif
