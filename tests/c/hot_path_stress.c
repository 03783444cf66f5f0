/* The hot path for ThreadSanitizer: two threads ask while two others write and the table grows.
 * `hot_path_stress` works on the embedded engine; `hot_path_stress URL` on a service there, whose lists are
 * read in the background and told about by webhooks meanwhile. */
#include "host.h"

#include <pthread.h>

enum { ASKERS = 2, WRITERS = 2, OWNERS = 8, ROUNDS = 10, BATCH = 40 };

static const char *const OWNER[OWNERS + 1] = {"o0", "o1", "o2", "o3", "o4", "o5", "o6", "o7", "kept"};
/* On every list, from before the threads begin. */
static const char *const KEPT[] = {"kept"};

struct worker {
    pthread_t thread;
    const chatblock_client *client;
    int number, wrong;
};

static const char *url;
static int writers_left;

static void start(struct worker *worker, chatblock_client *client, int number, void *(*work)(void *))
{
    memset(worker, 0, sizeof *worker);
    worker->client = client;
    worker->number = number;
    CHECK(pthread_create(&worker->thread, NULL, work, worker) == 0);
}

static void finish(struct worker *worker)
{
    CHECK(pthread_join(worker->thread, NULL) == 0);
    CHECK_NUMBER(worker->wrong, 0);
}

/* A webhook about a pair that is on its list: nothing changes, and the list is read again. */
static int tell(const chatblock_client *client, const char *owner)
{
    char body[200];
    int length = snprintf(body, sizeof body,
                          "{\"CallbackCommand\":\"Sns.CallbackBlackListAdd\",\"PairList\":"
                          "[{\"From_Account\":\"%s\",\"To_Account\":\"kept\"}]}",
                          owner);
    return take(chatblock_client_apply_webhook(
               client, "SdkAppid=1400000001&CallbackCommand=Sns.CallbackBlackListAdd&contenttype=json", body,
               (size_t)length)) == CHATBLOCK_OK;
}

/* Adds a batch and takes half of it back. */
static int change(const chatblock_client *client, const char *owner, int round)
{
    char names[BATCH][16];
    const char *peers[BATCH];
    for (int i = 0; i < BATCH; i++) {
        snprintf(names[i], sizeof names[i], "p%d-%d", round, i);
        peers[i] = names[i];
    }
    return take(chatblock_blocklist_add(client, owner, peers, BATCH)) == CHATBLOCK_OK &&
           take(chatblock_blocklist_delete(client, owner, peers, BATCH / 2)) == CHATBLOCK_OK &&
           chatblock_client_is_blocked(client, owner, peers[0]) == 0 &&
           chatblock_client_is_blocked(client, owner, peers[BATCH - 1]) == 1;
}

/* No two writers share an owner. */
static void *write_lists(void *argument)
{
    struct worker *worker = (struct worker *)argument;
    for (int round = 0; round < ROUNDS; round++)
        for (int owner = worker->number; owner < OWNERS; owner += WRITERS) {
            worker->wrong += !change(worker->client, OWNER[owner], round);
            if (url != NULL)
                worker->wrong += !tell(worker->client, OWNER[owner]);
        }
    __atomic_sub_fetch(&writers_left, 1, __ATOMIC_RELAXED);
    return NULL;
}

/* The three questions; each has an answer that no writer changes. */
static int asks_right(const chatblock_client *client, const char *owner)
{
    int8_t answers[OWNERS];
    uint32_t pairs[2 * OWNERS];
    size_t unknown;
    return chatblock_client_is_blocked(client, owner, "kept") == 1 &&
           chatblock_client_is_blocked(client, owner, "nobody") == 0 &&
           chatblock_client_is_blocked_many(client, OWNER, OWNERS, "kept", answers) == OWNERS &&
           chatblock_client_blocked_pairs(client, OWNER, OWNERS + 1, pairs, OWNERS, &unknown) == OWNERS &&
           unknown == 0 && pairs[0] == 0 && pairs[1] == OWNERS;
}

static void *ask(void *argument)
{
    struct worker *worker = (struct worker *)argument;
    /* Relaxed: no order between the threads but what the library makes. */
    for (int n = 0; __atomic_load_n(&writers_left, __ATOMIC_RELAXED) > 0; n++) {
        char peer[16];
        snprintf(peer, sizeof peer, "p%d-%d", n % ROUNDS, n % BATCH);
        worker->wrong += !asks_right(worker->client, OWNER[n % OWNERS]);
        worker->wrong += chatblock_client_is_blocked(worker->client, OWNER[n % OWNERS], peer) < 0;
    }
    return NULL;
}

static chatblock_client *open_there(void)
{
    char config[500] = "{}";
    if (url != NULL)
        snprintf(config, sizeof config,
                 "{\"sdkappid\":1400000001,\"secret_key\":\"" TEST_KEY "\",\"base_url\":\"%s\","
                 "\"attempt_ms\":20000,\"call_ms\":60000,\"rate_per_second\":100000,"
                 "\"cache\":{\"refresh_s\":1,\"max_age_s\":600},\"webhook\":{\"unsigned\":true}}",
                 url);
    return open_client(config);
}

/* Waits until the list of everybody was read, who all block "kept". */
static void prepare(const chatblock_client *client)
{
    for (int owner = 0; owner < OWNERS; owner++)
        CHECK(take(chatblock_blocklist_add(client, OWNER[owner], KEPT, 1)) == CHATBLOCK_OK);
    CHECK_NUMBER(chatblock_client_watch(client, OWNER, OWNERS + 1), CHATBLOCK_OK);
    for (int n = 0; n < 1000 && !asks_right(client, OWNER[0]); n++)
        sleep_ms(10);
    CHECK(asks_right(client, OWNER[0]));
}

int main(int count, char **arguments)
{
    static struct worker askers[ASKERS], writers[WRITERS];
    url = count > 1 ? arguments[1] : NULL;
    chatblock_client *client = open_there();
    prepare(client);
    writers_left = WRITERS;
    for (int i = 0; i < ASKERS; i++)
        start(&askers[i], client, i, ask);
    for (int i = 0; i < WRITERS; i++)
        start(&writers[i], client, i, write_lists);
    for (int i = 0; i < WRITERS; i++)
        finish(&writers[i]);
    for (int i = 0; i < ASKERS; i++)
        finish(&askers[i]);
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
    return check_report();
}
